//! `--local`: replaces every endpoint by the embedded receiver, and checks what arrives.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::Instant;

use super::ladder;
use super::subject::Subject;
use crate::consent::Cleared;
use crate::error::{Error, ErrorCode, Result};
use crate::net::receiver::{Addresses, Arrival, Inbox, Limits, Receiver, Transport};
use crate::net::route::Route;
use crate::otlp::Exporter;
use crate::otlp::assembly::Trace;
use crate::otlp::{Check, Protocol, Proven, Rung, ServiceVerdict, Status, TestTrace};

/// Proves each service against the embedded receiver; also returns the traces that arrived.
///
/// # Errors
/// When no port is available, or a trace cannot be encoded.
pub(super) async fn prove(
    subjects: Vec<Subject>,
    budget: Duration,
) -> Result<(Vec<ServiceVerdict>, Vec<Trace>)> {
    let (receiver, mut inbox) = Receiver::bind(Addresses::free(), Limits::default()).await?;
    let (mut verdicts, mut traces) = (Vec::new(), Vec::new());
    for subject in subjects {
        let mut verdict = ladder::begin(&subject);
        if let (Ok(exporter), None) = (&subject.exporter, subject.stop) {
            let deadline = Instant::now() + budget;
            let route = detour(exporter, receiver.addresses(), deadline).await?;
            verdict.endpoint = Some(ladder::shown(&route.url));
            let sent = ladder::send(exporter, &route, &mut verdict, deadline).await?;
            if verdict.proven == Proven::Accepted {
                let arrival = arrival(&mut inbox, &sent, deadline).await;
                traces.extend(look(exporter, &sent, arrival, &mut verdict));
            }
        }
        verdict.require(Proven::Queryable);
        verdicts.push(verdict);
    }
    receiver.close().await;
    Ok((verdicts, traces))
}

/// Returns the route to the receiver in place of the exporter's. A base path belongs to the provider; the path after
/// it is the same everywhere.
async fn detour(exporter: &Exporter, addresses: Addresses, deadline: Instant) -> Result<Route> {
    let address: SocketAddr = match exporter.protocol {
        Protocol::Grpc => addresses.grpc,
        Protocol::HttpProtobuf | Protocol::HttpJson => addresses.http,
    };
    let mut url = exporter.url.clone();
    // Cannot fail for HTTP URLs.
    let _ = url.set_scheme("http");
    let _ = url.set_ip_host(address.ip());
    if url.path().ends_with("/v1/traces") {
        url.set_path("/v1/traces");
    }
    let unusable =
        || Error::new(ErrorCode::Internal, "the embedded receiver is not on this machine");
    let cleared = Cleared::on_this_machine(&url, Some(address)).ok_or_else(unusable)?;
    Route::find(&cleared, deadline).await.map_err(|failure| unusable().cause(failure.evidence))
}

/// Returns the request that contains `sent`.
async fn arrival(inbox: &mut Inbox, sent: &TestTrace, deadline: Instant) -> Option<Arrival> {
    loop {
        let next = tokio::time::timeout_at(deadline, inbox.arrivals.recv()).await;
        let arrival = next.ok()??;
        let id = sent.id();
        if arrival.spans.iter().any(|span| span.trace_id.to_string() == id) {
            return Some(arrival);
        }
    }
}

/// Checks the received trace against Honeycomb's requirements, and records the highest rung.
fn look(
    exporter: &Exporter,
    sent: &TestTrace,
    arrival: Option<Arrival>,
    verdict: &mut ServiceVerdict,
) -> Option<Trace> {
    let Some(arrival) = arrival else {
        let text = "the embedded receiver took the trace and did not show it";
        verdict.check(Check::new(Rung::Queryable, Status::Fail, text));
        return None;
    };
    let mut faults = sent.faults(&arrival.spans);
    for header in &exporter.headers {
        if arrival.header(&header.name) != Some(&header.value) {
            faults.push(format!("the header {} did not arrive as it was sent", header.name));
        }
    }
    if faults.is_empty() {
        verdict.prove(Proven::Queryable);
        let text = evidence(exporter, &arrival, verdict);
        verdict.check(Check::new(Rung::Queryable, Status::Pass, text));
    } else {
        verdict.check(Check::new(Rung::Queryable, Status::Fail, faults.join("; ")));
    }
    let id = arrival.spans.first()?.trace_id;
    Some(Trace { id, spans: arrival.spans })
}

fn evidence(exporter: &Exporter, arrival: &Arrival, verdict: &ServiceVerdict) -> String {
    let way = match &arrival.transport {
        Transport::Http { path, content_type } => format!("{path} as {content_type}"),
        Transport::Grpc => "gRPC".to_owned(),
    };
    let headers: Vec<&str> = exporter.headers.iter().map(|one| one.name.as_str()).collect();
    let headers = match headers.as_slice() {
        [] => "no header".to_owned(),
        names => names.join(", "),
    };
    format!(
        "found in the embedded receiver: {way}, with {headers}; {} spans of {}, the child below its root, app.now set",
        arrival.spans.len(),
        verdict.name
    )
}
