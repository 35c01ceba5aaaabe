//! Editing text in place: patch it, parse it again, compare the meaning with the meaning that was planned.
//!
//! Text in, text out. A line no patch names keeps every byte.

pub mod jsonc;
pub mod locks;
pub mod patch;
pub mod pyproject;
pub mod python;
pub mod refusal;
pub mod requirements;
pub mod text;
pub mod yaml;
