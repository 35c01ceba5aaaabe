//! Arguments for how services come to send spans.

use clap::ValueEnum;

use crate::plan::agents::{find_agent, list_agents};

/// The way one service, or every one, comes to send spans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstrumentChoice {
    /// The service, if the choice is for only one.
    pub service: Option<String>,
    /// The mode.
    pub mode: InstrumentMode,
}

/// The way a service without an SDK comes to send spans.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum InstrumentMode {
    /// Code for Flask, else an agent that is tested and has no objection.
    #[default]
    Auto,
    /// By code in Flask.
    Code,
    /// By OpenTelemetry's agent for its language.
    Agent,
    /// Not at all.
    None,
}

/// A signal that a service sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SentSignal {
    /// Spans.
    Traces,
    /// Numbers over time.
    Metrics,
    /// Log records.
    Logs,
}

impl InstrumentChoice {
    /// The long help of `--instrument`.
    pub(super) const HELP: &str = "\
How to instrument all services, or one (repeatable) [default: auto]

  auto   code for Flask, else OpenTelemetry's agent for the language if it is known to work there
  code   code for Flask
  agent  OpenTelemetry's agent for the language; `NAME=agent` adds it even where `init` advises against it
  none   add nothing";

    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (service, mode) = match text.rsplit_once('=') {
            Some((service, mode)) => (Some(service.to_owned()), mode),
            None => (None, text),
        };
        let unknown = |_| "expected auto, code, agent or none".to_owned();
        let mode = InstrumentMode::from_str(mode, false).map_err(unknown)?;
        Ok(Self { service, mode })
    }
}

/// Parses the name of an agent and the image to copy it from.
pub(super) fn agent_image(text: &str) -> Result<(String, String), String> {
    let names = || list_agents().map(|agent| agent.name.as_str()).collect::<Vec<_>>().join(", ");
    match text.split_once('=') {
        Some((name, image)) if find_agent(name).is_some() && is_image(image) => {
            Ok((name.to_owned(), image.to_owned()))
        }
        _ => Err(format!("expected LANG=IMAGE, where LANG is one of {}", names())),
    }
}

/// Returns whether a text can be an image's name, without a dollar sign, which docker compose would read as a
/// variable.
fn is_image(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "./:@_-".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(allowed)
}
