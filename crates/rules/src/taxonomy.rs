//! The tags: two trees, one for persons and one for companies.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use domain::UserType;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::error::RulesError;
use crate::language::Language;

/// Most tags that both trees may hold together.
pub const TAGS_MAX: usize = 4_096;

/// What a tag may say beside its place in the tree: how steady a payment is.
pub const ATTRIBUTES: [&str; 4] = ["recurring", "fix", "variabel", "fix-variabel"];

/// A tag of either tree. Equal names in the two trees are different tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TagId(u16);

#[derive(Debug)]
struct Tag {
    tree: UserType,
    name: String,
    parent: Option<TagId>,
    label_de: String,
    label_en: String,
    module: String,
    leaf: bool,
}

/// Both trees, with labels and the module that reads each tag.
#[derive(Debug)]
pub struct Taxonomy {
    tags: Vec<Tag>,
    by_name: BTreeMap<(UserType, String), TagId>,
    hash: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    tree: String,
    tag: String,
    parent: String,
    de: String,
    en: String,
    module: String,
}

impl Taxonomy {
    /// Reads a table with the columns `tree,tag,parent,de,en,module`. Parents stand before their
    /// children.
    ///
    /// # Errors
    /// `TaxonomyTable` when it is no such CSV, `Taxonomy` when a line contradicts the rest,
    /// `TooMany` above [`TAGS_MAX`].
    pub fn parse(csv: &str) -> Result<Self, RulesError> {
        let mut taxonomy = Self {
            tags: Vec::new(),
            by_name: BTreeMap::new(),
            hash: String::new(),
        };
        for row in csv::Reader::from_reader(csv.as_bytes()).deserialize() {
            taxonomy.add(row.map_err(RulesError::TaxonomyTable)?)?;
        }
        taxonomy.hash = taxonomy.content_hash();
        Ok(taxonomy)
    }

    fn add(&mut self, row: Row) -> Result<(), RulesError> {
        let fault = |reason| RulesError::Taxonomy {
            tree: row.tree.clone(),
            tag: row.tag.clone(),
            reason,
        };
        let tree: UserType = row
            .tree
            .parse()
            .map_err(|_| fault("the tree is neither person nor company"))?;
        if !is_tag_name(&row.tag) {
            return Err(fault("a tag is lower-case words joined by underscores"));
        }
        if row.de.is_empty() || row.en.is_empty() {
            return Err(fault("a label is missing"));
        }
        let parent = match row.parent.as_str() {
            "" => None,
            name => Some(
                self.find(tree, name)
                    .ok_or_else(|| fault("the parent stands not before it"))?,
            ),
        };
        let id = self.next_id()?;
        if self.by_name.insert((tree, row.tag.clone()), id).is_some() {
            return Err(fault("the tag stands twice"));
        }
        if let Some(parent) = parent {
            self.tags[usize::from(parent.0)].leaf = false;
        }
        self.tags.push(Tag {
            tree,
            name: row.tag,
            parent,
            label_de: row.de,
            label_en: row.en,
            module: row.module,
            leaf: true,
        });
        Ok(())
    }

    fn next_id(&self) -> Result<TagId, RulesError> {
        u16::try_from(self.tags.len())
            .ok()
            .filter(|id| usize::from(*id) < TAGS_MAX)
            .map(TagId)
            .ok_or(RulesError::TooMany {
                what: "tags",
                max: TAGS_MAX,
            })
    }

    /// The tag of a tree by name.
    pub fn find(&self, tree: UserType, name: &str) -> Option<TagId> {
        // The key owns its text, and a look-up by borrowed pair would need a second type; names are
        // looked up while loading and per request, never per transaction.
        self.by_name.get(&(tree, name.to_owned())).copied()
    }

    /// Every tag of a tree in the order of the table.
    pub fn tags(&self, tree: UserType) -> impl Iterator<Item = TagId> {
        (0..)
            .zip(&self.tags)
            .filter(move |(_, tag)| tag.tree == tree)
            .map(|(index, _)| TagId(index))
    }

    /// The name as it stands on the wire.
    pub fn name(&self, tag: TagId) -> &str {
        &self.tag(tag).name
    }

    /// The names from the tag up to its root.
    pub fn path(&self, tag: TagId) -> impl Iterator<Item = &str> {
        std::iter::successors(Some(tag), |tag| self.parent(*tag)).map(|tag| self.name(tag))
    }

    /// The attributes that may stand beside tags of either tree.
    pub const fn attributes(&self) -> &'static [&'static str] {
        &ATTRIBUTES
    }

    /// The tag above, `None` for a root.
    pub fn parent(&self, tag: TagId) -> Option<TagId> {
        self.tag(tag).parent
    }

    /// The label in a language.
    pub fn label(&self, tag: TagId, language: Language) -> &str {
        match language {
            Language::De => &self.tag(tag).label_de,
            Language::En => &self.tag(tag).label_en,
        }
    }

    /// The tree that the tag belongs to.
    pub fn tree(&self, tag: TagId) -> UserType {
        self.tag(tag).tree
    }

    /// The module that reads transactions with this tag, e.g. `income.salary`.
    pub fn module(&self, tag: TagId) -> Option<&str> {
        Some(self.tag(tag).module.as_str()).filter(|module| !module.is_empty())
    }

    /// Whether no tag lies below.
    pub fn is_leaf(&self, tag: TagId) -> bool {
        self.tag(tag).leaf
    }

    /// SHA-256 of the canonical content, in hexadecimal.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    fn tag(&self, tag: TagId) -> &Tag {
        &self.tags[usize::from(tag.0)]
    }

    /// Hashes every tag in the order of the trees' names, so that moving lines changes nothing.
    fn content_hash(&self) -> String {
        let mut digest = Sha256::new();
        for tag in self.by_name.values().map(|id| self.tag(*id)) {
            let parent = tag.parent.map_or("", |parent| self.name(parent));
            let cells = [
                tag.tree.as_str(),
                tag.name.as_str(),
                parent,
                tag.label_de.as_str(),
                tag.label_en.as_str(),
                tag.module.as_str(),
            ];
            digest.update(cells.join("\t"));
            digest.update("\n");
        }
        hex(&digest.finalize())
    }
}

/// Bytes in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn is_tag_name(name: &str) -> bool {
    !name.is_empty()
        && name.split('_').all(|word| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "tree,tag,parent,de,en,module\n";

    fn parse(rows: &str) -> Result<Taxonomy, RulesError> {
        Taxonomy::parse(&format!("{HEAD}{rows}"))
    }

    fn reason(rows: &str) -> String {
        parse(rows).expect_err("must be refused").to_string()
    }

    #[test]
    fn path_runs_from_leaf_to_root() {
        let taxonomy = parse(
            "person,spending,,Ausgaben,Spending,\n\
             person,insurance,spending,Versicherungen,Insurance,spending.insurance\n\
             person,insurance_legal,insurance,Rechtsschutz,Legal,spending.insurance\n\
             company,spending,,Ausgaben,Spending,\n",
        )
        .expect("valid");
        let tag = taxonomy
            .find(UserType::Person, "insurance_legal")
            .expect("there");
        let path: Vec<_> = taxonomy.path(tag).collect();
        assert_eq!(path, ["insurance_legal", "insurance", "spending"]);
        assert!(taxonomy.is_leaf(tag));
        assert_eq!(taxonomy.module(tag), Some("spending.insurance"));
        assert_eq!(taxonomy.label(tag, Language::De), "Rechtsschutz");
        assert_eq!(taxonomy.label(tag, Language::En), "Legal");
        assert_eq!(taxonomy.find(UserType::Company, "insurance_legal"), None);
        let root = taxonomy.find(UserType::Company, "spending").expect("there");
        assert_eq!(taxonomy.tree(root), UserType::Company);
        assert_eq!(taxonomy.module(root), None);
    }

    #[test]
    fn the_hash_follows_content_and_not_order() {
        let one = parse("person,a,,A,A,\nperson,b,,B,B,\n").expect("valid");
        let two = parse("person,b,,B,B,\nperson,a,,A,A,\n").expect("valid");
        let three = parse("person,b,,B,B,\nperson,a,,A,Other,\n").expect("valid");
        assert_eq!(one.hash(), two.hash());
        assert_ne!(one.hash(), three.hash());
        assert_eq!(one.hash().len(), 64);
    }

    #[test]
    fn contradictions_are_refused() {
        assert!(reason("pet,a,,A,A,\n").contains("neither person nor company"));
        assert!(reason("person,a,b,A,A,\n").contains("parent"));
        assert!(reason("person,a,,A,A,\nperson,a,,A,A,\n").contains("twice"));
        assert!(reason("person,A b,,A,A,\n").contains("lower-case"));
        assert!(reason("person,a,,,A,\n").contains("label"));
        assert!(reason("person,a\n").contains("table"));
    }
}
