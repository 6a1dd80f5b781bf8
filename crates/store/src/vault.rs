//! Seals what must not lie readable in the database: webhook secrets and remembered answers.
//!
//! Sealed bytes are `version 1 | key id 4 | nonce 24 | ciphertext + tag`. The key id is the start
//! of the key's SHA-256, so that several keys can be valid while one replaces another.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use domain::Sensitive;
use sha2::{Digest, Sha256};
use thiserror::Error;

/// Length of a vault key in bytes.
pub const KEY_BYTES: usize = 32;

const VERSION: u8 = 1;
const KEY_ID_BYTES: usize = 4;
const NONCE_BYTES: usize = 24;
const HEADER_BYTES: usize = 1 + KEY_ID_BYTES + NONCE_BYTES;

/// Why something could not be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum VaultError {
    /// A vault without keys cannot seal.
    #[error("a vault needs at least one key")]
    NoKey,
    /// The key is not 32 bytes in base64.
    #[error("a vault key must be {KEY_BYTES} bytes in base64")]
    BadKey,
    /// Sealed with a key that this vault does not have.
    #[error("sealed with an unknown key")]
    UnknownKey,
    /// Not sealed by a vault, damaged, or moved to another place.
    #[error("sealed bytes are damaged or belong elsewhere")]
    Damaged,
    /// The machine's source of randomness failed.
    #[error("no randomness available")]
    NoRandomness,
}

/// A key of a vault.
#[derive(Clone)]
pub struct VaultKey(Sensitive<[u8; KEY_BYTES]>);

impl VaultKey {
    /// A key from its bytes.
    pub const fn new(bytes: [u8; KEY_BYTES]) -> Self {
        Self(Sensitive::new(bytes))
    }

    /// A new random key.
    ///
    /// # Errors
    /// `NoRandomness`.
    pub fn generate() -> Result<Self, VaultError> {
        random_bytes().map(Self::new)
    }

    /// Reads the form that [`VaultKey::to_base64`] writes; surrounding white space is ignored.
    ///
    /// # Errors
    /// `BadKey`.
    pub fn from_base64(text: &str) -> Result<Self, VaultError> {
        let bytes = STANDARD
            .decode(text.trim())
            .map_err(|_| VaultError::BadKey)?;
        let bytes = <[u8; KEY_BYTES]>::try_from(bytes).map_err(|_| VaultError::BadKey)?;
        Ok(Self::new(bytes))
    }

    /// The key as base64, for the key file.
    pub fn to_base64(&self) -> Sensitive<String> {
        Sensitive::new(STANDARD.encode(self.0.expose()))
    }

    fn id(&self) -> [u8; KEY_ID_BYTES] {
        let digest = Sha256::digest(self.0.expose());
        let mut id = [0; KEY_ID_BYTES];
        id.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        id
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.0.expose().into())
    }
}

impl fmt::Debug for VaultKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("VaultKey(***)")
    }
}

/// Seals with its first key and opens with any.
#[derive(Debug, Clone)]
pub struct Vault {
    keys: Arc<[VaultKey]>,
}

impl Vault {
    /// A vault that seals with the first key and opens with all of them.
    ///
    /// # Errors
    /// `NoKey` without keys.
    pub fn try_new(keys: Vec<VaultKey>) -> Result<Self, VaultError> {
        if keys.is_empty() {
            return Err(VaultError::NoKey);
        }
        Ok(Self { keys: keys.into() })
    }

    /// Seals a content for one place; only the same place can open it.
    ///
    /// # Errors
    /// `NoRandomness`, or `Damaged` beyond the cipher's limit of 256 GiB.
    pub fn seal(&self, content: &[u8], place: &Place<'_>) -> Result<Vec<u8>, VaultError> {
        let key = self.keys.first().ok_or(VaultError::NoKey)?;
        let nonce = random_bytes::<NONCE_BYTES>()?;
        let place = place.to_bytes();
        let payload = Payload {
            msg: content,
            aad: &place,
        };
        let sealed = key
            .cipher()
            .encrypt(XNonce::from_slice(&nonce), payload)
            .map_err(|_| VaultError::Damaged)?;
        let mut bytes = Vec::with_capacity(HEADER_BYTES + sealed.len());
        bytes.push(VERSION);
        bytes.extend_from_slice(&key.id());
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(&sealed);
        Ok(bytes)
    }

    /// Opens what was sealed for the same place.
    ///
    /// # Errors
    /// `UnknownKey`, or `Damaged` for anything else, which includes another place.
    pub fn open(&self, sealed: &[u8], place: &Place<'_>) -> Result<Sensitive<Vec<u8>>, VaultError> {
        let (header, content) = sealed
            .split_at_checked(HEADER_BYTES)
            .ok_or(VaultError::Damaged)?;
        let (version, rest) = header.split_first().ok_or(VaultError::Damaged)?;
        let (key_id, nonce) = rest
            .split_at_checked(KEY_ID_BYTES)
            .ok_or(VaultError::Damaged)?;
        if *version != VERSION {
            return Err(VaultError::Damaged);
        }
        let key = self
            .keys
            .iter()
            .find(|key| key.id() == key_id)
            .ok_or(VaultError::UnknownKey)?;
        let place = place.to_bytes();
        let payload = Payload {
            msg: content,
            aad: &place,
        };
        key.cipher()
            .decrypt(XNonce::from_slice(nonce), payload)
            .map(Sensitive::new)
            .map_err(|_| VaultError::Damaged)
    }
}

/// Where a sealed content belongs; it is authenticated but not stored.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a>(pub &'a [&'a str]);

impl Place<'_> {
    /// Length-prefixed, so that no two lists of parts give the same bytes.
    fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for part in self.0 {
            bytes.extend_from_slice(&part.len().to_le_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        bytes
    }
}

/// Random bytes for keys, nonces and secrets.
pub(crate) fn random_bytes<const N: usize>() -> Result<[u8; N], VaultError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| VaultError::NoRandomness)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Place<'static> = Place(&["tenant", "webhook"]);

    fn vault(keys: &[u8]) -> Vault {
        let keys = keys.iter().map(|byte| VaultKey::new([*byte; KEY_BYTES]));
        Vault::try_new(keys.collect()).expect("keys")
    }

    #[test]
    fn opens_what_it_sealed_with_any_of_its_keys() {
        let sealed = vault(&[1]).seal(b"secret", &HERE).expect("sealed");
        let rotated = vault(&[2, 1]);
        assert_eq!(
            rotated.open(&sealed, &HERE).expect("opened").expose(),
            b"secret"
        );
        assert_eq!(
            vault(&[2]).open(&sealed, &HERE),
            Err(VaultError::UnknownKey)
        );
    }

    #[test]
    fn refuses_another_place_and_every_changed_byte() {
        let vault = vault(&[1]);
        let sealed = vault.seal(b"secret", &HERE).expect("sealed");
        for place in [
            Place(&["tenant"]),
            Place(&["tenan", "twebhook"]),
            Place(&["tenant", "webhook2"]),
        ] {
            assert_eq!(vault.open(&sealed, &place), Err(VaultError::Damaged));
        }
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            if let Some(byte) = changed.get_mut(index) {
                *byte ^= 1;
            }
            assert!(vault.open(&changed, &HERE).is_err(), "byte {index}");
            let short = sealed.get(..index).expect("shorter");
            assert!(vault.open(short, &HERE).is_err(), "cut at {index}");
        }
    }

    #[test]
    fn never_seals_twice_alike_and_never_shows_its_keys() {
        let vault = vault(&[7]);
        let one = vault.seal(b"secret", &HERE).expect("sealed");
        let two = vault.seal(b"secret", &HERE).expect("sealed");
        assert_ne!(one, two);
        assert_eq!(format!("{vault:?}"), "Vault { keys: [VaultKey(***)] }");
    }

    #[test]
    fn keys_survive_their_file() {
        let key = VaultKey::generate().expect("random");
        let text = format!("{}\n", key.to_base64().as_str());
        let read = VaultKey::from_base64(&text).expect("read");
        assert_eq!(read.id(), key.id());
        assert!(VaultKey::from_base64("c2hvcnQ=").is_err());
        assert!(Vault::try_new(Vec::new()).is_err());
    }
}
