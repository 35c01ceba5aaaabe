//! `listen` as a running process, and requests to it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStdout, Stdio};
use std::sync::mpsc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::sandbox::{KEY, Run, Sandbox};

/// A `listen` that runs until it exits or is interrupted.
pub struct Listening {
    child: Child,
    pub http: SocketAddr,
    pub grpc: SocketAddr,
    talk: mpsc::Receiver<String>,
    said: String,
}

impl Listening {
    /// Starts on free ports and waits until both are open.
    pub fn start(sandbox: &Sandbox, arguments: &[&str]) -> Self {
        Self::start_into(Stdio::piped(), sandbox, arguments)
    }

    /// Starts with this stdout.
    pub fn start_into(stdout: impl Into<Stdio>, sandbox: &Sandbox, arguments: &[&str]) -> Self {
        let mut all = vec!["listen", "--http-port", "0", "--grpc-port", "0"];
        all.extend(arguments);
        let mut listening = Self::spawn(stdout, sandbox, &all);
        let line = listening.hear("listening on http://");
        let words: Vec<&str> = line.split_whitespace().collect();
        listening.http = words[2].trim_start_matches("http://").parse().unwrap();
        listening.grpc = words[6].parse().unwrap();
        listening
    }

    /// Starts any command that runs until it is interrupted; its ports are not read.
    pub fn spawn(stdout: impl Into<Stdio>, sandbox: &Sandbox, arguments: &[&str]) -> Self {
        let mut child =
            sandbox.command(arguments).stdout(stdout).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (tell, talk) = mpsc::channel();
        std::thread::spawn(move || {
            for line in stderr.lines() {
                let _ = tell.send(line.unwrap());
            }
        });
        Self {
            child,
            http: SocketAddr::from(([127, 0, 0, 1], 0)),
            grpc: SocketAddr::from(([127, 0, 0, 1], 0)),
            talk,
            said: String::new(),
        }
    }

    /// Waits for the next stderr line that contains `text`.
    pub fn hear(&mut self, text: &str) -> String {
        loop {
            let line = self.talk.recv_timeout(Duration::from_secs(30)).unwrap();
            self.said += &line;
            self.said.push('\n');
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Returns the process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn interrupt(&self) {
        let id = i32::try_from(self.child.id()).unwrap();
        let process = rustix::process::Pid::from_raw(id).unwrap();
        rustix::process::kill_process(process, rustix::process::Signal::INT).unwrap();
    }

    /// Returns its peak memory in KiB.
    #[cfg(target_os = "linux")]
    pub fn peak(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let size = line.unwrap().trim().trim_end_matches(" kB");
        size.parse().unwrap()
    }

    pub fn stdout(&mut self) -> BufReader<ChildStdout> {
        BufReader::new(self.child.stdout.take().unwrap())
    }

    /// Waits until it exits.
    pub fn end(mut self) -> Run {
        let mut stdout = String::new();
        if let Some(stream) = &mut self.child.stdout {
            stream.read_to_string(&mut stdout).unwrap();
        }
        let status = self.child.wait().unwrap().code().unwrap_or(-1);
        self.said.extend(self.talk.iter().map(|line| line + "\n"));
        Run { status, stdout, stderr: std::mem::take(&mut self.said) }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        // Ended already, in most tests.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a request to `/v1/traces`, which must accept it.
pub fn post(address: SocketAddr, body: &Value) -> String {
    let body = body.to_string();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "POST /v1/traces HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/json\r\n\
         x-honeycomb-team: {KEY}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    answer
}

/// Returns a request of 120 ms with a handler of 50 ms, just sent by `service`.
pub fn trace(service: &str, number: u8) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let span = |id: &str, parent: &str, name: &str, ms: u128, attributes: Value| {
        json!({
            "traceId": format!("{number:032x}"), "spanId": id, "parentSpanId": parent, "name": name, "kind": 2,
            "startTimeUnixNano": (now - 200_000_000).to_string(),
            "endTimeUnixNano": (now - 200_000_000 + ms * 1_000_000).to_string(),
            "attributes": attributes,
        })
    };
    let seen = json!([{"key": "app.now", "value": {"stringValue": "now"}}]);
    json!({"resourceSpans": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]},
        "scopeSpans": [{"spans": [
            span("00000000000000b1", "", "GET /api/activities/home", 120, json!([])),
            span("00000000000000b2", "00000000000000b1", "home-activities-mock-data", 50, seen),
        ]}],
    }]})
}
