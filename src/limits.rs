//! Every ceiling of the program: how much of what others wrote is taken before it is an error.
//!
//! A ceiling lies far above what people write and below what would take a machine's memory or minutes of its time.
//! Each is one constant with its unit and its reason; whatever goes beyond is an error with a place where there is one.

use std::time::Duration;

/// Bytes of one file of a project. Nobody writes a longer one by hand, and a text is held whole.
pub const FILE_BYTES: usize = 16 << 20;

/// Bytes of one value once its variables are replaced. A process takes no longer argument or variable on most systems
/// (Linux: 128 KiB), and ten lines of `A1=${A0}${A0}` multiply to any size.
pub const VALUE_BYTES: usize = 1 << 20;

/// Bytes of all values of a project's `.env` files, of its templates, and of its services' environments, each.
pub const VALUES_BYTES: usize = 16 << 20;

/// Templates inside the default of a template (`${A:-${B:-…}}`). Each costs a frame of the stack.
pub const TEMPLATE_DEPTH: usize = 64;

/// Links in a chain of `include` or `extends`. Each costs frames of the stack.
pub const CHAIN_LINKS: usize = 100;

/// Files that `include` brings in, each as often as it is named: three levels of ten includes each make a thousand.
pub const INCLUDES: usize = 1_000;

/// Bytes of what all services say once aliases, `extends` and overrides are followed, about: five thousand services that
/// share one mapping of five thousand variables are a short file and millions of settings.
pub const MODEL_BYTES: usize = 64 << 20;

/// Ports of a published range up to which each is a port of its own; a longer range stays a range in lists and plans.
pub const PORTS_APART: u16 = 16;

/// Mappings that merge keys bring into one mapping of variables, as doctor reads it. Each in a chain costs a frame of the
/// stack.
pub const MERGES: usize = 64;

/// Bytes of one Python file that is read as code. Data in the shape of code is longer, an application is not.
pub const PYTHON_BYTES: usize = 1 << 20;

/// Levels of a Python file's syntax tree. What stands above a node is looked at for each node; CPython refuses brackets
/// nested 200 deep and, at some depth that depends on the machine, everything else.
pub const PYTHON_DEPTH: usize = 400;

/// Brackets inside brackets in Python, as in CPython.
pub const PYTHON_BRACKETS: usize = 200;

/// Blocks inside blocks in Python, as in CPython.
pub const PYTHON_BLOCKS: usize = 99;

/// Bytes of one OTLP request, packed and unpacked, as the collector takes at most by default.
pub const BODY_BYTES: usize = 20 << 20;

/// Bytes that one OTLP request may take in memory once decoded, and that all on their way may take together, where
/// nothing else is said. An empty span is two bytes on the wire and hundreds in memory.
pub const DECODED_BYTES: usize = 64 << 20;

/// Bytes that requests on their way may take at least, however little `listen --keep` keeps: an SDK's full batch of 512
/// spans takes about 2 MiB while it is decoded.
pub const PENDING_BYTES: usize = 16 << 20;

/// Connections to one port of `listen`. Each costs up to 64 KiB of buffers; SDKs keep one open per process.
pub const CONNECTIONS: usize = 256;

/// Bytes that one HTTP/1 connection may buffer, its headers among them.
pub const CONNECTION_BUFFER_BYTES: usize = 64 << 10;

/// Bytes of a request's body that one HTTP/2 stream, and one connection, may have on their way.
pub const STREAM_WINDOW_BYTES: u32 = 64 << 10;

/// From a connection's start, or the last answer on it, to the end of the next request's headers.
pub const HEADER_TIME: Duration = Duration::from_secs(15);

/// From the end of a request's headers to the end of its body.
pub const BODY_TIME: Duration = Duration::from_secs(10);

/// Services that `verify --tap` taps at once: each is a second container, which takes as much memory as the first.
pub const TAPPED_SERVICES: usize = 16;

/// Connections to the relay of `--tap`: the exporter of one service keeps one or a few open in each of its processes.
pub const RELAY_CONNECTIONS: usize = 64;

/// How long a request to the relay of `--tap` waits until its sender is known: the container sends before docker says what its
/// address is.
pub const RELAY_PEER_TIME: Duration = Duration::from_secs(5);

/// How long a connection keeps its place without a whole request while others wait for one: enough for a request that
/// is on its way to arrive.
pub const IDLE_GRACE: Duration = Duration::from_millis(100);

/// Services that `listen` counts apart; the rest are counted together. Each takes up to 450 KB of percentiles.
pub const SERVICES_COUNTED: usize = 64;

/// Bytes of a service's name that are kept for counting.
pub const SERVICE_NAME_BYTES: usize = 256;
