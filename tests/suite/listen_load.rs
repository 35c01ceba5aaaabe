//! `listen` under load and attack: memory is bounded, and no accepted span is lost.
//!
//! Short here; `tests/load.sh` runs the long form, for as many seconds as `LOAD_SECONDS` says.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;

use crate::listening::{Listening, post, trace};
use crate::sandbox::Sandbox;

/// The maximum memory of `listen`: three times what it keeps, which is 64 MiB by default.
const MAX_KIB: usize = 3 * (64 << 10);

const SPANS: usize = 50;

fn seconds() -> u64 {
    let given = std::env::var("LOAD_SECONDS").ok();
    given.and_then(|given| given.parse().ok()).unwrap_or(2)
}

/// Returns a request of [`SPANS`] spans in one trace.
fn request(service: &str, number: u128) -> Vec<u8> {
    let text = |text: &str| AnyValue { value: Some(Value::StringValue(text.to_owned())) };
    let pair = |key: &str, value: &str| KeyValue {
        key: key.to_owned(),
        value: Some(text(value)),
        ..KeyValue::default()
    };
    let span = |at: usize| Span {
        trace_id: number.to_be_bytes().to_vec(),
        span_id: (at as u64 + 1).to_be_bytes().to_vec(),
        parent_span_id: if at == 0 { Vec::new() } else { 1_u64.to_be_bytes().to_vec() },
        name: "GET /api/activities/home".to_owned(),
        start_time_unix_nano: 1_700_000_000_000_000_000,
        end_time_unix_nano: 1_700_000_000_010_000_000,
        attributes: vec![pair("http.route", "/api/activities/home"), pair("app.now", "now")],
        ..Span::default()
    };
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource {
                attributes: vec![pair("service.name", service)],
                ..Resource::default()
            }),
            scope_spans: vec![ScopeSpans {
                spans: (0..SPANS).map(span).collect(),
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    }
    .encode_to_vec()
}

fn head(address: SocketAddr, length: usize, more: &str) -> String {
    format!(
        "POST /v1/traces HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/x-protobuf\r\n{more}content-length: {length}\r\n\r\n"
    )
}

/// Returns the status of the next answer on a persistent connection; nothing if it ended.
fn status(stream: &mut TcpStream) -> Option<u16> {
    stream.set_read_timeout(Some(Duration::from_secs(90))).unwrap();
    let mut answer = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&answer).to_ascii_lowercase();
        if let Some(end) = text.find("\r\n\r\n") {
            let length =
                text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            if answer.len() >= end + 4 + length.unwrap_or(0) {
                return text.get(9..12)?.parse().ok();
            }
        }
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return None,
            Ok(count) => answer.extend_from_slice(&chunk[..count]),
        }
    }
}

/// Sends one request on a new connection.
fn send(address: SocketAddr, head: &str, body: &[u8]) -> Option<u16> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(head.as_bytes()).ok()?;
    // A server that has said no already may have closed.
    let _ = stream.write_all(body);
    status(&mut stream)
}

/// Sends as fast as answers come; returns how many spans were accepted, and how many requests refused.
fn sender(address: SocketAddr, sender: u128, until: Instant) -> (usize, usize) {
    let connect = || {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    };
    let mut stream = connect();
    let (mut accepted, mut refused) = (0, 0);
    for number in 1.. {
        if Instant::now() >= until {
            break;
        }
        let body = request("loaded", sender << 64 | number);
        let head = head(address, body.len(), "");
        // Who is told to wait before the body is read has its connection closed, at times over the answer's head.
        let written = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
        match status(&mut stream) {
            Some(200) if written.is_ok() => accepted += SPANS,
            Some(503) | None => {
                refused += 1;
                stream = connect();
            }
            other => panic!("{other:?}"),
        }
    }
    (accepted, refused)
}

/// Returns the number of a service's spans in the final table.
fn counted(stdout: &str, service: &str) -> usize {
    let line = stdout.lines().find_map(|line| line.strip_prefix(service));
    let number = line.unwrap().split_whitespace().next().unwrap();
    number.replace([',', '\u{202f}', '\u{a0}'], "").parse().unwrap()
}

#[test]
fn accepted_spans_of_two_senders_are_counted_and_memory_is_bounded() {
    let sandbox = Sandbox::new(&[]);
    let listening = Listening::start(&sandbox, &[]);
    let (address, took) = (listening.http, Duration::from_secs(seconds()));
    let until = Instant::now() + took;
    let senders: Vec<_> =
        (1..=2).map(|number| std::thread::spawn(move || sender(address, number, until))).collect();
    let sent: Vec<(usize, usize)> = senders.into_iter().map(|one| one.join().unwrap()).collect();
    let accepted: usize = sent.iter().map(|(accepted, _)| accepted).sum();
    let refused: usize = sent.iter().map(|(_, refused)| refused).sum();
    let peak = listening.peak();
    listening.interrupt();
    let run = listening.end().expect(0);
    println!(
        "two senders: {accepted} spans accepted in {} s ({} a second), {refused} requests told to wait, peak {} MiB",
        took.as_secs(),
        accepted as u64 / took.as_secs(),
        peak >> 10
    );
    assert!(accepted > 0);
    assert_eq!(counted(&run.stdout, "loaded"), accepted, "{}", run.stderr);
    assert!(peak < MAX_KIB, "{peak} KiB");
}

/// Raises the limit of open files as far as the system allows.
fn lift_the_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let lifted = Rlimit { current: limit.maximum, ..limit };
    let _ = setrlimit(Resource::Nofile, lifted);
}

#[test]
fn a_thousand_connections_that_say_nothing_or_little_end_and_cost_little() {
    lift_the_limit();
    let sandbox = Sandbox::new(&[]);
    let listening = Listening::start(&sandbox, &[]);
    let connect = |address| TcpStream::connect(address).unwrap();
    let mut slow: Vec<TcpStream> = (0..50).map(|_| connect(listening.http)).collect();
    for stream in &mut slow {
        stream.write_all(b"POST /v1/traces HTTP/1.1\r\nx: ").unwrap();
    }
    let idle: Vec<TcpStream> = (0..1000)
        .map(|at| connect(if at % 2 == 0 { listening.http } else { listening.grpc }))
        .collect();
    let start = Instant::now();
    if seconds() >= 30 {
        // They hold their places until their time is up; a byte now and then gains none.
        let body = request("loaded", 1);
        let waiting = std::thread::spawn({
            let address = listening.http;
            move || {
                let mut stream = TcpStream::connect(address).unwrap();
                stream.write_all(head(address, body.len(), "").as_bytes()).unwrap();
                stream.write_all(&body).unwrap();
                status(&mut stream)
            }
        });
        while !waiting.is_finished() {
            slow.retain_mut(|stream| stream.write_all(b"x").is_ok());
            std::thread::park_timeout(Duration::from_millis(200));
        }
        assert_eq!(waiting.join().unwrap(), Some(200));
        println!(
            "behind 1,050 idle connections a request waited {:.1} s",
            start.elapsed().as_secs_f64()
        );
    }
    drop((slow, idle));
    post(listening.http, &trace("alive", 1));
    println!("1,050 connections: peak {} MiB", listening.peak() >> 10);
    assert!(listening.peak() < MAX_KIB);
    listening.interrupt();
    let run = listening.end().expect(0);
    assert_eq!(counted(&run.stdout, "alive"), 2);
}

/// Returns the field `tag >> 3` with the content `inner`.
fn field(tag: u8, inner: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    prost::encoding::encode_varint(inner.len() as u64, &mut out);
    out.extend(inner);
    out
}

/// Returns an encoded trace request of one scope of one resource.
fn wire(resource: &[u8], spans: &[u8]) -> Vec<u8> {
    field(0x0a, &[field(0x0a, resource), field(0x12, spans)].concat())
}

/// Returns a resource, or a span, with this many empty attributes.
fn empty_attributes(tag: u8, count: usize) -> Vec<u8> {
    [tag, 0].repeat(count)
}

/// Returns a complete span with the fields in `more`.
fn whole_span(trace: u128, span: u64, more: &[u8]) -> Vec<u8> {
    let ids = [field(0x0a, &trace.to_be_bytes()), field(0x12, &span.to_be_bytes())].concat();
    field(0x12, &[ids.as_slice(), more].concat())
}

const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// Sends compressed messages over gRPC, all at once on each of `connections`.
fn send_grpc(address: SocketAddr, messages: &[Vec<u8>], connections: usize) {
    use http_body_util::{BodyExt, Full};
    use hyper_util::rt::{TokioExecutor, TokioIo};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut answers = tokio::task::JoinSet::new();
        for _ in 0..connections {
            let stream = tokio::net::TcpStream::connect(address).await.unwrap();
            let (client, connection) =
                hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
                    .await
                    .unwrap();
            tokio::spawn(connection);
            for message in messages {
                let packed = gzip(std::iter::once(message.clone()));
                let length = u32::try_from(packed.len()).unwrap().to_be_bytes();
                let frame = [&[1][..], &length, &packed].concat();
                let request = axum::http::Request::post(format!("http://{address}{EXPORT}"))
                    .header("content-type", "application/grpc")
                    .header("grpc-encoding", "gzip")
                    .body(Full::new(bytes::Bytes::from(frame)))
                    .unwrap();
                let mut client = client.clone();
                answers.spawn(async move {
                    // Whatever the answer is, it comes.
                    let answer = client.send_request(request).await.unwrap();
                    answer.into_body().collect().await.unwrap();
                });
            }
        }
        answers.join_all().await;
    });
}

/// Returns bodies that are small on the wire, or for their length, and large in memory.
fn swellers() -> Vec<(&'static str, Vec<u8>)> {
    const JSON: &str = "application/json";
    const PROTOBUF: &str = "application/x-protobuf";
    let spans = |entry: &str, most: usize| {
        let list = vec![entry; most / (entry.len() + 1)].join(",");
        format!("{{\"resourceSpans\":[{{\"scopeSpans\":[{{\"spans\":[{list}]}}]}}]}}").into_bytes()
    };
    let scopes = [0x12, 0x00].repeat(200_000);
    let resource = field(0x0a, &field(0x0a, &vec![b'x'; 1 << 20]));
    vec![
        (JSON, spans("[]", 19 << 20)),
        (JSON, spans("{}", 19 << 20)),
        (JSON, spans("[]", 100_000)),
        (
            JSON,
            spans(
                "{\"attributes\":[{},{},{},{},{},{},{},{}],\"events\":[{},{}],\"links\":[[],[]]}",
                1 << 20,
            ),
        ),
        (PROTOBUF, wire(&empty_attributes(0x0a, 2_700_000), &[])),
        (PROTOBUF, wire(&[], &whole_span(1, 1, &empty_attributes(0x4a, 2_700_000)))),
        (PROTOBUF, wire(&[], &whole_span(2, 1, &empty_attributes(0x4a, 100_000)))),
        (PROTOBUF, wire(&[], &empty_attributes(0x12, 2_700_000))),
        // A large resource with many scopes, each of which has it.
        (PROTOBUF, field(0x0a, &[field(0x0a, &resource), scopes].concat())),
        (PROTOBUF, wire(&[], &whole_span(3, 1, &empty_attributes(0x5a, 500_000)))),
    ]
}

#[test]
fn expanding_input_takes_less_than_three_times_the_kept_memory() {
    let sandbox = Sandbox::new(&[]);
    let listening = Listening::start(&sandbox, &[]);
    let mut peaks = Vec::new();
    for (kind, body) in swellers() {
        let packed = gzip(std::iter::once(body.clone()));
        for (body, more) in [(&body, ""), (&packed, "content-encoding: gzip\r\n")] {
            let senders: Vec<_> = (0..3)
                .map(|_| {
                    let (address, body) = (listening.http, body.clone());
                    let head = format!(
                        "POST /v1/traces HTTP/1.1\r\nhost: {address}\r\ncontent-type: {kind}\r\n{more}content-length: {}\r\n\r\n",
                        body.len()
                    );
                    std::thread::spawn(move || {
                        for _ in 0..2 {
                            send(address, &head, &body);
                        }
                    })
                })
                .collect();
            senders.into_iter().for_each(|sender| sender.join().unwrap());
        }
        peaks.push(listening.peak() >> 10);
    }
    let messages: Vec<Vec<u8>> = swellers()
        .into_iter()
        .filter(|(kind, _)| kind.ends_with("protobuf"))
        .map(|(_, body)| body)
        .collect();
    send_grpc(listening.grpc, &messages, 5);
    peaks.push(listening.peak() >> 10);
    post(listening.http, &trace("alive", 1));
    // Spans that are kept, each with a resource of its own, and a service of its own.
    for number in 0..300_u32 {
        let name = field(0x0a, format!("{number}{}", "n".repeat(1 << 18)).as_bytes());
        let service = field(0x0a, &[field(0x0a, b"service.name"), field(0x12, &name)].concat());
        let span = whole_span(u128::from(number) + 10, 1, &[]);
        let body = wire(&service, &span);
        send(listening.http, &head(listening.http, body.len(), ""), &body);
    }
    println!("what swells: peaks {peaks:?} MiB, {} MiB at last", listening.peak() >> 10);
    assert!(listening.peak() < MAX_KIB, "{} KiB, {peaks:?} MiB", listening.peak());
    listening.interrupt();
    let run = listening.end().expect(0);
    assert_eq!(counted(&run.stdout, "alive"), 2, "{}", run.stdout);
    assert!(run.stdout.contains("(other services)"), "{}", run.stdout);
}

/// A random number generator with a fixed seed.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % most as u64).unwrap()
    }

    /// Returns the body with some bytes changed, duplicated, removed or moved.
    fn mutate(&mut self, mut body: Vec<u8>) -> Vec<u8> {
        for _ in 0..1 + self.below(6) {
            if body.is_empty() {
                break;
            }
            let at = self.below(body.len());
            let length = 1 + self.below((body.len() - at).min(4096));
            match self.below(5) {
                0 => body[at] = u8::try_from(self.below(256)).unwrap(),
                1 => drop(body.drain(at..at + length)),
                2 => {
                    let part = body[at..at + length].repeat(1 + self.below(40));
                    body.splice(at..at, part);
                }
                3 => body.truncate(at),
                _ => {
                    let to = self.below(body.len());
                    let part = body[at..at + length].to_vec();
                    body.splice(to..to, part);
                }
            }
        }
        body
    }
}

#[test]
fn mutated_payloads_take_less_than_three_times_what_is_kept() {
    let keep: usize =
        std::env::var("HOSTILE_KEEP_MIB").ok().and_then(|keep| keep.parse().ok()).unwrap_or(64);
    let sandbox = Sandbox::new(&[]);
    let listening = Listening::start(&sandbox, &["--keep", &format!("{keep}MiB")]);
    let address = listening.http;
    let until = Instant::now() + Duration::from_secs(seconds());
    let senders: Vec<_> = (1..=4_u64)
        .map(|seed| {
            std::thread::spawn(move || {
                let mut numbers = Numbers(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
                let mut seeds = swellers();
                seeds.push(("application/json", trace("loaded", 1).to_string().into_bytes()));
                seeds.push(("application/x-protobuf", request("loaded", u128::from(seed))));
                let mut sent = 0_u64;
                loop {
                    let (kind, body) = &seeds[numbers.below(seeds.len())];
                    let mut body = numbers.mutate(body.clone());
                    let mut more = "";
                    if numbers.below(2) == 0 {
                        body = gzip(std::iter::once(body));
                        more = "content-encoding: gzip\r\n";
                    }
                    let path = ["/v1/traces", "/v1/traces", "/v1/metrics", "/v1/logs"][numbers.below(4)];
                    let head = format!(
                        "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: {kind}\r\n{more}content-length: {}\r\n\r\n",
                        body.len()
                    );
                    send(address, &head, &body);
                    sent += 1;
                    if Instant::now() >= until {
                        return sent;
                    }
                }
            })
        })
        .collect();
    let sent: u64 = senders.into_iter().map(|sender| sender.join().unwrap()).sum();
    post(address, &trace("alive", 1));
    let peak = listening.peak();
    println!(
        "{sent} mutated payloads in {} s: peak {} MiB with --keep {keep}MiB",
        seconds(),
        peak >> 10
    );
    assert!(sent > 0);
    assert!(peak < 3 * (keep << 10), "{peak} KiB");
    listening.interrupt();
    listening.end().expect(0);
}

fn gzip(bytes: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    for chunk in bytes {
        encoder.write_all(&chunk).unwrap();
    }
    encoder.finish().unwrap()
}

#[test]
fn bodies_beyond_the_limit_and_bombs_are_refused_in_little_memory() {
    let sandbox = Sandbox::new(&[]);
    let listening = Listening::start(&sandbox, &[]);
    let address = listening.http;
    assert_eq!(send(address, &head(address, 1 << 30, ""), b""), Some(413));
    // A gibibyte of zeros, and spans of two bytes each that take hundreds in memory.
    let zeros = gzip(std::iter::repeat_n(vec![0; 1 << 20], 1 << 10));
    let empty_spans = |count: usize| {
        let wrap = |tag: u8, inner: Vec<u8>| {
            let mut out = vec![tag];
            prost::encoding::encode_varint(inner.len() as u64, &mut out);
            out.extend(inner);
            out
        };
        wrap(0x0a, wrap(0x12, [0x12, 0x00].repeat(count)))
    };
    let spans = gzip(std::iter::once(empty_spans(5 << 20)));
    let attackers: Vec<_> = [zeros, spans]
        .into_iter()
        .cycle()
        .take(4)
        .map(|bomb| {
            std::thread::spawn(move || {
                let head = head(address, bomb.len(), "content-encoding: gzip\r\n");
                (0..2).map(|_| send(address, &head, &bomb)).collect::<Vec<_>>()
            })
        })
        .collect();
    for attacker in attackers {
        for status in attacker.join().unwrap() {
            assert!(matches!(status, Some(413 | 503 | 408)), "{status:?}");
        }
    }
    let mut endless = TcpStream::connect(address).unwrap();
    let chunked = "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    endless.write_all(chunked.as_bytes()).unwrap();
    let chunk = [b"100000\r\n".to_vec(), vec![b' '; 1 << 20], b"\r\n".to_vec()].concat();
    let sent = (0..64).take_while(|_| endless.write_all(&chunk).is_ok()).count();
    assert!(sent < 64, "64 MiB were taken");
    post(address, &trace("alive", 1));
    println!("bombs: peak {} MiB", listening.peak() >> 10);
    assert!(listening.peak() < MAX_KIB, "{} KiB", listening.peak());
    listening.interrupt();
    listening.end().expect(0);
}

#[test]
fn broken_frames_end_their_connection_and_nothing_else() {
    let sandbox = Sandbox::new(&[]);
    let listening = Listening::start(&sandbox, &[]);
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
    let frames: [&[u8]; 7] = [
        b"",
        b"GET / HTTP/1.1\r\n\r\n",
        &[0xff; 64],
        // A frame longer than allowed; headers that are none; data without a stream; a window of nothing; a push.
        &[0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1],
        &[0, 0, 4, 1, 5, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff],
        &[0, 0, 5, 0, 1, 0, 0, 0, 7, 0, 0xff, 0xff, 0xff, 0xff],
        &[0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    ];
    for address in [listening.grpc, listening.http] {
        for frame in frames {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
            for part in [PREFACE, SETTINGS, frame] {
                let _ = stream.write_all(part);
            }
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer);
        }
    }
    post(listening.http, &trace("alive", 1));
    assert!(listening.peak() < MAX_KIB);
    listening.interrupt();
    let run = listening.end().expect(0);
    assert_eq!(counted(&run.stdout, "alive"), 2);
}
