//! The page of `listen --web` and `try --web`: its address, and its answers from the spans in memory.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use percent_encoding::percent_decode_str;
use serde_json::{Value as Json, json};
use tokio::sync::mpsc;

use crate::error::Result;
use crate::net;
use crate::net::receiver::{QuestionAnswer, ReceivedQuestion};
use crate::net::web::{PageRequest, PageServer};
use crate::otlp::assembly::{AssemblyRules, TraceAssembly};
use crate::otlp::page::{PageFault, PageQuestion, PageSource};
use crate::otlp::span::OtlpSpan;
use crate::secret::Redactor;
use crate::shell::Shell;
use crate::ui::interrupt::{self, InterruptMode};
use crate::ui::{TextRole, Ui};
use crate::workspace::Workspace;

/// A page that is open, and what it was asked.
pub(super) struct Page {
    server: PageServer,
    requests: mpsc::Receiver<PageRequest>,
    /// The address that spans are sent to.
    endpoint: Option<String>,
}

impl Page {
    /// Opens a page on `port` of 127.0.0.1, which shows what arrives at `endpoint`.
    ///
    /// # Errors
    /// `port-in-use` or `bind-failed`.
    pub(super) async fn open(port: u16, endpoint: Option<String>, shell: &Shell) -> Result<Self> {
        let workspace = Workspace::detect(shell);
        let (server, requests) = PageServer::bind(port, |port| workspace.port_url(port)).await?;
        Ok(Self { server, requests, endpoint })
    }

    /// Returns the address, which lets one browser in.
    pub(super) fn url(&self) -> String {
        self.server.url()
    }

    /// Prints the address.
    pub(super) fn show_address(&self, ui: &mut Ui) {
        ui.say(TextRole::Strong.paint("page") + format!(" at {}", self.url()));
    }

    /// Tells every open page that there is more to see.
    pub(super) fn announce(&self) {
        self.server.announce();
    }

    /// Waits for the next request; never returns if there is no page.
    pub(super) async fn next(page: &mut Option<Self>) -> PageRequest {
        let request = match page {
            Some(page) => page.requests.recv().await,
            None => None,
        };
        match request {
            Some(request) => request,
            None => std::future::pending().await,
        }
    }

    /// Answers a question, or says that a browser came in.
    pub(super) fn respond(&self, request: PageRequest, assembly: &TraceAssembly, ui: &mut Ui) {
        match request {
            PageRequest::Ask(question) => self.answer(question, assembly, ui.redactor()),
            PageRequest::Entered(next) => {
                ui.say(format!("a browser opened the page; another one can use {next}"));
            }
        }
    }

    fn answer(&self, question: ReceivedQuestion, assembly: &TraceAssembly, redactor: &Redactor) {
        let now_ns = since_1970(SystemTime::now());
        let source = PageSource { assembly, redactor, now_ns };
        let text = percent_decode_str(&question.text).decode_utf8_lossy();
        let refused = |status, text: &str| QuestionAnswer {
            status,
            document: json!({ "error": redactor.show(text).as_str() }),
        };
        let answer = match serde_json::from_str::<PageQuestion>(&text) {
            Ok(question) => match source.answer(&question) {
                Ok(mut document) => {
                    if let (PageQuestion::Traces(_), Some(endpoint)) = (&question, &self.endpoint) {
                        document["endpoint"] = endpoint.as_str().into();
                    }
                    QuestionAnswer { status: 200, document }
                }
                Err(PageFault::Filter(error)) => refused(400, &error.message),
                Err(PageFault::Gone) => refused(404, "this is no longer in memory"),
            },
            Err(error) => refused(400, &error.to_string()),
        };
        // The page may be closed by now.
        let _ = question.answer.send(answer);
    }

    /// Ends it, and the streams of every open page.
    pub(super) async fn close(self) {
        self.server.close().await;
    }
}

/// Shows `spans` in a page until an interrupt; `document` is printed with its address first.
///
/// # Errors
/// `port-in-use` or `bind-failed`; `unwritable-stdout`.
pub(super) fn show(
    spans: Vec<OtlpSpan>,
    shell: &Shell,
    document: impl FnOnce(&str) -> Json,
    ui: &mut Ui,
) -> Result<()> {
    let _guard = interrupt::set_interrupt_mode(InterruptMode::Remember);
    let mut assembly = TraceAssembly::new(AssemblyRules::default());
    assembly.add(spans, Instant::now());
    net::block_on(async {
        let mut page = Some(Page::open(0, None, shell).await?);
        if let Some(page) = &page {
            page.show_address(ui);
            ui.say("Ctrl-C stops it");
            ui.document(&document(&page.url()))?;
        }
        loop {
            tokio::select! {
                () = interrupt::wait_for_interrupt() => break,
                request = Page::next(&mut page) => {
                    if let Some(page) = &page {
                        page.respond(request, &assembly, ui);
                    }
                }
            }
        }
        if let Some(page) = page {
            page.close().await;
        }
        Ok(())
    })?
}

/// Nanoseconds since 1970.
pub(super) fn since_1970(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
