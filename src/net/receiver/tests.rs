use std::io::Write;
use std::net::SocketAddr;

use flate2::Compression as Level;
use flate2::write::GzEncoder;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Duration, timeout};
use tonic::Code;
use tonic::codec::CompressionEncoding;

use super::*;
use crate::otlp::TestTrace;

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

#[derive(Debug)]
struct TestReply {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl TestReply {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

async fn open_receiver(limits: ReceiverLimits) -> (Receiver, ReceiverInbox) {
    Receiver::bind(ReceiverAddresses::free(), limits).await.unwrap()
}

async fn send_raw(address: SocketAddr, head: &str, body: &[u8]) -> TestReply {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("{head}\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    // A receiver that refuses early may close before everything is written.
    let _ = stream.write_all(body).await;
    read_reply(&mut stream).await
}

async fn read_reply(stream: &mut TcpStream) -> TestReply {
    let mut answer = Vec::new();
    let _ = timeout(Duration::from_secs(20), stream.read_to_end(&mut answer))
        .await
        .expect("the connection ends");
    let end = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap_or_else(|| panic!("no answer: {:?}", String::from_utf8_lossy(&answer)));
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    TestReply {
        status: head[9..12].parse().unwrap(),
        head: head.to_lowercase(),
        body: answer[end + 4..].to_vec(),
    }
}

async fn post_body(
    address: SocketAddr,
    path: &str,
    kind: &str,
    more: &str,
    body: &[u8],
) -> TestReply {
    let length = body.len();
    let head =
        format!("POST {path} HTTP/1.1\r\ncontent-type: {kind}\r\ncontent-length: {length}{more}");
    send_raw(address, &head, body).await
}

fn export_request() -> ExportTraceServiceRequest {
    TestTrace::new("backend-flask", Duration::from_secs(1_700_000_000), [1, 2, 3]).request()
}

fn gzip_body(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Level::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn protobuf_json_and_gzip_are_received_alike() {
    let (receiver, mut inbox) = open_receiver(ReceiverLimits::default()).await;
    let http = receiver.addresses().http;
    let binary = export_request().encode_to_vec();
    let json = serde_json::to_vec(&export_request()).unwrap();
    let packed = "\r\ncontent-encoding: gzip\r\nX-Honeycomb-Team: k";
    let replies = [
        post_body(http, "/v1/traces", PROTOBUF, "", &binary).await,
        post_body(http, "/v1/traces", JSON, "", &json).await,
        post_body(http, "/v1/traces", PROTOBUF, packed, &gzip_body(&binary)).await,
        post_body(http, "/v1/traces", "application/json; charset=utf-8", packed, &gzip_body(&json))
            .await,
    ];
    assert!(replies.iter().all(|reply| reply.status == 200), "{replies:?}");
    assert!(replies[0].head.contains("content-type: application/x-protobuf"));
    assert_eq!(replies[0].body, b"");
    assert!(replies[1].head.contains("content-type: application/json"));
    assert_eq!(replies[1].text(), "{}");
    let mut arrivals = Vec::new();
    for _ in 0..4 {
        arrivals.push(inbox.arrivals.recv().await.unwrap());
    }
    for arrival in &arrivals {
        assert_eq!(arrival.spans, arrivals[0].spans);
        assert_eq!(arrival.spans.len(), 2);
        assert_eq!(arrival.spans[0].service(), "backend-flask");
    }
    assert_eq!(arrivals[2].compression, RequestCompression::Gzip);
    assert_eq!(arrivals[2].body, binary);
    assert_eq!(arrivals[2].header("x-honeycomb-team").unwrap().expose(), "k");
    assert!(!format!("{:?}", arrivals[2]).contains("\"k\""));
    receiver.close().await;
}

#[tokio::test]
async fn grpc_arrives_with_and_without_gzip() {
    let (receiver, mut inbox) = open_receiver(ReceiverLimits::default()).await;
    let address = format!("http://{}", receiver.addresses().grpc);
    let mut client = TraceServiceClient::connect(address).await.unwrap();
    let answer = client.export(export_request()).await.unwrap().into_inner();
    assert_eq!(answer.partial_success, None);
    let mut client = client.send_compressed(CompressionEncoding::Gzip);
    client.export(export_request()).await.unwrap();
    for compression in [RequestCompression::None, RequestCompression::Gzip] {
        let arrival = inbox.arrivals.recv().await.unwrap();
        assert_eq!(arrival.transport, OtlpTransport::Grpc);
        assert_eq!(arrival.compression, compression);
        assert_eq!(arrival.spans.len(), 2);
    }
}

#[tokio::test]
async fn metrics_and_logs_are_acknowledged() {
    let (receiver, mut inbox) = open_receiver(ReceiverLimits::default()).await;
    let http = receiver.addresses().http;
    for signal in [TelemetrySignal::Metrics, TelemetrySignal::Logs] {
        let json = post_body(http, signal.path(), JSON, "", b"{\"resourceMetrics\":[]}").await;
        assert_eq!((json.status, json.text().as_str()), (200, "{}"));
        let binary = post_body(http, signal.path(), PROTOBUF, "", b"").await;
        assert_eq!((binary.status, binary.text().as_str()), (200, ""));
        assert_eq!(inbox.arrivals.recv().await.unwrap().signal, signal);
        assert_eq!(inbox.arrivals.recv().await.unwrap().spans, []);
        assert_eq!(post_body(http, signal.path(), JSON, "", b"{").await.status, 400);
        assert_eq!(post_body(http, signal.path(), PROTOBUF, "", b"\x0a\xff").await.status, 400);
    }
}

#[tokio::test]
async fn invalid_requests_get_the_right_error_and_content_type() {
    let (receiver, mut inbox) = open_receiver(ReceiverLimits::default()).await;
    let http = receiver.addresses().http;
    let json = post_body(http, "/v1/traces", JSON, "", b"{\"resourceSpans\": [").await;
    assert_eq!(json.status, 400);
    assert!(json.text().starts_with("{\"message\":\"failed to parse OTLP"), "{json:?}");
    let binary = post_body(http, "/v1/traces", PROTOBUF, "", b"no protobuf").await;
    assert_eq!(binary.status, 400);
    assert_eq!(binary.body[0], 0x12, "field 2 of google.rpc.Status: {binary:?}");
    let deep = "[".repeat(100_000);
    assert_eq!(post_body(http, "/v1/traces", JSON, "", deep.as_bytes()).await.status, 400);
    let twice = post_body(http, "/v1/traces/v1/traces", JSON, "", b"{}").await;
    assert_eq!(twice.status, 404);
    assert!(twice.text().contains("nothing is at /v1/traces/v1/traces"), "{twice:?}");
    let get = send_raw(http, "GET /v1/traces HTTP/1.1", b"").await;
    assert_eq!(get.status, 405);
    assert!(get.head.contains("allow: post"), "{get:?}");
    let form = post_body(http, "/v1/traces", "text/plain", "", b"x").await;
    assert_eq!(form.status, 415);
    assert!(form.text().contains("unsupported content-type"), "{form:?}");
    let brotli = post_body(http, "/v1/traces", JSON, "\r\ncontent-encoding: br", b"x").await;
    assert_eq!(brotli.status, 415);
    let broken = post_body(http, "/v1/traces", JSON, "\r\ncontent-encoding: gzip", b"x").await;
    assert_eq!(broken.status, 400);
    let good = post_body(http, "/v1/traces", JSON, "", b"{}").await;
    assert_eq!(good.status, 200, "still here after all that");
    assert_eq!(inbox.arrivals.recv().await.unwrap().spans, []);
}

#[tokio::test]
async fn spans_with_invalid_ids_are_counted_as_rejected() {
    let (receiver, mut inbox) = open_receiver(ReceiverLimits::default()).await;
    let addresses = receiver.addresses();
    let mut request = export_request();
    request.resource_spans[0].scope_spans[0].spans[1].span_id = vec![0; 8];
    let json = serde_json::to_vec(&request).unwrap();
    let reply = post_body(addresses.http, "/v1/traces", JSON, "", &json).await;
    assert_eq!(reply.status, 200);
    assert!(reply.text().starts_with("{\"partialSuccess\":{\"rejectedSpans\":\"1\","), "{reply:?}");
    let mut client =
        TraceServiceClient::connect(format!("http://{}", addresses.grpc)).await.unwrap();
    let answer = client.export(request).await.unwrap().into_inner();
    assert_eq!(answer.partial_success.unwrap().rejected_spans, 1);
    let arrival = inbox.arrivals.recv().await.unwrap();
    assert_eq!((arrival.spans.len(), arrival.rejected), (1, 1));
}

#[tokio::test]
async fn bodies_over_the_limit_and_bombs_are_refused() {
    let limits = ReceiverLimits { body: 1 << 20, decoded: 4 << 20, ..ReceiverLimits::default() };
    let (receiver, _inbox) = open_receiver(limits).await;
    let http = receiver.addresses().http;
    let packed = "\r\ncontent-encoding: gzip";
    let large = vec![0; (1 << 20) + 1];
    assert_eq!(post_body(http, "/v1/traces", PROTOBUF, "", &large).await.status, 413);
    let chunked = format!("{:x}\r\n{}\r\n0\r\n\r\n", large.len(), "x".repeat(large.len()));
    let head =
        "POST /v1/traces HTTP/1.1\r\ncontent-type: application/json\r\ntransfer-encoding: chunked";
    assert_eq!(send_raw(http, head, chunked.as_bytes()).await.status, 413, "without a length");
    let bomb = gzip_body(&vec![b' '; 64 << 20]);
    assert!(bomb.len() < 100_000);
    assert_eq!(post_body(http, "/v1/traces", JSON, packed, &bomb).await.status, 413);
    let swarm = format!("{{\"resourceSpans\":[{}{{}}]}}", "{},".repeat(300_000));
    let answer = post_body(http, "/v1/traces", JSON, packed, &gzip_body(swarm.as_bytes())).await;
    assert_eq!(answer.status, 413, "small on the wire, large in memory");

    let address = format!("http://{}", receiver.addresses().grpc);
    let mut request = export_request();
    request.resource_spans[0].scope_spans[0].spans[0].name = "x".repeat(2 << 20);
    let plain = TraceServiceClient::connect(address).await.unwrap();
    let refused = plain.clone().export(request.clone()).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused:?}");
    let mut packed = plain.send_compressed(CompressionEncoding::Gzip);
    let refused = packed.export(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused:?}");
}

#[tokio::test]
async fn pending_requests_are_limited() {
    let limits = ReceiverLimits { pending: 12_000, ..ReceiverLimits::default() };
    let (receiver, mut inbox) = open_receiver(limits).await;
    let http = receiver.addresses().http;
    let body = format!("{{\"x\":\"{}\"}}", "y".repeat(3000));
    assert_eq!(post_body(http, "/v1/traces", JSON, "", body.as_bytes()).await.status, 200);
    let busy = post_body(http, "/v1/traces", JSON, "", body.as_bytes()).await;
    assert_eq!(busy.status, 503);
    assert!(busy.head.contains("retry-after: 1"), "{busy:?}");
    let arrival = inbox.arrivals.recv().await.unwrap();
    assert_eq!(arrival.held(), 2 * body.len());
    drop(arrival);
    assert_eq!(post_body(http, "/v1/traces", JSON, "", body.as_bytes()).await.status, 200);
}

#[tokio::test]
async fn slow_connections_are_closed_and_others_served() {
    let short = Duration::from_millis(200);
    let limits = ReceiverLimits {
        headers: short,
        request: short,
        connections: 4,
        ..ReceiverLimits::default()
    };
    let (receiver, mut inbox) = open_receiver(limits).await;
    for address in [receiver.addresses().http, receiver.addresses().grpc] {
        let mut slow = Vec::new();
        for start in ["", "P", "PRI * HT", "POST /v1/traces HTTP/1.1\r\nhost: x\r\n"] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(start.as_bytes()).await.unwrap();
            slow.push(stream);
        }
        for mut stream in slow {
            let mut rest = Vec::new();
            let ended = timeout(Duration::from_secs(10), stream.read_to_end(&mut rest)).await;
            ended.expect("a slow connection is ended").ok();
        }
    }
    let http = receiver.addresses().http;
    let head = "POST /v1/traces HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: 9";
    assert_eq!(send_raw(http, head, b"{").await.status, 408);
    assert_eq!(post_body(http, "/v1/traces", JSON, "", b"{}").await.status, 200);
    assert!(inbox.arrivals.recv().await.is_some());
}

#[tokio::test]
async fn when_all_slots_are_taken_idle_and_slow_connections_are_closed() {
    let far = Duration::from_secs(600);
    let limits =
        ReceiverLimits { connections: 4, headers: far, request: far, ..ReceiverLimits::default() };
    for start in [
        "",
        "POST /v1/tra",
        "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{",
        "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let (receiver, mut inbox) = open_receiver(limits).await;
        let ReceiverAddresses { http, grpc } = receiver.addresses();
        let mut held = Vec::new();
        for address in [http, grpc].into_iter().cycle().take(300) {
            let mut stream = TcpStream::connect(address).await.unwrap();
            // The earlier connections may already be closed.
            let _ = stream.write_all(start.as_bytes()).await;
            held.push(stream);
        }
        tokio::spawn(async move { while inbox.arrivals.recv().await.is_some() {} });
        let all = async {
            assert_eq!(post_body(http, "/v1/traces", JSON, "", b"{}").await.status, 200);
            let mut client = TraceServiceClient::connect(format!("http://{grpc}")).await.unwrap();
            client.export(export_request()).await.unwrap();
        };
        // 75 for each slot: each may keep it for a moment.
        timeout(Duration::from_secs(40), all).await.unwrap_or_else(|_| panic!("{start:?}"));
    }
}

#[tokio::test]
async fn only_this_machine_and_its_containers_are_served() {
    let (receiver, _inbox) = open_receiver(ReceiverLimits::default()).await;
    let ReceiverAddresses { http, grpc } = receiver.addresses();
    let own_names = [
        "localhost:4318",
        "127.0.0.1",
        "[::1]",
        "172.17.0.1:4318",
        "host.docker.internal:4318",
        "collector:4318",
        "a.localhost",
    ];
    let foreign =
        ["evil.example", "evil.example:4318", "localhost.evil.example", "1.2.3.4.evil.example"];
    let origins = [
        ("http://localhost:3000", 200),
        ("http://127.0.0.1:3000", 200),
        ("https://app.localhost", 200),
    ];
    let strange = [
        ("https://evil.example", 403),
        ("null", 403),
        ("http://localhost.evil.example", 403),
        ("file://", 403),
    ];
    let named =
        own_names.map(|host| (host, 200)).into_iter().chain(foreign.map(|host| (host, 403)));
    let mut heads: Vec<(String, u16)> =
        named.map(|(host, status)| (format!("host: {host}"), status)).collect();
    heads.extend(
        origins
            .into_iter()
            .chain(strange)
            .map(|(origin, status)| (format!("host: localhost\r\norigin: {origin}"), status)),
    );
    for (head, status) in heads {
        for path in ["/v1/traces", "/v1/metrics", "/v1/logs"] {
            let mut stream = TcpStream::connect(http).await.unwrap();
            let text = format!(
                "POST {path} HTTP/1.1\r\n{head}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{{}}"
            );
            stream.write_all(text.as_bytes()).await.unwrap();
            assert_eq!(read_reply(&mut stream).await.status, status, "{head}");
        }
    }
    for (origin, expected) in [
        ("http://evil.example", Some(Code::PermissionDenied)),
        ("http://host.docker.internal", None),
    ] {
        let channel = tonic::transport::Endpoint::from_shared(format!("http://{grpc}"))
            .unwrap()
            .origin(origin.parse().unwrap())
            .connect()
            .await
            .unwrap();
        let answer = TraceServiceClient::new(channel).export(export_request()).await;
        assert_eq!(answer.err().map(|status| status.code()), expected, "{origin}");
    }
}

#[tokio::test]
async fn json_that_is_not_an_object_is_malformed() {
    let (receiver, _inbox) = open_receiver(ReceiverLimits::default()).await;
    let http = receiver.addresses().http;
    for path in ["/v1/traces", "/v1/metrics", "/v1/logs"] {
        for body in ["[]", "null", "1", "\"a\"", " [{}]", "{", ""] {
            let reply = post_body(http, path, JSON, "", body.as_bytes()).await;
            assert_eq!(reply.status, 400, "{path} {body}");
        }
    }
}

#[tokio::test]
async fn invalid_grpc_frames_are_malformed() {
    use http_body_util::{BodyExt, Full};
    use hyper_util::rt::{TokioExecutor, TokioIo};
    let (receiver, _inbox) = open_receiver(ReceiverLimits::default()).await;
    let stream = TcpStream::connect(receiver.addresses().grpc).await.unwrap();
    let (mut client, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    tokio::spawn(connection);
    let message = export_request().encode_to_vec();
    let frame = |flag: u8, length: usize, message: &[u8]| {
        [&[flag][..], &u32::try_from(length).unwrap().to_be_bytes(), message].concat()
    };
    let whole = frame(0, message.len(), &message);
    for (body, encoding, expected) in [
        (whole.clone(), "identity", "0"),
        (frame(1, gzip_body(&message).len(), &gzip_body(&message)), "gzip", "0"),
        (frame(1, message.len(), &message), "gzip", "3"),
        (frame(1, message.len(), &message), "zstd", "12"),
        (frame(2, message.len(), &message), "gzip", "3"),
        (frame(0, message.len() + 1, &message), "gzip", "3"),
        (frame(0, u32::MAX as usize, &message), "gzip", "3"),
        (whole.repeat(2), "identity", "3"),
        (Vec::new(), "identity", "3"),
    ] {
        let request = axum::http::Request::post(
            "http://localhost/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        )
        .header("content-type", "application/grpc")
        .header("grpc-encoding", encoding)
        .body(Full::new(bytes::Bytes::from(body)))
        .unwrap();
        let answer = client.send_request(request).await.unwrap();
        let early = answer.headers().get("grpc-status").cloned();
        let trailers = answer.into_body().collect().await.unwrap().trailers().cloned();
        let status = early.or(trailers.and_then(|all| all.get("grpc-status").cloned())).unwrap();
        assert_eq!(status, expected, "{encoding}");
    }
}

#[tokio::test]
async fn a_page_on_this_machine_may_send_and_no_other() {
    let (receiver, _inbox) = open_receiver(ReceiverLimits::default()).await;
    let http = receiver.addresses().http;
    let preflight = |origin: &str| {
        format!(
            "OPTIONS /v1/traces HTTP/1.1\r\norigin: {origin}\r\naccess-control-request-headers: content-type,x-a"
        )
    };
    let local = send_raw(http, &preflight("http://localhost:3000"), b"").await;
    assert_eq!(local.status, 204);
    assert!(local.head.contains("access-control-allow-origin: http://localhost:3000"), "{local:?}");
    assert!(local.head.contains("access-control-allow-headers: content-type,x-a"), "{local:?}");
    let foreign = send_raw(http, &preflight("https://example.com"), b"").await;
    assert_eq!(foreign.status, 403);
    assert!(!foreign.head.contains("access-control"), "{foreign:?}");
}

#[tokio::test]
async fn questions_are_passed_on_for_this_machine_only() {
    let (receiver, mut inbox) = open_receiver(ReceiverLimits::default()).await;
    let http = receiver.addresses().http;
    let asking =
        tokio::spawn(async move { send_raw(http, "GET /cruddur/query?a=1 HTTP/1.1", b"").await });
    let question = inbox.questions.recv().await.unwrap();
    assert_eq!(question.text, "a=1");
    let answer = QuestionAnswer { status: 200, document: serde_json::json!({ "b": 2 }) };
    question.answer.send(answer).unwrap();
    let reply = asking.await.unwrap();
    assert_eq!((reply.status, reply.text().as_str()), (200, "{\"b\":2}"));
    drop(inbox.questions);
    let from_a_page = "GET /cruddur/query HTTP/1.1\r\norigin: http://localhost:3000";
    assert_eq!(send_raw(http, from_a_page, b"").await.status, 403);
    assert_eq!(send_raw(http, "GET /cruddur/query HTTP/1.1", b"").await.status, 404);
    let mut stream = TcpStream::connect(http).await.unwrap();
    let renamed = b"GET /cruddur/query HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n";
    stream.write_all(renamed).await.unwrap();
    assert_eq!(read_reply(&mut stream).await.status, 403);
}

#[tokio::test]
async fn http_on_the_grpc_port_gets_the_right_port() {
    let (receiver, _inbox) = open_receiver(ReceiverLimits::default()).await;
    let ReceiverAddresses { http, grpc } = receiver.addresses();
    let reply = post_body(grpc, "/v1/traces", PROTOBUF, "", b"").await;
    assert_eq!(reply.status, 404);
    assert!(reply.text().contains(&format!("port {}", http.port())), "{reply:?}");
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let (receiver, _inbox) = open_receiver(ReceiverLimits::default()).await;
    let taken = receiver.addresses();
    let error = Receiver::bind(taken, ReceiverLimits::default()).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::PortInUse);
    assert!(error.message.contains(&taken.http.to_string()), "{error}");
    receiver.close().await;
    let (again, _inbox) = Receiver::bind(taken, ReceiverLimits::default()).await.unwrap();
    assert_eq!(again.addresses(), taken);
}
