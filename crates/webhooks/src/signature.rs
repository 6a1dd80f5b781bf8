//! Standard Webhooks signatures: what a receiver checks to know that we sent a body, and when.
//!
//! # Source
//! Standard Webhooks specification, "Webhook Headers" and "Signature scheme": `v1` is
//! base64(HMAC-SHA256(key, `id.timestamp.body`)); several signatures are separated by spaces.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::Sensitive;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::error::WebhooksError;

/// What a signing secret starts with; the rest is the key in base64.
pub const SECRET_PREFIX: &str = "whsec_";
/// Names the scheme in front of each signature.
const VERSION: &str = "v1";

/// A key that signs deliveries, taken from a `whsec_…` secret.
///
/// The compatible `secret` of a webhook is no such key: it travels in the body.
#[derive(Debug, Clone)]
pub struct SigningKey(Sensitive<Vec<u8>>);

impl SigningKey {
    /// Takes the bytes of a key.
    ///
    /// # Errors
    /// `InvalidSigningSecret` for an empty key, with which everybody could sign.
    pub fn try_new(key: Sensitive<Vec<u8>>) -> Result<Self, WebhooksError> {
        if key.expose().is_empty() {
            return Err(WebhooksError::InvalidSigningSecret);
        }
        Ok(Self(key))
    }

    /// Reads the secret as it was shown to the webhook's owner.
    ///
    /// # Errors
    /// `InvalidSigningSecret` without the prefix, without base64 behind it, or with an empty key.
    pub fn parse(secret: &str) -> Result<Self, WebhooksError> {
        let key = secret
            .strip_prefix(SECRET_PREFIX)
            .and_then(|encoded| STANDARD.decode(encoded).ok())
            .ok_or(WebhooksError::InvalidSigningSecret)?;
        Self::try_new(Sensitive::new(key))
    }

    fn mac(&self, message: &Message<'_>) -> Result<Hmac<Sha256>, WebhooksError> {
        // HMAC takes keys of every length, so this error cannot occur; it is passed on all the same.
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.expose())
            .map_err(|_| WebhooksError::InvalidSigningSecret)?;
        mac.update(message.id.as_bytes());
        mac.update(b".");
        mac.update(message.timestamp.to_string().as_bytes());
        mac.update(b".");
        mac.update(message.body);
        Ok(mac)
    }
}

/// What is signed.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// Header `webhook-id`: the same through all attempts.
    pub id: &'a str,
    /// Header `webhook-timestamp`: Unix seconds of the attempt.
    pub timestamp: i64,
    /// The body, byte for byte.
    pub body: &'a [u8],
}

/// The header `webhook-signature`: one signature per key, in the order of the keys.
///
/// During rotation two keys sign, so that a receiver may hold either.
///
/// # Errors
/// `InvalidSigningSecret` when there is no key: nothing is ever sent unsigned.
pub fn sign(message: &Message<'_>, keys: &[SigningKey]) -> Result<String, WebhooksError> {
    let signatures = keys
        .iter()
        .map(|key| {
            let digest = key.mac(message)?.finalize().into_bytes();
            Ok(format!("{VERSION},{}", STANDARD.encode(digest)))
        })
        .collect::<Result<Vec<_>, WebhooksError>>()?;
    if signatures.is_empty() {
        return Err(WebhooksError::InvalidSigningSecret);
    }
    Ok(signatures.join(" "))
}

/// Checks as a receiver does: one `v1` signature of the header must fit the key.
///
/// Whether the timestamp is recent is the receiver's own decision and not looked at here.
///
/// # Errors
/// `WrongSignature` when none fits.
pub fn verify(message: &Message<'_>, header: &str, key: &SigningKey) -> Result<(), WebhooksError> {
    let mac = key.mac(message)?;
    let fits = header
        .split_ascii_whitespace()
        .filter_map(|signature| signature.split_once(','))
        .filter(|(version, _)| *version == VERSION)
        .filter_map(|(_, encoded)| STANDARD.decode(encoded).ok())
        // `verify_slice` compares in constant time.
        .any(|digest| mac.clone().verify_slice(&digest).is_ok());
    if fits {
        Ok(())
    } else {
        Err(WebhooksError::WrongSignature)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const OTHER: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";

    fn key(secret: &str) -> SigningKey {
        SigningKey::parse(secret).expect("a secret")
    }

    fn message(body: &[u8]) -> Message<'_> {
        Message {
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
            timestamp: 1_614_265_330,
            body,
        }
    }

    #[test]
    fn the_specification_s_vector_is_reproduced() {
        let message = message(br#"{"test": 2432232314}"#);
        let header = sign(&message, &[key(SECRET)]).expect("signed");
        assert_eq!(header, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert!(verify(&message, &header, &key(SECRET)).is_ok());
    }

    #[test]
    fn rotation_shows_two_signatures_that_are_both_valid() {
        let message = message(b"{}");
        let header = sign(&message, &[key(SECRET), key(OTHER)]).expect("signed");
        assert_eq!(header.split(' ').count(), 2);
        assert!(verify(&message, &header, &key(SECRET)).is_ok());
        assert!(verify(&message, &header, &key(OTHER)).is_ok());
    }

    #[test]
    fn other_keys_versions_ids_and_times_are_refused() {
        let signed = message(b"{}");
        let header = sign(&signed, &[key(SECRET)]).expect("signed");
        let refused = |message: &Message<'_>, header: &str, secret: &str| {
            matches!(
                verify(message, header, &key(secret)),
                Err(WebhooksError::WrongSignature)
            )
        };
        assert!(refused(&signed, &header, OTHER));
        assert!(refused(&signed, &header.replace("v1,", "v1a,"), SECRET));
        assert!(refused(&signed, "", SECRET));
        assert!(refused(
            &Message {
                id: "msg_other",
                ..signed
            },
            &header,
            SECRET
        ));
        let later = signed.timestamp + 1;
        assert!(refused(
            &Message {
                timestamp: later,
                ..signed
            },
            &header,
            SECRET
        ));
    }

    #[test]
    fn only_prefixed_base64_is_a_signing_secret() {
        for text in [
            "",
            "whsec_",
            "my-secret",
            "whsec_%%",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        ] {
            assert!(SigningKey::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn nothing_is_signed_without_a_key_and_keys_are_never_printed() {
        assert!(sign(&message(b"{}"), &[]).is_err());
        assert_eq!(format!("{:?}", key(SECRET)), "SigningKey(***)");
    }

    proptest! {
        #[test]
        fn a_flipped_bit_fails(body in proptest::collection::vec(any::<u8>(), 1..64), at in any::<usize>()) {
            let header = sign(&message(&body), &[key(SECRET)]).expect("signed");
            prop_assert!(verify(&message(&body), &header, &key(SECRET)).is_ok());
            let mut flipped = body.clone();
            let bit = at % (body.len() * 8);
            flipped[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(verify(&message(&flipped), &header, &key(SECRET)).is_err());
        }
    }
}
