//! Serves connections: their number, HTTP version, timeouts and shutdown.

use std::io::Cursor;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;

use super::ReceiverLimits;
use crate::limits;

/// The longest time for running requests to finish when the receiver closes.
const CLOSE_GRACE: Duration = Duration::from_secs(1);

/// The first bytes of an HTTP/2 connection.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// An open connection.
struct OpenConnection {
    /// When it was opened, or last answered.
    last_activity: Arc<Mutex<Instant>>,
    task: AbortHandle,
}

impl OpenConnection {
    fn heard(&self) -> Instant {
        *self.last_activity.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves `routes` until `stop` changes or its sender is dropped.
pub(in crate::net) async fn serve(
    listener: TcpListener,
    routes: Router,
    limits: ReceiverLimits,
    mut stop: watch::Receiver<()>,
) {
    let slots = Arc::new(Semaphore::new(limits.connections));
    let mut connections = Vec::new();
    let mut open = JoinSet::new();
    // Kept outside the loop so that the other branches do not lose it.
    let mut waiting: Option<(TcpStream, SocketAddr)> = None;
    loop {
        tokio::select! {
            _ = stop.changed() => break,
            Some(_) = open.join_next() => {}
            accepted = listener.accept(), if waiting.is_none() => match accepted {
                Ok(accepted) => waiting = Some(accepted),
                // The process is out of file descriptors; wait for a free one.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            slot = take_connection_slot(&slots, &mut connections), if waiting.is_some() => {
                let (Some(slot), Some(accepted)) = (slot, waiting.take()) else {
                    continue;
                };
                let last_activity = Arc::new(Mutex::new(Instant::now()));
                let connection =
                    serve_client(accepted, routes.clone(), limits, Arc::clone(&last_activity), stop.clone());
                let task = open.spawn(async move {
                    connection.await;
                    drop(slot);
                });
                connections.push(OpenConnection { last_activity, task });
            }
        }
    }
    drop(listener);
    let finished = async { while open.join_next().await.is_some() {} };
    // Connections that are still open are aborted when the set is dropped.
    let _ = tokio::time::timeout(CLOSE_GRACE, finished).await;
}

/// Returns a slot for one more connection. If all are in use, closes the connection that was answered longest ago, so
/// that idle or slow senders do not block others.
async fn take_connection_slot(
    slots: &Arc<Semaphore>,
    connections: &mut Vec<OpenConnection>,
) -> Option<OwnedSemaphorePermit> {
    loop {
        // Each one that ended would keep the memory of its task.
        connections.retain(|connection| !connection.task.is_finished());
        if let Ok(slot) = Arc::clone(slots).try_acquire_owned() {
            return Some(slot);
        }
        let oldest =
            connections.iter().enumerate().min_by_key(|(_, connection)| connection.heard());
        let due = oldest.map(|(at, connection)| (at, connection.heard() + limits::IDLE_GRACE));
        match due {
            Some((at, due)) if due <= Instant::now() => {
                // The slot becomes free when the task has ended.
                connections.swap_remove(at).task.abort();
                return Arc::clone(slots).acquire_owned().await.ok();
            }
            _ => tokio::select! {
                slot = Arc::clone(slots).acquire_owned() => return slot.ok(),
                () = tokio::time::sleep(limits::IDLE_GRACE / 4) => {}
            },
        }
    }
}

async fn serve_client(
    (stream, peer): (TcpStream, SocketAddr),
    routes: Router,
    limits: ReceiverLimits,
    last_activity: Arc<Mutex<Instant>>,
    mut stop: watch::Receiver<()>,
) {
    // Responses are small; waiting to fill a packet would delay them.
    let _ = stream.set_nodelay(true);
    let sniffed = tokio::select! {
        sniffed = tokio::time::timeout(limits.headers, detect_http_version(stream)) => sniffed,
        _ = stop.changed() => return,
    };
    let Ok(Ok((version, stream))) = sniffed else {
        return;
    };
    let routes = TowerToHyperService::new(routes);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        let (answer, last_activity) = (routes.call(request), Arc::clone(&last_activity));
        async move {
            let answer = answer.await;
            *last_activity.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
            answer
        }
    });
    let builder = connection_builder(version, limits);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        // A disconnected peer is not an error.
        _ = connection.as_mut() => return,
        _ = stop.changed() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// The HTTP version of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HttpVersion {
    One,
    Two,
}

/// Reads just enough to detect the version, and puts those bytes back.
async fn detect_http_version(
    mut stream: TcpStream,
) -> std::io::Result<(HttpVersion, impl AsyncRead + AsyncWrite + Unpin)> {
    let mut first = vec![0; PREFACE.len()];
    let mut length = 0;
    while length < first.len() && first[..length] == PREFACE[..length] {
        match stream.read(&mut first[length..]).await? {
            0 => break,
            read => length += read,
        }
    }
    first.truncate(length);
    let version = if first == PREFACE { HttpVersion::Two } else { HttpVersion::One };
    let (reader, writer) = stream.into_split();
    let stream = tokio::io::join(Cursor::new(first).chain(reader), writer);
    Ok((version, stream))
}

fn connection_builder(version: HttpVersion, limits: ReceiverLimits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.headers)
        .max_buf_size(limits::CONNECTION_BUFFER_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(limits.headers)
        .keep_alive_timeout(limits.headers)
        .max_concurrent_streams(64)
        .initial_stream_window_size(limits::STREAM_WINDOW_BYTES)
        .initial_connection_window_size(limits::STREAM_WINDOW_BYTES)
        .max_header_list_size(32 << 10);
    match version {
        HttpVersion::One => builder.http1_only(),
        HttpVersion::Two => builder.http2_only(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn connections_that_ended_are_forgotten_while_slots_are_free() {
        let slots = Arc::new(Semaphore::new(4));
        let mut connections = Vec::new();
        for _ in 0..100 {
            let slot = take_connection_slot(&slots, &mut connections).await.unwrap();
            let task = tokio::spawn(async move { drop(slot) });
            let last_activity = Arc::new(Mutex::new(Instant::now()));
            connections.push(OpenConnection { last_activity, task: task.abort_handle() });
            task.await.unwrap();
        }
        assert!(connections.len() <= 4, "{} are kept", connections.len());
    }
}
