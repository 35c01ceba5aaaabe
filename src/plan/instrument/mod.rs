//! What tracing a Python service changes in its files: packages and initialisation.

pub mod catalogue;
pub mod packages;
