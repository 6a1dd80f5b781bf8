//! Client secrets: known only as Argon2id hashes, verified with bounded memory and even time.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use domain::{IdSource, Sensitive};
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Longest secret that is hashed, in bytes; no generated secret comes near it.
const SECRET_BYTES_MAX: usize = 1_024;
/// Memory of one hash in KiB, passes and lanes.
///
/// # Source
/// OWASP Password Storage Cheat Sheet: Argon2id with 19 MiB, two passes, one lane.
const ARGON2_COST: (u32, u32, u32) = (19 * 1_024, 2, 1);
/// How long a login waits for its turn.
const TURN_SECONDS_MAX: u64 = 5;

/// Why a secret could not be hashed or compared.
#[derive(Debug, Error)]
pub enum SecretError {
    /// Too long to be hashed.
    #[error("a client secret must be 1 to {SECRET_BYTES_MAX} bytes long")]
    Length,
    /// The hash function refused.
    #[error("the client secret could not be hashed")]
    Hash(#[source] argon2::password_hash::Error),
    /// Too many logins wait already.
    #[error("too many logins at the same time")]
    Busy,
    /// The worker thread died.
    #[error("the hashing thread failed")]
    Worker,
}

/// Hashes a client secret for storing, as a PHC string.
///
/// # Errors
/// `Length` for an empty or overlong secret, `Hash` when hashing fails.
pub fn hash_secret(secret: &Sensitive<String>, ids: &dyn IdSource) -> Result<String, SecretError> {
    if secret.is_empty() || secret.as_str().len() > SECRET_BYTES_MAX {
        return Err(SecretError::Length);
    }
    let salt = SaltString::encode_b64(ids.uuid().as_bytes()).map_err(SecretError::Hash)?;
    hasher()?
        .hash_password(secret.as_str().as_bytes(), &salt)
        .map(|hash| hash.to_string())
        .map_err(SecretError::Hash)
}

fn hasher() -> Result<Argon2<'static>, SecretError> {
    let (memory, passes, lanes) = ARGON2_COST;
    let params = Params::new(memory, passes, lanes, None)
        .map_err(|error| SecretError::Hash(error.into()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// The outcome of comparing a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SecretCheck {
    Right,
    Wrong,
}

/// Compares secrets with hashes, a bounded number at a time, off the async threads.
pub(crate) struct Verifier {
    turns: Arc<Semaphore>,
    /// Compared with when the client is unknown, so that both cases take the same time.
    nobody: String,
}

/// The right to compare one secret.
pub(crate) struct Turn(OwnedSemaphorePermit);

impl Verifier {
    /// A verifier that computes so many hashes at a time.
    ///
    /// # Errors
    /// `Hash` when hashing does not work at all.
    pub(crate) fn try_new(at_once: usize, ids: &dyn IdSource) -> Result<Self, SecretError> {
        Ok(Self {
            turns: Arc::new(Semaphore::new(at_once)),
            nobody: hash_secret(&Sensitive::from("the secret of nobody"), ids)?,
        })
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// `Busy` after five seconds.
    pub(crate) async fn turn(&self) -> Result<Turn, SecretError> {
        let wait = Duration::from_secs(TURN_SECONDS_MAX);
        let turn = tokio::time::timeout(wait, Arc::clone(&self.turns).acquire_owned()).await;
        match turn {
            Ok(Ok(permit)) => Ok(Turn(permit)),
            Ok(Err(_)) | Err(_) => Err(SecretError::Busy),
        }
    }

    /// Compares a secret with a client's hash, or with nobody's when there is no such client.
    ///
    /// # Errors
    /// `Worker` when the thread died.
    pub(crate) async fn check(
        &self,
        turn: Turn,
        secret: Sensitive<String>,
        hash: Option<&str>,
    ) -> Result<SecretCheck, SecretError> {
        let known = hash.is_some();
        let hash = hash.unwrap_or(&self.nobody).to_owned();
        let fits = tokio::task::spawn_blocking(move || {
            let fits = fits(&secret, &hash);
            // The turn ends with the work, not with the request that may have gone away.
            drop(turn.0);
            fits
        })
        .await
        .map_err(|_| SecretError::Worker)?;
        Ok(if fits && known {
            SecretCheck::Right
        } else {
            SecretCheck::Wrong
        })
    }
}

fn fits(secret: &Sensitive<String>, hash: &str) -> bool {
    let secret = secret.as_str().as_bytes();
    // The cost parameters are those of the hash, so that older hashes stay valid.
    secret.len() <= SECRET_BYTES_MAX
        && PasswordHash::new(hash)
            .is_ok_and(|hash| Argon2::default().verify_password(secret, &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use domain::SystemIds;

    use super::*;

    #[tokio::test]
    async fn secrets_fit_their_own_hash_only() {
        let verifier = Verifier::try_new(1, &SystemIds).expect("hashing works");
        let hash = hash_secret(&Sensitive::from("demo-secret"), &SystemIds).expect("hashed");
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        for (secret, hash, expected) in [
            ("demo-secret", Some(hash.as_str()), SecretCheck::Right),
            ("demo-secreT", Some(hash.as_str()), SecretCheck::Wrong),
            ("", Some(hash.as_str()), SecretCheck::Wrong),
            ("demo-secret", Some("no hash"), SecretCheck::Wrong),
            ("demo-secret", None, SecretCheck::Wrong),
            ("the secret of nobody", None, SecretCheck::Wrong),
        ] {
            let turn = verifier.turn().await.expect("a turn");
            let check = verifier.check(turn, Sensitive::from(secret), hash).await;
            assert_eq!(check.expect("compared"), expected, "{secret}");
        }
    }

    #[test]
    fn equal_secrets_have_different_hashes() {
        let secret = Sensitive::from("demo-secret");
        let first = hash_secret(&secret, &SystemIds).expect("hashed");
        let second = hash_secret(&secret, &SystemIds).expect("hashed");
        assert_ne!(first, second);
    }

    #[test]
    fn empty_and_overlong_secrets_are_refused() {
        for secret in [String::new(), "x".repeat(SECRET_BYTES_MAX + 1)] {
            let hash = hash_secret(&Sensitive::new(secret), &SystemIds);
            assert!(matches!(hash, Err(SecretError::Length)));
        }
    }
}
