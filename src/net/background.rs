//! A tokio runtime on a separate thread, for work that continues while other code waits.

use std::future::Future;
use std::sync::mpsc;
use std::thread::JoinHandle;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::{build_runtime, unusable_network_error};
use crate::error::{Error, ErrorCode, Result};

/// The runtime; dropping it ends what was spawned on it.
#[derive(Debug)]
pub(crate) struct BackgroundRuntime {
    handle: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl BackgroundRuntime {
    /// Starts the thread.
    ///
    /// # Errors
    /// `network`, as [`super::block_on`].
    pub(crate) fn start() -> Result<Self> {
        let runtime = build_runtime()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let run = move || {
            // A dropped sender means the end as well.
            let _ = runtime.block_on(stopped);
            runtime.shutdown_background();
        };
        let thread = std::thread::Builder::new().name("background".to_owned()).spawn(run);
        Ok(Self { handle, stop: Some(stop), thread: Some(thread.map_err(unusable_network_error)?) })
    }

    /// Runs `work` on the thread and waits for it.
    ///
    /// # Errors
    /// `internal` when it panics.
    pub(crate) fn wait_for<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T> {
        let (sender, received) = mpsc::channel();
        self.handle.spawn(async move {
            // The receiver waits for this.
            let _ = sender.send(work.await);
        });
        received.recv().map_err(|error| {
            Error::new(ErrorCode::Internal, "a background task failed").cause(error)
        })
    }
}

impl Drop for BackgroundRuntime {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net;

    #[test]
    fn the_runtime_outlives_callers_and_ends_when_dropped() {
        let background = BackgroundRuntime::start().unwrap();
        let listener = async { tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap() };
        let listener = background.wait_for(listener).unwrap();
        let address = listener.local_addr().unwrap();
        let accepting = background.handle.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                drop(stream);
            }
        });
        for _ in 0..2 {
            let connected = net::block_on(tokio::net::TcpStream::connect(address)).unwrap();
            assert!(connected.is_ok());
        }
        drop(background);
        assert!(accepting.is_finished());
        let connected = net::block_on(tokio::net::TcpStream::connect(address)).unwrap();
        assert!(connected.is_err());
    }
}
