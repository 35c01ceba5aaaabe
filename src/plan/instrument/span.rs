//! Inserts one span around one function, with its attributes.

use minijinja::context;

use super::catalogue::ImportedSymbol;
use super::lines::{ModuleNames, bring_in, render_imports};
use super::modules::PythonModule;
use super::{PythonSourceFile, unreadable_python_error};
use crate::edit::patch::{self, TextPatch};
use crate::edit::python::function::{ExistingSpan, FunctionKind, PythonFunction, find_function};
use crate::edit::python::insert;
use crate::edit::python::scope::{EarliestPlace, UnusableExpression, find_earliest_place};
use crate::edit::python::source::{NodeParents, PythonSource, SyntaxNode};
use crate::edit::python::{tracer, wrap};
use crate::error::{Error, ErrorCode, Result};
use crate::plan::{FileChange, Plan, WriteMethod};
use crate::provider::render_template;

/// A requested span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpanRequest {
    /// The function, by the end of its dotted path.
    pub function: String,
    /// The span's name.
    pub name: String,
    /// The attributes.
    pub attributes: Vec<SpanAttributeRequest>,
}

/// An attribute of a span, as key and Python expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpanAttributeRequest {
    /// `app.now`
    pub key: String,
    /// `now.isoformat()`
    pub expression: String,
}

/// Plans the span; `name` is the file as shown to the user. Plans nothing if the span already exists.
///
/// # Errors
/// `unsafe-edit`, `no-such-function`, `ambiguous-function`, `not-in-scope`, `invalid-expression`.
pub fn plan(file: &PythonSourceFile, name: &str, request: &SpanRequest) -> Result<Plan> {
    let source = PythonSource::parse(&file.text)
        .map_err(|error| unreadable_python_error(file, name, &error))?;
    let module = PythonModule::read(&file.path, &file.text)
        .map_err(|error| unreadable_python_error(file, name, &error))?;
    let function = find_function(&source, &request.function)
        .map_err(|error| Error { message: format!("{name}: {}", error.message), ..error })?;
    let edit = SpanEdit { name, source: &source, module: &module, function, request };
    let after = edit.text()?;
    edit.check(file, &after)?;
    let mut plan = Plan::default();
    plan.change(FileChange {
        path: file.path.clone(),
        before: Some(file.text.as_str().into()),
        after: Some(after.into()),
        writing: WriteMethod::Replace,
    });
    Ok(plan)
}

/// The inputs of one edit.
struct SpanEdit<'e> {
    name: &'e str,
    source: &'e PythonSource<'e>,
    module: &'e PythonModule,
    function: PythonFunction<'e>,
    request: &'e SpanRequest,
}

/// The line of an attribute, and where it goes.
struct PlacedAttribute<'e> {
    place: EarliestPlace<'e>,
    line: String,
}

impl<'e> SpanEdit<'e> {
    fn text(&self) -> Result<String> {
        let patches = match self.function.span(self.source, &self.request.name) {
            Some(existing) => self.attributes_of(existing)?,
            None => self.new_span()?,
        };
        patch::apply(self.source.text, &patches).ok_or_else(|| self.refused("the edits overlap"))
    }

    fn new_span(&self) -> Result<Vec<TextPatch>> {
        if self.function.kind == FunctionKind::Generator {
            return Err(self.refused("a generator's body runs in pieces, and a span around it would hold its caller's spans too"));
        }
        let top = insert::before(self.source, &self.top()).at;
        let (tracer, mut patches) = self.tracer(top)?;
        let defined_before = tracer.defined_at.is_none_or(|at| at < top);
        if self.request.attributes.is_empty()
            && self.function.kind == FunctionKind::Plain
            && defined_before
        {
            let template = include_str!("../../../templates/python/span_decorator.py");
            let line = render_template(
                template,
                context! { tracer => tracer.name, name => self.request.name.as_str() },
            )?;
            patches.push(self.decorator(&line));
            return Ok(patches);
        }
        let body = wrap::body(self.source, &self.function)
            .ok_or_else(|| self.refused("the function does nothing"))?;
        let variable = self.free(&["span", "current_span", "otel_span"]);
        let placed = self.placed(&variable)?;
        let mut first = Vec::new();
        for attribute in placed {
            match attribute.place {
                EarliestPlace::Start => first.push(attribute.line),
                EarliestPlace::After(statement) => patches.push(
                    wrap::insert_after(self.source, statement, &body.step, &[attribute.line])
                        .ok_or_else(|| self.crowded(statement.start_byte()))?,
                ),
            }
        }
        let template = include_str!("../../../templates/python/span_block.py");
        let span = (!self.request.attributes.is_empty()).then_some(variable);
        let head = render_template(
            template,
            context! { tracer => tracer.name, name => self.request.name.as_str(), span => span },
        )?;
        patches.extend(wrap::nest(self.source, &body, head.trim_end(), &first));
        Ok(patches)
    }

    /// Returns patches for the attributes that an existing span lacks.
    fn attributes_of(&self, existing: ExistingSpan<'e>) -> Result<Vec<TextPatch>> {
        if self.missing().is_empty() {
            return Ok(Vec::new());
        }
        let top = insert::before(self.source, &self.top()).at;
        let mut patches = Vec::new();
        let symbol = ImportedSymbol::new("opentelemetry", "trace");
        let (trace, import) = bring_in(&symbol, self.names(top));
        if let Some(import) = import {
            let block = render_imports("OpenTelemetry", vec![import])?;
            let spot = insert::after_imports(self.source, &self.module.imports, top);
            patches.push(insert::insert_blocks(self.source, &spot, &[&block]));
        }
        for attribute in self.placed(&format!("{trace}.get_current_span()"))? {
            let patch = match existing {
                ExistingSpan::Decorator => {
                    let body = wrap::body(self.source, &self.function)
                        .ok_or_else(|| self.refused("the function does nothing"))?;
                    wrap::insert_at(self.source, &body, attribute.place, &[attribute.line])
                }
                ExistingSpan::Block(block) => self.in_block(block, attribute),
                ExistingSpan::Other => None,
            };
            patches.push(patch.ok_or_else(|| {
                self.refused("the attribute's value is not there while the span is open")
            })?);
        }
        Ok(patches)
    }

    fn in_block(&self, block: SyntaxNode<'e>, attribute: PlacedAttribute<'e>) -> Option<TextPatch> {
        let first = block.child_by_field_name("body")?.named_child(0)?;
        let inside = |statement: &SyntaxNode<'e>| {
            statement.start_byte() > block.start_byte() && statement.end_byte() <= block.end_byte()
        };
        match attribute.place {
            EarliestPlace::After(statement) if inside(&statement) => {
                wrap::insert_after(self.source, statement, "", &[attribute.line])
            }
            EarliestPlace::After(statement) if statement.end_byte() > block.start_byte() => None,
            _ => wrap::insert_before(self.source, first, &[attribute.line]),
        }
    }

    /// Returns the attributes that are not yet set, each with its place.
    fn placed(&self, variable: &str) -> Result<Vec<PlacedAttribute<'e>>> {
        let template = include_str!("../../../templates/python/span_attribute.py");
        self.missing()
            .into_iter()
            .map(|attribute| {
                let place = find_earliest_place(self.source, &self.function, &attribute.expression)
                    .map_err(|reason| self.unusable(attribute, reason))?;
                let values = context! {
                    span => variable,
                    key => attribute.key.as_str(),
                    expression => attribute.expression.trim(),
                };
                let line = render_template(template, values)?.trim_end().to_owned();
                Ok(PlacedAttribute { place, line })
            })
            .collect()
    }

    fn missing(&self) -> Vec<&'e SpanAttributeRequest> {
        let attributes = self.request.attributes.iter();
        attributes.filter(|attribute| !self.function.sets(self.source, &attribute.key)).collect()
    }

    /// Returns the module's tracer, with the lines that create a missing one.
    fn tracer(&self, top: usize) -> Result<(tracer::NamedTracer, Vec<TextPatch>)> {
        if let Some(found) = tracer::find(self.source, &self.module.imports) {
            return Ok((found, Vec::new()));
        }
        let symbol = ImportedSymbol::new("opentelemetry", "trace");
        let (trace, import) = bring_in(&symbol, self.names(top));
        let name = self.free(&["tracer", "otel_tracer"]);
        let values = context! {
            import => import.map(minijinja::value::Serde),
            trace => trace,
            tracer => name.as_str(),
            module => self.module.stem.replace('_', "."),
        };
        let block = render_template(include_str!("../../../templates/python/tracer.py"), values)?;
        let spot = insert::after_imports(self.source, &self.module.imports, top);
        let named_tracer = tracer::NamedTracer { name, defined_at: None };
        Ok((named_tracer, vec![insert::insert_blocks(self.source, &spot, &[&block])]))
    }

    fn names(&self, limit: usize) -> ModuleNames<'e> {
        ModuleNames { imports: &self.module.imports, taken: &self.module.names, limit, early: None }
    }

    /// Returns the first of these names that neither the module nor the function uses.
    fn free(&self, names: &[&str]) -> String {
        let taken = |name: &&&str| {
            self.module.names.iter().any(|module_name| module_name == **name)
                || self.module.imports.iter().any(|import| import.local == **name)
                || self.function.uses(self.source, name)
        };
        let free = names.iter().find(|name| !taken(name)).or(names.last());
        free.map(|name| (*name).to_owned()).unwrap_or_default()
    }

    fn decorator(&self, line: &str) -> TextPatch {
        let at = self.function.node.start_byte();
        let indent = self.source.indent(at);
        TextPatch::insert(at, format!("{}{}{indent}", line.trim_end(), self.source.ending.text()))
    }

    fn top(&self) -> std::ops::Range<usize> {
        let parents = NodeParents::of(self.source);
        let node = parents.top_statement(self.function.node).unwrap_or(self.function.node);
        node.byte_range()
    }

    /// Parses the result and checks that the span and every attribute are there.
    fn check(&self, file: &PythonSourceFile, after: &str) -> Result<()> {
        let source = PythonSource::parse(after)
            .map_err(|error| unreadable_python_error(file, self.name, &error))?;
        let found = find_function(&source, &self.request.function)?;
        let has_span = found.span(&source, &self.request.name).is_some();
        let mut attributes = self.request.attributes.iter();
        if has_span && attributes.all(|attribute| found.sets(&source, &attribute.key)) {
            Ok(())
        } else {
            Err(self.refused("the result would not mean what was planned"))
        }
    }

    fn unusable(&self, attribute: &SpanAttributeRequest, reason: UnusableExpression) -> Error {
        let expression = &attribute.expression;
        let function = &self.request.function;
        match reason {
            UnusableExpression::NoExpression => Error::new(
                ErrorCode::InvalidExpression,
                format!("`{expression}` is not one Python expression"),
            )
            .hint("`--attr app.now=\"now.isoformat()\"`"),
            UnusableExpression::Unknown { name, known } => {
                let error = Error::new(
                    ErrorCode::NotInScope,
                    format!(
                        "`{expression}` names `{name}`, which nothing in `{function}` or its module binds"
                    ),
                );
                if known.is_empty() {
                    error
                } else {
                    error.hint(format!("bound in `{function}`: {}", known.join(", ")))
                }
            }
            UnusableExpression::Sometimes(name) => Error::new(
                ErrorCode::NotInScope,
                format!(
                    "`{expression}` names `{name}`, which `{function}` binds on some paths only"
                ),
            )
            .hint(format!("bind `{name}` before the branch or loop, then run this again")),
        }
    }

    fn crowded(&self, at: usize) -> Error {
        let line = self.source.line_number(at);
        self.refused(&format!("line {line} holds several statements"))
            .hint("put each statement on its own line")
    }

    fn refused(&self, reason: &str) -> Error {
        let message =
            format!("{}: `{}` cannot be given this span safely", self.name, self.request.function);
        Error::new(ErrorCode::UnsafeEdit, message).cause(reason)
    }
}
