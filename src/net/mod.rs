//! The network: name lookup, HTTP and gRPC requests, the embedded receiver, the relay, and the page of `listen`. The
//! caller supplies every address and everything that is sent.

mod background;
pub(crate) mod bridge;
mod client_cache;
mod connection_start;
mod decode;
pub(crate) mod failure;
pub mod grpc;
pub(crate) mod honeycomb;
pub(crate) mod http;
pub(crate) mod listen;
pub(crate) mod probe;
pub mod receiver;
pub mod relay;
pub mod route;
pub(crate) mod trust;
pub(crate) mod udp;
pub(crate) mod web;

use std::future::Future;

use tokio::runtime::Runtime;

use crate::error::{Error, ErrorCode, Result};

pub(crate) use background::BackgroundRuntime;

/// Runs `work` to completion on this thread; lookups that still hang are abandoned.
///
/// # Errors
/// `network`, when the operating system cannot provide a runtime.
pub fn block_on<T>(work: impl Future<Output = T>) -> Result<T> {
    let runtime = build_runtime()?;
    let outcome = runtime.block_on(work);
    runtime.shutdown_background();
    Ok(outcome)
}

fn build_runtime() -> Result<Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(unusable_network_error)
}

fn unusable_network_error(error: std::io::Error) -> Error {
    Error::new(ErrorCode::Network, "the network cannot be used from here").cause(error)
}
