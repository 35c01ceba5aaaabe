//! Values that an SDK does not read as intended.

/// A value that an SDK does not read as intended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SdkProblem {
    /// The problem.
    pub kind: SdkProblemKind,
    /// The effect of the problem.
    pub effect: ProblemEffect,
    /// The variable that contains the value.
    pub variable: &'static str,
    /// The setting and what happens, in one line. Contains no header value.
    pub text: String,
}

/// The effect of a problem, from least to most severe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProblemEffect {
    /// Spans are sent, but not quite as set.
    Different,
    /// The process sends no spans.
    NothingSent,
    /// The SDK fails to start.
    NothingStarts,
}

/// The problem with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SdkProblemKind {
    /// The SDK is disabled.
    Disabled,
    /// The SDK does not support being disabled and runs.
    SwitchIgnored,
    /// The exporter is empty or `none`.
    NoExporter,
    /// The named exporter does not exist.
    ExporterUnknown,
    /// The package of the exporter is not installed.
    ExporterMissing,
    /// Spans go to an exporter other than OTLP.
    OtherExporter,
    /// The SDK does not support the protocol.
    ProtocolUnknown,
    /// No endpoint is set, so that spans go to a collector on the same machine.
    EndpointMissing,
    /// Requests cannot be sent to this endpoint.
    EndpointUnusable,
    /// The SDK sends elsewhere because it cannot parse the endpoint.
    EndpointIgnored,
    /// `/v1/traces` is appended after the query or fragment of a general endpoint.
    EndpointQuery,
    /// `/v1/traces` is appended to an endpoint that ends with it.
    EndpointPathTwice,
    /// The endpoint is used unchanged and has no path.
    EndpointPathMissing,
    /// A header is dropped.
    HeaderDropped,
    /// A header is truncated at `;`.
    HeaderCut,
    /// A header cannot be part of any request.
    HeaderUnsendable,
    /// A header has no value.
    HeaderEmpty,
    /// A header has blanks that only some SDKs accept.
    HeaderBlank,
    /// Quotes are part of the value.
    Quoted,
    /// Braces are part of the value of a header: `{$NAME}` instead of `${NAME}`.
    InBraces,
    /// The value looks like the name of a variable.
    NotReference,
    /// One or all resource attributes are dropped.
    ResourceDropped,
    /// The SDK does not read the resource variables.
    ResourceIgnored,
    /// The service has no name.
    NameMissing,
    /// The SDK does not support the sampler.
    SamplerUnknown,
    /// The ratio is not a number between 0 and 1.
    SamplerRatio,
    /// No trace starts in this service.
    NothingSampled,
    /// Only some traces are recorded.
    SampledInPart,
    /// The propagator does not exist.
    PropagatorUnknown,
    /// The package of the propagator is not installed.
    PropagatorMissing,
    /// `traceparent` is not read, so that each service has separate traces.
    NoTraceContext,
    /// A limit is not a number.
    LimitInvalid,
    /// A limit of 0 removes everything.
    LimitZero,
    /// The SDK rejects the batch settings.
    BatchInvalid,
    /// A timeout is not a number, or is too short for a request.
    Timeout,
    /// The SDK does not support the compression.
    CompressionUnknown,
    /// Either the certificate or the key is missing.
    ClientFiles,
    /// The program does not start, because an agent or module that it is started with cannot be loaded.
    AgentNotLoaded,
    /// Requests are handled in child processes that the agent does not reach.
    ChildrenNotReached,
}
