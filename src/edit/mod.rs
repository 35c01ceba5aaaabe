//! Edits text in place: applies patches, parses the result and compares its meaning with the planned one.
//!
//! No I/O. A line that no patch touches keeps every byte.

pub mod jsonc;
pub(crate) mod locks;
pub(crate) mod patch;
pub mod pyproject;
pub mod python;
pub(crate) mod refusal;
pub mod requirements;
pub(crate) mod text;
pub mod yaml;
