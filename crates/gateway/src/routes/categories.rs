//! The tree of categories.

pub(super) mod descriptions;
pub(super) mod tree;

use domain::UserType;

use crate::error::ApiResult;
use crate::extract::Query;

/// The type of user asked for; persons by default.
///
/// # Errors
/// `Parameter` for any other word.
fn asked_tree(query: &Query) -> ApiResult<UserType> {
    let tree = query.word(&["type"], "must be one of: person, company")?;
    Ok(tree.unwrap_or(UserType::Person))
}
