//! New YAML values, rendered as lines or in flow style.

use super::scalar::quote_in_style;
use super::tree::{CollectionLayout, ScalarQuoting};

/// A new value. Texts are already valid YAML, quoted if necessary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NewYamlValue {
    /// A scalar or an alias, on one line.
    Text(String),
    /// Entries in order.
    Map(Vec<(String, NewYamlValue)>),
    /// Items in order.
    List(Vec<NewYamlValue>),
}

impl NewYamlValue {
    /// Returns a string, double-quoted if necessary.
    pub(super) fn word(text: &str, layout: CollectionLayout) -> Self {
        Self::Text(quote_in_style(text, ScalarQuoting::Plain, layout))
    }

    /// Renders the value in flow style, on one line.
    pub(super) fn flow(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Map(entries) => {
                let entries: Vec<_> = entries.iter().map(flow_entry).collect();
                format!("{{{}}}", entries.join(", "))
            }
            Self::List(items) => {
                let items: Vec<_> = items.iter().map(Self::flow).collect();
                format!("[{}]", items.join(", "))
            }
        }
    }

    /// Renders the value as lines without line endings, at `indent`, nested levels indented by `step`; `None` for a
    /// value that fits on its key's line.
    pub(super) fn lines(&self, indent: usize, step: usize) -> Option<Vec<String>> {
        match self {
            Self::Map(entries) if !entries.is_empty() => {
                Some(entries.iter().flat_map(|entry| entry_lines(entry, indent, step)).collect())
            }
            Self::List(items) if !items.is_empty() => {
                Some(items.iter().flat_map(|item| item_lines(item, indent, step)).collect())
            }
            _ => None,
        }
    }
}

/// Renders `key: value` on one line.
pub(super) fn flow_entry((key, value): &(String, NewYamlValue)) -> String {
    [key, ": ", &value.flow()].concat()
}

/// Renders an entry as lines that begin at `indent`.
pub(super) fn entry_lines(
    entry: &(String, NewYamlValue),
    indent: usize,
    step: usize,
) -> Vec<String> {
    let pad = " ".repeat(indent);
    match entry.1.lines(indent + step, step) {
        None => vec![[&pad, flow_entry(entry).trim_end()].concat()],
        Some(below) => {
            let mut lines = vec![format!("{pad}{}:", entry.0)];
            lines.extend(below);
            lines
        }
    }
}

/// Renders an item as lines, with its dash at `indent`.
pub(super) fn item_lines(item: &NewYamlValue, indent: usize, step: usize) -> Vec<String> {
    let pad = " ".repeat(indent);
    match item.lines(indent + 2, step) {
        None => vec![format!("{pad}- {}", item.flow()).trim_end().to_owned()],
        Some(mut lines) => {
            if let Some(first) = lines.first_mut() {
                *first = format!("{pad}- {}", first.trim_start());
            }
            lines
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> NewYamlValue {
        NewYamlValue::Text(text.into())
    }

    #[test]
    fn a_value_is_written_as_lines_or_in_brackets() {
        let value = NewYamlValue::Map(vec![
            ("a".into(), text("1")),
            (
                "b".into(),
                NewYamlValue::List(vec![NewYamlValue::Map(vec![
                    ("c".into(), text("2")),
                    ("d".into(), text("3")),
                ])]),
            ),
            ("e".into(), NewYamlValue::Map(Vec::new())),
        ]);
        assert_eq!(value.flow(), "{a: 1, b: [{c: 2, d: 3}], e: {}}");
        let lines = value.lines(1, 3).unwrap().join("\n");
        assert_eq!(lines, " a: 1\n b:\n    - c: 2\n      d: 3\n e: {}");
    }
}
