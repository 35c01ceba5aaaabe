//! A fake OTLP receiver over gRPC on loopback with configured answers.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use tokio::net::TcpListener;
use tonic::codec::CompressionEncoding;
use tonic::codegen::tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::server::ServerTlsConfig;
use tonic::transport::{Identity, Server};
use tonic::{Code, Request, Response, Status};

use crate::certificates::Signed;

/// The answer to every call.
#[derive(Debug, Clone)]
pub enum Reply {
    Taken,
    Partial(i64, &'static str),
    Refused(Code, &'static str),
    /// No answer.
    Silence,
}

/// A received call: metadata `x-honeycomb-team`, encoding, number of spans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub key: Option<String>,
    pub encoding: Option<String>,
    pub spans: usize,
}

#[derive(Clone)]
struct Service {
    reply: Reply,
    calls: Arc<Mutex<Vec<Call>>>,
}

/// A running receiver; it stops when dropped.
pub struct GrpcReceiver {
    pub address: SocketAddr,
    calls: Arc<Mutex<Vec<Call>>>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

#[tonic::async_trait]
impl TraceService for Service {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let text = |name: &str| {
            let value = request.metadata().get(name)?;
            Some(value.to_str().ok()?.to_owned())
        };
        let (key, encoding) = (text("x-honeycomb-team"), text("grpc-encoding"));
        let spans = request.get_ref().resource_spans.iter().flat_map(|one| &one.scope_spans);
        let spans = spans.map(|one| one.spans.len()).sum();
        self.calls.lock().unwrap().push(Call { key, encoding, spans });
        match &self.reply {
            Reply::Taken => Ok(Response::new(ExportTraceServiceResponse::default())),
            Reply::Partial(rejected, message) => Ok(Response::new(ExportTraceServiceResponse {
                partial_success: Some(ExportTracePartialSuccess {
                    rejected_spans: *rejected,
                    error_message: (*message).to_owned(),
                }),
            })),
            Reply::Refused(code, message) => Err(Status::new(*code, *message)),
            Reply::Silence => std::future::pending().await,
        }
    }
}

impl GrpcReceiver {
    pub fn start(reply: Reply) -> Self {
        Self::listen(reply, None)
    }

    /// Starts it with TLS.
    pub fn secure(reply: Reply, signed: &Signed) -> Self {
        let identity = Identity::from_pem(&signed.certificate, &signed.key);
        Self::listen(reply, Some(ServerTlsConfig::new().identity(identity)))
    }

    fn listen(reply: Reply, tls: Option<ServerTlsConfig>) -> Self {
        let calls = Arc::new(Mutex::new(Vec::new()));
        let service = Service { reply, calls: Arc::clone(&calls) };
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let (tell, told) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let mut builder = tokio::runtime::Builder::new_current_thread();
            let runtime = builder.enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                let service =
                    TraceServiceServer::new(service).accept_compressed(CompressionEncoding::Gzip);
                let mut server = Server::builder();
                if let Some(tls) = tls {
                    server = server.tls_config(tls).unwrap();
                }
                let serving = server
                    .add_service(service)
                    .serve_with_incoming(TcpListenerStream::new(listener));
                tokio::select! {
                    served = serving => served.unwrap(),
                    _ = stopped => {}
                }
            });
            runtime.shutdown_background();
        });
        Self { address: told.recv().unwrap(), calls, stop: Some(stop), thread: Some(thread) }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }
}

impl Drop for GrpcReceiver {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
