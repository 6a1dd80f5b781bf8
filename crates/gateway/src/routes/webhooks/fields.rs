//! What a caller may say about a webhook.

use domain::Sensitive;
use store::WebhookMethod;
use wire::Event;
use wire::scope::ScopeSet;

use crate::error::{ApiError, ApiResult};

/// Longest secret that travels in the body, in bytes.
const SECRET_BYTES_MAX: usize = 1_024;

/// The method by its name, in any letter case; POST without one.
///
/// # Errors
/// `Input` for a method that carries no body.
pub(super) fn method(name: Option<&str>) -> ApiResult<Option<WebhookMethod>> {
    name.map(|name| {
        name.to_ascii_uppercase()
            .parse()
            .map_err(|_| ApiError::field("method", "must be one of: POST, PUT, PATCH"))
    })
    .transpose()
}

/// The events by their names, each once.
///
/// # Errors
/// `Input` for an unknown name or an empty list, `Forbidden` for an event whose scope the client
/// lacks.
pub(super) fn events(names: &[String], scopes: ScopeSet) -> ApiResult<Vec<String>> {
    if names.is_empty() {
        return Err(ApiError::field("events", "must not be empty"));
    }
    let mut events = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let event: Event = name
            .parse()
            .map_err(|error| ApiError::field(&format!("events[{index}]"), format!("{error}")))?;
        if !scopes.allows_any(event.scopes()) {
            return Err(ApiError::forbidden(format!(
                "the client lacks the scope of events[{index}]"
            )));
        }
        let name = event.to_string();
        if !events.contains(&name) {
            events.push(name);
        }
    }
    Ok(events)
}

/// The secret, if it is not too long.
///
/// # Errors
/// `Input` above 1,024 bytes.
pub(super) fn secret(secret: Option<Sensitive<String>>) -> ApiResult<Option<Sensitive<String>>> {
    if secret
        .as_ref()
        .is_some_and(|secret| secret.as_str().len() > SECRET_BYTES_MAX)
    {
        let reason = format!("must not be longer than {SECRET_BYTES_MAX} bytes");
        return Err(ApiError::field("secret", reason));
    }
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn events_are_known_allowed_and_unique() {
        let scopes = ScopeSet::of_known(["webhooks", "categorization"]);
        let check =
            |names: &[&str]| events(&named(names), scopes).map_err(|error| error.to_string());
        let twice = ["categorization", "analysis.finished", "categorization"];
        assert_eq!(
            check(&twice),
            Ok(named(&["categorization", "analysis.finished"]))
        );
        assert_eq!(check(&[]), Err("events: must not be empty".to_owned()));
        let unknown = check(&["categorization", "moon"]);
        assert_eq!(unknown, Err("events[1]: is not a known event".to_owned()));
        let foreign = check(&["contracts"]).expect_err("no scope");
        assert!(foreign.starts_with("Forbidden"), "{foreign}");
    }

    #[test]
    fn methods_carry_a_body() {
        for (name, expected) in [
            (None, Some(None)),
            (Some("put"), Some(Some(WebhookMethod::Put))),
            (Some("PATCH"), Some(Some(WebhookMethod::Patch))),
            (Some("GET"), None),
            (Some("DELETE"), None),
            (Some(""), None),
        ] {
            assert_eq!(method(name).ok(), expected, "{name:?}");
        }
    }
}
