//! A source of chance that is the same in every run and on every machine.

/// Numbers that look random and follow from a seed alone.
///
/// # Source
/// Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014 (`SplitMix64`).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The numbers that belong to a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A whole number from `least` to `most`, both included.
    pub fn between(&mut self, least: i64, most: i64) -> i64 {
        let width = most.saturating_sub(least).max(0).unsigned_abs() + 1;
        let offset = i64::try_from(self.bits() % width).unwrap_or(0);
        least.saturating_add(offset)
    }

    /// Whether something happens that does so in `permille` of a thousand cases.
    pub fn chance(&mut self, permille: i64) -> bool {
        self.between(1, 1000) <= permille
    }

    /// One of a list, which must not be empty.
    pub fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        let index = self.bits() % list.len().max(1) as u64;
        list[usize::try_from(index).unwrap_or(0)]
    }

    /// A number between 0 and 1, the latter excluded.
    #[expect(
        clippy::float_arithmetic,
        clippy::cast_precision_loss,
        reason = "chance is a fraction"
    )]
    pub fn fraction(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Days until the next event of a process without memory.
    #[expect(
        clippy::float_arithmetic,
        clippy::cast_possible_truncation,
        reason = "chance is a fraction; few days fit any number"
    )]
    pub fn wait(&mut self, mean_days: f64) -> i64 {
        let days = -(1.0 - self.fraction()).ln() * mean_days;
        days.round() as i64
    }

    /// An amount around a middle that is at times twice and at times half of it.
    #[expect(
        clippy::float_arithmetic,
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "amounts of purchases have no exact law"
    )]
    pub fn around(&mut self, middle: i64, spread: f64) -> i64 {
        // The sum of twelve fractions is close enough to a normal law.
        let normal = (0..12).map(|_| self.fraction()).sum::<f64>() - 6.0;
        (middle as f64 * (normal * spread).exp()).round() as i64
    }
}
