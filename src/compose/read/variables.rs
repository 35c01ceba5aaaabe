//! Reads `environment` and build `args`, as a mapping or as a list.

use crate::compose::service::{DeclaredValue, DeclaredVariable, VariableForm};
use crate::compose::source::FileSpan;
use crate::compose::view::{NodeShape, NodeView, OverrideTag};

use super::MappingReader;

impl<'t> MappingReader<'_> {
    /// Reads `environment` or `args` in either form.
    pub(super) fn variables(&mut self, view: NodeView<'t>) -> Option<Vec<DeclaredVariable>> {
        match view.shape() {
            NodeShape::Mapping => Some(
                view.entries()
                    .into_iter()
                    .filter_map(|(key, name, value)| self.map_entry(&key, name, value))
                    .collect(),
            ),
            NodeShape::Sequence => Some(view.items().filter_map(|item| self.item(item)).collect()),
            _ => {
                self.refuse(view, "variables must be a mapping or a list");
                None
            }
        }
    }

    fn map_entry(
        &mut self,
        key: &str,
        name: NodeView<'t>,
        value: NodeView<'t>,
    ) -> Option<DeclaredVariable> {
        let declared = match (value.mark(), value.shape()) {
            (OverrideTag::Reset, _) => DeclaredValue::Removed,
            (_, NodeShape::Null) => DeclaredValue::Passed,
            (_, NodeShape::Scalar) => DeclaredValue::Template(value.text()?.into_owned()),
            _ => {
                self.refuse(value, format!("the value of `{key}` is not a string or a number"));
                return None;
            }
        };
        let passed = declared == DeclaredValue::Passed;
        Some(DeclaredVariable {
            name: key.to_owned(),
            name_span: name.text_span(),
            value_span: if passed { name.text_span() } else { value.resolved_span() },
            verbatim: value.verbatim().filter(|_| !passed),
            value: declared,
            scope: self.scope,
            form: VariableForm::Mapping,
        })
    }

    fn item(&mut self, item: NodeView<'t>) -> Option<DeclaredVariable> {
        let text = match item.text() {
            Some(text) if !item.is_typed() => text,
            _ => {
                self.refuse(item, "a list of variables holds strings, `NAME=value`");
                return None;
            }
        };
        let (name, declared) = match text.split_once('=') {
            Some((name, value)) if !name.contains('$') => {
                (name.to_owned(), DeclaredValue::Template(value.to_owned()))
            }
            None if !text.contains('$') => (text.to_string(), DeclaredValue::Passed),
            _ => {
                let whole = self.string(item)?;
                match whole.split_once('=') {
                    Some((name, _)) => (name.to_owned(), DeclaredValue::Item(text.to_string())),
                    None => (whole, DeclaredValue::Passed),
                }
            }
        };
        if name.ends_with(' ') {
            self.refuse(item, format!("the name `{name}` ends with a space"));
        }
        // If the name contains a variable, name and value cannot be separated in the file.
        let split = text.split_once('=').filter(|(written, _)| *written == name);
        let (whole, bytes) = (item.text_span(), item.verbatim());
        let (name_range, verbatim) = match (split, bytes) {
            (Some((name, _)), Some(bytes)) => {
                let equals = bytes.start + name.len();
                (bytes.start..equals, Some(equals + 1..bytes.end))
            }
            _ => (whole.range.clone(), None),
        };
        let value_range = verbatim.clone().unwrap_or_else(|| whole.range.clone());
        Some(DeclaredVariable {
            name,
            value: declared,
            name_span: FileSpan { file: whole.file, range: name_range },
            value_span: FileSpan { file: whole.file, range: value_range },
            verbatim,
            scope: self.scope,
            form: VariableForm::List,
        })
    }
}
