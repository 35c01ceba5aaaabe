//! `listen` under load and under attack: bounded memory, and no span lost that was accepted.
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

/// More than `listen` may ever take: what it keeps, what waits, and as much again.
const MOST_KIB: usize = 400 << 10;

const SPANS: usize = 50;

fn seconds() -> u64 {
    let given = std::env::var("LOAD_SECONDS").ok();
    given.and_then(|given| given.parse().ok()).unwrap_or(2)
}

/// A request of [`SPANS`] spans in one trace.
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

/// The status of the next answer on a connection that stays open; nothing where it ended.
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

/// One request on a connection of its own.
fn send(address: SocketAddr, head: &str, body: &[u8]) -> Option<u16> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(head.as_bytes()).ok()?;
    // A server that has said no already may have closed.
    let _ = stream.write_all(body);
    status(&mut stream)
}

/// Sends as fast as answers come; how many spans were accepted, and how many requests refused.
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

/// Spans of a service in the table at the end.
fn counted(stdout: &str, service: &str) -> usize {
    let line = stdout.lines().find_map(|line| line.strip_prefix(service));
    let number = line.unwrap().split_whitespace().next().unwrap();
    number.replace([',', '\u{202f}', '\u{a0}'], "").parse().unwrap()
}

#[test]
fn what_two_senders_were_promised_is_counted_and_memory_is_bounded() {
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
    assert!(peak < MOST_KIB, "{peak} KiB");
}

/// As many open files as the system lets us have.
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
    assert!(listening.peak() < MOST_KIB);
    listening.interrupt();
    let run = listening.end().expect(0);
    assert_eq!(counted(&run.stdout, "alive"), 2);
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
    assert!(listening.peak() < MOST_KIB, "{} KiB", listening.peak());
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
    assert!(listening.peak() < MOST_KIB);
    listening.interrupt();
    let run = listening.end().expect(0);
    assert_eq!(counted(&run.stdout, "alive"), 2);
}
