//! The collector configuration that `init` writes, run by a real collector that receives OTLP.

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use cruddur_ops::provider::{Destination, collector};

use crate::listening::{post, trace};
use crate::sandbox::tool;
use crate::served::Served;

/// A running collector; it stops when dropped.
struct Collector {
    child: Child,
    http: SocketAddr,
    log: mpsc::Receiver<String>,
}

impl Collector {
    /// Runs the configuration for this endpoint on free ports; or prints why not.
    fn start(folder: &Path, endpoint: &str) -> Option<Self> {
        let program = tool("otelcol-otlp", "collector.sh")?;
        let to = Destination::otlp(endpoint, &["x-team=TEAM_KEY".to_owned()]).unwrap();
        let text = collector::render_collector_configuration(&to, &[]).unwrap();
        let [http, grpc] = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [http, grpc] = [http, grpc].map(|free| free.local_addr().unwrap());
        let text = text
            .replace("0.0.0.0:4318", &http.to_string())
            .replace("0.0.0.0:4317", &grpc.to_string())
            // Figures about itself, on a fixed port.
            .replace("service:\n", "service:\n  telemetry: {metrics: {level: none}}\n");
        let file = folder.join("otel-collector.yaml");
        std::fs::write(&file, text).unwrap();
        let mut child = Command::new(program)
            .arg("--config")
            .arg(&file)
            .env_clear()
            .env("TEAM_KEY", "of-a-test")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (tell, log) = mpsc::channel();
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let _ = tell.send(line);
            }
        });
        let collector = Self { child, http, log };
        collector.hear("Everything is ready");
        Some(collector)
    }

    /// Waits for a log line that contains `text`.
    fn hear(&self, text: &str) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while let Ok(line) =
            self.log.recv_timeout(deadline.saturating_duration_since(Instant::now()))
        {
            if line.contains(text) {
                return;
            }
            assert!(!line.contains("Dropping data"), "{line}");
        }
        panic!("the collector never says {text:?}");
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a provider that refuses with `status` until it is `ready`, and then reports each accepted body.
fn provider(
    status: StatusCode,
    ready: Arc<AtomicBool>,
) -> (Served, mpsc::Receiver<(bool, Vec<u8>)>) {
    let (tell, told) = mpsc::channel();
    let routes = axum::Router::new().fallback(move |request: axum::extract::Request| {
        let (tell, ready) = (tell.clone(), Arc::clone(&ready));
        async move {
            let own_key = request.headers().get("x-team").is_some_and(|key| key == "of-a-test");
            let body = axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap();
            if !ready.load(Ordering::SeqCst) {
                return status;
            }
            let mut plain = Vec::new();
            flate2::read::GzDecoder::new(&body[..]).read_to_end(&mut plain).unwrap();
            let _ = tell.send((own_key, plain));
            StatusCode::OK
        }
    });
    (Served::start(routes), told)
}

fn holds_trace(body: &[u8], number: u8) -> bool {
    let mut id = [0; 16];
    id[15] = number;
    body.windows(id.len()).any(|bytes| bytes == id)
}

#[test]
fn spans_go_on_to_the_provider_with_its_headers() {
    let folder = tempfile::tempdir().unwrap();
    let (server, told) = provider(StatusCode::OK, Arc::new(AtomicBool::new(true)));
    let Some(collector) = Collector::start(folder.path(), &server.url()) else {
        return;
    };
    post(collector.http, &trace("backend-flask", 7));
    let (own_key, body) = told.recv_timeout(Duration::from_secs(60)).unwrap();
    assert!(own_key && holds_trace(&body, 7));
}

#[test]
fn spans_wait_for_a_provider_that_does_not_answer() {
    for status in [StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS] {
        let folder = tempfile::tempdir().unwrap();
        let ready = Arc::new(AtomicBool::new(false));
        let (server, told) = provider(status, Arc::clone(&ready));
        let Some(collector) = Collector::start(folder.path(), &server.url()) else {
            return;
        };
        for number in 1..=3 {
            post(collector.http, &trace("backend-flask", number));
            collector.hear("Will retry the request");
        }
        ready.store(true, Ordering::SeqCst);
        let mut missing = vec![1, 2, 3];
        while !missing.is_empty() {
            let (_, body) = told.recv_timeout(Duration::from_secs(60)).expect("the spans are lost");
            missing.retain(|number| !holds_trace(&body, *number));
        }
    }
}

#[test]
fn a_real_collector_takes_what_init_writes_for_otlp() {
    let folder = tempfile::tempdir().unwrap();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let Some(collector) = Collector::start(folder.path(), &format!("http://{nobody}")) else {
        return;
    };
    // It answers at once whether the provider is there or not.
    post(collector.http, &trace("backend-flask", 9));
    collector.hear("Will retry the request");
}
