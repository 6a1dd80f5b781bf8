//! Numbered pages.

use crate::error::StoreError;

/// Most rows of one page.
pub const PAGE_SIZE_MAX: u32 = 1_000;

/// A page of a list, counted from one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    number: u32,
    size: u32,
}

impl Page {
    /// A page.
    ///
    /// # Errors
    /// `Invalid` for page zero, or a size of zero or above [`PAGE_SIZE_MAX`].
    pub fn try_new(number: u32, size: u32) -> Result<Self, StoreError> {
        if number == 0 {
            return Err(StoreError::Invalid {
                reason: "page must be 1 or more",
            });
        }
        if size == 0 || size > PAGE_SIZE_MAX {
            return Err(StoreError::Invalid {
                reason: "page size must be between 1 and 1000",
            });
        }
        Ok(Self { number, size })
    }

    /// Which page, from one.
    pub fn number(self) -> u32 {
        self.number
    }

    /// Rows on a full page.
    pub fn size(self) -> u32 {
        self.size
    }

    pub(crate) fn limit(self) -> i64 {
        i64::from(self.size)
    }

    pub(crate) fn offset(self) -> i64 {
        i64::from(self.number.saturating_sub(1)).saturating_mul(self.limit())
    }
}

/// A count from the database.
pub(crate) fn count(rows: i64) -> u64 {
    u64::try_from(rows).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_start_at_one_and_are_bounded() {
        for (number, size, expected) in [
            (1, 10, Some((10, 0))),
            (3, 10, Some((10, 20))),
            (1, PAGE_SIZE_MAX, Some((1_000, 0))),
            (u32::MAX, 1_000, Some((1_000, 4_294_967_294_000))),
            (0, 10, None),
            (1, 0, None),
            (1, PAGE_SIZE_MAX + 1, None),
        ] {
            let page = Page::try_new(number, size).ok();
            let found = page.map(|page| (page.limit(), page.offset()));
            assert_eq!(found, expected, "{number} {size}");
        }
    }
}
