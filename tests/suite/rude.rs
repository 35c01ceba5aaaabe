//! Misbehaving servers on loopback: a closure handles each connection.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// A listening socket; it closes when dropped.
pub struct Rude {
    pub address: SocketAddr,
    connections: Arc<AtomicUsize>,
    received: Arc<Mutex<Vec<u8>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Rude {
    /// Reads the request of each connection, then passes the connection to `behave`.
    pub fn start(behave: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        Self::listen(Ipv4Addr::LOCALHOST.into(), true, behave)
    }

    /// Passes each connection to `behave` unread.
    pub fn unread(behave: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        Self::listen(Ipv4Addr::LOCALHOST.into(), false, behave)
    }

    fn listen(ip: IpAddr, reads: bool, behave: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((ip, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let received = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let (counter, seen, ended) =
            (Arc::clone(&connections), Arc::clone(&received), Arc::clone(&stop));
        let behave = Arc::new(behave);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ended.load(Ordering::SeqCst) {
                    break;
                }
                counter.fetch_add(1, Ordering::SeqCst);
                let (behave, seen) = (Arc::clone(&behave), Arc::clone(&seen));
                let mut stream = stream.unwrap();
                std::thread::spawn(move || {
                    if reads {
                        let request = read_some(&mut stream);
                        seen.lock().unwrap().extend_from_slice(&request);
                    }
                    behave(stream);
                });
            }
        });
        Self { address, connections, received, stop, thread: Some(thread) }
    }

    /// Answers everything with these bytes and closes.
    pub fn saying(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::start(move |mut stream| {
            let _ = stream.write_all(&bytes);
        })
    }

    /// Returns a 200 response with this type and body.
    pub fn answering(kind: &str, body: &[u8]) -> Self {
        Self::saying(success(kind, body))
    }

    /// Does the same as [`Rude::answering`] on an address that is not loopback.
    pub fn on(address: IpAddr, kind: &str, body: &[u8]) -> Self {
        let bytes = success(kind, body);
        Self::listen(address, true, move |mut stream| {
            let _ = stream.write_all(&bytes);
        })
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Returns everything that was sent to it.
    pub fn received(&self) -> Vec<u8> {
        self.received.lock().unwrap().clone()
    }
}

impl Drop for Rude {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Reads the request's head and as much of its body as `Content-Length` says; without HTTP, everything.
pub fn read_some(stream: &mut TcpStream) -> Vec<u8> {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    let mut request = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return request,
            Ok(count) => request.extend_from_slice(&chunk[..count]),
        }
        let is_http = request.starts_with(b"POST") || request.starts_with(b"GET");
        let head = request.windows(4).position(|four| four == b"\r\n\r\n");
        let Some(head) = head.filter(|_| is_http) else {
            if is_http {
                continue;
            }
            return request;
        };
        let text = String::from_utf8_lossy(&request[..head]).to_ascii_lowercase();
        let length =
            text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
        if request.len() >= head + 4 + length.unwrap_or(0) {
            return request;
        }
    }
}

fn success(kind: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}
