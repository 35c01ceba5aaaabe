//! JSON with comments edited in place: bytes spliced where a tree says that they stand, then read again and compared.
//!
//! [`devcontainer`] is the edit. An edit whose result does not mean what was planned, or has lost a comment, is a
//! [`super::refusal::Refusal`], never a text. Knows nothing of files.

mod draft;
mod meaning;
mod tree;

pub mod devcontainer;
