//! A typed compose project: its files, its services, and each service's effective environment with the source of every
//! value.
//!
//! Follows docker compose: its search for files, overrides, `include`, `extends`, `.env`, `env_file` and interpolation.
//! Reads texts through [`ProjectSources`] and must not know where they are stored.

mod aliases;
mod classify;
mod conversions;
mod dockerfile;
mod dotenv;
mod effective;
mod find;
mod interpolate;
mod load;
mod merge;
mod model;
mod ports;
mod purpose;
mod reachability;
mod read;
mod references;
mod scalar;
mod scan;
mod schema;
mod service;
mod source;
mod startup;
mod variables;
mod view;

#[cfg(test)]
pub(crate) mod texts;

pub use classify::{
    Classification, ENDPOINT_VARIABLES, ServiceRole, classify_service, is_collector,
};
pub use dockerfile::{
    BuildAction, BuildStep, CopiedPath, CopyOrigin, Dockerfile, Dockerignore, ImageStage,
    ShellCommand, matches_ignore_pattern, resolve_image_path,
};
pub use dotenv::{DotenvError, DotenvStatement, DotenvValue, parse_dotenv, parse_raw};
pub use effective::{EnvironmentVariable, ServiceEnvironment, VariableSource, VariableValue};
pub use find::{
    ComposeFileSource, ComposeLocation, NAMES, find_compose_project, is_project, no_compose_file,
};
pub use interpolate::{
    InterpolatedText, InterpolationError, ReferenceOutcome, ReferenceUse, TemplateReference,
    VariableLookup, find_references, has_pasted_dollar, interpolate_template, sole_reference,
};
pub use model::{ComposeModel, RunDifference};
pub use purpose::{
    BundlerPrefix, ImagePurpose, PortPurpose, bundler_prefix, image_purpose, port_purpose,
};
pub use reachability::{
    AddressObstacle, AddressTarget, find_endpoint_target, find_target, is_own_host,
    is_unknown_name, lacks_machine_name,
};
pub use read::clean_path;
pub use references::{ReferenceKind, ServiceReference};
pub use service::{
    DeclaredValue, DeclaredVariable, EnvFile, EnvFileState, EnvTemplate, ExtraHost, HostMount,
    NetworkAlias, PublishedPorts, ServiceBuild, ServiceCommand, ServiceLink, ServiceModel,
    VariableForm, mounted_path,
};
pub use source::{
    ComposeWarning, FileId, FileSpan, FileSyntax, ProjectSources, ProjectTextFile, SourceText,
    WarningWeight,
};
pub use startup::{BuildRecipe, CodeReason, Startup, unwrap_program};
pub use variables::{ProjectVariables, ScopeId, VariableOrigin, VariableUse};
