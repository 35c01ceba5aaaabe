//! A fake X-Ray daemon on loopback: UDP that checks and never answers, TCP that answers as AWS does to a signed
//! request.

use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::routing::post;
use serde_json::Value;

use crate::served::Served;

/// A running daemon; it stops when dropped.
pub struct Daemon {
    pub udp: SocketAddr,
    pub tcp: SocketAddr,
    segments: Receiver<Value>,
    thread: Option<JoinHandle<()>>,
    _api: Served,
}

impl Daemon {
    /// Starts it with keys and a region that AWS accepts.
    pub fn start() -> Self {
        Self::answering(200, r#"{"SamplingRuleRecords":[]}"#)
    }

    /// Sets the answer of `GetSamplingRules`.
    pub fn answering(status: u16, body: &'static str) -> Self {
        let answer = move || async move {
            let status = StatusCode::from_u16(status).unwrap();
            (status, [(header::CONTENT_TYPE, "application/json")], body)
        };
        let targets =
            r#"{"SamplingTargetDocuments":[],"LastRuleModification":0,"UnprocessedStatistics":[]}"#;
        let api = Served::start(
            Router::new()
                .route("/GetSamplingRules", post(answer))
                .route("/SamplingTargets", post(move || async move { targets })),
        );
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let udp = socket.local_addr().unwrap();
        let (tell, segments) = channel();
        let thread = std::thread::spawn(move || {
            let mut datagram = [0; 65_536];
            loop {
                let length = socket.recv(&mut datagram).unwrap();
                if length == 0 {
                    break;
                }
                if let Some(segment) = taken(&datagram[..length]) {
                    let _ = tell.send(segment);
                }
            }
        });
        Self { udp, tcp: api.address, segments, thread: Some(thread), _api: api }
    }

    /// Returns both addresses as `AWS_XRAY_DAEMON_ADDRESS` spells them.
    pub fn address(&self) -> String {
        format!("tcp:{} udp:{}", self.tcp, self.udp)
    }

    /// Waits for the next accepted segment.
    #[track_caller]
    pub fn segment(&self) -> Value {
        self.segments.recv_timeout(Duration::from_secs(30)).unwrap()
    }

    /// Checks that it accepted no segment so far.
    pub fn is_idle(&self) -> bool {
        self.segments.try_recv().is_err()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let waker = UdpSocket::bind("127.0.0.1:0").unwrap();
        let _ = waker.send_to(&[], self.udp);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Returns the segment of a datagram that the daemon would forward; it drops all others.
fn taken(datagram: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(datagram).ok()?;
    let (head, body) = text.split_once('\n')?;
    let head: Value = serde_json::from_str(head).ok()?;
    let format = head["format"].as_str()?;
    if !format.eq_ignore_ascii_case("json") || head["version"] != 1 {
        return None;
    }
    let segment: Value = serde_json::from_str(body).ok()?;
    let hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let mut id = segment["trace_id"].as_str()?.split('-');
    let whole = id.next() == Some("1")
        && id.next().is_some_and(|epoch| hex(epoch, 8))
        && id.next().is_some_and(|rest| hex(rest, 24))
        && hex(segment["id"].as_str()?, 16)
        && segment["name"].is_string()
        && segment["start_time"].is_f64()
        && (segment["end_time"].is_f64() || segment["in_progress"] == true);
    whole.then_some(segment)
}
