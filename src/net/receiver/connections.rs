//! Connections: how many at once, which version of HTTP they speak, how long they may take, how they end.

use std::collections::VecDeque;
use std::io::Cursor;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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

use super::Limits;

/// How long requests that began may take to finish once the receiver closes.
const GRACE: Duration = Duration::from_secs(1);

/// What a connection begins with when it speaks HTTP/2.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How long a connection may hold its place without a request while others wait for one.
const PATIENCE: Duration = Duration::from_secs(1);

/// A connection that has not asked for anything yet, as far as we know.
struct Guest {
    since: Instant,
    asked: Arc<AtomicBool>,
    task: AbortHandle,
}

/// Serves `routes` until `stop` changes or its sender is gone.
pub(super) async fn serve(
    listener: TcpListener,
    routes: Router,
    limits: Limits,
    mut stop: watch::Receiver<()>,
) {
    let slots = Arc::new(Semaphore::new(limits.connections));
    let mut guests = VecDeque::new();
    let mut open = JoinSet::new();
    // Held here, so that whatever else happens meanwhile does not lose it.
    let mut waiting: Option<(TcpStream, SocketAddr)> = None;
    loop {
        tokio::select! {
            _ = stop.changed() => break,
            Some(_) = open.join_next() => {}
            accepted = listener.accept(), if waiting.is_none() => match accepted {
                Ok(accepted) => waiting = Some(accepted),
                // Out of file descriptors: one will come free.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            slot = place(&slots, &mut guests), if waiting.is_some() => {
                let (Some(slot), Some(accepted)) = (slot, waiting.take()) else {
                    continue;
                };
                let asked = Arc::new(AtomicBool::new(false));
                let connection =
                    converse(accepted, routes.clone(), limits, Arc::clone(&asked), stop.clone());
                let task = open.spawn(async move {
                    connection.await;
                    drop(slot);
                });
                guests.push_back(Guest { since: Instant::now(), asked, task });
            }
        }
    }
    drop(listener);
    let finished = async { while open.join_next().await.is_some() {} };
    // Whoever is not done by then is cut off when the set is dropped.
    let _ = tokio::time::timeout(GRACE, finished).await;
}

/// A place for one more connection. When all are taken, who has held one longest without asking for anything gives
/// it up, so that many slow senders do not keep the others waiting.
async fn place(
    slots: &Arc<Semaphore>,
    guests: &mut VecDeque<Guest>,
) -> Option<OwnedSemaphorePermit> {
    loop {
        while guests
            .front()
            .is_some_and(|guest| guest.asked.load(Ordering::Relaxed) || guest.task.is_finished())
        {
            guests.pop_front();
        }
        let patience =
            guests.front().map_or(PATIENCE, |guest| PATIENCE.saturating_sub(guest.since.elapsed()));
        tokio::select! {
            slot = Arc::clone(slots).acquire_owned() => return slot.ok(),
            () = tokio::time::sleep(patience) => {
                if let Some(guest) = guests.pop_front() {
                    guest.task.abort();
                }
            }
        }
    }
}

async fn converse(
    (stream, peer): (TcpStream, SocketAddr),
    routes: Router,
    limits: Limits,
    asked: Arc<AtomicBool>,
    mut stop: watch::Receiver<()>,
) {
    // Answers are small; waiting to fill a packet only delays them.
    let _ = stream.set_nodelay(true);
    let sniffed = tokio::select! {
        sniffed = tokio::time::timeout(limits.headers, sniff(stream)) => sniffed,
        _ = stop.changed() => return,
    };
    let Ok(Ok((version, stream))) = sniffed else {
        return;
    };
    let routes = TowerToHyperService::new(routes);
    let service = service_fn(move |mut request: Request<Incoming>| {
        asked.store(true, Ordering::Relaxed);
        request.extensions_mut().insert(ConnectInfo(peer));
        routes.call(request)
    });
    let builder = builder(version, limits);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        // A peer that went away is no failure of ours.
        _ = connection.as_mut() => return,
        _ = stop.changed() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// Which HTTP a connection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// Reads just enough to know the version, and puts it back.
async fn sniff(
    mut stream: TcpStream,
) -> std::io::Result<(Version, impl AsyncRead + AsyncWrite + Unpin)> {
    let mut first = vec![0; PREFACE.len()];
    let mut length = 0;
    while length < first.len() && first[..length] == PREFACE[..length] {
        match stream.read(&mut first[length..]).await? {
            0 => break,
            read => length += read,
        }
    }
    first.truncate(length);
    let version = if first == PREFACE { Version::Two } else { Version::One };
    let (reader, writer) = stream.into_split();
    let stream = tokio::io::join(Cursor::new(first).chain(reader), writer);
    Ok((version, stream))
}

fn builder(version: Version, limits: Limits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits.headers);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(limits.headers)
        .keep_alive_timeout(limits.headers)
        .max_concurrent_streams(64)
        .max_header_list_size(32 << 10);
    match version {
        Version::One => builder.http1_only(),
        Version::Two => builder.http2_only(),
    }
}
