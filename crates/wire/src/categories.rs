//! The tree of categories and what each of them stands for.

use serde::Serialize;
use utoipa::ToSchema;

/// The tag of the node above all others, which no transaction has.
pub const ROOT: &str = "root";

/// The tags of a type of user as a tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CategoryTreeResponse {
    /// The root, which is no tag itself.
    pub nodes: CategoryNode,
    /// Changes with the tree: SHA-256 of `nodes`, in hexadecimal.
    pub tree_version_hash: String,
    /// `person` or `company`.
    #[serde(rename = "type")]
    #[schema(example = "person")]
    pub tree_type: &'static str,
}

/// A tag with the tags below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CategoryNode {
    /// The tags below, in the order in which they are shown.
    #[schema(no_recursion)]
    pub children: Vec<CategoryNode>,
    /// Steps from the root.
    pub level: u32,
    /// The tag; `root` for the root.
    #[schema(example = "insurance_legal")]
    pub tag: String,
    /// What kind of tag it is.
    #[serde(rename = "type")]
    pub node_type: NodeType,
}

/// What kind of tag a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum NodeType {
    /// Stands beside the category of a transaction.
    Attribute,
    /// What a transaction is about.
    Category,
}

/// What the tags of a type of user stand for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TagDescriptionsResponse {
    /// Every tag, in the order of the tree; then the attributes.
    pub description_list: Vec<TagDescription>,
    /// Changes with the descriptions: SHA-256 of `descriptionList`, in hexadecimal.
    pub description_version_hash: String,
    /// `de` or `en`.
    #[schema(example = "de")]
    pub language: &'static str,
    /// `person` or `company`.
    #[serde(rename = "type")]
    #[schema(example = "person")]
    pub tree_type: &'static str,
}

/// What a tag stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TagDescription {
    /// What belongs to it, and what does not.
    #[schema(example = "Rechtsschutz für Privatpersonen.")]
    pub description: String,
    /// The tag for people.
    #[schema(example = "Rechtsschutzversicherung")]
    pub display_name: String,
    /// The tag.
    #[schema(example = "insurance_legal")]
    pub name: String,
}
