//! Determines what sends spans in a service, and how that SDK reads its variables.
//!
//! No I/O: the caller finds and reads the files.

mod agent;
mod language;
mod launch_faults;
mod manifest;
mod node_code;
mod packages;
mod provider_match;
mod python_code;
mod sdk;
mod service;

#[cfg(test)]
mod tests;

pub use agent::{SpanAgent, agent_packages};
pub use packages::list_node_packages;
pub use provider_match::{ProviderMismatch, compare_with_provider};
pub use python_code::{
    CodeEndpoint, CodeExporter, CodeFinding, CodeFindingKind, CodeText, CodeTracing,
    ConsoleExporter,
};
pub use sdk::{
    ClientFiles, ENDPOINT_VARIABLES, EndpointSource, ExportHeader, HEADERS_VARIABLES,
    OtlpCompression, OtlpExporter, OtlpProtocol, PROTOCOL_VARIABLES, ProblemEffect, SdkInput,
    SdkProblem, SdkProblemKind, SdkSettings, SdkSetup, SpanExporter, TraceSampler, UNNAMED_SERVICE,
    image_defaults, is_in_braces, known_variables, launch_variables, read_headers, unresolved_name,
};
pub use service::{Instrumentation, ServiceEvidence, SpanSource};

/// The language of a service's program.
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
    /// Elixir.
    Elixir,
}

impl Language {
    /// Returns its name in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Node => "node",
            Self::Java => "java",
            Self::Dotnet => "dotnet",
            Self::Ruby => "ruby",
            Self::Php => "php",
            Self::Go => "go",
            Self::Rust => "rust",
            Self::Elixir => "elixir",
        }
    }
}
