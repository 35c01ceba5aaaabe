//! A typed compose project: its files, its services, and each service's effective environment with the source of every
//! value.
//!
//! Follows docker compose: its search for files, overrides, `include`, `extends`, `.env`, `env_file` and interpolation.
//! Reads texts through [`Sources`] and must not know where they are stored.

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

pub use classify::{Classification, Role, classify, is_collector};
pub use dockerfile::{
    BuildAction, BuildStep, CopiedPath, CopyOrigin, Dockerfile, Dockerignore, ImageStage,
    ShellCommand, absolute, ignore_matches,
};
pub use dotenv::{DotenvError, Statement, Written, parse as parse_dotenv, parse_raw};
pub use effective::{Setting, Settings, Source, Value};
pub use find::{NAMES, Named, Start, find, is_project, no_compose_file};
pub use interpolate::{
    Interpolated, InterpolationError, Lookup, Outcome, TemplateReference, Use, find_references,
    has_pasted_dollar, interpolate, sole_reference,
};
pub use model::{Difference, Model};
pub use purpose::{
    BundlerPrefix, ImagePurpose, PortPurpose, bundler_prefix, image_purpose, port_purpose,
};
pub use reachability::{
    AddressTarget, Obstacle, find_endpoint_target, find_target, is_own_host, is_unknown_name,
    lacks_machine_name,
};
pub use read::clean;
pub use references::{Reference, ReferenceKind};
pub use service::{
    Build, Command, Declared, Entry, EnvFile, EnvFileState, EnvTemplate, ExtraHost, Form, Link,
    Mount, NetworkAlias, Published, Service, mounted_path,
};
pub use source::{File, FileId, Holds, SourceText, Sources, Span, Warning, Weight};
pub use startup::{BuildRecipe, CodeReason, Startup, unwrap_program};
pub use variables::{Origin, ScopeId, VariableUse, Variables};
