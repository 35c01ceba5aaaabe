//! Finds the tracer that a module already has.

use super::bindings::PythonImport;
use super::source::PythonSource;

/// A tracer and its variable name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NamedTracer {
    /// `tracer`
    pub name: String,
    /// The byte its definition ends at; `None` if it is available everywhere in the module.
    pub defined_at: Option<usize>,
}

/// Finds the name assigned from `get_tracer(…)`, or imported as `tracer`.
pub(crate) fn find(source: &PythonSource<'_>, imports: &[PythonImport]) -> Option<NamedTracer> {
    let mut cursor = source.root().walk();
    let assigned = source
        .root()
        .named_children(&mut cursor)
        .filter(|statement| statement.kind() == "expression_statement")
        .filter_map(|statement| statement.named_child(0))
        .filter(|inner| inner.kind() == "assignment")
        .find_map(|assignment| {
            let left = assignment.child_by_field_name("left")?;
            let right = assignment.child_by_field_name("right")?;
            let called = source.of(right.child_by_field_name("function")?);
            (left.kind() == "identifier" && called.ends_with("get_tracer")).then(|| NamedTracer {
                name: source.of(left).to_owned(),
                defined_at: Some(assignment.end_byte()),
            })
        });
    assigned.or_else(|| {
        let import = imports.iter().find(|import| import.local == "tracer")?;
        Some(NamedTracer { name: import.local.clone(), defined_at: Some(import.start) })
    })
}
