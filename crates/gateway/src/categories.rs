//! The tree of categories and its descriptions, written once: they change only with the program.

use std::collections::BTreeMap;

use domain::UserType;
use rules::descriptions::attribute_label;
use rules::taxonomy::ATTRIBUTES;
use rules::{Descriptions, Language, TagId, Taxonomy};
use serde::Serialize;
use sha2::{Digest, Sha256};
use wire::categories::{
    CategoryNode, CategoryTreeResponse, NodeType, ROOT, TagDescription, TagDescriptionsResponse,
};

use crate::state::GatewayError;

const TREES: [UserType; 2] = [UserType::Person, UserType::Company];
const LANGUAGES: [Language; 2] = [Language::De, Language::En];

/// An answer that is always the same, with a hash that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edition {
    pub(crate) body: String,
    pub(crate) hash: String,
}

/// Every edition of the tree and of the descriptions.
pub(crate) struct Categories {
    trees: BTreeMap<UserType, Edition>,
    descriptions: BTreeMap<(UserType, Language), Edition>,
}

impl Categories {
    /// Writes every edition.
    ///
    /// # Errors
    /// `Rules` when the descriptions do not fit the taxonomy, `Serialize` when an edition cannot be
    /// written.
    pub(crate) fn try_new(taxonomy: &Taxonomy) -> Result<Self, GatewayError> {
        let texts = Descriptions::builtin(taxonomy).map_err(GatewayError::Rules)?;
        let mut trees = BTreeMap::new();
        let mut descriptions = BTreeMap::new();
        for tree in TREES {
            trees.insert(tree, tree_edition(taxonomy, tree)?);
            for language in LANGUAGES {
                let list = described(taxonomy, &texts, tree, language);
                descriptions.insert((tree, language), list_edition(list, tree, language)?);
            }
        }
        Ok(Self {
            trees,
            descriptions,
        })
    }

    /// The tree of a type of user.
    pub(crate) fn tree(&self, tree: UserType) -> Option<&Edition> {
        self.trees.get(&tree)
    }

    /// What its tags stand for.
    pub(crate) fn descriptions(&self, tree: UserType, language: Language) -> Option<&Edition> {
        self.descriptions.get(&(tree, language))
    }
}

fn tree_edition(taxonomy: &Taxonomy, tree: UserType) -> Result<Edition, GatewayError> {
    let nodes = root(taxonomy, tree);
    let hash = hash(&nodes)?;
    let response = CategoryTreeResponse {
        nodes,
        tree_version_hash: hash.clone(),
        tree_type: tree.as_str(),
    };
    let body = serde_json::to_string(&response).map_err(GatewayError::Serialize)?;
    Ok(Edition { body, hash })
}

fn list_edition(
    list: Vec<TagDescription>,
    tree: UserType,
    language: Language,
) -> Result<Edition, GatewayError> {
    let hash = hash(&list)?;
    let response = TagDescriptionsResponse {
        description_list: list,
        description_version_hash: hash.clone(),
        language: language.as_str(),
        tree_type: tree.as_str(),
    };
    let body = serde_json::to_string(&response).map_err(GatewayError::Serialize)?;
    Ok(Edition { body, hash })
}

/// The canonical form is what is sent: the members of each object stand in alphabetical order.
fn hash<T: Serialize>(content: &T) -> Result<String, GatewayError> {
    let canonical = serde_json::to_vec(content).map_err(GatewayError::Serialize)?;
    Ok(format!("{:x}", Sha256::digest(canonical)))
}

fn root(taxonomy: &Taxonomy, tree: UserType) -> CategoryNode {
    let mut below: BTreeMap<Option<TagId>, Vec<TagId>> = BTreeMap::new();
    for tag in taxonomy.tags(tree) {
        below.entry(taxonomy.parent(tag)).or_default().push(tag);
    }
    let mut children = nodes(taxonomy, &below, None, 1);
    children.extend(ATTRIBUTES.iter().map(|name| CategoryNode {
        children: Vec::new(),
        level: 1,
        tag: (*name).to_owned(),
        node_type: NodeType::Attribute,
    }));
    CategoryNode {
        children,
        level: 0,
        tag: ROOT.to_owned(),
        node_type: NodeType::Category,
    }
}

/// The nodes below a tag. Parents stand before their children in the table, so it ends.
fn nodes(
    taxonomy: &Taxonomy,
    below: &BTreeMap<Option<TagId>, Vec<TagId>>,
    parent: Option<TagId>,
    level: u32,
) -> Vec<CategoryNode> {
    let tags = below.get(&parent).map_or(&[][..], Vec::as_slice);
    let node = |tag: &TagId| CategoryNode {
        children: nodes(taxonomy, below, Some(*tag), level.saturating_add(1)),
        level,
        tag: taxonomy.name(*tag).to_owned(),
        node_type: NodeType::Category,
    };
    tags.iter().map(node).collect()
}

fn described(
    taxonomy: &Taxonomy,
    texts: &Descriptions,
    tree: UserType,
    language: Language,
) -> Vec<TagDescription> {
    let tags = taxonomy.tags(tree).map(|tag| TagDescription {
        description: texts.of_tag(tag, language).to_owned(),
        display_name: taxonomy.label(tag, language).to_owned(),
        name: taxonomy.name(tag).to_owned(),
    });
    let attributes = ATTRIBUTES.iter().map(|name| TagDescription {
        description: texts.of_attribute(name, language).to_owned(),
        display_name: attribute_label(name, language).unwrap_or(name).to_owned(),
        name: (*name).to_owned(),
    });
    tags.chain(attributes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taxonomy(rows: &str) -> Taxonomy {
        Taxonomy::parse(&format!("tree,tag,parent,de,en,module\n{rows}")).expect("valid")
    }

    #[test]
    fn the_tree_has_every_tag_below_its_parent() {
        let taxonomy = taxonomy(
            "person,spending,,Ausgaben,Spending,\n\
             person,insurance,spending,Versicherungen,Insurance,\n\
             company,spending,,Ausgaben,Spending,\n\
             person,insurance_legal,insurance,Rechtsschutz,Legal,\n",
        );
        let root = root(&taxonomy, UserType::Person);
        assert_eq!((root.level, root.tag.as_str()), (0, "root"));
        let tops: Vec<_> = root.children.iter().map(|node| node.tag.as_str()).collect();
        assert_eq!(tops[0], "spending");
        assert_eq!(tops[1..], ATTRIBUTES);
        assert_eq!(root.children[1].node_type, NodeType::Attribute);
        let leaf = &root.children[0].children[0].children[0];
        assert_eq!((leaf.level, leaf.tag.as_str()), (3, "insurance_legal"));
    }

    #[test]
    fn hashes_follow_the_content() {
        let one = taxonomy("person,a,,A,A,\ncompany,a,,A,A,\n");
        let two = taxonomy("person,a,,A,A,\nperson,b,a,B,B,\ncompany,a,,A,A,\n");
        let edition = |taxonomy, tree| tree_edition(taxonomy, tree).expect("written");
        let (person, company) = (UserType::Person, UserType::Company);
        assert_ne!(edition(&one, person).hash, edition(&two, person).hash);
        assert_eq!(edition(&one, company), edition(&two, company));
    }
}
