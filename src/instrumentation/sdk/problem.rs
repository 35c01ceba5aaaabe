//! What an SDK does otherwise than the author of its variables meant.

/// One value that an SDK does not read as it was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SdkProblem {
    /// What is wrong.
    pub kind: SdkProblemKind,
    /// What it leads to.
    pub effect: ProblemEffect,
    /// The variable that holds the value.
    pub variable: &'static str,
    /// What is set and what happens, in one line. Repeats no value of a header.
    pub text: String,
}

/// What a problem leads to, from least to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProblemEffect {
    /// Spans leave, but not quite as the value says.
    Different,
    /// No span leaves the process.
    NothingSent,
    /// The SDK fails to start.
    NothingStarts,
}

/// What is wrong with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SdkProblemKind {
    /// The SDK is switched off.
    Disabled,
    /// The SDK has no such switch and runs.
    SwitchIgnored,
    /// No exporter is named, or `none`.
    NoExporter,
    /// The named exporter does not exist.
    ExporterUnknown,
    /// The package of the exporter is not installed.
    ExporterMissing,
    /// Spans are given to another exporter than OTLP.
    OtherExporter,
    /// The protocol is not one the SDK knows.
    ProtocolUnknown,
    /// No endpoint is set, so that spans go to a collector on the same machine.
    EndpointMissing,
    /// Requests cannot be sent to this endpoint.
    EndpointUnusable,
    /// The SDK sends elsewhere because it cannot read the endpoint.
    EndpointIgnored,
    /// The query or fragment of a general endpoint ends up with `/v1/traces` behind it.
    EndpointQuery,
    /// `/v1/traces` is appended to an endpoint that ends with it.
    EndpointPathTwice,
    /// The endpoint is used as it stands and has no path.
    EndpointPathMissing,
    /// A header is left out.
    HeaderDropped,
    /// A header is cut at `;`.
    HeaderCut,
    /// A header that no request can carry.
    HeaderUnsendable,
    /// A header without a value.
    HeaderEmpty,
    /// Blanks that only some SDKs accept.
    HeaderBlank,
    /// Quotes that are part of the value.
    Quoted,
    /// Braces that are part of the value of a header: `{$NAME}` instead of `${NAME}`.
    InBraces,
    /// A value that looks like the name of a variable rather than its value.
    NotReference,
    /// An attribute, or all of them, is left out.
    ResourceDropped,
    /// The SDK does not read the variables of the resource.
    ResourceIgnored,
    /// The service has no name.
    NameMissing,
    /// The sampler is not one the SDK knows.
    SamplerUnknown,
    /// The ratio is not a number between 0 and 1.
    SamplerRatio,
    /// No trace begins in this service.
    NothingSampled,
    /// Only a part of the traces is recorded.
    SampledInPart,
    /// The propagator does not exist.
    PropagatorUnknown,
    /// The package of the propagator is not installed.
    PropagatorMissing,
    /// `traceparent` is not read: each service has traces of its own.
    NoTraceContext,
    /// A limit that is not a number.
    LimitInvalid,
    /// A limit that leaves nothing.
    LimitZero,
    /// A batch that the SDK refuses.
    BatchInvalid,
    /// A time-out that is not a number, or too short for a request.
    Timeout,
    /// A compression the SDK does not know.
    CompressionUnknown,
    /// One of certificate and key is missing.
    ClientFiles,
}
