//! A `listen` of this machine where the traces go to: it saw them, or it did not.

use std::time::Duration;

use tokio::time::Instant;

use crate::net::listen;
use crate::net::route::Route;
use crate::otlp::Exporter;
use crate::otlp::query::Query;
use crate::otlp::{Check, Protocol, Proven, Rung, ServiceVerdict, Status};

/// Where it answers questions when it receives gRPC on another port.
const PORT: u16 = 4318;

/// Between two looks at what was taken and is not counted yet.
const PAUSE: Duration = Duration::from_millis(50);

/// How long that may take; what was taken is about to be counted.
const PATIENCE: Duration = Duration::from_secs(2);

/// The port at which a `listen` would answer.
pub(super) fn port(exporter: &Exporter, route: &Route) -> u16 {
    match exporter.protocol {
        Protocol::Grpc => PORT,
        _ => route.url.port_or_known_default().unwrap_or(PORT),
    }
}

/// Climbs on from `accepted` where a `listen` took the trace; elsewhere nothing is added.
pub(super) async fn climb(
    exporter: &Exporter,
    route: &Route,
    verdict: &mut ServiceVerdict,
    deadline: Instant,
) {
    let (Proven::Accepted, true, Some(trace)) =
        (verdict.proven, route.is_loopback(), &verdict.trace_id)
    else {
        return;
    };
    let started = Instant::now();
    let deadline = deadline.min(started + PATIENCE);
    let question = Query::spans_of(trace, Duration::from_secs(600));
    let port = port(exporter, route);
    while let Some(answer) = listen::ask_before(&question, port, deadline).await {
        let late = Instant::now() + PAUSE >= deadline;
        let check = match answer.spans {
            0 if !late => {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            0 => Check::new(Rung::Queryable, Status::Warn, "`listen` has no span of the trace"),
            spans => {
                verdict.prove(Proven::Queryable);
                let text = format!("our own trace was found in `listen`: {spans} spans");
                Check::new(Rung::Queryable, Status::Pass, text)
            }
        };
        verdict.check(check.took(started.elapsed()));
        return;
    }
}
