//! OTLP as values: where a service sends, the test trace, the request, and what an answer means.
//!
//! Opens no socket and reads no file; [`crate::net`] does.

pub mod exporter;
pub mod headers;
pub mod request;
pub mod response;
pub mod status;
pub mod trace;
pub mod verdict;
pub mod whoami;

pub use exporter::{Exporter, Protocol};
pub use trace::TestTrace;
pub use verdict::{Check, Code, Proven, Report, Rung, ServiceVerdict, Status};
