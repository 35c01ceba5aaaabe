//! `listen --forward`: forwards every request to the provider with its key, and shows the answers.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::cli::{GlobalOptions, TargetArgs};
use crate::commands::target::HoneycombTarget;
use crate::error::{Error, ErrorCode, Result};
use crate::net::http::{self, HttpRequest};
use crate::net::receiver::{MessageFormat, ReceivedExport};
use crate::net::{self, honeycomb, route::EndpointRoute};
use crate::otlp::ExportHeader;
use crate::otlp::request::RequestBody;
use crate::otlp::response::{self, ExportMeaning};
use crate::provider::key_shape::DATASET_HEADER;
use crate::session::context;
use crate::shell::Shell;
use crate::ui::Ui;
use crate::ui::text::format_count;

/// The longest wait for each answer, and for the last ones at the end.
const ANSWER_TIME_LIMIT: Duration = Duration::from_secs(10);

/// The most queued requests; further ones are not forwarded.
const WAITING: usize = 256;

/// The sender's headers that are forwarded.
const FORWARDED_HEADERS: [&str; 1] = [DATASET_HEADER];

/// The provider and its key.
pub(super) struct ForwardTarget {
    address: String,
    route: EndpointRoute,
    key: ExportHeader,
}

/// Finds the stored key and asks, if necessary, whether it may go to the provider.
///
/// # Errors
/// `key-missing`, `untrusted-host`, and when the host has no address.
pub(super) fn prepare(
    args: &TargetArgs,
    global: &GlobalOptions,
    shell: &Shell,
    ui: &mut Ui,
) -> Result<ForwardTarget> {
    let target = HoneycombTarget::of(args)?;
    let key = context::stored_key(
        shell,
        global.directory.as_deref(),
        context::HONEYCOMB_KEY,
        ui.redactor(),
    )
    .map_err(|absence| {
        Error::new(ErrorCode::KeyMissing, absence).hint("`cruddur-ops key set` stores it")
    })?;
    let cleared = target.clear(context::HONEYCOMB_KEY, &key, ui)?;
    let deadline = Instant::now() + ANSWER_TIME_LIMIT;
    let route = net::block_on(EndpointRoute::find(&cleared, deadline))?.map_err(|failure| {
        Error::new(ErrorCode::NoAnswer, format!("{} is not found", target.host()))
            .cause(failure.evidence)
    })?;
    Ok(ForwardTarget {
        address: target.address(),
        route,
        key: honeycomb::honeycomb_key_header(&key),
    })
}

/// The outcome of one request; the error is one line.
pub(super) type ForwardResult = std::result::Result<(), String>;

/// The queue of requests to the provider.
pub(super) struct ForwardQueue {
    address: String,
    to: mpsc::Sender<ReceivedExport>,
    outcomes: mpsc::UnboundedReceiver<ForwardResult>,
    task: JoinHandle<()>,
    last: Option<ForwardResult>,
    accepted: u64,
    refused: u64,
    left_out: u64,
}

impl ForwardQueue {
    /// Starts forwarding on the current tokio runtime.
    pub(super) fn begin(provider: ForwardTarget) -> Self {
        let (to, arrivals) = mpsc::channel(WAITING);
        let (sender, outcomes) = mpsc::unbounded_channel();
        Self {
            address: provider.address.clone(),
            task: tokio::spawn(pass_on(provider, arrivals, sender)),
            to,
            outcomes,
            last: None,
            accepted: 0,
            refused: 0,
            left_out: 0,
        }
    }

    /// Queues a request; if the queue is full, drops and counts it.
    pub(super) fn pass(&mut self, arrival: ReceivedExport) {
        if let Err(TrySendError::Full(_)) = self.to.try_send(arrival) {
            self.left_out += 1;
        }
    }

    /// Waits for the next outcome; forever, if there are no more.
    pub(super) async fn next(&mut self) -> ForwardResult {
        match self.outcomes.recv().await {
            Some(outcome) => outcome,
            None => std::future::pending().await,
        }
    }

    /// Counts an outcome, and prints it if it differs from the last one or `-v` is set.
    pub(super) fn report(&mut self, outcome: ForwardResult, ui: &mut Ui) {
        match &outcome {
            Ok(()) => self.accepted += 1,
            Err(_) => self.refused += 1,
        }
        let news = self.last.as_ref() != Some(&outcome);
        let address = &self.address;
        match &outcome {
            Ok(()) if news => ui.say(format!("{address} accepted what was forwarded")),
            Err(why) if news => {
                ui.warn(format!("{address} did not accept what was forwarded: {why}"), None)
            }
            Ok(()) => ui.detail(format!("{address} accepted")),
            Err(why) => ui.detail(format!("{address}: {why}")),
        }
        self.last = Some(outcome);
    }

    /// Waits for the last answers, and prints a summary.
    pub(super) async fn finish(mut self, ui: &mut Ui) {
        drop(std::mem::replace(&mut self.to, mpsc::channel(1).0));
        let ended = timeout(ANSWER_TIME_LIMIT, &mut self.task).await;
        self.task.abort();
        while let Ok(outcome) = self.outcomes.try_recv() {
            self.report(outcome, ui);
        }
        let mut parts = vec![format!("{} accepted", self.accepted)];
        for (number, what) in
            [(self.refused, "not accepted"), (self.left_out, "dropped: too many were waiting")]
        {
            if number > 0 {
                parts.push(format!("{number} {what}"));
            }
        }
        if ended.is_err() {
            parts.push("the rest was abandoned".to_owned());
        }
        let requests = format_count(self.accepted + self.refused + self.left_out, "request");
        let parts = parts.join(", ");
        ui.say(format!("forwarded {requests} to {}: {parts}", self.address));
    }
}

async fn pass_on(
    provider: ForwardTarget,
    mut arrivals: mpsc::Receiver<ReceivedExport>,
    sender: mpsc::UnboundedSender<ForwardResult>,
) {
    while let Some(arrival) = arrivals.recv().await {
        let outcome = forward_arrival(&provider, arrival).await;
        if sender.send(outcome).is_err() {
            return;
        }
    }
}

async fn forward_arrival(provider: &ForwardTarget, arrival: ReceivedExport) -> ForwardResult {
    let body = RequestBody {
        content_type: match arrival.format {
            MessageFormat::Protobuf => "application/x-protobuf",
            MessageFormat::Json => "application/json",
        },
        content_encoding: None,
        bytes: arrival.body.to_vec(),
    };
    let mut headers = vec![provider.key.clone()];
    for name in FORWARDED_HEADERS {
        headers.extend(
            arrival
                .header(name)
                .map(|value| ExportHeader { name: name.to_owned(), value: value.clone() }),
        );
    }
    let route = provider.route.at_path(arrival.signal.path());
    let received =
        http::send(&route, HttpRequest::Post(&body), &headers, Instant::now() + ANSWER_TIME_LIMIT)
            .await
            .map_err(|failure| failure.evidence)?;
    match response::read(&received.answer) {
        ExportMeaning::Accepted { warning: None } => Ok(()),
        ExportMeaning::Accepted { warning: Some(words) } => Err(format!("accepted, but: {words}")),
        ExportMeaning::Refused { evidence, .. } => Err(evidence),
    }
}
