//! Moments as the documents print them.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// A moment in UTC with milliseconds: `2024-08-14T11:37:20.515Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UtcMillis(pub DateTime<Utc>);

impl Serialize for UtcMillis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

/// A moment with Berlin's offset and whole seconds: `2024-01-22T14:08:47+01:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BerlinSeconds(pub DateTime<Utc>);

impl Serialize for BerlinSeconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&domain::date::berlin_rfc3339(self.0))
    }
}

fn date_time() -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        .into()
}

impl PartialSchema for UtcMillis {
    fn schema() -> RefOr<Schema> {
        date_time()
    }
}

impl ToSchema for UtcMillis {}

impl PartialSchema for BerlinSeconds {
    fn schema() -> RefOr<Schema> {
        date_time()
    }
}

impl ToSchema for BerlinSeconds {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_look_as_in_the_documents() {
        let moment = DateTime::from_timestamp_millis(1_723_635_440_515).expect("in range");
        let json = |value: &dyn erased::Json| value.text();
        assert_eq!(json(&UtcMillis(moment)), "\"2024-08-14T11:37:20.515Z\"");
        assert_eq!(
            json(&BerlinSeconds(moment)),
            "\"2024-08-14T13:37:20+02:00\""
        );
    }

    mod erased {
        pub(super) trait Json {
            fn text(&self) -> String;
        }

        impl<T: serde::Serialize> Json for T {
            fn text(&self) -> String {
                serde_json::to_string(self).expect("serialises")
            }
        }
    }
}
