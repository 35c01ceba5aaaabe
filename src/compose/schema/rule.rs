//! The Compose Specification's JSON Schema, parsed from the embedded file.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use foldhash::HashMap;
use regex_lite::Regex;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error};
use serde_json::Value;

/// The text of the schema; its `$comment` has the source and license.
const TEXT: &str = include_str!("../../../templates/compose-spec/compose-spec.json");

/// The parsed schema; `None` only if the embedded file were invalid, which a test rules out.
pub(super) static SPECIFICATION: LazyLock<Option<ComposeSchema>> =
    LazyLock::new(|| ComposeSchema::read(TEXT));

/// One schema of the document, with the keywords that the Compose Specification uses.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct SchemaRule {
    pub(super) r#type: TypeNames,
    pub(super) properties: HashMap<String, SchemaRule>,
    #[serde(deserialize_with = "read_patterns")]
    pub(super) pattern_properties: Vec<(SchemaPattern, SchemaRule)>,
    pub(super) additional_properties: Option<AdditionalProperties>,
    pub(super) unevaluated_properties: Option<bool>,
    pub(super) items: Option<Box<SchemaRule>>,
    pub(super) one_of: Vec<SchemaRule>,
    pub(super) all_of: Vec<SchemaRule>,
    pub(super) r#enum: Vec<String>,
    pub(super) required: Vec<String>,
    pub(super) minimum: Option<f64>,
    pub(super) maximum: Option<f64>,
    pub(super) pattern: Option<SchemaPattern>,
    #[serde(rename = "$ref")]
    reference: Option<String>,
    #[serde(rename = "$defs")]
    pub(super) definitions: HashMap<String, SchemaRule>,
}

/// The `type` keyword: one name or several; none allows any type.
#[derive(Debug, Default)]
pub(super) enum TypeNames {
    #[default]
    Any,
    One(TypeName),
    Several(Vec<TypeName>),
}

impl<'de> Deserialize<'de> for TypeNames {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        Ok(match Value::deserialize(reader)? {
            Value::Array(names) => Self::Several(read_value(Value::Array(names))?),
            name => Self::One(read_value(name)?),
        })
    }
}

fn read_value<T: DeserializeOwned, E: Error>(value: Value) -> Result<T, E> {
    serde_json::from_value(value).map_err(E::custom)
}

/// A JSON type, as named by the `type` keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum TypeName {
    Null,
    Boolean,
    Integer,
    Number,
    String,
    Array,
    Object,
}

/// The `additionalProperties` keyword.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum AdditionalProperties {
    Allowed(bool),
    Rule(Box<SchemaRule>),
}

#[derive(Debug)]
pub(super) struct ComposeSchema {
    pub(super) root: SchemaRule,
}

/// A regular expression of the schema; the two most frequent forms do not need a regex engine.
#[derive(Debug)]
pub(super) enum SchemaPattern {
    /// `.+`
    Anything,
    /// `^x-`
    Prefix(String),
    Expression(Regex),
}

impl ComposeSchema {
    fn read(text: &str) -> Option<Self> {
        let mut root: SchemaRule = serde_json::from_str(text).ok()?;
        // The services of a file are checked one by one: only those that are part of the project count.
        root.properties.insert("services".to_owned(), SchemaRule::default());
        Some(Self { root })
    }

    pub(super) fn resolve<'s>(&'s self, rule: &'s SchemaRule) -> &'s SchemaRule {
        let name = rule.reference.as_deref().and_then(|path| path.strip_prefix("#/$defs/"));
        name.and_then(|name| self.root.definitions.get(name)).unwrap_or(rule)
    }
}

impl SchemaPattern {
    fn new(text: &str) -> Result<Self, regex_lite::Error> {
        let is_plain = |text: &&str| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        match text.strip_prefix('^').filter(is_plain) {
            Some(prefix) => Ok(Self::Prefix(prefix.to_owned())),
            None if text == ".+" => Ok(Self::Anything),
            None => Regex::new(text).map(Self::Expression),
        }
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        match self {
            Self::Anything => !text.is_empty(),
            Self::Prefix(prefix) => text.starts_with(prefix),
            Self::Expression(regex) => regex.is_match(text),
        }
    }
}

impl<'de> Deserialize<'de> for SchemaPattern {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(reader)?).map_err(D::Error::custom)
    }
}

fn read_patterns<'de, D: Deserializer<'de>>(
    reader: D,
) -> Result<Vec<(SchemaPattern, SchemaRule)>, D::Error> {
    let rules = BTreeMap::<String, SchemaRule>::deserialize(reader)?.into_iter();
    let compiled = rules.map(|(text, rule)| Ok((SchemaPattern::new(&text)?, rule)));
    compiled.collect::<Result<_, regex_lite::Error>>().map_err(D::Error::custom)
}

impl SchemaRule {
    /// Returns whether a scalar of the right type can still be rejected because of its text.
    pub(super) fn limits_text(&self) -> bool {
        !self.r#enum.is_empty()
            || self.pattern.is_some()
            || self.minimum.is_some()
            || self.maximum.is_some()
    }

    pub(super) fn types(&self) -> &[TypeName] {
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
    fn the_embedded_schema_is_valid() {
        let specification = SPECIFICATION.as_ref().unwrap();
        assert!(specification.root.definitions.contains_key("service"));
        let networks = &specification.root.properties["networks"];
        assert!(networks.pattern_properties.iter().any(|(pattern, _)| pattern.matches("a.b")));
    }
}
