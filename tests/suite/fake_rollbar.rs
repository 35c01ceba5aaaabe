//! Rollbar's item API on loopback. The documentation does not say whether the token or the body is checked first, so
//! the fake can do either.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};

use crate::served::Served;

/// The part that is checked first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum First {
    Token,
    Body,
}

struct Inner {
    token: String,
    scope: &'static str,
    first: First,
    canned: Option<(u16, &'static str, String)>,
    items: Vec<Value>,
    tell: Sender<Value>,
}

type Shared = Arc<Mutex<Inner>>;

/// A running Rollbar; it stops when dropped.
pub struct Rollbar {
    inner: Shared,
    told: Receiver<Value>,
    served: Served,
}

impl Rollbar {
    /// Starts a Rollbar that accepts only this token, which may post server items.
    pub fn start(token: &str) -> Self {
        let (tell, told) = channel();
        let inner = Arc::new(Mutex::new(Inner {
            token: token.to_owned(),
            scope: "post_server_item",
            first: First::Token,
            canned: None,
            items: Vec::new(),
            tell,
        }));
        let routes = Router::new()
            .route("/api/1/item/", post(item))
            .route("/api/1/status/ping", get(|| async { "pong" }))
            .with_state(Arc::clone(&inner));
        Self { inner, told, served: Served::start(routes) }
    }

    #[must_use]
    pub fn looking_first_at(self, first: First) -> Self {
        self.inner.lock().unwrap().first = first;
        self
    }

    /// Sets the scope of its token.
    #[must_use]
    pub fn scoped(self, scope: &'static str) -> Self {
        self.inner.lock().unwrap().scope = scope;
        self
    }

    /// Sets the answer to every item: status, content type, body.
    #[must_use]
    pub fn answering(self, status: u16, kind: &'static str, body: &str) -> Self {
        self.inner.lock().unwrap().canned = Some((status, kind, body.to_owned()));
        self
    }

    /// Returns the endpoint for a program's configuration.
    pub fn endpoint(&self) -> String {
        format!("{}/api/1/", self.served.url())
    }

    /// Waits for the next accepted item; returns its `data`.
    #[track_caller]
    pub fn item(&self) -> Value {
        self.told.recv_timeout(Duration::from_secs(30)).unwrap()
    }

    /// Returns the `data` of every accepted item.
    pub fn items(&self) -> Vec<Value> {
        self.inner.lock().unwrap().items.clone()
    }
}

async fn item(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let mut inner = shared.lock().unwrap();
    if let Some((status, kind, body)) = &inner.canned {
        return said(*status, kind, body.clone());
    }
    let json: Option<Value> = serde_json::from_slice(&body).ok();
    let in_body = || Some(json.as_ref()?["access_token"].as_str()?.to_owned());
    let token = headers
        .get("x-rollbar-access-token")
        .map(|value| value.to_str().unwrap().to_owned())
        .or_else(in_body);
    let of_token = || match token.as_deref() {
        None => Some((401, "access token is missing".to_owned())),
        Some(token) if token != inner.token => {
            Some((403, format!("access token not found: {token}")))
        }
        Some(_) if inner.scope != "post_server_item" => Some((
            403,
            format!(
                "insufficient privileges: post_server_item scope is required but the access token only has {}.",
                inner.scope
            ),
        )),
        Some(_) => None,
    };
    let of_body = || {
        let Some(json) = &json else {
            return Some((400, "Invalid JSON payload.".to_owned()));
        };
        let kinds = ["trace", "trace_chain", "message", "crash_report"];
        let body = &json["data"]["body"];
        let bodies = kinds.iter().filter(|kind| body[**kind].is_object()).count();
        if bodies != 1 {
            let text = "Invalid format. data.body must have either a 'trace', 'trace_chain', 'message' or 'crash_report' property, (but not more than one).";
            return Some((422, text.to_owned()));
        }
        let environment = json["data"]["environment"].is_string();
        (!environment).then(|| (422, "Invalid format. data.environment is missing.".to_owned()))
    };
    let refusal = match inner.first {
        First::Token => of_token().or_else(of_body),
        First::Body => of_body().or_else(of_token),
    };
    if let Some((status, message)) = refusal {
        let body = json!({"err": 1, "message": message}).to_string();
        return said(status, "application/json", body);
    }
    let data = json.unwrap_or_default()["data"].take();
    let uuid = data["uuid"].clone();
    let _ = inner.tell.send(data.clone());
    inner.items.push(data);
    let body = json!({"err": 0, "result": {"id": null, "uuid": uuid}}).to_string();
    said(200, "application/json", body)
}

fn said(status: u16, kind: &'static str, body: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    (status, [(header::CONTENT_TYPE, kind)], body).into_response()
}
