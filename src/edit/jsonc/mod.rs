//! Edits JSON with comments in place: splices bytes at positions from a syntax tree, then parses the result and
//! compares it.
//!
//! [`devcontainer`] is the only edit. If the result does not have the planned meaning or has lost a comment, the edit
//! returns a [`super::refusal::EditRefusal`]. Does no file I/O.

mod draft;
mod meaning;
mod tree;

pub mod devcontainer;
