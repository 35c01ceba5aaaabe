//! Reads the agents from `templates/agents/`, one file per language.

use std::sync::LazyLock;

use minijinja::context;
use serde::Deserialize;

use crate::error::Result;
use crate::instrumentation::Language;
use crate::provider::render_template;

/// The agent for a language or, without one, what to add to the code by hand.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LanguageTemplate {
    /// The language, as in [`Language::as_str`].
    pub language: String,
    /// The language's name for people: `Node.js`.
    pub title: String,
    /// The agent, if there is one.
    #[serde(default)]
    pub agent: Option<AgentTemplate>,
    /// The setting to write by hand to send spans, in one line.
    pub by_hand: String,
}

/// An OpenTelemetry agent for one language.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AgentTemplate {
    /// The name in its image: `nodejs`.
    pub name: String,
    /// The image that contains it, without a tag.
    pub image: String,
    /// The tag used unless another image is named.
    pub tag: String,
    /// Whether this project's tests start a service with it.
    #[serde(default)]
    pub tested: bool,
    /// The absolute path at which a service finds it.
    pub mount: String,
    /// The shell command that copies it from its image into the current folder.
    pub copy: String,
    /// The copy command for images with musl, if it differs.
    #[serde(default)]
    pub musl_copy: Option<String>,
    /// The file name of our module that loads the agent.
    #[serde(default)]
    pub module: Option<String>,
    /// The variables of a service that is started with the agent.
    pub variables: Vec<AgentVariable>,
    /// Images that set none of the variables that are joined with the service's own value.
    pub bases: Vec<String>,
    /// The conditions under which it is not added.
    #[serde(default)]
    pub refusals: Vec<AgentRefusal>,
}

/// A variable of a service that is started with an agent.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AgentVariable {
    /// `NODE_OPTIONS`
    pub name: String,
    /// The agent's value.
    pub value: String,
    /// The agent's value for images with musl, if it differs.
    #[serde(default)]
    pub musl: Option<String>,
    /// The treatment of an existing value.
    #[serde(default)]
    pub rule: VariableRule,
    /// The position of the agent's value next to the service's, under [`VariableRule::Join`].
    #[serde(default)]
    pub join: JoinSide,
    /// The separator between the two values.
    #[serde(default)]
    pub separator: String,
}

/// The treatment of a variable that the service already sets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum VariableRule {
    /// Keep it, next to the agent's value.
    #[default]
    Join,
    /// Replace it.
    Set,
    /// Keep it without the agent's value.
    Default,
}

/// The position of the agent's value next to the service's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum JoinSide {
    /// Before it.
    Before,
    /// After it.
    #[default]
    After,
}

/// A condition under which an agent is not added to a service: of the base image, the start command, the packages,
/// the files or the build.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AgentRefusal {
    /// An image of [`AgentTemplate::bases`], in the versions between `from` and `below`.
    pub base: Option<String>,
    /// The first refused version.
    pub from: Option<String>,
    /// The first version, of the image or the package, that is accepted again.
    pub below: Option<String>,
    /// A program of the start command.
    pub program: Option<String>,
    /// Refused short options of the program, one letter each; if absent, the program itself is refused.
    pub letters: Option<String>,
    /// A package of the application.
    pub package: Option<String>,
    /// The variable that makes the package acceptable.
    pub unless: Option<String>,
    /// A file next to the code.
    pub file: Option<String>,
    /// A word of a command that builds the image.
    pub build: Option<String>,
    /// The reason, as a clause.
    pub why: String,
}

/// The C library of an image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum CLibrary {
    /// glibc, or unknown.
    #[default]
    Glibc,
    /// musl.
    Musl,
}

const FILES: [&str; 9] = [
    include_str!("../../../templates/agents/python.yaml"),
    include_str!("../../../templates/agents/nodejs.yaml"),
    include_str!("../../../templates/agents/java.yaml"),
    include_str!("../../../templates/agents/dotnet.yaml"),
    include_str!("../../../templates/agents/php.yaml"),
    include_str!("../../../templates/agents/go.yaml"),
    include_str!("../../../templates/agents/ruby.yaml"),
    include_str!("../../../templates/agents/rust.yaml"),
    include_str!("../../../templates/agents/elixir.yaml"),
];

/// Our modules that load agents, by file name.
const MODULES: [(&str, &str); 2] = [
    ("sitecustomize.py", include_str!("../../../templates/agents/python/sitecustomize.py")),
    ("register.cjs", include_str!("../../../templates/agents/nodejs/register.cjs")),
];

static LANGUAGES: LazyLock<Vec<LanguageTemplate>> =
    LazyLock::new(|| FILES.iter().filter_map(|text| serde_yaml::from_str(text).ok()).collect());

/// Returns the template for a language.
pub(crate) fn find_template(language: Language) -> Option<&'static LanguageTemplate> {
    LANGUAGES.iter().find(|template| template.language == language.as_str())
}

/// Returns the agent with this name.
pub(crate) fn find_agent(name: &str) -> Option<&'static AgentTemplate> {
    list_agents().find(|agent| agent.name == name)
}

/// Lists every agent.
pub(crate) fn list_agents() -> impl Iterator<Item = &'static AgentTemplate> {
    LANGUAGES.iter().filter_map(|template| template.agent.as_ref())
}

impl AgentTemplate {
    /// Returns its language's name for people: `Node.js`.
    pub(crate) fn title(&self) -> &'static str {
        let mut languages = LANGUAGES.iter();
        let own_template = languages.find(|template| {
            template.agent.as_ref().is_some_and(|template| template.name == self.name)
        });
        own_template.map_or("its language", |template| template.title.as_str())
    }

    /// Returns the name of the service that copies it: `otel-agent-python`.
    pub(crate) fn service(&self, library: CLibrary) -> String {
        match (library, &self.musl_copy) {
            (CLibrary::Musl, Some(_)) => format!("otel-agent-{}-musl", self.name),
            _ => format!("otel-agent-{}", self.name),
        }
    }

    /// Returns the image with its tag, or `other` if given.
    pub(crate) fn reference(&self, other: Option<&str>) -> String {
        other.map_or_else(|| format!("{}:{}", self.image, self.tag), str::to_owned)
    }

    /// Returns the name of the volume for the contents of `image`; each image has its own volume.
    pub(crate) fn volume(&self, library: CLibrary, image: &str) -> String {
        let version = match image.split_once("@sha256:") {
            Some((_, digest)) => digest.chars().take(12).collect(),
            None => {
                let name = image.rsplit('/').next().unwrap_or(image);
                name.split_once(':').map_or("latest", |(_, tag)| tag).to_owned()
            }
        };
        format!("{}-{version}", self.service(library))
    }

    /// Returns the body of the service that copies it, as YAML.
    ///
    /// # Errors
    /// `internal`, when the template does not render.
    pub(crate) fn render_service(&self, library: CLibrary, image: &str) -> Result<String> {
        let copy = match (library, &self.musl_copy) {
            (CLibrary::Musl, Some(copy)) => copy,
            _ => &self.copy,
        };
        let module = self.module.as_ref().and_then(|name| {
            let (file, text) = MODULES.iter().find(|(file, _)| file == name)?;
            // Docker compose reads a single dollar sign as the start of a variable.
            let lines: Vec<String> = text.lines().map(|line| line.replace('$', "$$")).collect();
            Some(context! { file => *file, lines => lines })
        });
        let values = context! {
            title => self.title(),
            image => image,
            mount => self.mount.as_str(),
            volume => self.volume(library, image),
            copy => copy.as_str(),
            module => module,
        };
        render_template(include_str!("../../../templates/agents/service.yml"), values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_yaml::Value;

    #[test]
    fn every_file_is_read_and_names_a_language() {
        assert_eq!(LANGUAGES.len(), FILES.len());
        for language in [
            Language::Python,
            Language::Node,
            Language::Java,
            Language::Dotnet,
            Language::Ruby,
            Language::Php,
            Language::Go,
            Language::Rust,
            Language::Elixir,
        ] {
            assert!(find_template(language).is_some(), "{language:?}");
        }
        for agent in list_agents() {
            let modules = agent.module.iter();
            assert!(
                modules.filter(|module| MODULES.iter().all(|(file, _)| file != module)).count()
                    == 0
            );
            assert!(agent.variables.iter().any(|variable| variable.value.contains(&agent.mount)));
        }
    }

    #[test]
    fn the_agent_service_writes_our_module_unchanged() {
        for agent in list_agents() {
            for library in [CLibrary::Glibc, CLibrary::Musl] {
                let image = agent.reference(None);
                let body = agent.render_service(library, &image).unwrap();
                let read: Value = serde_yaml::from_str(&body).unwrap();
                assert_eq!(read["image"], image.as_str());
                let script = read["command"][0].as_str().unwrap().replace("$$", "$");
                if let Some(module) = &agent.module {
                    let (_, text) = MODULES.iter().find(|(file, _)| file == module).unwrap();
                    let behind = script.split_once("'CRUDDUR_OPS_EOF'\n").unwrap().1;
                    assert_eq!(&behind[..text.len()], *text);
                    assert!(behind[text.len()..].starts_with("CRUDDUR_OPS_EOF\n"));
                }
                let volume = format!("{}:{}", agent.volume(library, &image), agent.mount);
                assert_eq!(read["volumes"][0], volume.as_str());
            }
        }
    }

    #[test]
    fn each_image_has_its_own_volume() {
        let python = find_agent("python").unwrap();
        let volume = |image: &str| python.volume(CLibrary::Glibc, image);
        assert_eq!(volume("mirror:5000/a/python:1.2-3"), "otel-agent-python-1.2-3");
        assert_eq!(volume("mirror:5000/a/python"), "otel-agent-python-latest");
        let digest = "0123456789abcdef".repeat(4);
        assert_eq!(
            volume(&format!("a/python:1@sha256:{digest}")),
            "otel-agent-python-0123456789ab"
        );
    }
}
