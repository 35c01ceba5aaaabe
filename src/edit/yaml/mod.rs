//! YAML files edited in place.
//!
//! [`tree`] reads a text into nodes that know their byte ranges.

pub mod tree;
