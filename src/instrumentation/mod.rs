//! What in a service sends spans, and what that SDK will do with the variables it gets.
//!
//! Text in, value out: files are found and read by the caller.

/// The language that a service's program is written in, as far as its files tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// Python.
    Python,
    /// JavaScript or TypeScript on Node.js.
    Node,
    /// Java, Kotlin or another language of the Java virtual machine.
    Java,
    /// C# or another language of .NET.
    Dotnet,
    /// Ruby.
    Ruby,
    /// PHP.
    Php,
    /// Go.
    Go,
    /// Rust.
    Rust,
}
