//! OTLP as values: the exporter, the test trace, requests, the meaning of responses; received spans, assembled and
//! counted.
//!
//! Opens no socket and reads no file; [`crate::net`] does.

pub(crate) mod answer;
pub(crate) mod app;
pub mod assembly;
pub(crate) mod dataset;
pub(crate) mod exporter;
#[cfg(test)]
pub(crate) mod fixture;
pub(crate) mod hint;
mod id;
pub(crate) mod link;
pub(crate) mod log;
pub(crate) mod page;
pub(crate) mod query;
pub(crate) mod report;
pub mod request;
pub mod response;
pub mod span;
pub(crate) mod status;
pub(crate) mod summary;
pub mod trace;
pub(crate) mod traffic;
pub mod verdict;
pub(crate) mod whoami;

pub use crate::instrumentation::{ExportHeader, OtlpCompression, OtlpProtocol};
pub(crate) use exporter::Exporter;
pub use report::{AddonVerdict, ProofMode, ProofReport};
pub use trace::TestTrace;
pub use verdict::{
    AppSighting, Check, CheckStatus, FailureCode, OrdinaryRequest, ProvenRung, Rung,
    ServiceVerdict, WitnessKind,
};
