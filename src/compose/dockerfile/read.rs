//! Converts the instructions of a Dockerfile to stages and steps.

use std::ops::{Range, RangeInclusive};

use parse_dockerfile::{
    AddInstruction, Command, CopyInstruction, Flag, FromInstruction, HereDoc, Instruction,
    RunInstruction, Source, UnescapedString,
};

use super::documents::without_inner_documents;
use super::shell::{
    VariableValues, expand_word, split_assignment, split_commands, split_words, unwrap_command,
};
use super::{BuildAction, BuildStep, CopiedPath, CopyOrigin, Dockerfile, ImageStage, ShellCommand};

/// Maximum size of a Dockerfile in bytes; real ones are smaller.
const MAX_FILE_BYTES: usize = 128 * 1024;

/// Maximum number of stages; real Dockerfiles have fewer.
const MAX_STAGES: usize = 200;

/// Parses a Dockerfile; `None` if docker would reject it or it exceeds a limit.
pub(super) fn parse_dockerfile_text(
    text: &str,
    arguments: &[(String, String)],
) -> Option<Dockerfile> {
    let text = text.trim_start_matches('\u{feff}');
    if text.len() > MAX_FILE_BYTES {
        return None;
    }
    let inner = without_inner_documents(text);
    let text = inner.as_deref().unwrap_or(text);
    let parsed = parse_dockerfile::parse(text).ok()?;
    if parsed.stages().len() > MAX_STAGES {
        return None;
    }
    let escape = parsed.parser_directives.escape.as_ref();
    let mut reader = DockerfileReader {
        ends: text.match_indices('\n').map(|(at, _)| at).collect(),
        text,
        escape: escape.map_or('\\', |escape| escape.value.value),
        given: arguments.iter().cloned().collect(),
        global: VariableValues::new(),
        stages: Vec::new(),
        scopes: Vec::new(),
    };
    for instruction in &parsed.instructions {
        reader.instruction(instruction);
    }
    for (stage, scope) in reader.stages.iter_mut().zip(reader.scopes) {
        (stage.folder, stage.environment) = (scope.folder, scope.environment);
    }
    Some(Dockerfile { stages: reader.stages })
}

struct DockerfileReader<'t> {
    text: &'t str,
    /// The byte each line ends at.
    ends: Vec<usize>,
    escape: char,
    /// Arguments given by the build.
    given: VariableValues,
    /// Arguments declared before the first stage.
    global: VariableValues,
    stages: Vec<ImageStage>,
    /// The variables at the end of each stage, in the order of `stages`.
    scopes: Vec<StageVariables>,
}

/// The variables that the instructions of a stage can use.
#[derive(Clone, Default)]
struct StageVariables {
    /// `ENV` only, which later stages inherit.
    environment: VariableValues,
    /// `ARG` and `ENV`; `ENV` takes precedence.
    values: VariableValues,
    folder: String,
}

impl StageVariables {
    fn set(&mut self, name: &str, value: String) {
        self.environment.insert(name.to_owned(), value.clone());
        self.values.insert(name.to_owned(), value);
    }
}

impl DockerfileReader<'_> {
    fn instruction(&mut self, instruction: &Instruction<'_>) {
        match instruction {
            Instruction::From(from) => self.from(from),
            Instruction::Arg(arg) => self.arg(&arg.arguments.value),
            Instruction::Env(env) => self.env(&env.arguments.value),
            Instruction::Workdir(workdir) => {
                let Some(scope) = self.scopes.last_mut() else { return };
                let path = expand_word(workdir.arguments.value.trim_matches('"'), &scope.values);
                scope.folder = resolve_image_path(&scope.folder, &path);
            }
            Instruction::Copy(CopyInstruction { copy, options, src, dest, .. }) => {
                self.copy(copy.span.start, options, src, dest);
            }
            Instruction::Add(AddInstruction { add, options, src, dest, .. }) => {
                self.copy(add.span.start, options, src, dest);
            }
            Instruction::Run(run) => self.run(run),
            Instruction::Cmd(cmd) => {
                let action = BuildAction::Command(self.commands(&cmd.arguments));
                self.step(cmd.cmd.span.start, end_of(&cmd.arguments), action);
            }
            Instruction::Entrypoint(entrypoint) => {
                let action = BuildAction::Entrypoint(self.commands(&entrypoint.arguments));
                let start = entrypoint.entrypoint.span.start;
                self.step(start, end_of(&entrypoint.arguments), action);
            }
            _ => {}
        }
    }

    fn from(&mut self, from: &FromInstruction<'_>) {
        let image = expand_word(from.image.value.trim_matches('"'), &self.global);
        let below =
            Dockerfile::find(&self.stages, &image).filter(|_| image.parse::<usize>().is_err());
        let below_scope = below.map(|at| &self.scopes[at]);
        let scope = below_scope.map_or_else(
            || StageVariables { folder: "/".to_owned(), ..StageVariables::default() },
            |scope| StageVariables { values: scope.environment.clone(), ..scope.clone() },
        );
        let end = from.as_.as_ref().map_or(from.image.span.end, |(_, name)| name.span.end);
        self.scopes.push(scope);
        self.stages.push(ImageStage {
            name: from.as_.as_ref().map(|(_, name)| name.value.to_string()),
            from: image,
            below,
            lines: self.lines(from.from.span.start..end),
            steps: Vec::new(),
            folder: String::new(),
            environment: VariableValues::new(),
        });
    }

    fn arg(&mut self, text: &str) {
        let known = self.scopes.last().map_or(&self.global, |scope| &scope.values);
        for word in split_words(text, known) {
            let (name, default) = match split_assignment(&word) {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (word.as_str(), None),
            };
            let given = self.given.get(name).cloned();
            let value = given.or(default).or_else(|| self.global.get(name).cloned());
            let values = match self.scopes.last_mut() {
                Some(scope) if scope.environment.contains_key(name) => continue,
                Some(scope) => &mut scope.values,
                None => &mut self.global,
            };
            match value {
                Some(value) => values.insert(name.to_owned(), value),
                None => values.remove(name),
            };
        }
    }

    fn env(&mut self, text: &str) {
        let Some(scope) = self.scopes.last_mut() else { return };
        let words = split_words(text, &scope.values);
        // `ENV NAME the rest of the line`.
        if words.first().is_some_and(|first| split_assignment(first).is_none()) {
            if let Some((name, value)) = text.trim().split_once(char::is_whitespace) {
                let value = expand_word(value.trim(), &scope.values);
                scope.set(name, value);
            }
            return;
        }
        for (name, value) in words.iter().filter_map(|word| split_assignment(word)) {
            scope.set(name, value.to_owned());
        }
    }

    fn copy(
        &mut self,
        start: usize,
        options: &[Flag<'_>],
        sources: &[Source<'_>],
        dest: &UnescapedString<'_>,
    ) {
        let Some(scope) = self.scopes.last() else { return };
        let values = &scope.values;
        let from = options
            .iter()
            .find(|flag| flag.name.value == "from")
            .and_then(|flag| flag.value.as_ref());
        let origin =
            from.map_or(CopyOrigin::Context, |from| self.origin(&expand_word(&from.value, values)));
        let written = expand_word(&dest.value, values);
        let mut target = resolve_image_path(&scope.folder, &written);
        if (written.ends_with('/') || written.ends_with('.') || sources.len() > 1)
            && !target.ends_with('/')
        {
            target.push('/');
        }
        let copied = |source: &Source<'_>| match source {
            Source::HereDoc(text) => CopiedPath {
                origin: CopyOrigin::Text(text.value.to_string()),
                source: String::new(),
                target: target.clone(),
            },
            Source::Path(path) if path.value.contains("://") => CopiedPath {
                origin: CopyOrigin::Elsewhere,
                source: path.value.to_string(),
                target: target.clone(),
            },
            Source::Path(path) => CopiedPath {
                origin: origin.clone(),
                source: normalize_context_path(&expand_word(&path.value, values)),
                target: target.clone(),
            },
            _ => CopiedPath {
                origin: CopyOrigin::Elsewhere,
                source: String::new(),
                target: target.clone(),
            },
        };
        let copied = sources.iter().map(copied).collect();
        self.step(start, dest.span.end, BuildAction::Copy(copied));
    }

    fn origin(&self, from: &str) -> CopyOrigin {
        let stages = &self.stages[..self.stages.len().saturating_sub(1)];
        Dockerfile::find(stages, from).map_or(CopyOrigin::Elsewhere, CopyOrigin::Stage)
    }

    fn run(&mut self, run: &RunInstruction<'_>) {
        let Some(scope) = self.scopes.last() else { return };
        let values = &scope.values;
        let mounts = run
            .options
            .iter()
            .filter(|flag| flag.name.value == "mount")
            .filter_map(|flag| flag.value.as_ref())
            .filter_map(|mount| self.mount(&expand_word(&mount.value, values), scope))
            .collect();
        let mut commands = self.commands(&run.arguments);
        let texts = run.here_docs.iter().map(|text: &HereDoc<'_>| text.value.as_ref());
        commands.extend(texts.flat_map(|text| split_commands(text, values)));
        // A here-document ends with its delimiter line, which its span leaves out.
        let named = |text: &HereDoc<'_>| {
            let next = self.ends.partition_point(|end| *end < text.span.end);
            self.ends.get(next).copied().unwrap_or(self.text.len())
        };
        let end = run.here_docs.last().map_or_else(|| end_of(&run.arguments), named);
        self.step(run.run.span.start, end, BuildAction::Run { commands, mounts });
    }

    /// Returns the path that `--mount=type=bind` mounts.
    fn mount(&self, written: &str, scope: &StageVariables) -> Option<CopiedPath> {
        let part = |names: &[&str]| {
            let mut pairs = written.split(',').filter_map(|pair| pair.split_once('='));
            pairs.find(|(name, _)| names.contains(name)).map(|(_, value)| value.trim_matches('"'))
        };
        if part(&["type"]).is_some_and(|kind| kind != "bind") {
            return None;
        }
        let target = part(&["target", "dst", "destination"])?;
        Some(CopiedPath {
            origin: part(&["from"]).map_or(CopyOrigin::Context, |from| self.origin(from)),
            source: normalize_context_path(part(&["source", "src"]).unwrap_or_default()),
            target: resolve_image_path(&scope.folder, target),
        })
    }

    fn commands(&self, command: &Command<'_>) -> Vec<ShellCommand> {
        let values = self.scopes.last().map_or(&self.global, |scope| &scope.values);
        match command {
            Command::Exec(words) => {
                let words: Vec<String> =
                    words.value.iter().map(|word| word.value.to_string()).collect();
                unwrap_command(&words, None, values)
            }
            Command::Shell(text) => {
                split_commands(&join_continued_lines(text.value, self.escape), values)
            }
            _ => Vec::new(),
        }
    }

    fn step(&mut self, start: usize, end: usize, action: BuildAction) {
        let lines = self.lines(start..end);
        if let (Some(stage), Some(scope)) = (self.stages.last_mut(), self.scopes.last()) {
            stage.steps.push(BuildStep { lines, folder: scope.folder.clone(), action });
        }
    }

    fn lines(&self, range: Range<usize>) -> RangeInclusive<usize> {
        let line = |at: usize| self.ends.partition_point(|end| *end < at) + 1;
        let written = self.text.get(range.clone()).unwrap_or_default().trim_end().len();
        line(range.start)..=line(range.start + written)
    }
}

fn end_of(command: &Command<'_>) -> usize {
    match command {
        Command::Exec(words) => words.span.end,
        Command::Shell(text) => text.span.end,
        _ => 0,
    }
}

/// Joins the continued lines of a shell text and removes the comments between them.
fn join_continued_lines(text: &str, escape: char) -> String {
    let mut out = String::new();
    let mut continued = false;
    for line in text.lines() {
        if continued && (line.trim_start().starts_with('#') || line.trim().is_empty()) {
            continue;
        }
        let part = line.trim_end().strip_suffix(escape);
        continued = part.is_some();
        out.push_str(part.unwrap_or(line));
        out.push(if continued { ' ' } else { '\n' });
    }
    out
}

/// Resolves a path in the image relative to `folder`, removing `.` and `..`; a variable whose value is unknown counts
/// as a name.
pub fn resolve_image_path(folder: &str, path: &str) -> String {
    let whole = if path.starts_with('/') { path.to_owned() } else { format!("{folder}/{path}") };
    format!("/{}", without_dots(&whole))
}

/// Normalises a path in the build context, whose root is `/`.
fn normalize_context_path(path: &str) -> String {
    without_dots(path)
}

pub(super) fn without_dots(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}
