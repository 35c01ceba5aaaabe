//! `help`: the help of a command, or a topic.

mod topic;

use clap::CommandFactory;
use clap::error::ErrorKind;
use serde_json::json;

use super::RunOutcome;
use crate::cli::{Cli, HelpArgs};
use crate::error::{Error, ErrorCode, Result, find_similar_name};
use crate::ui::{TextRole, Ui};

pub use topic::{HelpTopic, list_topics};

use topic::find_topic;

/// Runs `help`.
///
/// # Errors
/// `usage` if there is neither a command nor a topic of that name.
pub(super) fn run(args: &HelpArgs, ui: &mut Ui) -> Result<RunOutcome> {
    if let [word] = &args.words[..]
        && let Some(topic) = find_topic(word)
    {
        return show_topic(topic, ui);
    }
    let words = args.words.iter().map(String::as_str);
    let line = [env!("CARGO_PKG_NAME")].into_iter().chain(words).chain(["--help"]);
    let help = Cli::command()
        .try_get_matches_from(line)
        .err()
        .filter(|error| error.kind() == ErrorKind::DisplayHelp)
        .ok_or_else(|| unknown_topic_error(&args.words.join(" ")))?
        .render();
    let text = if ui.result_look.colour { help.ansi().to_string() } else { help.to_string() };
    ui.formatted_result(text.trim_end());
    if args.words.is_empty() {
        ui.result("");
        ui.result(TextRole::Strong.paint("Topics:"));
        for topic in list_topics() {
            ui.result(format!("  {:<12} {}", topic.name, topic.title()));
        }
    }
    ui.document(&json!({"schema_version": 1, "text": text.trim_end()}))?;
    Ok(RunOutcome::Yes)
}

fn show_topic(topic: &HelpTopic, ui: &mut Ui) -> Result<RunOutcome> {
    let text = (topic.text)();
    for block in topic::split_blocks(&text) {
        match block {
            topic::Block::Heading(text) => ui.result(TextRole::Strong.paint(text)),
            topic::Block::Item(text) => ui.result_after("- ", &text, 2),
            topic::Block::Paragraph(text) => ui.result_text(&text),
            topic::Block::Verbatim(line) => ui.result(format!("  {line}")),
            topic::Block::Blank => ui.result(""),
        }
    }
    ui.document(&json!({"schema_version": 1, "topic": topic.name, "text": text}))?;
    Ok(RunOutcome::Yes)
}

fn unknown_topic_error(word: &str) -> Error {
    let topics: Vec<&str> = list_topics().iter().map(|topic| topic.name).collect();
    let program = Cli::command();
    let commands = program.get_subcommands().map(clap::Command::get_name);
    let nearest = find_similar_name(commands.chain(topics.iter().copied()), word);
    let mut error = Error::new(ErrorCode::Usage, format!("there is no command or topic `{word}`"));
    if let Some(name) = nearest {
        error = error.hint(format!("`cruddur-ops help {name}` has the most similar name"));
    }
    error
        .hint(format!("topics: {}", topics.join(", ")))
        .hint("`cruddur-ops help` lists the commands")
}
