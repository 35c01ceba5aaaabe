//! Asks a `listen` on this machine, if the traces go there, whether it received them.

use std::time::Duration;

use tokio::time::Instant;

use crate::net::listen;
use crate::net::route::EndpointRoute;
use crate::otlp::Exporter;
use crate::otlp::query::Query;
use crate::otlp::{Check, CheckStatus, OtlpProtocol, ProvenRung, Rung, ServiceVerdict};

/// The HTTP port of a `listen` that receives gRPC on another port.
const PORT: u16 = 4318;

/// The pause between two requests for spans that were accepted and not yet counted.
const PAUSE: Duration = Duration::from_millis(50);

/// The longest wait for that; accepted spans are counted within moments.
const MAX_WAIT: Duration = Duration::from_secs(2);

/// Returns the port at which a `listen` would answer.
pub(super) fn listen_port(exporter: &Exporter, route: &EndpointRoute) -> u16 {
    match exporter.protocol {
        OtlpProtocol::Grpc => PORT,
        _ => route.url.port_or_known_default().unwrap_or(PORT),
    }
}

/// Continues from `accepted` if a `listen` received the trace; otherwise adds nothing.
pub(super) async fn climb(
    exporter: &Exporter,
    route: &EndpointRoute,
    verdict: &mut ServiceVerdict,
    deadline: Instant,
) {
    let (ProvenRung::Accepted, true, Some(trace)) =
        (verdict.proven, route.is_loopback(), &verdict.trace_id)
    else {
        return;
    };
    let started = Instant::now();
    let deadline = deadline.min(started + MAX_WAIT);
    let question = Query::spans_of(trace, Duration::from_secs(600));
    let port = listen_port(exporter, route);
    while let Some(answer) = listen::ask_before(&question, port, deadline).await {
        let late = Instant::now() + PAUSE >= deadline;
        let check = match answer.spans {
            0 if !late => {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            0 => {
                Check::new(Rung::Queryable, CheckStatus::Warn, "`listen` has no span of the trace")
            }
            spans => {
                verdict.prove(ProvenRung::Queryable);
                let text = format!("our own trace was found in `listen`: {spans} spans");
                Check::new(Rung::Queryable, CheckStatus::Pass, text)
            }
        };
        verdict.check(check.took(started.elapsed()));
        return;
    }
}
