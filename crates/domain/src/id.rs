//! One newtype per identifier, so that no two can be swapped.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;
use uuid::Uuid;

/// Why a text is no identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum IdError {
    /// Not a UUID.
    #[error("must be a UUID")]
    NotAUuid,
    /// Empty.
    #[error("must not be empty")]
    Empty,
    /// Longer than the limit.
    #[error("must be at most {max} bytes long")]
    TooLong {
        /// The limit in bytes.
        max: usize,
    },
    /// A control character, which no identifier of a bank or a client contains.
    #[error("must not contain control characters")]
    ControlCharacter,
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID.
            pub const fn new(id: Uuid) -> Self {
                Self(id)
            }

            /// The UUID.
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, formatter)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Uuid::try_parse(text).map(Self).map_err(|_| IdError::NotAUuid)
            }
        }
    };
}

uuid_id!(
    /// A tenant: one name under one client.
    TenantId
);
uuid_id!(
    /// An end user, finoOS `userID`.
    UserId
);
uuid_id!(
    /// An analysis run, finoOS `correlationID`.
    CorrelationId
);
uuid_id!(
    /// A registered webhook.
    WebhookId
);
uuid_id!(
    /// Something that happened to a user and that webhooks may hear of.
    EventId
);
uuid_id!(
    /// One event on its way to one webhook; the same through all attempts.
    DeliveryId
);
uuid_id!(
    /// A message of the outbox; the same through all publications.
    MessageId
);

/// Longest identifier that a caller may choose, in bytes.
pub const TEXT_ID_BYTES_MAX: usize = 256;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// Checks and wraps an identifier.
            ///
            /// # Errors
            /// `Empty`, `TooLong` above 256 bytes, or `ControlCharacter`.
            pub fn try_new(text: impl Into<String>) -> Result<Self, IdError> {
                let text = text.into();
                check_text_id(&text)?;
                Ok(Self(text))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Takes the text out.
            pub fn into_string(self) -> String {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}

fn check_text_id(text: &str) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty);
    }
    if text.len() > TEXT_ID_BYTES_MAX {
        return Err(IdError::TooLong {
            max: TEXT_ID_BYTES_MAX,
        });
    }
    if text.chars().any(char::is_control) {
        return Err(IdError::ControlCharacter);
    }
    Ok(())
}

text_id!(
    /// An account of a user; uploads choose it freely.
    AccountId
);
text_id!(
    /// A transaction within its account; uploads choose it freely.
    TransactionId
);
text_id!(
    /// An API client's identifier, which is also the name of its default tenant.
    ClientId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_ids_are_bounded_and_printable() {
        assert!(AccountId::try_new("A38253.f837c3ab353").is_ok());
        assert_eq!(AccountId::try_new(""), Err(IdError::Empty));
        assert_eq!(AccountId::try_new("a\0b"), Err(IdError::ControlCharacter));
        let long = "x".repeat(TEXT_ID_BYTES_MAX + 1);
        assert_eq!(
            AccountId::try_new(long),
            Err(IdError::TooLong {
                max: TEXT_ID_BYTES_MAX
            })
        );
    }

    #[test]
    fn uuid_ids_refuse_other_text() {
        assert_eq!("0815".parse::<UserId>(), Err(IdError::NotAUuid));
        let text = "e57a73a9-bcda-4cda-9e8a-99a915a7d675";
        assert_eq!(text.parse::<UserId>().expect("id").to_string(), text);
    }
}
