//! Finds reasons why an agent would not trace a service or could harm it, from the project's files.

use std::path::PathBuf;

use super::template::{AgentRefusal, AgentTemplate, CLibrary};
use crate::compose::{
    BuildAction, BuildRecipe, ProjectSources, ServiceEnvironment, ShellCommand, Startup,
    unwrap_program,
};
use crate::edit::requirements::{RequirementEntry, Requirements};
use crate::instrumentation::Instrumentation;

/// The facts about a service that decide whether an agent fits.
pub(crate) struct AgentEvidence<'a> {
    /// The commands its container starts.
    pub startup: &'a Startup,
    /// The instrumentation that sends its spans.
    pub instrumentation: &'a Instrumentation,
    /// Its variables.
    pub settings: &'a ServiceEnvironment,
    /// The project's files.
    pub sources: &'a dyn ProjectSources,
}

impl std::fmt::Debug for AgentEvidence<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AgentEvidence").finish_non_exhaustive()
    }
}

/// The registries and owners of official images.
const OFFICIAL: [&str; 6] = [
    "docker.io/library/",
    "index.docker.io/library/",
    "public.ecr.aws/docker/library/",
    "mirror.gcr.io/library/",
    "docker.io/",
    "library/",
];

/// Returns the C library of the image that a container runs.
pub(crate) fn find_library(startup: &Startup) -> CLibrary {
    let base = startup.base.as_deref().unwrap_or_default();
    if base.contains("alpine") || base.contains("musl") { CLibrary::Musl } else { CLibrary::Glibc }
}

/// Returns the first reason against an agent, as a clause; `None` if it fits.
pub(crate) fn find_objection(
    agent: &AgentTemplate,
    evidence: &AgentEvidence<'_>,
) -> Option<String> {
    let startup = evidence.startup;
    if startup.recipe == BuildRecipe::Unread {
        return Some("its Dockerfile was not read, which may set the same variables".to_owned());
    }
    let base = startup.base.as_deref().unwrap_or_default();
    if base.contains("distroless") || base == "scratch" {
        return Some(format!("the agent is untested on {base}"));
    }
    if let Some(text) = agent.refusals.iter().find_map(|refusal| agent_objection(refusal, evidence))
    {
        return Some(text);
    }
    if official_name(base).is_none_or(|name| agent.bases.iter().all(|base| base != name)) {
        let shown = if base.is_empty() { "its image" } else { base };
        return Some(format!("{shown} may set the same variables, and is not read here"));
    }
    find_override(agent, evidence)
}

/// Returns a reason if the start command sets one of the agent's variables, or the variable's value is unknown.
fn find_override(agent: &AgentTemplate, evidence: &AgentEvidence<'_>) -> Option<String> {
    agent.variables.iter().find_map(|variable| {
        let name = &variable.name;
        let mut commands = evidence.startup.commands.iter();
        if commands.any(|command| command_sets_variable(command, name)) {
            return Some(format!("its start command sets {name} itself"));
        }
        let setting = evidence.settings.get(name)?;
        let is_unknown = setting.raw.is_none() && setting.value.known().is_none();
        is_unknown.then(|| format!("the value of {name} is not known"))
    })
}

fn command_sets_variable(command: &ShellCommand, name: &str) -> bool {
    let mut assigned = command.variables.iter();
    let mut words = command.words.iter();
    assigned.any(|(variable, _)| variable == name)
        || words.any(|word| word.strip_prefix(name).is_some_and(|rest| rest.starts_with('=')))
}

fn agent_objection(refusal: &AgentRefusal, evidence: &AgentEvidence<'_>) -> Option<String> {
    let startup = evidence.startup;
    let why = &refusal.why;
    if let Some(image) = &refusal.base {
        let base = startup.base.as_deref()?;
        let is_meant = official_name(base) == Some(image) && is_between(base, refusal);
        return is_meant.then(|| format!("it runs on {base}: {why}"));
    }
    if let Some(program) = &refusal.program {
        let found = startup
            .commands
            .iter()
            .find_map(|command| refuse_program(program, refusal, command))?;
        return Some(format!("it starts `{found}`: {why}"));
    }
    if let Some(package) = &refusal.package {
        let has_switch =
            refusal.unless.as_ref().is_some_and(|name| evidence.settings.get(name).is_some());
        let is_there = !has_switch && has_package(package, refusal, evidence);
        let version =
            refusal.below.as_ref().map(|below| format!(" older than {below}")).unwrap_or_default();
        return is_there.then(|| format!("it has the package {package}{version}: {why}"));
    }
    if let Some(file) = &refusal.file {
        let mut folders =
            startup.code_folders(evidence.sources).iter().map(|(folder, _)| folder.join(file));
        let is_there = folders.any(|path| evidence.sources.exists(&path));
        return is_there.then(|| format!("it has {file}: {why}"));
    }
    let word = refusal.build.as_ref()?;
    let stages = startup.dockerfile.iter().flat_map(|file| &file.stages);
    let mut commands = stages.flat_map(|stage| &stage.steps).flat_map(|step| match &step.action {
        BuildAction::Run { commands, .. } => commands.as_slice(),
        _ => &[],
    });
    let is_there = commands.any(|command| {
        let mut words = command.words.iter();
        words.any(|argument| argument == word || argument.rsplit('/').next() == Some(word.as_str()))
    });
    is_there.then(|| format!("its image is built with `{word}`: {why}"))
}

/// Returns the refused word of a command: the program, or one of its options.
fn refuse_program(program: &str, refusal: &AgentRefusal, command: &ShellCommand) -> Option<String> {
    let words = unwrap_program(&command.words);
    let (first, rest) = words.split_first()?;
    let name = first.rsplit('/').next().unwrap_or(first);
    let version = name.strip_prefix(program)?;
    if !version.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let Some(letters) = &refusal.letters else { return Some(name.to_owned()) };
    let mut options = rest
        .iter()
        .take_while(|word| word.starts_with('-') && !word.starts_with("--"))
        .take_while(|word| !matches!(word.as_str(), "-m" | "-c"));
    let option = options.find(|word| word.chars().any(|letter| letters.contains(letter)))?;
    Some(format!("{name} {option}"))
}

/// Returns whether a package is listed in a refused version.
fn has_package(package: &str, refusal: &AgentRefusal, evidence: &AgentEvidence<'_>) -> bool {
    let listed = evidence.instrumentation.packages.as_ref();
    if !listed.is_some_and(|packages| packages.contains(package)) {
        return false;
    }
    let Some(below) = refusal.below.as_deref().map(leading_numbers) else { return true };
    let mut entries = listed_requirements(evidence).into_iter();
    entries.any(|entry| entry.name == package && entry.is_older_than(&below))
}

/// Returns the requirements of the first code folder that has a list of them.
fn listed_requirements(evidence: &AgentEvidence<'_>) -> Vec<RequirementEntry> {
    let folders = evidence.startup.code_folders(evidence.sources);
    let mut lists: Vec<PathBuf> = Vec::new();
    lists.extend(folders.iter().map(|(folder, _)| folder.join("requirements.txt")));
    let text = lists.iter().find_map(|path| evidence.sources.text(path).found());
    text.map(|text| Requirements::parse(&text).entries).unwrap_or_default()
}

/// Returns the name of an official image or one of Microsoft's, without registry and version.
fn official_name(image: &str) -> Option<&str> {
    let name = image.split('@').next()?;
    let slash = name.rfind('/').map_or(0, |at| at + 1);
    let name = match name[slash..].find(':') {
        Some(colon) => &name[..slash + colon],
        None => name,
    };
    let name = OFFICIAL.iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name);
    (!name.contains('$') && !name.is_empty()).then_some(name)
}

/// Returns whether the version in an image's tag is between the bounds; a part the tag leaves out counts as the
/// newest.
fn is_between(image: &str, refusal: &AgentRefusal) -> bool {
    let name = image.split('@').next().unwrap_or(image);
    let tag = name.rsplit('/').next().and_then(|last| last.split_once(':'));
    let Some((_, tag)) = tag else { return false };
    let mut version = leading_numbers(tag);
    if version.is_empty() {
        return false;
    }
    version.resize(version.len().max(4), u32::MAX);
    let from = refusal.from.as_deref().map(leading_numbers);
    let below = refusal.below.as_deref().map(leading_numbers);
    from.is_none_or(|from| version >= from) && below.is_none_or(|below| version < below)
}

/// Returns the leading numbers of a version: `3.12.1` of `3.12.1-slim`.
pub(super) fn leading_numbers(version: &str) -> Vec<u32> {
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(version.len());
    version[..end].split('.').map_while(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn official_images_are_recognised() {
        for (image, name) in [
            ("python:3.12-slim", Some("python")),
            ("docker.io/library/node@sha256:00", Some("node")),
            ("public.ecr.aws/docker/library/python:3", Some("python")),
            ("mcr.microsoft.com/dotnet/aspnet:8.0", Some("mcr.microsoft.com/dotnet/aspnet")),
            ("registry:5000/team/python:3", Some("registry:5000/team/python")),
            ("${BASE}", None),
            ("", None),
        ] {
            assert_eq!(official_name(image), name, "{image}");
        }
    }

    #[test]
    fn a_missing_part_of_a_tag_counts_as_the_newest() {
        let old = AgentRefusal { below: Some("18.19".to_owned()), ..AgentRefusal::default() };
        let middle = AgentRefusal {
            from: Some("19".to_owned()),
            below: Some("20.6".to_owned()),
            ..AgentRefusal::default()
        };
        for (tag, refused) in [
            ("node:16", true),
            ("node:18", false),
            ("node:18-alpine", false),
            ("node:18.12.1-slim", true),
            ("node:18.19.0", false),
            ("node:19", true),
            ("node:20", false),
            ("node:20.5.1", true),
            ("node:20.6", false),
            ("node:lts", false),
            ("node", false),
        ] {
            assert_eq!(is_between(tag, &old) || is_between(tag, &middle), refused, "{tag}");
        }
    }
}
