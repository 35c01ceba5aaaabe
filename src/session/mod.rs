//! What one run shares: the project and its stores, each opened once, the answers about secrets that may leave, the
//! project's containers and ports, where its services send, and what their files hold.

pub(crate) mod application;
pub(crate) mod code;
pub(crate) mod collect;
pub(crate) mod collector;
pub(crate) mod containers;
pub(crate) mod context;
pub(crate) mod copies;
pub(crate) mod current_destination;
pub(crate) mod instrumentation;
pub(crate) mod last_verdict;
pub(crate) mod ports;
pub(crate) mod proof;
pub(crate) mod secrets;
pub(crate) mod settlement;
pub(crate) mod trust;
pub(crate) mod typed;
