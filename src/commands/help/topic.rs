//! The topics of `help`: Markdown of `templates/help`, and lists made from the program's own tables.

use crate::error::ErrorCode;
use crate::otlp::FailureCode;
use crate::provider::{Provider, known_providers};

/// A topic of `help`.
#[derive(Debug)]
pub struct HelpTopic {
    /// Name, as typed after `help`.
    pub name: &'static str,
    /// Returns its Markdown; the first line is the heading.
    pub text: fn() -> String,
}

impl HelpTopic {
    /// Returns the heading.
    pub fn title(&self) -> String {
        let text = (self.text)();
        text.lines().next().unwrap_or_default().trim_start_matches("# ").to_owned()
    }
}

/// A part of a topic, as a terminal shows it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Block {
    /// A heading of any level.
    Heading(String),
    /// An item of a list, on one line.
    Item(String),
    /// A paragraph, on one line.
    Paragraph(String),
    /// A line of a code block.
    Verbatim(String),
    /// An empty line.
    Blank,
}

macro_rules! page {
    ($name:literal) => {
        HelpTopic {
            name: $name,
            text: || include_str!(concat!("../../../templates/help/", $name, ".md")).to_owned(),
        }
    };
}

const TOPICS: &[HelpTopic] = &[
    page!("addons"),
    page!("environment"),
    HelpTopic { name: "errors", text: error_lines },
    page!("exit-codes"),
    HelpTopic { name: "providers", text: provider_lines },
    page!("scripting"),
    page!("stores"),
    page!("tracing"),
    page!("verdicts"),
    page!("workspaces"),
];

/// Returns every topic, by name.
pub fn list_topics() -> &'static [HelpTopic] {
    TOPICS
}

pub(super) fn find_topic(name: &str) -> Option<&'static HelpTopic> {
    TOPICS.iter().find(|topic| topic.name == name)
}

fn error_lines() -> String {
    let mut text = "# Error codes\n\nOn standard error as `error[CODE]`, and as `error.code` with `--json`. A code \
                    keeps its meaning in every version.\n\n"
        .to_owned();
    for code in ErrorCode::ALL {
        text += &format!("- `{code}`: {}\n", code.meaning());
    }
    text += "\n## Codes of verify\n\nWhy a service did not reach the required step, as `code` with `--json`.\n\n";
    for code in FailureCode::ALL {
        text += &format!("- `{code}`: {}\n", code.meaning());
    }
    text += "\n## Codes of doctor\n\n`cruddur-ops doctor --list` lists them, `--explain CODE` explains one.\n";
    text
}

fn provider_lines() -> String {
    let mut text = "# Providers\n\n`--provider` of `init` takes one of these names. A later `init` keeps the \
                    provider that the services use. The addresses of all but Honeycomb come from the providers' \
                    documentation and are untested; `verify` tests them, and `--endpoint` overrides them.\n\n"
        .to_owned();
    let direct = known_providers().iter().filter(|provider| provider.refused.is_none());
    text += &direct.map(describe_provider).collect::<String>();
    text += "- `otlp`: any OTLP endpoint. `--endpoint URL`, and `--header NAME=VARIABLE` for each header.\n\
             - `local`: `cruddur-ops listen --containers` on this machine. No key.\n\
             - `collector`: an OpenTelemetry Collector next to the services, which alone holds the key; it sends to \
             `--to PROVIDER` (Honeycomb by default).\n\n\
             ## Collector\n\n\
             `--provider collector` adds an OpenTelemetry Collector to the compose file and its configuration in \
             `otel-collector.yaml`. The other services send to it without a key, and it buffers telemetry while the \
             provider does not answer. A browser frontend can be traced through it: `--service FRONTEND` publishes \
             the collector's port on this machine and allows requests from the frontend's pages. An existing \
             collector is used, and neither it nor its configuration is overwritten. `verify` sends what the \
             collector would send; `verify --app` proves the step from a service to the collector.\n";
    text
}

fn describe_provider(provider: &Provider) -> String {
    let mut parts = Vec::new();
    for variable in provider.variables() {
        parts.push(format!("Key: `{variable}`."));
    }
    let regions: Vec<&str> = provider
        .regions
        .iter()
        .map(|region| region.name.as_str())
        .filter(|name| !name.is_empty())
        .collect();
    if !regions.is_empty() {
        parts.push(format!("`--region`: {}.", regions.join(", ")));
    }
    for setting in &provider.settings {
        let need = if setting.optional { "if needed" } else { "required" };
        parts.push(format!("`--set {}=...` ({need}): {}.", setting.name, setting.meaning));
    }
    if provider.regions.is_empty() {
        parts.push("`--endpoint URL`.".to_owned());
    }
    format!("- `{}`: {}. {}\n", provider.name, provider.title, parts.join(" "))
}

/// Splits Markdown into blocks; lines of one paragraph or item are joined.
pub(super) fn split_blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut verbatim = false;
    for line in text.lines() {
        if line.starts_with("```") {
            verbatim = !verbatim;
            continue;
        }
        let block = if verbatim {
            Block::Verbatim(line.to_owned())
        } else if line.is_empty() {
            Block::Blank
        } else if line.starts_with('#') {
            Block::Heading(line.trim_start_matches('#').trim().to_owned())
        } else if let Some(item) = line.strip_prefix("- ") {
            Block::Item(item.to_owned())
        } else {
            match blocks.last_mut() {
                Some(Block::Item(open) | Block::Paragraph(open)) => {
                    open.push(' ');
                    open.push_str(line.trim());
                    continue;
                }
                _ => Block::Paragraph(line.to_owned()),
            }
        };
        blocks.push(block);
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_paragraph_or_an_item_are_joined() {
        let text = "# Title\n\nOne\ntwo.\n\n- a\n  b\n- c\n\n```\n# kept\n```\n";
        let expected = [
            Block::Heading("Title".to_owned()),
            Block::Blank,
            Block::Paragraph("One two.".to_owned()),
            Block::Blank,
            Block::Item("a b".to_owned()),
            Block::Item("c".to_owned()),
            Block::Blank,
            Block::Verbatim("# kept".to_owned()),
        ];
        assert_eq!(split_blocks(text), expected);
    }

    #[test]
    fn every_topic_has_a_heading_and_no_command_has_its_name() {
        use clap::CommandFactory;
        let command = crate::cli::Cli::command();
        assert!(TOPICS.is_sorted_by_key(|topic| topic.name));
        for topic in TOPICS {
            assert!((topic.text)().starts_with("# "), "{}", topic.name);
            assert!(command.find_subcommand(topic.name).is_none(), "{}", topic.name);
        }
    }

    #[test]
    fn every_code_and_provider_is_listed() {
        let errors = error_lines();
        for code in ErrorCode::ALL {
            assert!(errors.contains(&format!("- `{code}`: ")), "{code}");
        }
        let providers = provider_lines();
        for provider in known_providers().iter().filter(|provider| provider.refused.is_none()) {
            assert!(providers.contains(&format!("- `{}`: ", provider.name)), "{}", provider.name);
        }
    }
}
