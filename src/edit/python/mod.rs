//! Python files: read with a real parser, edited by splicing bytes.
//!
//! Knows Python and Flask's shapes; which lines are inserted is said by the caller.

pub mod bindings;
pub mod calls;
mod compile;
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
pub mod source;
pub mod telemetry;
mod tokens;
pub mod tracer;
pub mod wrap;
