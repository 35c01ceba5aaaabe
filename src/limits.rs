//! Limits on the size of external input; exceeding one is an error.
//!
//! A limit is far above realistic input, and low enough to avoid exhausting memory or taking minutes. Each is one
//! constant with its unit and its reason; the error has a position if possible.

use std::time::Duration;

/// Bytes of one project file. Hand-written files are smaller, and each text is held in memory.
pub const FILE_BYTES: usize = 16 << 20;

/// Bytes of one interpolated value. On most systems, arguments and variables of a process cannot be longer (Linux: 128
/// KiB), and ten lines of `A1=${A0}${A0}` grow to any size.
pub const VALUE_BYTES: usize = 1 << 20;

/// Bytes of all values of a project's `.env` files, of all its templates, and of all its services' environments; a
/// separate limit for each.
pub const VALUES_BYTES: usize = 16 << 20;

/// Nesting of templates in defaults (`${A:-${B:-…}}`). Each level needs a stack frame.
pub const TEMPLATE_DEPTH: usize = 64;

/// Links in a chain of `include` or `extends`. Each link needs stack frames.
pub const CHAIN_LINKS: usize = 100;

/// Included files, counted once for each `include`: three levels of ten includes are a thousand.
pub const INCLUDES: usize = 1_000;

/// Approximate bytes of all services after aliases, `extends` and overrides: five thousand services that share a
/// mapping of five thousand variables are a short file, but millions of settings.
pub const MODEL_BYTES: usize = 64 << 20;

/// Largest published range that is split into separate ports; a longer one stays a range in lists and plans.
pub const PORTS_APART: u16 = 16;

/// Bytes of one Python file that is parsed. Files of data may be longer, applications are not.
pub const PYTHON_BYTES: usize = 1 << 20;

/// Depth of a Python file's syntax tree. Some checks visit all ancestors of each node. CPython rejects 200 nested
/// brackets and, at a depth that depends on the machine, any other nesting.
pub const PYTHON_DEPTH: usize = 400;

/// Nesting of brackets in Python, as in CPython.
pub const PYTHON_BRACKETS: usize = 200;

/// Nesting of blocks in Python, as in CPython.
pub const PYTHON_BLOCKS: usize = 99;

/// Bytes of one OTLP request, compressed or not; the collector's default limit.
pub const BODY_BYTES: usize = 20 << 20;

/// Bytes of memory for one decoded OTLP request, and by default for all requests in progress. An empty span is two
/// bytes on the wire and hundreds in memory.
pub const DECODED_BYTES: usize = 64 << 20;

/// Minimum bytes of memory for requests in progress, however small `listen --keep` is: a full batch of 512 spans takes
/// about 2 MiB while it is decoded.
pub const PENDING_BYTES: usize = 16 << 20;

/// Connections to one port of `listen`. Each needs up to 64 KiB of buffers; SDKs keep one open per process.
pub const CONNECTIONS: usize = 256;

/// Bytes that one HTTP/1 connection may buffer, including headers.
pub const CONNECTION_BUFFER_BYTES: usize = 64 << 10;

/// Bytes of request bodies in transit for each HTTP/2 stream, and for each connection.
pub const STREAM_WINDOW_BYTES: u32 = 64 << 10;

/// Time from the start of a connection, or the last response on it, to the end of the next request's headers.
pub const HEADER_TIME: Duration = Duration::from_secs(15);

/// Time from the end of a request's headers to the end of its body.
pub const BODY_TIME: Duration = Duration::from_secs(10);

/// Services that `verify --tap` taps at once: each needs a second container, with as much memory as the first.
pub const TAPPED_SERVICES: usize = 16;

/// Connections to the relay of `--tap`: the exporter of a service keeps a few open in each of its processes.
pub const RELAY_CONNECTIONS: usize = 64;

/// Time that a request to the relay of `--tap` waits until its sender is known: the container sends before docker
/// reports its address.
pub const RELAY_PEER_TIME: Duration = Duration::from_secs(5);

/// Time that a connection without a complete request may stay open while others wait: enough for a request in transit
/// to arrive.
pub const IDLE_GRACE: Duration = Duration::from_millis(100);

/// Services that `listen` counts separately; the others are counted together. Each takes up to 450 KB of percentiles.
pub const SERVICES_COUNTED: usize = 64;

/// Bytes of a service's name that are kept for counting.
pub const SERVICE_NAME_BYTES: usize = 256;

/// Connections to the page of `listen --web`: a browser opens up to six, and keeps them.
pub const PAGE_CONNECTIONS: usize = 64;

/// Pages that receive an event for each change; each holds one connection.
pub const PAGE_STREAMS: usize = 16;

/// Page requests that wait for an answer; further ones stay unread until then.
pub const PAGE_QUESTIONS: usize = 4;

/// Bytes of one page request: its filters, one per line.
pub const PAGE_QUESTION_BYTES: usize = 16 << 10;

/// The minimum time between two events of a page's stream: each may make the page send its request again.
pub const PAGE_PACE: Duration = Duration::from_millis(250);

/// Traces in a page's list. Filters find the others.
pub const PAGE_TRACES: usize = 200;

/// Spans of one trace that a page shows.
pub const PAGE_SPANS: usize = 20_000;

/// Characters of a name in a row of a page.
pub const PAGE_NAME_CHARS: usize = 200;

/// Characters of one value in a page.
pub const PAGE_VALUE_CHARS: usize = 16_000;

/// Attributes and events of one span that a page shows, each.
pub const PAGE_ENTRIES: usize = 500;

/// Groups that a page draws a line for: as many as there are colours that everyone can tell apart.
pub const PAGE_LINES: usize = 8;
