//! Reads Python files with a parser and edits them by splicing bytes.
//!
//! Knows Python and Flask syntax; the caller supplies the lines to insert.

pub mod bindings;
pub mod calls;
mod compile;
pub mod context;
pub mod cors;
pub mod flask;
pub mod framework;
pub mod function;
pub mod insert;
mod layout;
pub mod order;
mod places;
pub mod retired;
pub mod routes;
pub mod scope;
pub mod segments;
pub mod source;
pub mod telemetry;
mod tokens;
pub mod tracer;
pub mod wrap;
