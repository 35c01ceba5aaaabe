//! The page of `listen --web`: its files, a stream of change events, and questions that the owner of the spans
//! answers.
//!
//! Listens on loopback alone. Knows nothing of spans: a question is text, an answer a document.

mod files;
mod guard;
mod news;

#[cfg(test)]
mod tests;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{ALLOW, CONTENT_LENGTH, LOCATION, SET_COOKIE, TRANSFER_ENCODING};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::response::Response;
use axum::routing::any;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinHandle;

use super::receiver::connections;
use super::receiver::http::{answer_question, build_http_response, header_value_text};
use super::receiver::{ReceivedQuestion, ReceiverLimits, bound, listen};
use crate::error::Result;
use crate::limits;
use guard::{PageGuard, PageRefusal};

/// A message from the page to the command that serves it.
#[derive(Debug)]
pub(crate) enum PageRequest {
    /// A question, still percent-encoded, and where its answer goes.
    Ask(ReceivedQuestion),
    /// A browser came in by the address, which no other can use. This is the next one.
    Entered(String),
}

/// A page that is served until this is closed or dropped.
#[derive(Debug)]
pub(crate) struct PageServer {
    guard: Arc<PageGuard>,
    news: watch::Sender<u64>,
    stop: watch::Sender<()>,
    door: JoinHandle<()>,
}

/// The state that every request uses.
#[derive(Debug, Clone)]
struct PageState {
    guard: Arc<PageGuard>,
    news: watch::Receiver<u64>,
    streams: Arc<Semaphore>,
    requests: mpsc::Sender<PageRequest>,
}

impl PageServer {
    /// Binds `port` of 127.0.0.1 (0: a free one); `workspace_url` returns the address of that port for a browser
    /// outside of the workspace.
    ///
    /// # Errors
    /// `port-in-use` or `bind-failed`, naming the address.
    pub(crate) async fn bind(
        port: u16,
        workspace_url: impl FnOnce(u16) -> Option<String>,
    ) -> Result<(Self, mpsc::Receiver<PageRequest>)> {
        let requested = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let listener = listen(requested).await?;
        let address = bound(&listener, requested)?;
        let guard = Arc::new(PageGuard::new(address, workspace_url(address.port()).as_deref()));
        let (news, news_receiver) = watch::channel(0);
        let (stop, stopped) = watch::channel(());
        let (requests, inbox) = mpsc::channel(limits::PAGE_QUESTIONS);
        let state = PageState {
            guard: Arc::clone(&guard),
            news: news_receiver,
            streams: Arc::new(Semaphore::new(limits::PAGE_STREAMS)),
            requests,
        };
        let routes = Router::new().fallback(any(handle_page_request)).with_state(state);
        let limits =
            ReceiverLimits { connections: limits::PAGE_CONNECTIONS, ..ReceiverLimits::default() };
        let door = tokio::spawn(connections::serve(listener, routes, limits, stopped));
        Ok((Self { guard, news, stop, door }, inbox))
    }

    /// Returns the address, which lets one browser in.
    pub(crate) fn url(&self) -> String {
        self.guard.url()
    }

    /// Tells every open page that there is more to see.
    pub(crate) fn announce(&self) {
        self.news.send_modify(|number| *number += 1);
    }

    /// Takes no more connections, ends the streams, and ends.
    pub(crate) async fn close(self) {
        let Self { news, stop, door, .. } = self;
        drop(news);
        stop.send_replace(());
        // A task that panicked has ended as well.
        let _ = door.await;
    }
}

async fn handle_page_request(State(state): State<PageState>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let mut response = match state.respond(&parts).await {
        Ok(response) => response,
        Err(refusal) => page_refusal_response(refusal),
    };
    let headers = response.headers_mut();
    for (name, value) in files::HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

impl PageState {
    async fn respond(&self, parts: &Parts) -> std::result::Result<Response, PageRefusal> {
        self.guard.admit(parts)?;
        if parts.method != Method::GET {
            return Err(PageRefusal::Method);
        }
        let length = header_value_text(&parts.headers, &CONTENT_LENGTH);
        if !matches!(length, "" | "0") || parts.headers.contains_key(TRANSFER_ENCODING) {
            return Err(PageRefusal::TooLarge);
        }
        let path = parts.uri.path();
        let query = parts.uri.query().unwrap_or_default();
        let token = query.split('&').find_map(|pair| pair.strip_prefix("token="));
        if let ("/", Some(token)) = (path, token) {
            return self.enter(parts, token).await;
        }
        if let Some(file) = files::find(path) {
            return Ok(build_http_response(StatusCode::OK, file.kind, file.text));
        }
        if !matches!(path, "/api" | "/events") {
            return Err(PageRefusal::Unknown);
        }
        self.guard.admit_session(&parts.headers)?;
        match path {
            "/api" => self.ask(query).await,
            _ => self.stream(),
        }
    }

    /// Swaps the address's token for a cookie, once, and leads away from it.
    async fn enter(
        &self,
        parts: &Parts,
        token: &str,
    ) -> std::result::Result<Response, PageRefusal> {
        let cookie = match self.guard.swap(parts, token)? {
            Some(cookie) => cookie,
            // Somebody who is in already goes the same way again.
            None => return Ok(redirect_to_page()),
        };
        // There is no receiver: the page is closing.
        let _ = self.requests.send(PageRequest::Entered(self.guard.url())).await;
        let mut response = redirect_to_page();
        let cookie = HeaderValue::from_str(&cookie).map_err(|_| PageRefusal::Unknown)?;
        response.headers_mut().insert(SET_COOKIE, cookie);
        Ok(response)
    }

    async fn ask(&self, query: &str) -> std::result::Result<Response, PageRefusal> {
        if query.len() > limits::PAGE_QUESTION_BYTES {
            return Err(PageRefusal::TooLarge);
        }
        let answered = answer_question(&self.requests, query, PageRequest::Ask).await;
        answered.ok_or(PageRefusal::Closing)
    }

    fn stream(&self) -> std::result::Result<Response, PageRefusal> {
        let permit =
            Arc::clone(&self.streams).try_acquire_owned().map_err(|_| PageRefusal::Busy)?;
        Ok(build_http_response(
            StatusCode::OK,
            "text/event-stream",
            news::stream(self.news.clone(), permit),
        ))
    }
}

fn redirect_to_page() -> Response {
    let mut response =
        build_http_response(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", Body::empty());
    response.headers_mut().insert(LOCATION, HeaderValue::from_static("./"));
    response
}

fn page_refusal_response(refusal: PageRefusal) -> Response {
    let mut response =
        build_http_response(refusal.status(), "text/plain; charset=utf-8", format!("{refusal}\n"));
    if refusal == PageRefusal::Method {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
    }
    response
}
