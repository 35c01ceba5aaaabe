//! Reads Python files with a parser and edits them by splicing bytes.
//!
//! Knows Python and Flask syntax; the caller supplies the lines to insert.

pub(crate) mod bindings;
pub(crate) mod calls;
mod compile;
pub(crate) mod context;
pub(crate) mod cors;
pub(crate) mod flask;
pub(crate) mod framework;
pub(crate) mod function;
pub(crate) mod insert;
mod layout;
pub(crate) mod order;
mod places;
pub(crate) mod retired;
pub(crate) mod routes;
pub(crate) mod scope;
pub(crate) mod segments;
pub mod source;
pub(crate) mod telemetry;
mod tokens;
pub(crate) mod tracer;
pub(crate) mod wrap;
