//! OTLP as values: the exporter, the test trace, requests, the meaning of responses; received spans, assembled and
//! counted.
//!
//! Opens no socket and reads no file; [`crate::net`] does.

pub mod answer;
pub mod app;
pub mod assembly;
pub mod dataset;
pub mod exporter;
#[cfg(test)]
pub(crate) mod fixture;
pub mod hint;
mod id;
pub mod link;
pub mod log;
pub mod page;
pub mod query;
pub mod report;
pub mod request;
pub mod response;
pub mod span;
pub mod status;
pub mod summary;
pub mod trace;
pub mod traffic;
pub mod verdict;
pub mod whoami;

pub use crate::instrumentation::{ExportHeader, OtlpCompression, OtlpProtocol};
pub use exporter::Exporter;
pub use report::{AddonVerdict, ProofMode, ProofReport};
pub use trace::TestTrace;
pub use verdict::{
    AppSighting, Check, CheckStatus, FailureCode, OrdinaryRequest, ProvenRung, Rung,
    ServiceVerdict, WitnessKind,
};
