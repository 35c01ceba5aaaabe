//! State shared by one run: the project and its stores, each opened once, consent to send secrets, the project's
//! containers and ports, the services' destinations, and their files.

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
pub(crate) mod removal;
pub(crate) mod secrets;
pub(crate) mod settlement;
pub(crate) mod tasks;
pub(crate) mod trust;
pub(crate) mod typed;
