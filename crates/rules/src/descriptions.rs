//! What each tag stands for, in sentences: what belongs to it and what does not.

use std::collections::BTreeMap;

use domain::UserType;
use serde::Deserialize;

use crate::error::RulesError;
use crate::language::Language;
use crate::taxonomy::{ATTRIBUTES, TagId, Taxonomy};

/// The descriptions that are part of the binary.
const BUILTIN: &str = include_str!("../../../rules/descriptions.csv");
/// In place of a tree, before an attribute.
const ATTRIBUTE: &str = "attribute";
/// What people call the attributes: name, German, English.
const ATTRIBUTE_LABELS: [(&str, &str, &str); ATTRIBUTES.len()] = [
    ("recurring", "Wiederkehrend", "Recurring"),
    ("fix", "Fix", "Fixed"),
    ("variabel", "Variabel", "Variable"),
    ("fix-variabel", "Fix-variabel", "Fixed but varying"),
];

/// Descriptions of tags and attributes in every language.
#[derive(Debug)]
pub struct Descriptions {
    tags: BTreeMap<TagId, Text>,
    attributes: BTreeMap<String, Text>,
}

#[derive(Debug)]
struct Text {
    de: String,
    en: String,
}

impl Text {
    fn in_language(&self, language: Language) -> &str {
        match language {
            Language::De => &self.de,
            Language::En => &self.en,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    tree: String,
    tag: String,
    de: String,
    en: String,
}

impl Descriptions {
    /// The descriptions that ship with this version.
    ///
    /// # Errors
    /// As [`Descriptions::parse`]; a test makes sure that the shipped files give none.
    pub fn builtin(taxonomy: &Taxonomy) -> Result<Self, RulesError> {
        Self::parse(BUILTIN, taxonomy)
    }

    /// Reads a table with the columns `tree,tag,de,en`, where the tree of an attribute is
    /// `attribute`.
    ///
    /// # Errors
    /// `DescriptionTable` when it is no such CSV, `Description` when a line describes nothing, or
    /// what another line describes.
    pub fn parse(csv: &str, taxonomy: &Taxonomy) -> Result<Self, RulesError> {
        let mut descriptions = Self {
            tags: BTreeMap::new(),
            attributes: BTreeMap::new(),
        };
        for row in csv::Reader::from_reader(csv.as_bytes()).deserialize() {
            descriptions.add(row.map_err(RulesError::DescriptionTable)?, taxonomy)?;
        }
        Ok(descriptions)
    }

    fn add(&mut self, row: Row, taxonomy: &Taxonomy) -> Result<(), RulesError> {
        let Row { tree, tag, de, en } = row;
        let fault = |reason| RulesError::Description {
            tree: tree.clone(),
            tag: tag.clone(),
            reason,
        };
        if de.trim().is_empty() || en.trim().is_empty() {
            return Err(fault("a language is missing"));
        }
        let text = Text { de, en };
        let earlier = if tree == ATTRIBUTE {
            if !ATTRIBUTES.contains(&tag.as_str()) {
                return Err(fault("there is no such attribute"));
            }
            self.attributes.insert(tag.clone(), text)
        } else {
            let tree: UserType = tree.parse().map_err(|_| fault("there is no such tree"))?;
            let id = taxonomy.find(tree, &tag);
            let id = id.ok_or_else(|| fault("the tag is not in the taxonomy"))?;
            self.tags.insert(id, text)
        };
        match earlier {
            None => Ok(()),
            Some(_) => Err(fault("it is described twice")),
        }
    }

    /// What a tag stands for; empty when nobody wrote it.
    pub fn of_tag(&self, tag: TagId, language: Language) -> &str {
        self.tags
            .get(&tag)
            .map_or("", |text| text.in_language(language))
    }

    /// What an attribute stands for; empty when nobody wrote it.
    pub fn of_attribute(&self, name: &str, language: Language) -> &str {
        self.attributes
            .get(name)
            .map_or("", |text| text.in_language(language))
    }
}

/// The label of an attribute, `None` for any other word.
pub fn attribute_label(name: &str, language: Language) -> Option<&'static str> {
    ATTRIBUTE_LABELS
        .iter()
        .find(|(attribute, _, _)| *attribute == name)
        .map(|(_, de, en)| match language {
            Language::De => *de,
            Language::En => *en,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack::RulePack;

    const LANGUAGES: [Language; 2] = [Language::De, Language::En];

    fn taxonomy() -> Taxonomy {
        Taxonomy::parse("tree,tag,parent,de,en,module\nperson,a,,A,A,\n").expect("valid")
    }

    /// A sentence begins with a capital and ends with a full stop; two of them are enough.
    fn is_plain(text: &str) -> bool {
        text.starts_with(char::is_uppercase)
            && text.ends_with('.')
            && text.matches(". ").count() < 2
            && text.chars().count() <= 240
    }

    #[test]
    fn every_tag_and_attribute_is_described_in_every_language() {
        let pack = RulePack::builtin().expect("valid");
        let taxonomy = pack.taxonomy();
        let descriptions = Descriptions::builtin(taxonomy).expect("valid");
        for language in LANGUAGES {
            let tags = [UserType::Person, UserType::Company]
                .into_iter()
                .flat_map(|tree| taxonomy.tags(tree))
                .map(|tag| (taxonomy.name(tag), descriptions.of_tag(tag, language)));
            let attributes = ATTRIBUTES.map(|name| {
                assert!(attribute_label(name, language).is_some(), "{name}");
                (name, descriptions.of_attribute(name, language))
            });
            for (name, text) in tags.chain(attributes) {
                assert!(is_plain(text), "{name} in {language:?}: {text:?}");
            }
        }
        for (name, text) in &descriptions.attributes {
            assert_ne!(text.de, text.en, "{name}");
        }
        for text in descriptions.tags.values() {
            assert_ne!(text.de, text.en);
        }
        assert_eq!(attribute_label("salary", Language::De), None);
    }

    #[test]
    fn lines_that_describe_nothing_are_refused() {
        let taxonomy = taxonomy();
        for (row, reason) in [
            ("pet,a,A.,A.", "no such tree"),
            ("person,b,B.,B.", "not in the taxonomy"),
            ("company,a,A.,A.", "not in the taxonomy"),
            ("person,a,A., ", "a language is missing"),
            ("attribute,steady,A.,A.", "no such attribute"),
            ("person,a,A.,A.\nperson,a,B.,B.", "described twice"),
            (
                "attribute,fix,A.,A.\nattribute,fix,B.,B.",
                "described twice",
            ),
            ("person,a", "no readable table"),
        ] {
            let csv = format!("tree,tag,de,en\n{row}\n");
            let error = Descriptions::parse(&csv, &taxonomy).expect_err(row);
            assert!(error.to_string().contains(reason), "{row}: {error}");
        }
    }
}
