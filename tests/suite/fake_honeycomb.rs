//! A fake Honeycomb on loopback that behaves as its published code and API description say.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde_json::{Value, json};

use crate::served::Served;

/// The kind of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    Configuration,
    /// A configuration key that may not send.
    Muted,
    Ingest,
    Classic,
}

/// An answer that does not depend on the request.
#[derive(Debug, Clone)]
pub struct Canned {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

/// A received request.
#[derive(Debug, Clone)]
pub struct Seen {
    pub path: String,
    pub headers: BTreeMap<String, String>,
}

/// Whether Query Data is available.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    Free,
    Enterprise,
}

#[derive(Debug, Clone)]
struct Dataset {
    name: String,
    written: Option<SystemTime>,
}

struct Inner {
    keys: BTreeMap<String, Key>,
    seen: Vec<Seen>,
    traces: Vec<ExportTraceServiceRequest>,
    /// Answers to the next exports; the last one repeats.
    canned: Vec<Canned>,
    auth: Option<Canned>,
    datasets: Vec<Dataset>,
    lag: Duration,
    plan: Plan,
    queries: Vec<Value>,
    polls: u32,
}

type Shared = Arc<Mutex<Inner>>;

/// A running Honeycomb; it stops when dropped.
pub struct Honeycomb {
    inner: Shared,
    served: Served,
}

impl Canned {
    pub fn new(status: u16, kind: &str, body: &[u8]) -> Self {
        let headers = match kind {
            "-" => Vec::new(),
            kind => vec![("content-type", kind.to_owned())],
        };
        Self { status, headers, body: body.to_vec() }
    }

    #[must_use]
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

impl Honeycomb {
    /// Starts a Honeycomb that knows only these keys.
    pub fn start(keys: &[(&str, Key)]) -> Self {
        let inner = Arc::new(Mutex::new(Inner {
            keys: keys.iter().map(|(key, kind)| ((*key).to_owned(), *kind)).collect(),
            seen: Vec::new(),
            traces: Vec::new(),
            canned: Vec::new(),
            auth: None,
            datasets: Vec::new(),
            lag: Duration::ZERO,
            plan: Plan::Free,
            queries: Vec::new(),
            polls: 0,
        }));
        let served = Served::start(routes(Arc::clone(&inner)));
        Self { inner, served }
    }

    pub fn url(&self) -> String {
        self.served.url()
    }

    /// Sets the answers to the next exports; the last one repeats.
    #[must_use]
    pub fn answering(self, canned: &[Canned]) -> Self {
        self.inner.lock().unwrap().canned = canned.to_vec();
        self
    }

    /// Sets the answer of `/1/auth`.
    #[must_use]
    pub fn answering_auth(self, canned: Canned) -> Self {
        self.inner.lock().unwrap().auth = Some(canned);
        self
    }

    /// Sets the time until received spans appear in `last_written_at` and in queries.
    #[must_use]
    pub fn lagging(self, lag: Duration) -> Self {
        self.inner.lock().unwrap().lag = lag;
        self
    }

    #[must_use]
    pub fn on_plan(self, plan: Plan) -> Self {
        self.inner.lock().unwrap().plan = plan;
        self
    }

    /// Returns every request so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.inner.lock().unwrap().seen.clone()
    }

    /// Returns the requests to this path.
    pub fn seen_at(&self, path: &str) -> Vec<Seen> {
        let mut seen = self.seen();
        seen.retain(|one| one.path == path);
        seen
    }

    /// Returns every accepted export.
    pub fn traces(&self) -> Vec<ExportTraceServiceRequest> {
        self.inner.lock().unwrap().traces.clone()
    }
}

fn routes(shared: Shared) -> Router {
    Router::new()
        .route("/v1/traces", post(traces))
        .route("/1/auth", get(auth))
        .route("/1/datasets", get(datasets))
        .route("/1/queries/{dataset}", post(create_query))
        .route("/1/query_results/{dataset}", post(create_result))
        .route("/1/query_results/{dataset}/{id}", get(read_result))
        .fallback(|| async {
            let body = r#"{"error":"not found"}"#;
            (StatusCode::NOT_FOUND, [("content-type", "application/json")], body)
        })
        .with_state(shared)
}

/// Records a request; returns the locked state.
fn record<'s>(shared: &'s Shared, uri: &Uri, headers: &HeaderMap) -> MutexGuard<'s, Inner> {
    let headers = headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.as_str().to_owned(), value)
    });
    let mut inner = shared.lock().unwrap();
    inner.seen.push(Seen { path: uri.path().to_owned(), headers: headers.collect() });
    inner
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().filter(|value| !value.is_empty())
}

fn respond(canned: &Canned) -> Response {
    let mut response =
        (StatusCode::from_u16(canned.status).unwrap(), canned.body.clone()).into_response();
    response.headers_mut().remove("content-type");
    for (name, value) in &canned.headers {
        response.headers_mut().append(*name, value.parse().unwrap());
    }
    response
}

/// Returns a refusal in the request's content type: `google.rpc.Status` with only a message.
fn refuse(kind: &str, status: u16, message: &str) -> Response {
    let body = match kind {
        "application/json" => json!({ "message": message }).to_string().into_bytes(),
        _ => {
            let mut body = vec![0x12, u8::try_from(message.len()).unwrap()];
            body.extend_from_slice(message.as_bytes());
            body
        }
    };
    respond(&Canned::new(status, kind, &body))
}

async fn traces(
    State(shared): State<Shared>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut inner = record(&shared, &uri, &headers);
    if !inner.canned.is_empty() {
        let canned = match inner.canned.len() {
            1 => inner.canned[0].clone(),
            _ => inner.canned.remove(0),
        };
        return respond(&canned);
    }
    let kind = header(&headers, "content-type").unwrap_or_default().to_owned();
    if !["application/protobuf", "application/x-protobuf", "application/json"]
        .contains(&kind.as_str())
    {
        let text = "unsupported content-type, valid types are: application/protobuf, application/x-protobuf, application/json";
        return respond(&Canned::new(415, "text/plain", text.as_bytes()));
    }
    let Some(team) = header(&headers, "x-honeycomb-team") else {
        return refuse(&kind, 401, "missing 'x-honeycomb-team' header");
    };
    let is_classic = team.len() == 32 && team.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_classic && header(&headers, "x-honeycomb-dataset").is_none() {
        return refuse(&kind, 401, "missing 'x-honeycomb-dataset' header");
    }
    match inner.keys.get(team) {
        None => {
            let text = "unknown API key - check your credentials, region, and API URL";
            return refuse(&kind, 401, text);
        }
        Some(Key::Muted) => return refuse(&kind, 403, "this key may not send events"),
        Some(_) => {}
    }
    let Some(request) = decode(&kind, header(&headers, "content-encoding"), &body) else {
        return refuse(&kind, 400, "failed to parse OTLP request body");
    };
    store(&mut inner, &request, header(&headers, "x-honeycomb-dataset").filter(|_| is_classic));
    inner.traces.push(request);
    match kind.as_str() {
        "application/json" => respond(&Canned::new(200, &kind, b"{}")),
        _ => respond(&Canned::new(200, &kind, b"")),
    }
}

fn decode(kind: &str, encoding: Option<&str>, body: &[u8]) -> Option<ExportTraceServiceRequest> {
    let mut plain = body.to_vec();
    match encoding {
        None => {}
        Some("gzip") => {
            plain.clear();
            std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(body), &mut plain).ok()?;
        }
        Some(_) => return None,
    }
    match kind {
        "application/json" => serde_json::from_slice(&plain).ok(),
        _ => ExportTraceServiceRequest::decode(plain.as_slice()).ok(),
    }
}

/// Records a write to each dataset: of the service's name, or of the header's value for a Classic key.
fn store(inner: &mut Inner, request: &ExportTraceServiceRequest, dataset: Option<&str>) {
    for spans in &request.resource_spans {
        let named = spans.resource.iter().flat_map(|one| &one.attributes);
        let named = named.filter(|one| one.key == "service.name").find_map(|one| {
            let value = serde_json::to_value(one).unwrap();
            Some(value.pointer("/value/stringValue")?.as_str()?.trim().to_owned())
        });
        let name = match (dataset, named) {
            (Some(dataset), _) => dataset.to_owned(),
            (None, Some(name)) if !name.is_empty() && !name.starts_with("unknown_service") => name,
            _ => "unknown_service".to_owned(),
        };
        let written = Some(SystemTime::now() + inner.lag);
        let known = inner.datasets.iter_mut().find(|one| one.name.eq_ignore_ascii_case(&name));
        match known {
            Some(known) => known.written = written,
            None => inner.datasets.push(Dataset { name, written }),
        }
    }
}

fn kind_of(inner: &Inner, headers: &HeaderMap) -> Option<Key> {
    inner.keys.get(header(headers, "x-honeycomb-team")?).copied()
}

fn unknown_key() -> Response {
    let body = br#"{"error":"unknown API key - check your credentials"}"#;
    respond(&Canned::new(401, "application/json", body))
}

fn reply(status: u16, document: &Value) -> Response {
    respond(&Canned::new(status, "application/json", document.to_string().as_bytes()))
}

async fn auth(State(shared): State<Shared>, uri: Uri, headers: HeaderMap) -> Response {
    let inner = record(&shared, &uri, &headers);
    if let Some(canned) = &inner.auth {
        return respond(canned);
    }
    let Some(kind) = kind_of(&inner, &headers) else {
        return unknown_key();
    };
    let environment = match kind {
        Key::Classic => json!({"name": "", "slug": ""}),
        _ => json!({"name": "Bootcamp", "slug": "bootcamp"}),
    };
    let (sort, access) = match kind {
        Key::Ingest => ("ingest", json!({"createDatasets": true})),
        Key::Muted => ("configuration", json!({"events": false, "createDatasets": true})),
        _ => ("configuration", json!({"events": true, "createDatasets": true, "queries": true})),
    };
    reply(
        200,
        &json!({
            "id": "abc123", "type": sort, "api_key_access": access,
            "environment": environment, "team": {"name": "Cruddur", "slug": "cruddur"},
        }),
    )
}

fn is_visible(dataset: &Dataset) -> bool {
    dataset.written.is_some_and(|written| written <= SystemTime::now())
}

fn slug(name: &str) -> String {
    let plain = |character: char| {
        if character.is_ascii_alphanumeric() { character } else { '-' }
    };
    name.to_ascii_lowercase().chars().map(plain).collect()
}

async fn datasets(State(shared): State<Shared>, uri: Uri, headers: HeaderMap) -> Response {
    let inner = record(&shared, &uri, &headers);
    match kind_of(&inner, &headers) {
        None | Some(Key::Ingest) => return unknown_key(),
        Some(_) => {}
    }
    let list: Vec<Value> = inner
        .datasets
        .iter()
        .filter(|one| is_visible(one))
        .map(|one| {
            let written = one.written.map(|at| humantime::format_rfc3339_seconds(at).to_string());
            json!({"name": one.name, "slug": slug(&one.name), "last_written_at": written})
        })
        .collect();
    reply(200, &Value::Array(list))
}

fn may_query(inner: &Inner, headers: &HeaderMap) -> Option<Response> {
    match kind_of(inner, headers) {
        None | Some(Key::Ingest) => Some(unknown_key()),
        Some(_) if inner.plan == Plan::Free => {
            Some(reply(403, &json!({"error": "Query Data is an Enterprise feature"})))
        }
        Some(_) => None,
    }
}

async fn create_query(
    State(shared): State<Shared>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut inner = record(&shared, &uri, &headers);
    if let Some(refusal) = may_query(&inner, &headers) {
        return refusal;
    }
    let Ok(mut query) = serde_json::from_slice::<Value>(&body) else {
        return reply(400, &json!({"error": "unparseable"}));
    };
    let known = rows(&inner);
    let breakdowns = query["breakdowns"].as_array().into_iter().flatten();
    let filtered = query["filters"].as_array().into_iter().flatten().map(|one| &one["column"]);
    let unheard = breakdowns.chain(filtered).find(|column| {
        let column = column.as_str().unwrap();
        column != "trace.trace_id" && !known.iter().any(|row| row.contains_key(column))
    });
    if let Some(column) = unheard {
        let text = format!("invalid breakdown: there is no column {column}");
        return reply(422, &json!({ "error": text }));
    }
    query["id"] = json!(format!("q{}", inner.queries.len()));
    inner.queries.push(query.clone());
    reply(200, &query)
}

async fn create_result(
    State(shared): State<Shared>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut inner = record(&shared, &uri, &headers);
    if let Some(refusal) = may_query(&inner, &headers) {
        return refusal;
    }
    inner.polls = 0;
    let asked: Value = serde_json::from_slice(&body).unwrap();
    reply(201, &json!({"id": asked["query_id"], "complete": false}))
}

/// Returns a query result that is complete at the third request.
async fn read_result(
    State(shared): State<Shared>,
    Path((_, id)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let mut inner = record(&shared, &uri, &headers);
    if let Some(refusal) = may_query(&inner, &headers) {
        return refusal;
    }
    inner.polls += 1;
    if inner.polls < 3 {
        return reply(200, &json!({"id": id, "complete": false}));
    }
    let query = inner.queries.iter().find(|one| one["id"] == json!(id)).cloned().unwrap();
    let mut spans = rows(&inner);
    spans.retain(|row| matches(&query, row));
    if !inner.datasets.iter().any(is_visible) {
        spans.clear();
    }
    let columns: Vec<&str> = query["breakdowns"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|column| column.as_str().unwrap())
        .collect();
    let mut groups: BTreeMap<String, (Value, u64)> = BTreeMap::new();
    for span in &spans {
        let by: serde_json::Map<String, Value> = columns
            .iter()
            .map(|column| ((*column).to_owned(), span.get(*column).cloned().unwrap_or_default()))
            .collect();
        let by = Value::Object(by);
        groups.entry(by.to_string()).or_insert((by, 0)).1 += 1;
    }
    let results: Vec<Value> = groups
        .into_values()
        .map(|(mut by, count)| {
            by["COUNT"] = json!(count);
            json!({ "data": by })
        })
        .collect();
    reply(200, &json!({"id": id, "complete": true, "data": {"results": results}}))
}

/// Returns whether a row matches the filters of a query.
fn matches(query: &Value, row: &serde_json::Map<String, Value>) -> bool {
    let holds = |filter: &Value| {
        let column = filter["column"].as_str().unwrap();
        let have = row.get(column).and_then(Value::as_str).unwrap_or_default();
        match filter["op"].as_str().unwrap() {
            "=" => filter["value"] == have,
            "in" => filter["value"].as_array().unwrap().iter().any(|one| one == have),
            "contains" => have.contains(filter["value"].as_str().unwrap()),
            other => panic!("{other} is not played here"),
        }
    };
    let mut filters = query["filters"].as_array().unwrap().iter();
    match query["filter_combination"].as_str().unwrap_or("AND") {
        "AND" => filters.all(holds),
        "OR" => filters.any(holds),
        other => panic!("{other} is no combination"),
    }
}

/// Returns every span, with Honeycomb's names of the fields.
fn rows(inner: &Inner) -> Vec<serde_json::Map<String, Value>> {
    const KINDS: [&str; 6] =
        ["unspecified", "internal", "server", "client", "producer", "consumer"];
    let hex = cruddur_ops::otlp::trace::encode_hex;
    let mut rows = Vec::new();
    for of_resource in inner.traces.iter().flat_map(|one| &one.resource_spans) {
        let resource = of_resource.resource.iter().flat_map(|one| &one.attributes);
        let resource: Vec<_> = resource.collect();
        for span in of_resource.scope_spans.iter().flat_map(|one| &one.spans) {
            let id = hex(&span.trace_id);
            let mut row = serde_json::Map::new();
            for attribute in resource.iter().copied().chain(&span.attributes) {
                let value = serde_json::to_value(attribute).unwrap();
                let value = value["value"].as_object().unwrap().values().next().cloned();
                row.insert(attribute.key.clone(), value.unwrap_or_default());
            }
            row.insert("trace.trace_id".to_owned(), json!(id));
            row.insert("trace.span_id".to_owned(), json!(hex(&span.span_id)));
            if !span.parent_span_id.is_empty() {
                let parent = hex(&span.parent_span_id);
                row.insert("trace.parent_id".to_owned(), json!(parent));
            }
            row.insert("name".to_owned(), json!(span.name));
            row.insert("span.kind".to_owned(), json!(KINDS[span.kind as usize]));
            rows.push(row);
        }
    }
    rows
}
