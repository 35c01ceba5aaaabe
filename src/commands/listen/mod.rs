//! `listen`: receives spans, draws each trace when it is complete, and prints a summary.

mod forward;
mod session;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep_until};

use crate::cli::{GlobalOptions, ListenArgs};
use crate::commands::RunOutcome;
use crate::commands::page::Page;
use crate::error::{Error, ErrorCode, Result};
use crate::net;
use crate::net::receiver::{Receiver, ReceiverAddresses, ReceiverInbox, ReceiverLimits};
use crate::session::context::{HONEYCOMB_KEY, ProjectContext};
use crate::session::secrets;
use crate::shell::Shell;
use crate::ui::interrupt::{self, InterruptMode};
use crate::ui::{TextRole, Ui};
use forward::{ForwardQueue, ForwardTarget};
use session::ListenSession;

pub(super) fn run(
    args: &ListenArgs,
    global: &GlobalOptions,
    shell: &Shell,
    ui: &mut Ui,
) -> Result<RunOutcome> {
    teach_stored_keys(shell, global, ui);
    let provider =
        if args.forward { Some(forward::prepare(&args.target, global, shell, ui)?) } else { None };
    let _guard = interrupt::set_interrupt_mode(InterruptMode::Remember);
    net::block_on(listen_for_telemetry(args, provider, shell, ui))?
}

/// Adds the project's stored keys to the redactor: any of them may appear in a span.
fn teach_stored_keys(shell: &Shell, global: &GlobalOptions, ui: &Ui) {
    let Ok(context) = ProjectContext::find(shell, global.directory.as_deref()) else { return };
    let stores = context.stores(ui.redactor());
    let mut names = context.project.model().map(secrets::asked_for).unwrap_or_default();
    names.insert(HONEYCOMB_KEY.to_owned());
    for name in names {
        stores.find(&name);
    }
}

async fn listen_for_telemetry(
    args: &ListenArgs,
    provider: Option<ForwardTarget>,
    shell: &Shell,
    ui: &mut Ui,
) -> Result<RunOutcome> {
    let addresses = ReceiverAddresses {
        http: SocketAddr::new(args.bind, args.http_port),
        grpc: SocketAddr::new(args.bind, args.grpc_port),
    };
    let (mut receiver, mut inbox) =
        Receiver::bind(addresses, ReceiverLimits::next_to_kept(args.keep))
            .await
            .map_err(with_free_ports)?;
    let bridge = if args.containers { container_bridge_address()? } else { None };
    if let Some(bridge) = bridge {
        receiver.also_on(bridge).await.map_err(with_free_ports)?;
    }
    let mut page = if args.web {
        Some(open_page(args, receiver.addresses().http, shell).await?)
    } else {
        None
    };
    print_welcome(args, receiver.addresses(), page.as_ref(), ui);
    if let Some(page) = &page {
        ui.document(&json!({ "schema_version": 1, "page": { "url": page.url() } }))?;
    }
    let mut session = ListenSession::new(args.keep, provider.map(ForwardQueue::begin));
    let ending = follow_arrivals(args, &mut session, &mut inbox, &mut page, ui).await?;
    if ending == ListenEnding::Interrupt {
        // The terminal has just printed `^C`.
        ui.say("");
    }
    if let Some(page) = page {
        page.close().await;
    }
    receiver.close().await;
    while let Ok(arrival) = inbox.arrivals.try_recv() {
        session.take(arrival, ui)?;
    }
    if ending != ListenEnding::Enough {
        session.draw_rest(ui);
    }
    session.sum_up(ui).await;
    Ok(match ending {
        ListenEnding::Time if args.traces.is_some() => RunOutcome::No,
        ListenEnding::Interrupt | ListenEnding::Time | ListenEnding::Enough => RunOutcome::Yes,
    })
}

/// Returns the address at which containers reach this machine; `None` if 127.0.0.1 works for them, as with Docker
/// Desktop.
fn container_bridge_address() -> Result<Option<IpAddr>> {
    match net::bridge::address() {
        Some(address) => Ok(Some(address.into())),
        None if cfg!(target_os = "linux") => Err(Error::new(
            ErrorCode::NoBridge,
            "docker has no bridge `docker0` on this machine",
        )
        .cause("its engine is not running, or not one of this machine's own")
        .hint("start docker first, or `cruddur-ops listen --bind 0.0.0.0`, which accepts connections from every machine")),
        None => Ok(None),
    }
}

/// The reason for the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ListenEnding {
    /// Ctrl-C.
    Interrupt,
    /// The time of `--for` is over.
    Time,
    /// The number of `--traces` is complete.
    Enough,
}

async fn follow_arrivals(
    args: &ListenArgs,
    session: &mut ListenSession,
    inbox: &mut ReceiverInbox,
    page: &mut Option<Page>,
    ui: &mut Ui,
) -> Result<ListenEnding> {
    const NO_DEADLINE: Duration = Duration::from_secs(365 * 24 * 3600);
    let end = Instant::now() + args.time.unwrap_or(NO_DEADLINE).min(NO_DEADLINE);
    loop {
        let due = session.next_due().unwrap_or(end);
        tokio::select! {
            () = interrupt::wait_for_interrupt() => return Ok(ListenEnding::Interrupt),
            () = sleep_until(end) => return Ok(ListenEnding::Time),
            () = sleep_until(due) => {}
            Some(arrival) = inbox.arrivals.recv() => {
                session.take(arrival, ui)?;
                page.iter().for_each(Page::announce);
            }
            request = Page::next(page) => {
                if let Some(page) = page {
                    page.respond(request, session.assembly(), ui);
                }
            }
            outcome = session.forwarded() => session.report_forwarded(outcome, ui),
            Some(question) = inbox.questions.recv() => session.answer(question),
        }
        session.draw_complete(args.traces, ui);
        ui.written()?;
        if args.traces.is_some_and(|enough| session.drawn() >= enough.get()) {
            return Ok(ListenEnding::Enough);
        }
    }
}

/// Opens the page of `--web`, which tells a sender on this machine where to send.
async fn open_page(args: &ListenArgs, http: SocketAddr, shell: &Shell) -> Result<Page> {
    let endpoint = format!("http://{}", local_sender_address(http));
    let page = Page::open(args.web_port, Some(endpoint), shell).await;
    page.map_err(|error| match error.code {
        ErrorCode::PortInUse => {
            error.hint("`cruddur-ops listen --web --web-port 0` takes a free port and prints it")
        }
        _ => error,
    })
}

/// Returns the address that a program on this machine sends to; an unspecified address is none.
fn local_sender_address(http: SocketAddr) -> SocketAddr {
    let ip = match http.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, http.port())
}

fn with_free_ports(error: Error) -> Error {
    if error.code == ErrorCode::PortInUse {
        return error.hint(
            "`cruddur-ops listen --http-port 0 --grpc-port 0` takes free ports and prints them",
        );
    }
    error
}

fn print_welcome(
    args: &ListenArgs,
    addresses: ReceiverAddresses,
    page: Option<&Page>,
    ui: &mut Ui,
) {
    let ReceiverAddresses { http, grpc } = addresses;
    if !args.bind.is_loopback() {
        ui.warn(
            format!("anyone who can reach {http} or {grpc} can send spans here without a key"),
            None,
        );
    }
    let label = TextRole::Strong.paint("listening");
    ui.say(label + format!(" on http://{http} (protobuf, JSON) and {grpc} (gRPC)"));
    if args.containers {
        ui.say(format!(
            "containers reach it at http://host.docker.internal:{} (`extra_hosts`: host-gateway); `cruddur-ops init --provider local` sends them here",
            http.port()
        ));
    }
    page.iter().for_each(|page| page.show_address(ui));
    let sender = local_sender_address(http);
    ui.say(format!(
        "OTEL_EXPORTER_OTLP_ENDPOINT=http://{sender} sends here; Ctrl-C prints a summary"
    ));
    ui.say("");
}
