//! `--app URL`: a real request with our own `traceparent`, then a search for the application's own spans.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;
use url::Url;

use super::beyond::{self, Quest};
use super::ladder;
use crate::commands::query;
use crate::net::failure::Failure;
use crate::net::honeycomb::{self, KEY_HEADER};
use crate::net::http::{self, Ask};
use crate::net::route::Route;
use crate::otlp::app::{self, AppSpan};
use crate::otlp::exporter::Exporter;
use crate::otlp::headers::Header;
use crate::otlp::{Check, Code, Protocol, Proven, Rung, ServiceVerdict, Status, TestTrace};
use crate::secret::Secret;

/// Between two looks at what has not come yet.
const PAUSE: Duration = Duration::from_millis(300);

/// Where `listen` answers questions when it receives gRPC on another port.
const LISTEN_PORT: u16 = 4318;

/// Where a service's spans go, and how long there is to find them.
pub(super) struct Way<'a> {
    pub(super) exporter: &'a Exporter,
    pub(super) route: &'a Route,
    pub(super) deadline: Instant,
}

impl Way<'_> {
    /// Asks the application at `url` and climbs with what it sends.
    pub(super) async fn climb(&self, url: &Url, mut verdict: ServiceVerdict) -> ServiceVerdict {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let trace = TestTrace::new(&verdict.name, now.unwrap_or_default(), rand::random());
        let started = Instant::now();
        let status = match request(url, &trace, self.deadline).await {
            Ok(status) => status,
            Err(failure) => {
                let host = url.host_str().unwrap_or_default();
                ladder::unreachable(&mut verdict, &failure, host, started.elapsed());
                return verdict;
            }
        };
        verdict.prove(Proven::Reachable);
        verdict.trace_id = Some(trace.id());
        let text = format!("the application answers {status} at {}", ladder::shown(url));
        verdict.check(Check::new(Rung::Reachable, Status::Pass, text).took(started.elapsed()));
        ladder::skip(
            &mut verdict,
            Rung::Accepted,
            "the application sends for itself",
        );
        let in_listen = match self.route.is_loopback() {
            true => self.in_listen(&trace, &mut verdict).await,
            false => Search::NotThere,
        };
        match (in_listen, self.exporter.header(KEY_HEADER)) {
            (Search::Done, _) => {}
            (Search::NotThere, Some(key)) => self.in_honeycomb(key, &trace, &mut verdict).await,
            (Search::NotThere, None) => {
                let text = format!(
                    "no `listen` answers at {}, and nobody else can be asked",
                    self.route.describe()
                );
                let hint = "`cruddur-ops listen` receives what the service sends".to_owned();
                verdict.check(Check::new(Rung::Queryable, Status::Fail, text).hint(Some(hint)));
            }
        }
        verdict
    }

    /// Looks for the spans in a `listen` on this machine.
    async fn in_listen(&self, trace: &TestTrace, verdict: &mut ServiceVerdict) -> Search {
        let port = match self.exporter.protocol {
            Protocol::Grpc => LISTEN_PORT,
            _ => self
                .route
                .url
                .port_or_known_default()
                .unwrap_or(LISTEN_PORT),
        };
        let question = app::question(&trace.id(), Duration::from_secs(600));
        let started = Instant::now();
        loop {
            let Some(answer) = query::ask_listen(&question, port, self.deadline).await else {
                return Search::NotThere;
            };
            let spans = AppSpan::read(&answer.groups);
            let found = app::judge(&spans, &trace.root_id(), &trace.service);
            let late = Instant::now() + PAUSE >= self.deadline;
            // What is wrong now may only be incomplete: the server span ends last.
            if found.faults.is_empty() || (late && !spans.is_empty()) {
                verdict.check(arrived(&found).took(started.elapsed()));
                if found.faults.is_empty() {
                    verdict.prove(Proven::Queryable);
                }
                return Search::Done;
            }
            if late {
                missing(verdict);
                return Search::Done;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Looks as far as the key and the plan allow.
    async fn in_honeycomb(&self, key: &Header, trace: &TestTrace, verdict: &mut ServiceVerdict) {
        let route = self.route;
        let answer = honeycomb::whoami_over(route, &key.value, self.deadline).await;
        let host = route.url.host_str().unwrap_or_default();
        verdict.check(ladder::whose(&answer, host));
        if let Ok(whoami) = &answer
            && let Some(quest) = Quest::new(self.exporter, route, whoami, trace, self.deadline)
        {
            beyond::climb(&quest, verdict).await;
        }
        if verdict.proven < Proven::DatasetWritten {
            missing(verdict);
        }
    }
}

/// Whether a place could be searched.
enum Search {
    /// It could, and the verdict says what came of it.
    Done,
    /// There is no such place.
    NotThere,
}

/// Sends the request as soon as somebody answers; the status of the answer.
async fn request(url: &Url, trace: &TestTrace, deadline: Instant) -> Result<u16, Failure> {
    let traceparent = [Header {
        name: "traceparent".to_owned(),
        value: Secret::new(trace.traceparent()),
    }];
    loop {
        let route = Route::look_up(url, deadline).await?;
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

/// Nothing came: the likely causes, as far as they cannot be told apart from here.
fn missing(verdict: &mut ServiceVerdict) {
    let hint = "not restarted since the edit, no packages, no initialisation, or a batch that waits: \
                `cruddur-ops doctor` looks, and `--timeout 30s` waits longer";
    if let Some(check) = verdict
        .checks
        .iter_mut()
        .find(|one| one.rung == Rung::Queryable)
    {
        check.hint = Some(hint.to_owned());
        return;
    }
    let text = "no span of the application came under our trace id";
    verdict.check(Check::new(Rung::Queryable, Status::Fail, text).hint(Some(hint.to_owned())));
}
