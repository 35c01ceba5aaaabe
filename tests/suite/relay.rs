//! The relay of `--tap`: what it forwards, what it refuses, and how it reports the endpoint's answers.

use std::future::Future;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use cruddur_ops::consent::{ClearedDestination, Consent, OutgoingRequest};
use cruddur_ops::net::grpc;
use cruddur_ops::net::receiver::{ReceiverLimits, TelemetrySignal};
use cruddur_ops::net::relay::{Relay, RelayOptions, RelayPeer, RelayedExport};
use cruddur_ops::net::route::EndpointRoute;
use cruddur_ops::otlp::request::{RequestBody, encode};
use cruddur_ops::otlp::response::ExportMeaning;
use cruddur_ops::otlp::{ExportHeader, FailureCode, OtlpCompression, OtlpProtocol, TestTrace};
use cruddur_ops::secret::{KnownSecrets, Secret};
use tokio::sync::mpsc;
use tokio::time::Instant;
use url::Url;

use crate::closed::Closed;
use crate::fake_grpc::{Call, GrpcReceiver, Reply};
use crate::fake_honeycomb::{Canned, Honeycomb, Key};
use crate::rude::Rude;
use crate::sandbox::KEY;
use crate::verify_trust::outer_address;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A running relay, and what went through it.
struct Running {
    relay: Relay,
    exports: mpsc::Receiver<RelayedExport>,
}

/// The answer to a request to the relay.
struct Answered {
    status: u16,
    headers: reqwest::header::HeaderMap,
    body: Vec<u8>,
}

fn on_a_runtime<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(work)
}

async fn route(traces: &str) -> EndpointRoute {
    let cleared = ClearedDestination::on_this_machine(&traces.parse().unwrap(), None).unwrap();
    EndpointRoute::find(&cleared, Instant::now() + Duration::from_secs(5)).await.unwrap()
}

fn options(route: EndpointRoute, limits: ReceiverLimits, time: Duration) -> RelayOptions {
    let (patience, deadline) = (Duration::from_secs(10), Instant::now() + time);
    RelayOptions {
        ip: LOOPBACK,
        route,
        protocol: OtlpProtocol::HttpProtobuf,
        limits,
        patience,
        deadline,
    }
}

impl Running {
    async fn towards(traces: &str) -> Self {
        Self::with(route(traces).await, ReceiverLimits::default(), Duration::from_secs(60)).await
    }

    async fn with(route: EndpointRoute, limits: ReceiverLimits, time: Duration) -> Self {
        let (relay, exports) = Relay::open(options(route, limits, time)).await.unwrap();
        relay.admit(RelayPeer::Address(LOOPBACK));
        Self { relay, exports }
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.relay.endpoint("127.0.0.1"))
    }

    /// Sends `body` to the relay as an SDK would.
    async fn send(&self, path: &str, body: &RequestBody) -> Answered {
        post(&self.at(path), body, &[("x-honeycomb-team", KEY)]).await.unwrap()
    }

    fn export(&mut self) -> RelayedExport {
        self.exports.try_recv().unwrap()
    }
}

async fn post(
    url: &str,
    body: &RequestBody,
    headers: &[(&'static str, &str)],
) -> reqwest::Result<Answered> {
    // Another test of this process may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]);
    let client = client.redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let mut request = client.post(url).body(body.bytes.clone());
    request = request.header("content-type", body.content_type).header("user-agent", "An-SDK/1.2");
    if let Some(encoding) = body.content_encoding {
        request = request.header("content-encoding", encoding);
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await?;
    Ok(Answered {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: response.bytes().await?.to_vec(),
    })
}

fn trace() -> TestTrace {
    TestTrace::new("backend", Duration::from_secs(1_700_000_000), [1, 2, 3])
}

fn encoded(protocol: OtlpProtocol, compression: OtlpCompression) -> RequestBody {
    encode(&trace().request(), protocol, compression).unwrap()
}

fn plain() -> RequestBody {
    encoded(OtlpProtocol::HttpProtobuf, OtlpCompression::None)
}

#[test]
fn an_export_goes_through_byte_for_byte_with_the_senders_headers() {
    on_a_runtime(async {
        for (protocol, compression) in [
            (OtlpProtocol::HttpProtobuf, OtlpCompression::None),
            (OtlpProtocol::HttpProtobuf, OtlpCompression::Gzip),
            (OtlpProtocol::HttpJson, OtlpCompression::None),
            (OtlpProtocol::HttpJson, OtlpCompression::Gzip),
        ] {
            let endpoint = Rude::answering("application/x-protobuf", b"");
            let mut relay = Running::towards(&format!("{}/base/v1/traces", endpoint.url())).await;
            let body = encoded(protocol, compression);
            let answered = relay.send("/v1/traces", &body).await;
            assert_eq!((answered.status, answered.body.len()), (200, 0));
            assert_eq!(answered.headers["content-type"], "application/x-protobuf");
            let export = relay.export();
            assert_eq!(export.signal, TelemetrySignal::Traces);
            assert_eq!(export.outcome, Ok(ExportMeaning::Accepted { warning: None }));
            assert_eq!(export.spans.len(), 2);
            assert!(export.spans.iter().all(|span| span.trace_id.to_string() == trace().id()));

            let received = endpoint.received();
            let head = received.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
            assert_eq!(received[head + 4..], body.bytes, "{protocol:?} {compression:?}");
            let head = String::from_utf8(received[..head].to_vec()).unwrap();
            assert!(head.starts_with("POST /base/v1/traces HTTP/1.1\r\n"), "{head}");
            let headers: Vec<(&str, &str)> =
                head.lines().skip(1).filter_map(|line| line.split_once(": ")).collect();
            let of = |name: &str| {
                let mut found = headers.iter().filter(|(one, _)| one.eq_ignore_ascii_case(name));
                (found.next().map(|(_, value)| *value), found.next().is_none())
            };
            assert_eq!(of("x-honeycomb-team"), (Some(KEY), true));
            assert_eq!(of("user-agent"), (Some("An-SDK/1.2"), true));
            assert_eq!(of("content-type"), (Some(body.content_type), true));
            assert_eq!(of("content-encoding"), (body.content_encoding, true));
            assert_eq!(of("host"), (Some(&*endpoint.address.to_string()), true));
        }
    });
}

#[test]
fn the_endpoints_answer_is_the_senders_and_the_outcome() {
    let partial = br#"{"partialSuccess":{"rejectedSpans":"1","errorMessage":"too old"}}"#;
    on_a_runtime(async {
        for (canned, code) in [
            (
                Canned::new(401, "application/json", b"{\"message\":\"unknown API key\"}"),
                FailureCode::KeyRejected,
            ),
            (Canned::new(200, "application/json", partial), FailureCode::SpansRejected),
            (Canned::new(429, "-", b"").with("retry-after", "7"), FailureCode::Throttled),
            (Canned::new(500, "-", b""), FailureCode::ServerError),
            (Canned::new(200, "text/html", b"<html>"), FailureCode::NotOtlp),
        ] {
            let endpoint =
                Honeycomb::start(&[(KEY, Key::Ingest)]).answering(std::slice::from_ref(&canned));
            let mut relay = Running::towards(&format!("{}/v1/traces", endpoint.url())).await;
            let answered = relay.send("/v1/traces", &plain()).await;
            assert_eq!((answered.status, &answered.body), (canned.status, &canned.body));
            let retry = answered.headers.get("retry-after").map(|value| value.to_str().unwrap());
            assert_eq!(retry, (code == FailureCode::Throttled).then_some("7"));
            let outcome = relay.export().outcome.unwrap();
            assert!(
                matches!(outcome, ExportMeaning::Refused { code: said, .. } if said == code),
                "{outcome:?}"
            );
        }
    });
}

#[test]
fn a_redirection_is_not_followed_and_not_handed_on() {
    on_a_runtime(async {
        let elsewhere = Rude::answering("application/x-protobuf", b"");
        let canned = Canned::new(307, "-", b"").with("location", &elsewhere.url());
        let endpoint = Honeycomb::start(&[(KEY, Key::Ingest)]).answering(&[canned]);
        let mut relay = Running::towards(&format!("{}/v1/traces", endpoint.url())).await;
        let answered = relay.send("/v1/traces", &plain()).await;
        assert_eq!((answered.status, answered.headers.get("location")), (307, None));
        assert!(matches!(
            relay.export().outcome,
            Ok(ExportMeaning::Refused { code: FailureCode::Redirected, .. })
        ));
        assert_eq!(elsewhere.connections(), 0);
    });
}

#[test]
fn other_hosts_and_paths_are_refused() {
    on_a_runtime(async {
        let endpoint = Honeycomb::start(&[(KEY, Key::Ingest)]);
        let traces = format!("{}/v1/traces", endpoint.url());
        let mut relay = Running::towards(&traces).await;
        let body = plain();
        let base = relay.at("");
        let root = base.rsplit_once('/').unwrap().0.to_owned();
        for path in ["/v1/traces", "/", "//v1/traces", "/0/v1/traces"] {
            assert_eq!(post(&format!("{root}{path}"), &body, &[]).await.unwrap().status, 404);
        }
        for path in ["", "/", "/v1/other", "/v1/traces/x", "x/v1/traces", "/../v1/traces"] {
            assert_eq!(relay.send(path, &body).await.status, 404, "{path}");
        }
        assert_eq!(relay.relay.refused(), 10);
        for (peer, status) in [
            (RelayPeer::Address(Ipv4Addr::new(127, 0, 0, 2).into()), 403),
            (RelayPeer::Address(Ipv4Addr::new(172, 17, 0, 2).into()), 403),
            (RelayPeer::Address(LOOPBACK), 200),
            (RelayPeer::ThisMachine, 200),
        ] {
            relay.relay.admit(peer);
            assert_eq!(relay.send("/v1/traces", &body).await.status, status, "{peer:?}");
        }
        assert_eq!(relay.relay.refused(), 12);
        assert_eq!(endpoint.seen_at("/v1/traces").len(), 2);
        relay.export();
        relay.export();
        assert!(relay.exports.try_recv().is_err());
    });
}

#[test]
fn a_sender_that_is_early_waits_until_it_is_known() {
    on_a_runtime(async {
        let endpoint = Honeycomb::start(&[(KEY, Key::Ingest)]);
        let route = route(&format!("{}/v1/traces", endpoint.url())).await;
        let options = options(route, ReceiverLimits::default(), Duration::from_secs(60));
        let (relay, _exports) = Relay::open(options).await.unwrap();
        let url = format!("{}/v1/traces", relay.endpoint("127.0.0.1"));
        let body = plain();
        let early = post(&url, &body, &[("x-honeycomb-team", KEY)]);
        let admit = async {
            // Whatever the request has done by then, it has not been answered.
            tokio::time::sleep(Duration::from_millis(100)).await;
            assert!(endpoint.seen_at("/v1/traces").is_empty());
            relay.admit(RelayPeer::Address(LOOPBACK));
        };
        assert_eq!(tokio::join!(early, admit).0.unwrap().status, 200);
    });
}

#[test]
fn other_signals_go_to_their_own_path_below_the_same_base() {
    on_a_runtime(async {
        let endpoint = Rude::answering("application/x-protobuf", b"");
        let empty = RequestBody { bytes: Vec::new(), ..plain() };
        let base = format!("{}/otlp", endpoint.url());
        let mut relay = Running::towards(&format!("{base}/v1/traces")).await;
        for (path, signal) in
            [("/v1/metrics", TelemetrySignal::Metrics), ("/v1/logs", TelemetrySignal::Logs)]
        {
            assert_eq!(relay.send(path, &empty).await.status, 200);
            assert_eq!(relay.export().signal, signal);
            let received = String::from_utf8(endpoint.received()).unwrap();
            assert!(received.contains(&format!("POST /otlp{path} ")), "{received}");
        }
        // An address of traces alone says nothing of the others.
        let relay = Running::towards(&format!("{base}/ingest")).await;
        assert_eq!(relay.send("/v1/traces", &empty).await.status, 200);
        assert_eq!(relay.send("/v1/metrics", &empty).await.status, 404);
        let received = String::from_utf8(endpoint.received()).unwrap();
        assert!(received.contains("POST /otlp/ingest "), "{received}");
    });
}

#[test]
fn large_broken_or_unreadable_requests_are_not_forwarded() {
    on_a_runtime(async {
        let endpoint = Honeycomb::start(&[(KEY, Key::Ingest)]);
        let route = route(&format!("{}/v1/traces", endpoint.url())).await;
        let limits = ReceiverLimits { body: 4096, ..ReceiverLimits::default() };
        let mut relay = Running::with(route, limits, Duration::from_secs(60)).await;
        let of =
            |bytes: Vec<u8>, content_encoding| RequestBody { bytes, content_encoding, ..plain() };
        let bomb = {
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            packed.write_all(&vec![0; 1 << 20]).unwrap();
            packed.finish().unwrap()
        };
        assert!(bomb.len() < 4096);
        for (body, status) in [
            (of(vec![0; 4097], None), 413),
            (of(bomb, Some("gzip")), 413),
            (of(b"no gzip".to_vec(), Some("gzip")), 400),
            (of(plain().bytes, Some("br")), 415),
            (encoded(OtlpProtocol::HttpProtobuf, OtlpCompression::Deflate), 415),
        ] {
            assert_eq!(relay.send("/v1/traces", &body).await.status, status);
        }
        assert!(endpoint.seen().is_empty());
        assert!(relay.exports.try_recv().is_err());
        // What is no OTLP is for the endpoint to refuse.
        let answered = relay.send("/v1/traces", &of(vec![0xff; 9], None)).await;
        assert_eq!(answered.status, 400);
        assert!(relay.export().spans.is_empty());
    });
}

/// Sends an export through a relay over gRPC; returns the sender's answer and the relay's report.
async fn call(
    receiver: &GrpcReceiver,
    compression: OtlpCompression,
) -> (ExportMeaning, RelayedExport) {
    let options = RelayOptions {
        protocol: OtlpProtocol::Grpc,
        ..options(route(&receiver.url()).await, ReceiverLimits::default(), Duration::from_secs(60))
    };
    let (relay, mut exports) = Relay::open(options).await.unwrap();
    let foreign = RelayPeer::Address(Ipv4Addr::new(127, 0, 0, 2).into());
    let headers = [ExportHeader { name: "x-honeycomb-team".to_owned(), value: Secret::new(KEY) }];
    let way = route(&relay.endpoint("127.0.0.1")).await;
    let mut told = Vec::new();
    for peer in [foreign, RelayPeer::Address(LOOPBACK)] {
        relay.admit(peer);
        let (request, deadline) = (trace().request(), Instant::now() + Duration::from_secs(20));
        let called = grpc::export(&way, request, &headers, compression, deadline).await;
        told.push(called.unwrap().meaning);
    }
    assert!(
        matches!(&told[0], ExportMeaning::Refused { code: FailureCode::KeyRejected, .. }),
        "{told:?}"
    );
    assert_eq!(relay.refused(), 1);
    let export = exports.try_recv().unwrap();
    assert!(exports.try_recv().is_err());
    (told.remove(1), export)
}

#[test]
fn a_call_over_grpc_shows_the_token_where_any_program_could_call() {
    on_a_runtime(async {
        let receiver = GrpcReceiver::start(Reply::Taken);
        let options = RelayOptions {
            protocol: OtlpProtocol::Grpc,
            ..options(
                route(&receiver.url()).await,
                ReceiverLimits::default(),
                Duration::from_secs(60),
            )
        };
        let (relay, mut exports) = Relay::open(options).await.unwrap();
        relay.admit(RelayPeer::TokenHolder);
        let token = relay.token_header().unwrap();
        let (name, value) = token.split_once('=').unwrap();
        let way = route(&relay.endpoint("127.0.0.1")).await;
        let other = "0".repeat(value.len());
        for (shown, is_taken) in [(Some(value), true), (Some(&*other), false), (None, false)] {
            let header = |value| ExportHeader { name: name.to_owned(), value: Secret::new(value) };
            let headers: Vec<ExportHeader> = shown.map(header).into_iter().collect();
            let (request, deadline) = (trace().request(), Instant::now() + Duration::from_secs(20));
            let called =
                grpc::export(&way, request, &headers, OtlpCompression::None, deadline).await;
            let meaning = called.unwrap().meaning;
            assert_eq!(matches!(meaning, ExportMeaning::Accepted { .. }), is_taken, "{meaning:?}");
        }
        assert_eq!((receiver.calls().len(), relay.refused()), (1, 2));
        assert!(exports.try_recv().is_ok() && exports.try_recv().is_err());
    });
}

#[test]
fn a_call_over_grpc_goes_through_with_its_answer() {
    on_a_runtime(async {
        for (reply, code) in [
            (Reply::Taken, None),
            (Reply::Partial(0, "slow down"), None),
            (Reply::Partial(2, "too old"), Some(FailureCode::SpansRejected)),
            (Reply::Refused(tonic::Code::Unauthenticated, "who"), Some(FailureCode::KeyRejected)),
            (
                Reply::Refused(tonic::Code::InvalidArgument, "bad"),
                Some(FailureCode::RequestRejected),
            ),
        ] {
            for compression in [OtlpCompression::None, OtlpCompression::Gzip] {
                let receiver = GrpcReceiver::start(reply.clone());
                let (told, export) = call(&receiver, compression).await;
                let outcome = export.outcome.unwrap();
                assert_eq!(told, outcome);
                let said = match outcome {
                    ExportMeaning::Accepted { .. } => None,
                    ExportMeaning::Refused { code, .. } => Some(code),
                };
                assert_eq!((said, export.spans.len()), (code, 2));
                let encoding = (compression == OtlpCompression::Gzip).then(|| "gzip".to_owned());
                let key = Some(KEY.to_owned());
                assert_eq!(receiver.calls(), [Call { key, encoding, spans: 2 }]);
            }
        }
    });
}

#[test]
fn an_endpoint_that_is_gone_or_hangs_up_is_an_outcome() {
    on_a_runtime(async {
        let closed = Closed::new();
        let mut relay = Running::towards(&format!("http://{}/v1/traces", closed.address)).await;
        assert_eq!(relay.send("/v1/traces", &plain()).await.status, 502);
        assert_eq!(relay.export().outcome.unwrap_err().code, FailureCode::Connect);

        let rude = Rude::saying("");
        let mut relay = Running::towards(&format!("{}/v1/traces", rude.url())).await;
        assert_eq!(relay.send("/v1/traces", &plain()).await.status, 502);
        assert_eq!(relay.export().outcome.unwrap_err().code, FailureCode::ResponseBroken);
    });
}

#[test]
fn an_endpoint_that_hangs_has_as_long_as_the_sender_would_wait() {
    on_a_runtime(async {
        let rude = Rude::start(|stream| {
            std::thread::sleep(Duration::from_secs(3));
            drop(stream);
        });
        let route = route(&format!("{}/v1/traces", rude.url())).await;
        let options = options(route, ReceiverLimits::default(), Duration::from_secs(60));
        let patience = Duration::from_millis(300);
        let opened = Relay::open(RelayOptions { patience, ..options }).await;
        let (relay, exports) = opened.unwrap();
        relay.admit(RelayPeer::ThisMachine);
        let mut relay = Running { relay, exports };
        assert_eq!(relay.send("/v1/traces", &plain()).await.status, 504);
        let export = relay.export();
        assert_eq!(export.outcome.unwrap_err().code, FailureCode::Timeout);
        assert!(patience <= export.took && export.took < Duration::from_secs(2));
    });
}

#[test]
fn a_relay_ends_at_its_deadline_whatever_is_under_way() {
    on_a_runtime(async {
        // Never answers.
        let rude = Rude::start(|stream| {
            std::thread::sleep(Duration::from_secs(5));
            drop(stream);
        });
        let route = route(&format!("{}/v1/traces", rude.url())).await;
        let began = Instant::now();
        let relay = Running::with(route, ReceiverLimits::default(), Duration::from_secs(1)).await;
        let url = relay.at("/v1/traces");
        assert!(post(&url, &plain(), &[]).await.is_err());
        let refused = post(&url, &plain(), &[]).await.err().unwrap();
        assert!(refused.is_connect(), "{refused:?}");
        let took = began.elapsed();
        assert!(Duration::from_millis(900) < took && took < Duration::from_secs(4), "{took:?}");
        assert_eq!(rude.connections(), 1);
    });
}

/// A span may contain a secret that has no consent for that host, as plain text or compressed.
#[test]
fn a_body_with_a_secret_that_was_not_cleared_is_not_passed_on() {
    let Some(ip) = outer_address() else {
        println!("skipped: this machine has no address but loopback");
        return;
    };
    let server = Rude::on(ip, "application/x-protobuf", b"");
    let url: Url = format!("{}/v1/traces", server.url()).parse().unwrap();
    let mut known = KnownSecrets::default();
    known.add("HONEYCOMB_API_KEY", &Secret::new(KEY));
    known.add("DATABASE_PASSWORD", &Secret::new("correct-horse-battery"));
    let mut consent = Consent::new(known, &[]);
    let outgoing = OutgoingRequest { texts: &[KEY.as_bytes()], ..OutgoingRequest::to(&url) };
    let objection = consent.review(&outgoing).unwrap_err();
    consent.allow(&objection);
    let cleared = consent.review(&outgoing).unwrap();
    let named = |name: &str| TestTrace::new(name, Duration::from_secs(1_700_000_000), [1; 3]);
    on_a_runtime(async {
        let route = EndpointRoute::find(&cleared, Instant::now()).await.unwrap();
        let limits = ReceiverLimits::default();
        let mut relay = Running::with(route, limits, Duration::from_secs(60)).await;
        for compression in [OtlpCompression::None, OtlpCompression::Gzip] {
            let body = |name: &str| {
                encode(&named(name).request(), OtlpProtocol::HttpProtobuf, compression).unwrap()
            };
            let answered = relay.send("/v1/traces", &body("correct-horse-battery")).await;
            assert_eq!(answered.status, 403);
            assert_eq!(relay.export().outcome.unwrap_err().code, FailureCode::UntrustedHost);
            assert_eq!(server.connections(), 0);
        }
        assert_eq!(relay.send("/v1/traces", &plain()).await.status, 200);
        assert_eq!(server.connections(), 1);
    });
}
