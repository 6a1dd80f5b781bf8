//! The keys that sign access tokens.

use std::collections::BTreeMap;
use std::fmt;

use domain::Sensitive;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use thiserror::Error;

/// Shortest HMAC key, in bytes: the output length of SHA-256.
///
/// # Source
/// RFC 7518 §3.2.
pub const SIGNING_KEY_BYTES_MIN: usize = 32;
/// Longest key id, in bytes.
const KEY_ID_BYTES_MAX: usize = 128;
/// Length of a raw Ed25519 public key, in bytes.
const ED25519_PUBLIC_BYTES: usize = 32;

/// Why keys are refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyRingError {
    /// There must be a key to sign with.
    #[error("the key ring has no key")]
    Empty,
    /// Two keys have one id.
    #[error("the key id {kid} occurs twice")]
    DuplicateKeyId {
        /// The id.
        kid: String,
    },
    /// A key id is empty, too long or not printable ASCII.
    #[error("a key id must be 1 to 128 printable ASCII characters")]
    InvalidKeyId,
    /// An HMAC key is too short.
    #[error("the key {kid} must be at least {SIGNING_KEY_BYTES_MIN} bytes long")]
    TooShort {
        /// Its id.
        kid: String,
    },
    /// An Ed25519 key does not sign what its public half verifies.
    #[error("the key {kid} is no Ed25519 pair (PKCS#8 private key, 32 bytes public key)")]
    NoPair {
        /// Its id.
        kid: String,
    },
}

/// One key with its id. Its `Debug` shows no key material.
#[derive(Clone)]
pub struct SigningKey {
    pub(super) kid: String,
    pub(super) algorithm: Algorithm,
    pub(super) encoding: EncodingKey,
    pub(super) decoding: DecodingKey,
}

impl SigningKey {
    /// A shared secret for HS256.
    ///
    /// # Errors
    /// `InvalidKeyId`, or `TooShort` below 32 bytes.
    pub fn try_hs256(kid: &str, secret: &Sensitive<Vec<u8>>) -> Result<Self, KeyRingError> {
        check_key_id(kid)?;
        if secret.expose().len() < SIGNING_KEY_BYTES_MIN {
            return Err(KeyRingError::TooShort {
                kid: kid.to_owned(),
            });
        }
        Ok(Self {
            kid: kid.to_owned(),
            algorithm: Algorithm::HS256,
            encoding: EncodingKey::from_secret(secret.expose()),
            decoding: DecodingKey::from_secret(secret.expose()),
        })
    }

    /// An Ed25519 pair for `EdDSA`: the private key as PKCS#8 DER, the public one as 32 raw bytes.
    ///
    /// # Errors
    /// `InvalidKeyId`, or `NoPair` when the public key does not verify what the private one signs.
    pub fn try_eddsa(
        kid: &str,
        pkcs8: &Sensitive<Vec<u8>>,
        public: &[u8],
    ) -> Result<Self, KeyRingError> {
        check_key_id(kid)?;
        let key = Self {
            kid: kid.to_owned(),
            algorithm: Algorithm::EdDSA,
            encoding: EncodingKey::from_ed_der(pkcs8.expose()),
            decoding: DecodingKey::from_ed_der(public),
        };
        let probe = b"kontor";
        let pair = public.len() == ED25519_PUBLIC_BYTES
            && jsonwebtoken::crypto::sign(probe, &key.encoding, key.algorithm)
                .and_then(|signature| {
                    jsonwebtoken::crypto::verify(&signature, probe, &key.decoding, key.algorithm)
                })
                .unwrap_or(false);
        if pair {
            Ok(key)
        } else {
            Err(KeyRingError::NoPair {
                kid: kid.to_owned(),
            })
        }
    }

    /// The id that tokens name.
    pub fn kid(&self) -> &str {
        &self.kid
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SigningKey")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

fn check_key_id(kid: &str) -> Result<(), KeyRingError> {
    let printable = kid.bytes().all(|byte| byte.is_ascii_graphic());
    if kid.is_empty() || kid.len() > KEY_ID_BYTES_MAX || !printable {
        return Err(KeyRingError::InvalidKeyId);
    }
    Ok(())
}

/// The keys of all replicas: one signs, all verify.
///
/// To rotate, put the new key first and remove the old one when its last token has expired, five
/// minutes later.
#[derive(Debug, Clone)]
pub struct KeyRing {
    active: SigningKey,
    by_id: BTreeMap<String, SigningKey>,
    not_before: i64,
}

impl KeyRing {
    /// A ring whose first key signs. Tokens issued before `not_before` (Unix seconds, 0 for none)
    /// are refused, which is how an operator revokes every token at once.
    ///
    /// # Errors
    /// `Empty` or `DuplicateKeyId`.
    pub fn try_new(keys: Vec<SigningKey>, not_before: i64) -> Result<Self, KeyRingError> {
        let active = keys.first().ok_or(KeyRingError::Empty)?.clone();
        let mut by_id = BTreeMap::new();
        for key in keys {
            let kid = key.kid.clone();
            if by_id.insert(kid.clone(), key).is_some() {
                return Err(KeyRingError::DuplicateKeyId { kid });
            }
        }
        Ok(Self {
            active,
            by_id,
            not_before,
        })
    }

    /// Unix seconds before which no token is valid.
    pub fn not_before(&self) -> i64 {
        self.not_before
    }

    pub(super) fn active(&self) -> &SigningKey {
        &self.active
    }

    pub(super) fn key(&self, kid: &str) -> Option<&SigningKey> {
        self.by_id.get(kid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(kid: &str, byte: u8) -> SigningKey {
        SigningKey::try_hs256(kid, &Sensitive::new(vec![byte; 32])).expect("long enough")
    }

    #[test]
    fn rings_need_distinct_keys_of_enough_length() {
        assert!(matches!(
            KeyRing::try_new(Vec::new(), 0),
            Err(KeyRingError::Empty)
        ));
        assert!(matches!(
            KeyRing::try_new(vec![key("a", 1), key("a", 2)], 0),
            Err(KeyRingError::DuplicateKeyId { kid }) if kid == "a"
        ));
        let short = SigningKey::try_hs256("a", &Sensitive::new(vec![0; 31]));
        assert!(matches!(short, Err(KeyRingError::TooShort { .. })));
        let unnamed = SigningKey::try_hs256("", &Sensitive::new(vec![0; 32]));
        assert!(matches!(unnamed, Err(KeyRingError::InvalidKeyId)));
    }

    #[test]
    fn key_material_is_not_printed() {
        let ring = KeyRing::try_new(vec![key("shown", 65)], 0).expect("valid");
        let text = format!("{ring:?}");
        assert!(text.contains("shown"));
        assert!(!text.contains("65") && !text.contains("AAAA"), "{text}");
    }

    #[test]
    fn halves_of_different_ed25519_pairs_are_refused() {
        let no_key = SigningKey::try_eddsa("a", &Sensitive::new(vec![0; 48]), &[0; 32]);
        assert!(matches!(no_key, Err(KeyRingError::NoPair { .. })));
    }
}
