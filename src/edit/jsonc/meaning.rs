//! What a text says, without how: to plan with, to compare, and to be written afresh.

use super::tree::{Kind, Node};

/// A value. Members keep their order and may repeat a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    Object(Vec<(String, Meaning)>),
    Array(Vec<Meaning>),
    Text(String),
    Word(String),
}

impl Meaning {
    pub(super) fn of(node: &Node) -> Self {
        match &node.kind {
            Kind::Object(members) => Self::Object(
                members
                    .iter()
                    .map(|member| (member.name.clone(), Self::of(&member.value)))
                    .collect(),
            ),
            Kind::Array(elements) => Self::Array(elements.iter().map(Self::of).collect()),
            Kind::Text(text) => Self::Text(text.clone()),
            Kind::Word(word) => Self::Word(word.clone()),
        }
    }

    pub(super) fn number(number: u16) -> Self {
        Self::Word(number.to_string())
    }

    /// The value of the last member of this name, to be changed.
    pub(super) fn member(&mut self, name: &str) -> Option<&mut Self> {
        let Self::Object(members) = self else {
            return None;
        };
        let mut named = members.iter_mut().rev();
        named.find(|(have, _)| have == name).map(|(_, value)| value)
    }

    /// Adds what belongs at the end of an object or an array; an element has no name.
    pub(super) fn push(&mut self, name: Option<&str>, value: Self) {
        match (self, name) {
            (Self::Object(members), Some(name)) => members.push((name.to_owned(), value)),
            (Self::Array(elements), None) => elements.push(value),
            _ => {}
        }
    }

    /// The value as text: objects one member a line below `indent`, or all on one line without one.
    pub(super) fn render(&self, style: &Style<'_>, indent: Option<&str>) -> String {
        match (self, indent) {
            (Self::Text(text), _) => quoted(text),
            (Self::Word(word), _) => word.clone(),
            (Self::Array(elements), _) => {
                let elements = elements.iter().map(|value| value.render(style, None));
                format!("[{}]", elements.collect::<Vec<_>>().join(", "))
            }
            (Self::Object(members), None) => {
                let members = members.iter().map(|(name, value)| named(name, value, style, None));
                format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
            }
            (Self::Object(members), Some(indent)) => {
                let inner = format!("{indent}{}", style.step);
                let members = members.iter().map(|(name, value)| {
                    format!("{inner}{}", named(name, value, style, Some(&inner)))
                });
                let separator = format!(",{}", style.newline);
                let members = members.collect::<Vec<_>>().join(&separator);
                format!("{{{0}{members}{0}{indent}}}", style.newline)
            }
        }
    }
}

/// How a file breaks and indents its lines.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style<'a> {
    pub(super) newline: &'a str,
    pub(super) step: &'a str,
}

/// A member as text.
pub(super) fn named(
    name: &str,
    value: &Meaning,
    style: &Style<'_>,
    indent: Option<&str>,
) -> String {
    format!("{}: {}", quoted(name), value.render(style, indent))
}

/// A string as JSON spells it.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
