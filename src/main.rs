//! The process boundary: arguments, variables, terminal, exit status.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser};
use cruddur_ops::cli::{Cli, ColourChoice, GlobalOptions};
use cruddur_ops::commands::{self, RunOutcome};
use cruddur_ops::error::{Error, ErrorCode};
use cruddur_ops::secret::{self, Redactor, Secret};
use cruddur_ops::shell::Shell;
use cruddur_ops::ui::{
    Interactivity, OutputFormat, ProgressLine, StreamLook, Ui, Verbosity, fault, interrupt,
    stdout_write_result, terminal,
};
use cruddur_ops::workspace::waiting;

/// Planning for many services allocates many small objects, which musl's allocator handles slowly and glibc's too at
/// ten thousand services.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let folder = std::env::current_dir().unwrap_or_default();
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let shell = Shell::new(variables, folder);
    let arguments: Vec<_> = std::env::args_os().collect();
    if let Some(answer) = commands::answer_completion(&shell, &arguments) {
        let printed = std::io::stdout().write_all(&answer);
        return if printed.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let parsed = match Cli::try_parse() {
        Err(answer) if !answer.use_stderr() => return print_answer(&answer),
        parsed => parsed,
    };
    let redactor = Redactor::default();
    shell.teach(&redactor);
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return report_usage_error(&error, &shell, redactor),
    };

    let found = terminal::SavedTerminal::now();
    let restore = found.clone();
    fault::watch(move |error| abort_process(&restore, error));
    interrupt::watch(move || abort_process(&found, &Error::interrupted()));

    let progress = ProgressLine::default();
    if !cli.global.quiet {
        let progress = progress.clone();
        waiting::report_slow_to(move |program| {
            plain_ui(Redactor::default(), Interactivity::Batch)
                .with_progress(&progress)
                .say(format!("asking {program} ..."))
        });
    }

    let mut ui = build_ui(&cli.global, &shell, redactor).with_progress(&progress);
    let ended = commands::run(&cli, &shell, &mut ui);
    match ended.and_then(|outcome| ui.written().map(|()| outcome)) {
        Ok(RunOutcome::Yes) => ExitCode::SUCCESS,
        Ok(RunOutcome::No) => ExitCode::from(1),
        Err(error) => {
            ui.end_with_error(&error);
            ExitCode::from(exit_status(&error))
        }
    }
}

/// Returns the exit status for an error.
fn exit_status(error: &Error) -> u8 {
    match error.code {
        ErrorCode::Interrupted => 130,
        // As in a shell.
        ErrorCode::CommandNotExecutable => 126,
        ErrorCode::CommandNotStarted => 127,
        // The provider's no, as in the verdicts of `verify` and `key whoami`.
        ErrorCode::KeyRejected => 1,
        _ => 2,
    }
}

/// Ends the process at any point, with the terminal restored.
fn abort_process(found: &terminal::SavedTerminal, error: &Error) {
    // A separate user interface, because another thread may hold a lock on the usual one.
    found.leave(exit_status(error), || {
        plain_ui(Redactor::default(), Interactivity::Batch).error(error)
    });
}

/// Prints help or the version.
fn print_answer(answer: &clap::Error) -> ExitCode {
    let printed = answer.print().and_then(|()| std::io::stdout().flush());
    let Err(error) = printed.or_else(|error| stdout_write_result(&error)) else {
        return ExitCode::SUCCESS;
    };
    plain_ui(Redactor::default(), Interactivity::Batch).error(&error);
    ExitCode::from(exit_status(&error))
}

/// Prints a usage error, also as the document under `--json`. Never repeats a key that was typed as an argument.
fn report_usage_error(usage: &clap::Error, shell: &Shell, redactor: Redactor) -> ExitCode {
    let arguments: Vec<String> =
        std::env::args_os().skip(1).filter_map(|argument| argument.into_string().ok()).collect();
    let words = arguments.iter().flat_map(|argument| argument.split('='));
    for word in words.filter(|word| secret::looks_like_key(word)) {
        redactor.learn("argument", &Secret::new(word));
    }
    let format = if arguments.iter().any(|argument| argument == "--json") {
        OutputFormat::Json
    } else {
        OutputFormat::Text
    };
    // Without arguments that can be relied on, no colour.
    let talk = stream_look(ColourChoice::Never, shell, &std::io::stderr());
    let mut ui = plain_ui(redactor, Interactivity::Batch)
        .with_look(StreamLook::plain(), talk)
        .with_voice(Verbosity::Normal, format);
    if is_a_secret_typed_openly(usage, &arguments) {
        ui.end_with_error(
            &Error::new(ErrorCode::Usage, "a key cannot be given as an argument or with a flag")
                .cause("every program on this machine could read it in the process list")
                .hint("if you typed a key, it is in your shell's history now: create a new one and delete that one")
                .hint("`cruddur-ops key set` asks for it with a hidden prompt; `--stdin` (`--key-stdin` of `init`) reads it from a pipe"),
        );
        return ExitCode::from(2);
    }
    let text = usage.to_string();
    if usage.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        ui.usage(text.trim_end());
        ui.document_error(&Error::new(ErrorCode::Usage, "a command is missing"));
    } else {
        ui.end_with_error(&describe_usage(&text, &arguments));
    }
    ExitCode::from(2)
}

/// Returns what clap says of wrong arguments as an error of this program.
fn describe_usage(text: &str, arguments: &[String]) -> Error {
    let plain = |line: &str| line.trim().replace('\'', "`");
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let first = plain(lines.next().unwrap_or_default().trim_start_matches("error: "));
    let mut error = Error::new(ErrorCode::Usage, first.trim_end_matches(':'));
    let mut causes = Vec::new();
    for line in lines.map(str::trim) {
        if let Some(tip) = line.strip_prefix("tip: ") {
            error = error.hint(plain(&keep_best_match(tip)));
        } else if !line.starts_with("Usage: ") && !line.starts_with("For more information") {
            causes.push(plain(line.trim_start_matches('[').trim_end_matches(']')));
        }
    }
    if !causes.is_empty() {
        error = error.cause(causes.join(", "));
    }
    let program = Cli::command();
    let (mut command, mut words) = (&program, env!("CARGO_PKG_NAME").to_owned());
    for argument in arguments {
        if let Some(below) = command.find_subcommand(argument) {
            command = below;
            words = format!("{words} {}", below.get_name());
        }
    }
    error.hint(format!("`{words} --help` lists the arguments"))
}

/// Returns a tip of clap with only the best of several names, which is the last one.
fn keep_best_match(tip: &str) -> String {
    let several = tip.strip_prefix("some similar ").and_then(|rest| rest.split_once("s exist: "));
    match several {
        Some((kind, names)) => {
            let best = names.rsplit(", ").next().unwrap_or(names);
            format!("a similar {kind} exists: {best}")
        }
        None => tip.to_owned(),
    }
}

/// Returns whether the arguments contain a secret: after a flag that would take one, where a key is read from stdin, or
/// after a command that needs one.
fn is_a_secret_typed_openly(error: &clap::Error, arguments: &[String]) -> bool {
    const FLAGS: [&str; 3] = ["--key", "--token", "--api-key"];
    const READ_FROM_STDIN: [&str; 2] = ["--stdin", "--key-stdin"];
    let Some(ContextValue::String(refused)) = error.get(ContextKind::InvalidArg) else {
        return false;
    };
    let words: Vec<&str> =
        arguments.iter().map(String::as_str).filter(|word| !word.starts_with('-')).collect();
    let needs_key = words.windows(2).any(|pair| matches!(pair, ["key", "set" | "whoami"]))
        || arguments.iter().any(|word| READ_FROM_STDIN.contains(&word.as_str()));
    let is_flag = FLAGS.contains(&refused.split('=').next().unwrap_or_default());
    match error.kind() {
        ErrorKind::UnknownArgument => is_flag || needs_key && !refused.starts_with('-'),
        ErrorKind::TooManyValues => READ_FROM_STDIN.contains(&refused.as_str()),
        _ => false,
    }
}

fn plain_ui(redactor: Redactor, interactivity: Interactivity) -> Ui {
    let (out, err) = (std::io::stdout(), std::io::stderr());
    Ui::new(Box::new(out), Box::new(err), redactor, interactivity)
}

fn build_ui(global: &GlobalOptions, shell: &Shell, redactor: Redactor) -> Ui {
    let interactivity = if std::io::stdin().is_terminal() && std::io::stderr().is_terminal() {
        Interactivity::Interactive
    } else {
        Interactivity::Batch
    };
    let verbosity = match (global.quiet, global.verbose) {
        (true, _) => Verbosity::Quiet,
        (_, true) => Verbosity::Verbose,
        _ => Verbosity::Normal,
    };
    plain_ui(redactor, interactivity)
        .with_look(
            stream_look(global.color, shell, &std::io::stdout()),
            stream_look(global.color, shell, &std::io::stderr()),
        )
        .with_voice(verbosity, if global.json { OutputFormat::Json } else { OutputFormat::Text })
}

/// Returns a stream's look: <https://no-color.org>, <https://bixense.com/clicolors>, the locale.
fn stream_look(choice: ColourChoice, shell: &Shell, stream: &impl IsTerminal) -> StreamLook {
    let terminal = stream.is_terminal();
    let locale =
        ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| shell.var(name)).unwrap_or_default();
    let dumb = shell.var("TERM") == Some("dumb");
    let forced = shell.var("CLICOLOR_FORCE").is_some_and(|value| value != "0");
    let colour = match choice {
        ColourChoice::Always => true,
        ColourChoice::Never => false,
        ColourChoice::Auto => forced || (terminal && !dumb && shell.var("NO_COLOR").is_none()),
    };
    StreamLook {
        colour,
        unicode: locale.to_ascii_uppercase().replace('-', "").contains("UTF8"),
        links: terminal && colour && !dumb,
        width: terminal::width().unwrap_or(80),
        wraps: terminal,
    }
}
