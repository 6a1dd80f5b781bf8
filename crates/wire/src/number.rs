//! Exact numbers: money leaves as the decimal text of its minor units, never through a float.

use domain::Money;
use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// An amount in major units as a JSON number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount(pub Money);

impl From<Money> for Amount {
    fn from(money: Money) -> Self {
        Self(money)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.0.to_decimal_text();
        RawValue::from_string(text)
            .map_err(S::Error::custom)?
            .serialize(serializer)
    }
}

impl PartialSchema for Amount {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Number)
            .description(Some("Decimal in major units; outgoing is negative."))
            .into()
    }
}

impl ToSchema for Amount {}

/// A share of one as a JSON number with four decimals, e.g. `0.9731`.
///
/// # Units
/// Of ten thousand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(pub u16);

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = format!("{}.{:04}", self.0 / 10_000, self.0 % 10_000);
        RawValue::from_string(text)
            .map_err(S::Error::custom)?
            .serialize(serializer)
    }
}

impl PartialSchema for Share {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Number)
            .minimum(Some(0))
            .maximum(Some(1))
            .description(Some("Number from 0 to 1 with four decimals."))
            .into()
    }
}

impl ToSchema for Share {}

#[cfg(test)]
mod tests {
    use domain::Currency;

    use super::*;

    #[test]
    fn shares_have_four_decimals() {
        for (share, expected) in [
            (0, "0.0000"),
            (1, "0.0001"),
            (9_731, "0.9731"),
            (10_000, "1.0000"),
        ] {
            assert_eq!(
                serde_json::to_string(&Share(share)).expect("number"),
                expected
            );
        }
    }

    #[test]
    fn amounts_are_exact_numbers() {
        for (minor, expected) in [
            (200_441, "2004.41"),
            (-1_350, "-13.5"),
            (600_000, "6000"),
            (-5, "-0.05"),
            (0, "0"),
            (i64::MAX, "92233720368547758.07"),
        ] {
            let amount = Amount(Money::new(minor, Currency::EUR));
            assert_eq!(serde_json::to_string(&amount).expect("number"), expected);
        }
    }
}
