//! Who is calling: client secrets, access tokens and the keys that sign them.

mod keyring;
mod logins;
mod secret;
mod token;

pub use keyring::{KeyRing, KeyRingError, SIGNING_KEY_BYTES_MIN, SigningKey};
pub(crate) use logins::Logins;
pub(crate) use secret::{SecretCheck, Verifier};
pub use secret::{SecretError, hash_secret};
pub(crate) use token::Grant;
pub use token::{TOKEN_LIFETIME_SECONDS, TokenError};
