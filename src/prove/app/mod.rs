//! `--app URL`: a real request with our own `traceparent`, then a search for the application's own spans.

mod honeycomb;

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::{ladder, listening};
use crate::consent::Cleared;
use crate::net::failure::Failure;
use crate::net::honeycomb::KEY_HEADER;
use crate::net::http::{self, Ask};
use crate::net::listen;
use crate::net::route::Route;
use crate::otlp::Exporter;
use crate::otlp::Header;
use crate::otlp::app::{self, AppSpan};
use crate::otlp::{Check, Code, Proven, Rung, ServiceVerdict, Status, TestTrace};
use crate::secret::Secret;

/// Between two looks at what has not come yet.
const PAUSE: Duration = Duration::from_millis(300);

/// Where a service's spans go, and how long there is to find them.
pub(super) struct Way<'a> {
    pub(super) exporter: &'a Exporter,
    pub(super) route: &'a Route,
    pub(super) deadline: Instant,
}

impl Way<'_> {
    /// Asks the application at `url` and climbs with what it sends.
    pub(super) async fn climb(
        &self,
        application: &Cleared,
        mut verdict: ServiceVerdict,
    ) -> (ServiceVerdict, Option<Silence>) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let trace = TestTrace::new(&verdict.name, now.unwrap_or_default(), rand::random());
        let started = Instant::now();
        let url = application.url();
        let status = match request(application, &trace, self.deadline).await {
            Ok(status) => status,
            Err(failure) => {
                let host = url.host_str().unwrap_or_default();
                ladder::unreachable(&mut verdict, &failure, host, started.elapsed());
                return (verdict, Some(Silence::Down));
            }
        };
        verdict.prove(Proven::Reachable);
        verdict.trace_id = Some(trace.id());
        let text = format!("the application answers {status} at {}", ladder::shown(url));
        verdict.check(Check::new(Rung::Reachable, Status::Pass, text).took(started.elapsed()));
        ladder::skip(&mut verdict, Rung::Accepted, "the application sends for itself");
        let in_listen = match self.route.is_loopback() {
            true => self.in_listen(&trace, &mut verdict).await,
            false => Search::NotThere,
        };
        let silence = match (in_listen, self.exporter.header(KEY_HEADER)) {
            (Search::Done(silence), _) => silence,
            (Search::NotThere, Some(key)) => self.in_honeycomb(key, &trace, &mut verdict).await,
            (Search::NotThere, None) => {
                let text = format!(
                    "no `listen` answers at {}, and nobody else can be asked",
                    self.route.describe()
                );
                let hint = "`cruddur-ops listen` receives what the service sends".to_owned();
                verdict.check(Check::new(Rung::Queryable, Status::Fail, text).hint(Some(hint)));
                Some(Silence::Unseen)
            }
        };
        (verdict, silence)
    }

    /// Looks for the spans in a `listen` on this machine.
    async fn in_listen(&self, trace: &TestTrace, verdict: &mut ServiceVerdict) -> Search {
        let port = listening::port(self.exporter, self.route);
        let question = app::question(&trace.id(), Duration::from_secs(600));
        let started = Instant::now();
        let mut before = None;
        loop {
            let answer = listen::ask_before(&question, port, self.deadline).await;
            let silent = answer.is_none();
            let now = answer.map(|answer| AppSpan::read(&question, &answer.groups));
            // Who has answered before was only cut short.
            let Some(spans) = now.or(before) else {
                return Search::NotThere;
            };
            let found = app::judge(&spans, &trace.root_id(), &trace.service);
            let late = silent || Instant::now() + PAUSE >= self.deadline;
            // What is wrong now may only be incomplete: the server span ends last.
            if found.faults.is_empty() || (late && !spans.is_empty()) {
                verdict.libraries = AppSpan::libraries(&spans);
                verdict.check(arrived(&found).took(started.elapsed()));
                if found.faults.is_empty() {
                    verdict.prove(Proven::Queryable);
                }
                return Search::Done(None);
            }
            if late {
                missing(verdict);
                return Search::Done(Some(Silence::NoSpan));
            }
            before = Some(spans);
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Whether a place could be searched.
enum Search {
    /// It could, and the verdict says what came of it.
    Done(Option<Silence>),
    /// There is no such place.
    NotThere,
}

/// Sends the request as soon as somebody answers; the status of the answer.
async fn request(
    application: &Cleared,
    trace: &TestTrace,
    deadline: Instant,
) -> Result<u16, Failure> {
    let traceparent =
        [Header { name: "traceparent".to_owned(), value: Secret::new(trace.traceparent()) }];
    loop {
        let route = Route::find(application, deadline).await?;
        let failure = match http::send(&route, Ask::Get, &traceparent, deadline).await {
            Ok(received) => return Ok(received.answer.status),
            Err(failure) => failure,
        };
        // An application that is still starting refuses, or hangs up at once.
        let starting = matches!(failure.code, Code::Connect | Code::ResponseBroken);
        if !starting || Instant::now() + PAUSE >= deadline {
            return Err(failure.hint("is the application running? `docker compose ps` says so"));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn arrived(found: &app::Judgement) -> Check {
    let (status, more) = match (found.faults.as_slice(), found.remarks.as_slice()) {
        ([], []) => (Status::Pass, String::new()),
        ([], remarks) => (Status::Warn, format!("; {}", remarks.join("; "))),
        (faults, _) => (Status::Fail, format!("; {}", faults.join("; "))),
    };
    Check::new(Rung::Queryable, status, format!("{}{more}", found.evidence))
}

/// Nothing came; who knows the project says why.
fn missing(verdict: &mut ServiceVerdict) {
    if verdict.of(Rung::Queryable).is_none() {
        let text = "no span of the application came under our trace id";
        verdict.check(Check::new(Rung::Queryable, Status::Fail, text));
    }
}

/// How an application gave no sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Silence {
    /// It does not answer.
    Down,
    /// It answers, and no span came.
    NoSpan,
    /// It answers, and nobody may look for its spans.
    Unseen,
}
