//! The Compose Specification's JSON Schema, read from the file that is built in.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use regex_lite::Regex;
use serde::Deserialize;

/// The schema as text; its source and license stand in its `$comment`.
const TEXT: &str = include_str!("../../../templates/compose-spec/compose-spec.json");

/// The parsed schema; `None` only if the file that is built in were no schema, which a test rules out.
pub(super) static SPECIFICATION: LazyLock<Option<Specification>> =
    LazyLock::new(|| Specification::read(TEXT));

/// One schema of the document, with the keywords that the Compose Specification uses.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct SchemaRule {
    pub(super) r#type: TypeNames,
    pub(super) properties: BTreeMap<String, SchemaRule>,
    pub(super) pattern_properties: BTreeMap<String, SchemaRule>,
    pub(super) additional_properties: Option<Additional>,
    pub(super) unevaluated_properties: Option<bool>,
    pub(super) items: Option<Box<SchemaRule>>,
    pub(super) one_of: Vec<SchemaRule>,
    pub(super) all_of: Vec<SchemaRule>,
    pub(super) r#enum: Vec<String>,
    pub(super) required: Vec<String>,
    pub(super) minimum: Option<f64>,
    pub(super) maximum: Option<f64>,
    pub(super) pattern: Option<String>,
    #[serde(rename = "$ref")]
    reference: Option<String>,
    #[serde(rename = "$defs")]
    pub(super) definitions: BTreeMap<String, SchemaRule>,
}

/// The `type` keyword: one name or several; none allows everything.
#[derive(Debug, Default, Deserialize)]
#[serde(untagged)]
pub(super) enum TypeNames {
    #[default]
    Any,
    One(String),
    Several(Vec<String>),
}

/// The `additionalProperties` keyword.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Additional {
    Allowed(bool),
    Rule(Box<SchemaRule>),
}

#[derive(Debug)]
pub(super) struct Specification {
    pub(super) root: SchemaRule,
    patterns: HashMap<String, Pattern>,
}

/// A regular expression of the schema; the two most frequent forms need no engine.
#[derive(Debug)]
enum Pattern {
    /// `.+`
    Anything,
    /// `^x-`
    Prefix(String),
    Expression(Regex),
}

impl Specification {
    fn read(text: &str) -> Option<Self> {
        let mut root: SchemaRule = serde_json::from_str(text).ok()?;
        // The services of a file are checked one by one: only those that take part in the project count.
        root.properties.insert("services".to_owned(), SchemaRule::default());
        let mut patterns = HashMap::new();
        root.collect_patterns(&mut patterns)?;
        Some(Self { root, patterns })
    }

    pub(super) fn resolve<'s>(&'s self, rule: &'s SchemaRule) -> &'s SchemaRule {
        let name = rule.reference.as_deref().and_then(|path| path.strip_prefix("#/$defs/"));
        name.and_then(|name| self.root.definitions.get(name)).unwrap_or(rule)
    }

    pub(super) fn matches(&self, pattern: &str, text: &str) -> bool {
        self.patterns.get(pattern).is_some_and(|pattern| pattern.matches(text))
    }
}

impl Pattern {
    fn new(text: &str) -> Option<Self> {
        let is_plain = |text: &&str| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        match text.strip_prefix('^').filter(is_plain) {
            Some(prefix) => Some(Self::Prefix(prefix.to_owned())),
            None if text == ".+" => Some(Self::Anything),
            None => Regex::new(text).ok().map(Self::Expression),
        }
    }

    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Anything => !text.is_empty(),
            Self::Prefix(prefix) => text.starts_with(prefix),
            Self::Expression(regex) => regex.is_match(text),
        }
    }
}

impl SchemaRule {
    fn collect_patterns(&self, patterns: &mut HashMap<String, Pattern>) -> Option<()> {
        for pattern in self.pattern_properties.keys().chain(&self.pattern) {
            patterns.insert(pattern.clone(), Pattern::new(pattern)?);
        }
        let additional = match &self.additional_properties {
            Some(Additional::Rule(rule)) => Some(rule),
            _ => None,
        };
        let named = self.properties.values().chain(self.pattern_properties.values());
        let nested = named.chain(self.definitions.values()).chain(&self.one_of);
        let nested = nested.chain(&self.all_of);
        let boxed = self.items.iter().chain(additional).map(|rule| &**rule);
        for rule in nested.chain(boxed) {
            rule.collect_patterns(patterns)?;
        }
        Some(())
    }

    pub(super) fn types(&self) -> &[String] {
        match &self.r#type {
            TypeNames::Any => &[],
            TypeNames::One(name) => std::slice::from_ref(name),
            TypeNames::Several(names) => names,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_that_is_built_in_is_one() {
        let specification = SPECIFICATION.as_ref().unwrap();
        assert!(specification.root.definitions.contains_key("service"));
        assert!(specification.patterns.len() > 3);
    }
}
