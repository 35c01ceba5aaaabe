//! A TCP connection that keeps the first bytes the peer sent.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// The bytes needed to recognise an HTTP/2 frame.
const FRAME_HEAD: usize = 9;

/// The type of the frame that every HTTP/2 server sends first.
const SETTINGS: u8 = 4;

/// The progress of a connection; clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct ConnectionStart(Arc<Mutex<ConnectionState>>);

#[derive(Debug, Default)]
struct ConnectionState {
    is_open: bool,
    first: Vec<u8>,
}

/// The protocol of the peer's first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PeerProtocol {
    /// There was no connection.
    NotConnected,
    /// The peer sent nothing.
    Nothing,
    /// HTTP/2.
    Http2,
    /// Something else.
    Otherwise,
}

impl ConnectionStart {
    /// Returns the protocol of the peer's first bytes.
    pub(super) fn spoke(&self) -> PeerProtocol {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match (state.is_open, state.first.as_slice()) {
            (false, _) => PeerProtocol::NotConnected,
            (true, []) => PeerProtocol::Nothing,
            (true, [_, _, _, SETTINGS, ..]) => PeerProtocol::Http2,
            (true, _) => PeerProtocol::Otherwise,
        }
    }

    fn hear(&self, bytes: &[u8]) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = FRAME_HEAD.saturating_sub(state.first.len());
        let end = bytes.len().min(missing);
        state.first.extend_from_slice(&bytes[..end]);
    }
}

/// The connection.
#[derive(Debug)]
pub(super) struct ObservedConnection {
    stream: TcpStream,
    opening: ConnectionStart,
}

impl ObservedConnection {
    /// Records the first bytes of an established connection.
    pub(super) fn new(stream: TcpStream, opening: ConnectionStart) -> Self {
        let mut state = opening.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.is_open = true;
        drop(state);
        Self { stream, opening }
    }
}

impl AsyncRead for ObservedConnection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        let received = buffer.filled().get(before..).unwrap_or_default();
        if !received.is_empty() {
            self.opening.hear(received);
        }
        polled
    }
}

impl AsyncWrite for ObservedConnection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
