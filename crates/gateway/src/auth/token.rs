//! Access tokens: signed, short-lived, and all that a request needs to know about its client.

use chrono::{DateTime, Utc};
use domain::Sensitive;
use jsonwebtoken::{Header, Validation};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::keyring::KeyRing;

/// How long an access token is valid, in seconds.
///
/// # Source
/// finoOS v2, Authenticate: `expires_in` 300.
pub const TOKEN_LIFETIME_SECONDS: u32 = 300;
/// How far the clocks of replicas may differ, in seconds.
const CLOCK_SKEW_SECONDS: i64 = 5;
const ISSUER: &str = "kontor";

/// Why an access token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TokenError {
    /// It is no token of ours: malformed, of an unknown key, or its signature does not fit.
    #[error("the access token is not valid")]
    Invalid,
    /// Its time is over.
    #[error("the access token has expired, authenticate again")]
    Expired,
    /// Signing failed, which only an unusable key can cause.
    #[error("the access token could not be signed")]
    Unsignable,
}

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    iss: String,
    /// The client.
    pub(crate) sub: String,
    iat: i64,
    exp: i64,
    jti: String,
    /// The session that the answer of Authenticate names.
    sid: String,
    /// The client's scopes, space separated.
    pub(crate) scope: String,
}

/// What a new token is to say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grant<'a> {
    pub(crate) client: &'a str,
    pub(crate) scope: &'a str,
    pub(crate) session: &'a str,
    pub(crate) token_id: &'a str,
}

impl KeyRing {
    /// Signs a token that is valid from now for five minutes.
    ///
    /// # Errors
    /// `Unsignable` when the active key cannot sign.
    pub(crate) fn sign(
        &self,
        grant: Grant<'_>,
        now: DateTime<Utc>,
    ) -> Result<Sensitive<String>, TokenError> {
        let key = self.active();
        let mut header = Header::new(key.algorithm);
        header.kid = Some(key.kid.clone());
        let claims = Claims {
            iss: ISSUER.to_owned(),
            sub: grant.client.to_owned(),
            iat: now.timestamp(),
            exp: now
                .timestamp()
                .saturating_add(TOKEN_LIFETIME_SECONDS.into()),
            jti: grant.token_id.to_owned(),
            sid: grant.session.to_owned(),
            scope: grant.scope.to_owned(),
        };
        jsonwebtoken::encode(&header, &claims, &key.encoding)
            .map(Sensitive::new)
            .map_err(|_| TokenError::Unsignable)
    }

    /// Checks a token's signature and times.
    ///
    /// # Errors
    /// `Expired` for a token of ours whose time is over, `Invalid` for everything else.
    pub(crate) fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Claims, TokenError> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Invalid)?;
        let kid = header.kid.ok_or(TokenError::Invalid)?;
        let key = self.key(&kid).ok_or(TokenError::Invalid)?;
        // The key decides the algorithm, never the token. Times are checked below, on our clock.
        let mut validation = Validation::new(key.algorithm);
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.set_required_spec_claims(&["iss"]);
        validation.set_issuer(&[ISSUER]);
        let claims = jsonwebtoken::decode::<Claims>(token, &key.decoding, &validation)
            .map_err(|_| TokenError::Invalid)?
            .claims;
        let now = now.timestamp();
        if claims.iat > now.saturating_add(CLOCK_SKEW_SECONDS) {
            return Err(TokenError::Invalid);
        }
        if claims.exp <= now || claims.iat < self.not_before() {
            return Err(TokenError::Expired);
        }
        Ok(claims)
    }
}

#[cfg(test)]
mod tests {
    use super::super::keyring::SigningKey;
    use super::*;

    fn ring(kid: &str, byte: u8, not_before: i64) -> KeyRing {
        let key = SigningKey::try_hs256(kid, &Sensitive::new(vec![byte; 32])).expect("a key");
        KeyRing::try_new(vec![key], not_before).expect("a ring")
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_705_928_941 + seconds, 0).expect("in range")
    }

    fn grant() -> Grant<'static> {
        Grant {
            client: "demo",
            scope: "banking webhooks",
            session: "1e2212ad-e13f-4d3d-af05-7d1716ee920a",
            token_id: "e57a73a9-bcda-4cda-9e8a-99a915a7d675",
        }
    }

    #[test]
    fn tokens_are_valid_for_five_minutes() {
        let ring = ring("a", 1, 0);
        let token = ring.sign(grant(), at(0)).expect("signed");
        for (seconds, expected) in [
            (-6, Err(TokenError::Invalid)),
            (-5, Ok("demo")),
            (0, Ok("demo")),
            (299, Ok("demo")),
            (300, Err(TokenError::Expired)),
        ] {
            let verified = ring.verify(token.as_str(), at(seconds));
            let client = verified.as_ref().map(|claims| claims.sub.as_str());
            assert_eq!(client.map_err(|error| *error), expected, "{seconds}");
        }
    }

    #[test]
    fn only_our_keys_count() {
        let token = ring("a", 1, 0).sign(grant(), at(0)).expect("signed");
        let token = token.as_str();
        let same_id_other_key = ring("a", 2, 0);
        let other_id_same_key = ring("b", 1, 0);
        assert_eq!(
            same_id_other_key.verify(token, at(0)),
            Err(TokenError::Invalid)
        );
        assert_eq!(
            other_id_same_key.verify(token, at(0)),
            Err(TokenError::Invalid)
        );
        let revoked = ring("a", 1, at(1).timestamp());
        assert_eq!(revoked.verify(token, at(2)), Err(TokenError::Expired));
    }

    /// The first key pair of RFC 8032 §7.1.
    const ED25519_SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    const ED25519_PUBLIC: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    /// What PKCS#8 puts before the seed.
    const PKCS8_HEAD: &str = "302e020100300506032b657004220420";

    fn bytes(hex: &str) -> Vec<u8> {
        let digits = hex.as_bytes().chunks(2);
        let pair = |pair: &[u8]| std::str::from_utf8(pair).expect("ASCII").to_owned();
        digits
            .map(|digits| u8::from_str_radix(&pair(digits), 16).expect("hex"))
            .collect()
    }

    #[test]
    fn ed25519_signs_as_well_and_its_public_half_does_not() {
        let private = Sensitive::new(bytes(&format!("{PKCS8_HEAD}{ED25519_SEED}")));
        let public = bytes(ED25519_PUBLIC);
        let key = SigningKey::try_eddsa("a", &private, &public).expect("a pair");
        let ring = KeyRing::try_new(vec![key], 0).expect("a ring");
        let token = ring.sign(grant(), at(0)).expect("signed");
        let claims = ring.verify(token.as_str(), at(1)).expect("valid");
        assert_eq!(claims.sub, "demo");
        // Everybody may know the public key; used as a shared secret it must not pass.
        let confused = SigningKey::try_hs256("a", &Sensitive::new(public)).expect("long enough");
        let confused = KeyRing::try_new(vec![confused], 0).expect("a ring");
        let forged = confused.sign(grant(), at(0)).expect("signed");
        assert_eq!(
            ring.verify(forged.as_str(), at(1)),
            Err(TokenError::Invalid)
        );
    }

    #[test]
    fn altered_and_unsigned_tokens_are_refused() {
        let ring = ring("a", 1, 0);
        let token = ring.sign(grant(), at(0)).expect("signed").into_inner();
        let mut parts = token.split('.');
        let (head, body) = (parts.next().expect("head"), parts.next().expect("body"));
        // {"alg":"none","kid":"a"}
        let none = "eyJhbGciOiJub25lIiwia2lkIjoiYSJ9";
        for forged in [
            String::new(),
            "x".to_owned(),
            format!("{head}.{body}."),
            format!("{none}.{body}."),
            format!("{token}x"),
            format!("{head}.{body}x.{}", parts.next().expect("signature")),
        ] {
            assert_eq!(
                ring.verify(&forged, at(0)),
                Err(TokenError::Invalid),
                "{forged}"
            );
        }
    }
}
