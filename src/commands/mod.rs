//! One file per command: ask, plan, show, apply, report. Only here do pure rooms and I/O meet.

mod browser;
mod completions;
mod doctor;
mod flow;
mod help;
mod init;
mod instrument;
mod key;
mod listen;
mod open;
mod page;
mod ports;
mod query;
mod remove;
mod run;
mod sample;
mod status;
mod target;
mod r#try;
mod verify;

mod undo;

pub use completions::answer_completion;
pub use help::{HelpTopic, list_topics};

use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::cli::{Cli, CliCommand};
use crate::error::Result;
use crate::session::context::ProjectContext;
use crate::session::copies;
use crate::shell::Shell;
use crate::ui::{Ui, Verbosity};

/// The outcome of a run, which determines the exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunOutcome {
    /// Done, nothing to do, the required rung reached, no findings: 0.
    Yes,
    /// Rung not reached, findings, changes pending under `--check`: 1.
    No,
}

/// Runs one command.
///
/// # Errors
/// Whatever kept the command from an answer; exit status 2, or 130 after an interrupt.
pub fn run(cli: &Cli, shell: &Shell, ui: &mut Ui) -> Result<RunOutcome> {
    let start = shell.folder().join(cli.global.directory.as_deref().unwrap_or(Path::new("")));
    let shell = &with_compose_files(shell.clone().distrust(&start), &start, &cli.global.files);
    copies::sweep(shell, ui);
    let begun = Instant::now();
    let outcome = run_command(cli, shell, ui);
    if ui.verbosity() == Verbosity::Verbose {
        if let Ok(context) = ProjectContext::find(shell, cli.global.directory.as_deref()) {
            let files = context
                .project
                .compose_files()
                .iter()
                .map(|file| context.project.shown(file).display().to_string());
            ui.detail(format!("compose files: {}", files.collect::<Vec<_>>().join(", ")));
        }
        ui.detail(format!("took {} ms", begun.elapsed().as_millis()));
    }
    outcome
}

fn run_command(cli: &Cli, shell: &Shell, ui: &mut Ui) -> Result<RunOutcome> {
    let redactor = ui.redactor().clone();
    let context = || -> Result<_> {
        let context = ProjectContext::find(shell, cli.global.directory.as_deref())?;
        // Any line of the project that is shown may contain them.
        context.stores(&redactor).teach_env_file();
        Ok(context)
    };
    match &cli.command {
        CliCommand::Doctor(args) => doctor::run(args, &cli.global, shell, ui),
        // The process ends with the command, so dropping a large project would only delay it.
        CliCommand::Init(args) => init::run(args, &ManuallyDrop::new(context()?), ui),
        CliCommand::Instrument(args) => instrument::run(args, &context()?, ui),
        CliCommand::Key(args) => key::run(args, &cli.global, shell, ui),
        CliCommand::Ports(args) => ports::run(args, &context()?, ui),
        CliCommand::Listen(args) => listen::run(args, &cli.global, shell, ui),
        CliCommand::Query(args) => query::run(args, &cli.global, shell, ui),
        CliCommand::Run(args) => run::run(args, &cli.global.files, &context()?, ui),
        CliCommand::Status(_) => status::run(&context()?, ui),
        CliCommand::Open(args) => open::run(args, &cli.global, shell, ui),
        CliCommand::Try(args) => r#try::run(args, shell, ui),
        CliCommand::Verify(args) => verify::run(args, &cli.global, shell, ui),
        CliCommand::Completions(args) => completions::run(args, ui),
        CliCommand::Help(args) => help::run(args, ui),
        CliCommand::Remove(args) => remove::run(args, &context()?, ui),
        CliCommand::Undo(args) => undo::run(args, &context()?, ui),
    }
}

/// Returns the shell with `COMPOSE_FILE` set to the files of `-f`, relative to `start`.
fn with_compose_files(shell: Shell, start: &Path, files: &[PathBuf]) -> Shell {
    if files.is_empty() {
        return shell;
    }
    let separator = Shell::path_separator();
    let files = files.iter().map(|file| start.join(file).display().to_string());
    let list = files.collect::<Vec<_>>().join(separator);
    shell.with("COMPOSE_FILE", list).with("COMPOSE_PATH_SEPARATOR", separator.to_owned())
}
