//! What in a service sends spans, and what that SDK will do with the variables it gets.
//!
//! Text in, value out: files are found and read by the caller.

mod provider_match;
mod sdk;

pub use provider_match::{ProviderMismatch, compare_with_provider};
pub use sdk::{
    ClientFiles, Compression, ENDPOINT_VARIABLES, EndpointSource, HEADERS_VARIABLES, Header,
    OtlpExporter, ProblemEffect, Protocol, SdkInput, SdkProblem, SdkProblemKind, SdkSettings,
    SdkSetup, SpanExporter, TraceSampler, UNNAMED_SERVICE, image_defaults, known_variables,
    launch_variables, unresolved_name,
};

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
