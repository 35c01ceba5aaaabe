//! Every ceiling of the program: how much of what others wrote is taken before it is an error.
//!
//! A ceiling lies far above what people write and below what would take a machine's memory or minutes of its time.
//! Each is one constant with its unit and its reason; whatever goes beyond is an error with a place where there is one.

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
