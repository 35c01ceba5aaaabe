//! `--local`: replaces every endpoint by the embedded receiver, and checks what arrives.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::Instant;

use super::ladder;
use super::subject::ServiceUnderTest;
use crate::consent::ClearedDestination;
use crate::error::{Error, ErrorCode, Result};
use crate::net::receiver::{
    OtlpTransport, ReceivedExport, Receiver, ReceiverAddresses, ReceiverInbox, ReceiverLimits,
};
use crate::net::route::EndpointRoute;
use crate::otlp::Exporter;
use crate::otlp::assembly::Trace;
use crate::otlp::{Check, CheckStatus, OtlpProtocol, ProvenRung, Rung, ServiceVerdict, TestTrace};

/// Proves each service against the embedded receiver; also returns the traces that arrived.
///
/// # Errors
/// When no port is available, or a trace cannot be encoded.
pub(super) async fn prove(
    subjects: Vec<ServiceUnderTest>,
    budget: Duration,
) -> Result<(Vec<ServiceVerdict>, Vec<Trace>)> {
    let (receiver, mut inbox) =
        Receiver::bind(ReceiverAddresses::free(), ReceiverLimits::default()).await?;
    let (mut verdicts, mut traces) = (Vec::new(), Vec::new());
    for subject in subjects {
        let mut verdict = ladder::begin(&subject);
        if let (Ok(exporter), None) = (&subject.exporter, subject.stop) {
            let deadline = Instant::now() + budget;
            let route = receiver_route(exporter, receiver.addresses(), deadline).await?;
            verdict.endpoint = Some(ladder::redact_url(&route.url));
            let sent = ladder::send_test_trace(exporter, &route, &mut verdict, deadline).await?;
            if verdict.proven == ProvenRung::Accepted {
                let arrival = await_arrival(&mut inbox, &sent, deadline).await;
                traces.extend(check_arrival(exporter, &sent, arrival, &mut verdict));
            }
        }
        verdict.require(ProvenRung::Queryable);
        verdicts.push(verdict);
    }
    receiver.close().await;
    Ok((verdicts, traces))
}

/// Returns the route to the receiver in place of the exporter's. A base path belongs to the provider; the path after
/// it is the same everywhere.
async fn receiver_route(
    exporter: &Exporter,
    addresses: ReceiverAddresses,
    deadline: Instant,
) -> Result<EndpointRoute> {
    let address: SocketAddr = match exporter.protocol {
        OtlpProtocol::Grpc => addresses.grpc,
        OtlpProtocol::HttpProtobuf | OtlpProtocol::HttpJson => addresses.http,
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
    let cleared = ClearedDestination::on_this_machine(&url, Some(address)).ok_or_else(unusable)?;
    EndpointRoute::find(&cleared, deadline)
        .await
        .map_err(|failure| unusable().cause(failure.evidence))
}

/// Returns the request that contains `sent`.
async fn await_arrival(
    inbox: &mut ReceiverInbox,
    sent: &TestTrace,
    deadline: Instant,
) -> Option<ReceivedExport> {
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
fn check_arrival(
    exporter: &Exporter,
    sent: &TestTrace,
    arrival: Option<ReceivedExport>,
    verdict: &mut ServiceVerdict,
) -> Option<Trace> {
    let Some(arrival) = arrival else {
        let text = "the embedded receiver accepted the trace and did not show it";
        verdict.check(Check::new(Rung::Queryable, CheckStatus::Fail, text));
        return None;
    };
    let mut faults = sent.faults(&arrival.spans);
    for header in &exporter.headers {
        if arrival.header(&header.name) != Some(&header.value) {
            faults.push(format!("the header {} did not arrive as it was sent", header.name));
        }
    }
    if faults.is_empty() {
        verdict.prove(ProvenRung::Queryable);
        let text = arrival_evidence(exporter, &arrival, verdict);
        verdict.check(Check::new(Rung::Queryable, CheckStatus::Pass, text));
    } else {
        verdict.check(Check::new(Rung::Queryable, CheckStatus::Fail, faults.join("; ")));
    }
    let id = arrival.spans.first()?.trace_id;
    Some(Trace { id, spans: arrival.spans })
}

fn arrival_evidence(
    exporter: &Exporter,
    arrival: &ReceivedExport,
    verdict: &ServiceVerdict,
) -> String {
    let way = match &arrival.transport {
        OtlpTransport::Http { path, content_type } => format!("{path} as {content_type}"),
        OtlpTransport::Grpc => "gRPC".to_owned(),
    };
    let names: Vec<&str> = exporter.headers.iter().map(|header| header.name.as_str()).collect();
    let headers = match names.as_slice() {
        [] => "no header".to_owned(),
        names => names.join(", "),
    };
    format!(
        "found in the embedded receiver: {way}, with {headers}; {} spans of {}, the child below its root, app.now set",
        arrival.spans.len(),
        verdict.name
    )
}
