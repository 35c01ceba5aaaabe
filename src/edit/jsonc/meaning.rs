//! The meaning of a JSON text without its formatting: used to plan, to compare and to render new values.

use super::tree::{JsonKind, JsonNode};

/// A JSON value. Members keep their order, and names may repeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum JsonMeaning {
    Object(Vec<(String, JsonMeaning)>),
    Array(Vec<JsonMeaning>),
    Text(String),
    Word(String),
}

impl JsonMeaning {
    pub(super) fn of(node: &JsonNode) -> Self {
        match &node.kind {
            JsonKind::Object(members) => Self::Object(
                members
                    .iter()
                    .map(|member| (member.name.clone(), Self::of(&member.value)))
                    .collect(),
            ),
            JsonKind::Array(elements) => Self::Array(elements.iter().map(Self::of).collect()),
            JsonKind::Text(text) => Self::Text(text.clone()),
            JsonKind::Word(word) => Self::Word(word.clone()),
        }
    }

    pub(super) fn number(number: u16) -> Self {
        Self::Word(number.to_string())
    }

    /// Returns the value of the last member with this name, for changing it.
    pub(super) fn member(&mut self, name: &str) -> Option<&mut Self> {
        let Self::Object(members) = self else {
            return None;
        };
        let mut named = members.iter_mut().rev();
        named.find(|(have, _)| have == name).map(|(_, value)| value)
    }

    /// Appends a member to an object, or an element (without a name) to an array.
    pub(super) fn push(&mut self, name: Option<&str>, value: Self) {
        match (self, name) {
            (Self::Object(members), Some(name)) => members.push((name.to_owned(), value)),
            (Self::Array(elements), None) => elements.push(value),
            _ => {}
        }
    }

    /// Renders the value: objects with one member per line below `indent`, or on one line if there is no indent.
    pub(super) fn render(&self, style: &JsonStyle<'_>, indent: Option<&str>) -> String {
        match (self, indent) {
            (Self::Text(text), _) => quote_json(text),
            (Self::Word(word), _) => word.clone(),
            (Self::Array(elements), _) => {
                let elements = elements.iter().map(|value| value.render(style, None));
                format!("[{}]", elements.collect::<Vec<_>>().join(", "))
            }
            (Self::Object(members), None) => {
                let members =
                    members.iter().map(|(name, value)| render_member(name, value, style, None));
                format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
            }
            (Self::Object(members), Some(indent)) => {
                let inner = format!("{indent}{}", style.step);
                let members = members.iter().map(|(name, value)| {
                    format!("{inner}{}", render_member(name, value, style, Some(&inner)))
                });
                let separator = format!(",{}", style.newline);
                let members = members.collect::<Vec<_>>().join(&separator);
                format!("{{{0}{members}{0}{indent}}}", style.newline)
            }
        }
    }
}

/// The indentation and line breaks of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct JsonStyle<'a> {
    pub(super) newline: &'a str,
    pub(super) step: &'a str,
}

/// Renders a member as `"name": value`.
pub(super) fn render_member(
    name: &str,
    value: &JsonMeaning,
    style: &JsonStyle<'_>,
    indent: Option<&str>,
) -> String {
    format!("{}: {}", quote_json(name), value.render(style, indent))
}

/// Quotes a string as JSON.
pub(super) fn quote_json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
