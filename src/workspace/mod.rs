//! Which cloud development environment we are in, its ports, and who can open them.
//!
//! Knows nothing of the project's files.

pub mod program;
