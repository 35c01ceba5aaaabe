//! The tracer a module has already.

use super::bindings::Import;
use super::source::Source;

/// A tracer by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tracer {
    /// `tracer`
    pub name: String,
    /// The byte its definition ends at; `None` where it is there before everything else.
    pub defined_at: Option<usize>,
}

/// What the module assigns from `get_tracer(…)`, or imports as `tracer`.
pub fn find(source: &Source<'_>, imports: &[Import]) -> Option<Tracer> {
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
            (left.kind() == "identifier" && called.ends_with("get_tracer")).then(|| Tracer {
                name: source.of(left).to_owned(),
                defined_at: Some(assignment.end_byte()),
            })
        });
    assigned.or_else(|| {
        let import = imports.iter().find(|import| import.local == "tracer")?;
        Some(Tracer { name: import.local.clone(), defined_at: Some(import.start) })
    })
}
