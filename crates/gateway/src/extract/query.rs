//! Parameters of the query, in any of their documented spellings.

use std::str::FromStr;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use domain::CorrelationId;
use store::Page;
use url::form_urlencoded;

use crate::error::{ApiError, ApiResult};
use crate::http::answer::CORRELATION_ID;

/// Most parameters of one query.
const PARAMETERS_MAX: usize = 64;
const PAGE: &[&str] = &["page"];
const PAGE_SIZE: &[&str] = &["pageSize", "page-size"];
/// The spellings of a correlation id, in order of precedence (C-07).
const CORRELATION: &[&str] = &["correlation-id", "correlationID", "correlation_id"];

/// The parameters of a query with the headers that may stand in for them.
#[derive(Debug)]
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
    headers: HeaderMap,
}

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> ApiResult<Self> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes())
            .take(PARAMETERS_MAX.saturating_add(1))
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        if pairs.len() > PARAMETERS_MAX {
            let reason = format!("must not have more than {PARAMETERS_MAX} parameters");
            return Err(ApiError::parameter("query", reason));
        }
        Ok(Self {
            pairs,
            headers: parts.headers.clone(),
        })
    }
}

impl Query {
    /// The headers of the request.
    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The value of the first spelling that is there; an empty value equals none.
    pub(crate) fn text(&self, spellings: &[&str]) -> Option<&str> {
        spellings.iter().find_map(|spelling| {
            self.pairs
                .iter()
                .find(|(name, value)| name.eq_ignore_ascii_case(spelling) && !value.is_empty())
                .map(|(_, value)| value.as_str())
        })
    }

    /// A value of some type.
    ///
    /// # Errors
    /// `Parameter` with the first spelling's name and the expectation.
    pub(crate) fn parsed<T: FromStr>(
        &self,
        spellings: &'static [&'static str],
        expectation: &'static str,
    ) -> ApiResult<Option<T>> {
        let name = spellings.first().copied().unwrap_or_default();
        self.text(spellings)
            .map(|text| {
                text.parse()
                    .map_err(|_| ApiError::parameter(name, expectation))
            })
            .transpose()
    }

    /// A word of a list of lower-case ones, in any letter case.
    ///
    /// # Errors
    /// `Parameter` with the first spelling's name and the expectation.
    pub(crate) fn word<T: FromStr>(
        &self,
        spellings: &'static [&'static str],
        expectation: &'static str,
    ) -> ApiResult<Option<T>> {
        let name = spellings.first().copied().unwrap_or_default();
        self.text(spellings)
            .map(|text| {
                text.to_ascii_lowercase()
                    .parse()
                    .map_err(|_| ApiError::parameter(name, expectation))
            })
            .transpose()
    }

    /// True or false in any letter case (C-41).
    ///
    /// # Errors
    /// `Parameter` for anything else.
    pub(crate) fn flag(&self, spellings: &'static [&'static str]) -> ApiResult<Option<bool>> {
        let name = spellings.first().copied().unwrap_or_default();
        match self.text(spellings) {
            None => Ok(None),
            Some(text) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(text) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(_) => Err(ApiError::parameter(name, "must be true or false")),
        }
    }

    /// The page asked for; the first page of ten by default.
    ///
    /// # Errors
    /// `Parameter` when one of the two is no number in its range.
    pub(crate) fn page(&self, size_max: u32) -> ApiResult<Page> {
        const SIZE: u32 = 10;
        let number = self.parsed(PAGE, "must be a whole number from 1")?;
        let number = match number {
            Some(0) => return Err(ApiError::parameter("page", "must be a whole number from 1")),
            other => other.unwrap_or(1),
        };
        let size_max = size_max.min(store::PAGE_SIZE_MAX);
        let out_of_range =
            || ApiError::parameter("pageSize", format!("must be a number from 1 to {size_max}"));
        let size = match self.text(PAGE_SIZE) {
            None => SIZE.min(size_max),
            Some(text) => text.parse().map_err(|_| out_of_range())?,
        };
        if !(1..=size_max).contains(&size) {
            return Err(out_of_range());
        }
        Page::try_new(number, size).map_err(ApiError::from)
    }

    /// The run asked for, from the query or the header `Finoos-Correlation-Id`.
    ///
    /// # Errors
    /// `Parameter` when it is no UUID.
    pub(crate) fn correlation(&self) -> ApiResult<Option<CorrelationId>> {
        let header = self
            .headers
            .get(CORRELATION_ID)
            .and_then(|value| value.to_str().ok())
            .filter(|value| !value.is_empty());
        self.text(CORRELATION)
            .or(header)
            .map(|text| {
                text.trim()
                    .parse()
                    .map_err(|_| ApiError::parameter("correlationID", "must be a UUID"))
            })
            .transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "18bf1171-9e82-4a74-bf52-923b9a80144e";
    const SECOND: &str = "cc451d48-dbc2-4ea4-894a-fb4b299f9e56";

    async fn query(uri: &str, header: Option<&str>) -> ApiResult<Query> {
        let mut request = axum::http::Request::get(uri);
        if let Some(value) = header {
            request = request.header(CORRELATION_ID, value);
        }
        let (mut parts, ()) = request.body(()).expect("a request").into_parts();
        Query::from_request_parts(&mut parts, &()).await
    }

    #[tokio::test]
    async fn pages_have_defaults_and_limits() {
        for (uri, expected) in [
            ("/", Some((1, 10))),
            ("/?page=&pageSize=", Some((1, 10))),
            ("/?page=3&pageSize=25", Some((3, 25))),
            ("/?page=3&page-size=25", Some((3, 25))),
            ("/?PAGE=2&pagesize=100", Some((2, 100))),
            ("/?page=0", None),
            ("/?page=-1", None),
            ("/?page=x", None),
            ("/?page=4294967296", None),
            ("/?pageSize=0", None),
            ("/?pageSize=101", None),
        ] {
            let query = query(uri, None).await.expect("readable");
            let page = query.page(100).ok();
            assert_eq!(
                page.map(|page| (page.number(), page.size())),
                expected,
                "{uri}"
            );
        }
    }

    #[tokio::test]
    async fn correlation_ids_are_read_in_every_spelling() {
        let uri = |name: &str| format!("/?{name}={FIRST}");
        for (uri, header, expected) in [
            ("/".to_owned(), None, None),
            ("/".to_owned(), Some(SECOND), Some(SECOND)),
            (uri("correlationID"), Some(SECOND), Some(FIRST)),
            (uri("correlationId"), None, Some(FIRST)),
            (uri("correlation-id"), None, Some(FIRST)),
            (
                format!("/?correlationID={SECOND}&correlation-id={FIRST}"),
                None,
                Some(FIRST),
            ),
        ] {
            let query = query(&uri, header).await.expect("readable");
            let id = query.correlation().expect("a UUID");
            assert_eq!(id.map(|id| id.to_string()).as_deref(), expected, "{uri}");
        }
        let query = query("/?correlationID=1", None).await.expect("readable");
        let error = query.correlation().expect_err("no UUID");
        assert_eq!(error.to_string(), "correlationID: must be a UUID");
    }

    #[tokio::test]
    async fn flags_are_true_or_false() {
        let query = query("/?a=TRUE&b=false&c=1", None).await.expect("readable");
        assert_eq!(query.flag(&["a"]).expect("a flag"), Some(true));
        assert_eq!(query.flag(&["b"]).expect("a flag"), Some(false));
        assert_eq!(query.flag(&["d"]).expect("a flag"), None);
        assert!(query.flag(&["c"]).is_err());
    }

    #[tokio::test]
    async fn the_number_of_parameters_is_bounded() {
        let uri = format!("/?{}", "a=1&".repeat(PARAMETERS_MAX + 1));
        assert!(query(&uri, None).await.is_err());
    }
}
