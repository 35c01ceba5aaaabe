//! Server-sent events: the number of the last change, never more than one on its way to a reader.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use hyper::body::Frame;
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};

use crate::limits;

/// Between two comments that show a silent stream to be open, also to proxies.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// The body of a stream, which ends with its sender.
struct NewsBody(mpsc::Receiver<Bytes>);

impl hyper::body::Body for NewsBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|event| event.map(|event| Ok(Frame::data(event))))
    }
}

/// Returns a body with an event for each change, which ends when no more can come or its reader is gone.
pub(super) fn stream(news: watch::Receiver<u64>, permit: OwnedSemaphorePermit) -> Body {
    let (to, events) = mpsc::channel(1);
    tokio::spawn(async move {
        send_changes(news, to).await;
        drop(permit);
    });
    Body::new(NewsBody(events))
}

async fn send_changes(mut news: watch::Receiver<u64>, to: mpsc::Sender<Bytes>) {
    loop {
        let number = *news.borrow_and_update();
        if to.send(format!("data: {number}\n\n").into()).await.is_err() {
            return;
        }
        tokio::time::sleep(limits::PAGE_PACE).await;
        if !wait_for_change(&mut news, &to).await {
            return;
        }
    }
}

/// Waits for a change, sending a comment now and then; returns `false` once there can be no change, or no reader.
async fn wait_for_change(news: &mut watch::Receiver<u64>, to: &mpsc::Sender<Bytes>) -> bool {
    loop {
        let changed = tokio::select! {
            () = to.closed() => return false,
            changed = tokio::time::timeout(HEARTBEAT, news.changed()) => changed,
        };
        if let Ok(changed) = changed {
            return changed.is_ok();
        }
        if to.send(Bytes::from_static(b":\n\n")).await.is_err() {
            return false;
        }
    }
}
