//! Everything doctor looks at, read once: the project's files by what they are, and what is known of the world outside.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::gitpod::GitpodFile;
use super::packages::{PythonFile, RequirementsFile};
use super::services::{ComposeFile, Service, Standing};
use super::setting::Setting;
use super::text::Text;
use crate::compose::{self, Statement, Written};
use crate::edit::yaml::tree::{SyntaxError, Tree};

/// What a file is to the project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A compose file that docker compose reads by itself.
    Compose,
    /// A compose file that lies beside.
    ComposeBeside,
    /// `.gitpod.yml`
    Gitpod,
    /// `devcontainer.json`
    Devcontainer,
    /// `.env` of the project, or a file that a service names in `env_file`.
    Dotenv,
    /// `requirements.txt`
    Requirements,
    /// A Python module.
    Python,
    /// `Dockerfile`
    Dockerfile,
    /// `package.json`
    Manifest,
    /// `.gitignore` of the project.
    Gitignore,
}

/// The files, and what is known outside.
#[derive(Debug, Clone, Default)]
pub struct Subject {
    /// Compose files that parse.
    pub compose: Vec<ComposeFile>,
    /// `.gitpod.yml`, if it parses.
    pub gitpod: Option<GitpodFile>,
    /// Files of variables.
    pub dotenvs: Vec<DotenvFile>,
    /// `devcontainer.json` files.
    pub devcontainers: Vec<Text>,
    /// Requirements files.
    pub requirements: Vec<RequirementsFile>,
    /// Python modules that parse.
    pub python: Vec<PythonFile>,
    /// What images are built by.
    pub dockerfiles: Vec<Text>,
    /// What the frontends are made of.
    pub manifests: Vec<Text>,
    /// `.gitignore`.
    pub gitignore: Option<Text>,
    /// YAML files that do not parse, and why.
    pub broken: Vec<(Text, SyntaxError)>,
    /// What docker compose refuses whatever the shell holds.
    pub refused: Vec<Refused>,
    /// What the shell, the stores and git say; `None` where nobody asked them.
    pub outside: Option<Outside>,
}

/// A line for which docker compose does not load the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The file, below the project's folder.
    pub path: PathBuf,
    /// The byte it is about.
    pub offset: usize,
    /// What is wrong: lowercase, without a full stop.
    pub text: String,
}

/// A file of variables as written.
#[derive(Debug, Clone)]
pub struct DotenvFile {
    /// The file.
    pub file: Text,
    /// In the order they stand.
    pub settings: Vec<Setting>,
}

/// What the shell, the stores and git say. Values stay outside: a rule needs to know that there is one.
#[derive(Debug, Clone, Default)]
pub struct Outside {
    /// Variables of the shell.
    pub shell: BTreeMap<String, Standpoint>,
    /// Variables that some store holds, and the store's name.
    pub stored: BTreeMap<String, String>,
    /// Files that git tracks or would add, though they hold secrets: paths below the project's folder.
    pub unignored: Vec<String>,
    /// Why it cannot be known whether git has these files or would take them, where it cannot.
    pub git_doubt: Option<String>,
}

/// A shell variable, compared with what a store or `.env` holds under its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standpoint {
    /// Set, and nothing contradicts it.
    Set,
    /// Set to nothing.
    Empty,
    /// Set to something else than what is stored.
    Stale,
}

impl Subject {
    /// Reads the files of a project.
    pub fn read(files: Vec<(Role, Text)>) -> Self {
        let mut subject = Self::default();
        for (role, file) in files {
            subject.add(role, file);
        }
        subject
    }

    fn add(&mut self, role: Role, file: Text) {
        match role {
            Role::Compose => match Tree::parse(file.text.as_str()) {
                Ok(tree) => {
                    let main = ComposeFile::read(file, &tree, Standing::Main);
                    self.compose.push(main);
                }
                Err(error) => self.broken.push((file, error)),
            },
            Role::ComposeBeside => {
                if let Ok(tree) = Tree::parse(file.text.as_str()) {
                    let beside = ComposeFile::read(file, &tree, Standing::Beside);
                    self.compose.push(beside);
                }
            }
            Role::Gitpod => match Tree::parse(file.text.as_str()) {
                Ok(tree) => self.gitpod = Some(GitpodFile::read(&tree, file.clone())),
                Err(error) => self.broken.push((file, error)),
            },
            Role::Devcontainer => self.devcontainers.push(file),
            Role::Dotenv => self.dotenvs.push(DotenvFile::read(file)),
            Role::Requirements => self.requirements.push(RequirementsFile::read(file)),
            Role::Python => self.python.extend(PythonFile::read(file)),
            Role::Dockerfile => self.dockerfiles.push(file),
            Role::Manifest => self.manifests.push(file),
            Role::Gitignore => self.gitignore = Some(file),
        }
    }

    /// The compose files that are judged.
    pub fn main(&self) -> impl Iterator<Item = &ComposeFile> {
        self.compose.iter().filter(|file| file.standing == Standing::Main)
    }

    /// Every service of the compose files that are judged, with its file.
    pub fn services(&self) -> impl Iterator<Item = (&ComposeFile, &Service)> {
        self.main().flat_map(|file| file.services.iter().map(move |service| (file, service)))
    }

    /// Every service of any compose file.
    pub fn every_service(&self) -> impl Iterator<Item = &Service> {
        self.compose.iter().flat_map(|file| &file.services)
    }

    /// Every place where variables are set for a program: services, files of variables, `.gitpod.yml`.
    pub fn scopes(&self) -> Vec<Scope<'_>> {
        let services = self.services().map(|(file, service)| Scope {
            file: &file.file,
            settings: &service.environment,
            service: Some(service),
        });
        let dotenvs = self.dotenvs.iter().map(|file| Scope {
            file: &file.file,
            settings: &file.settings,
            service: None,
        });
        let gitpod = self.gitpod.iter().flat_map(|gitpod| {
            gitpod.environments.iter().map(|settings| Scope {
                file: &gitpod.file,
                settings,
                service: None,
            })
        });
        services.chain(dotenvs).chain(gitpod).collect()
    }

    /// The text of a judged file.
    pub fn text(&self, path: &Path) -> Option<&Text> {
        self.texts().find(|text| text.path == path)
    }

    /// Every file that is judged.
    pub fn texts(&self) -> impl Iterator<Item = &Text> {
        self.main()
            .map(|file| &file.file)
            .chain(self.gitpod.iter().map(|file| &file.file))
            .chain(self.dotenvs.iter().map(|file| &file.file))
            .chain(&self.devcontainers)
            .chain(self.requirements.iter().map(|file| &file.file))
            .chain(self.python.iter().map(|file| &file.file))
            .chain(self.broken.iter().map(|(file, _)| file))
    }
}

/// Settings that one program sees together.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// Where they stand.
    pub file: &'a Text,
    /// The settings.
    pub settings: &'a [Setting],
    /// The service they belong to, if they stand in a compose file.
    pub service: Option<&'a Service>,
}

impl<'a> Scope<'a> {
    /// The last setting of this name.
    pub fn setting(&self, name: &str) -> Option<&'a Setting> {
        self.settings.iter().rev().find(|one| one.name == name)
    }
}

impl DotenvFile {
    /// Reads a file as docker compose does; one that it refuses sets nothing.
    pub fn read(file: Text) -> Self {
        let statements = compose::parse_dotenv(&file.text).unwrap_or_default();
        let settings =
            statements.into_iter().map(|statement| setting(&file.text, statement)).collect();
        Self { settings, file }
    }
}

fn setting(text: &str, statement: Statement) -> Setting {
    let value = match statement.value {
        Written::Inherited => None,
        Written::Literal(value) | Written::Template(value) => Some(value),
    };
    let whole = statement.value_range;
    let quote = usize::from(text[whole.clone()].starts_with(['"', '\'']));
    let start = whole.start + quote;
    let inside = start..start + value.as_ref().map_or(0, String::len);
    let verbatim = value.is_some() && text.get(inside.clone()) == value.as_deref();
    Setting {
        name: statement.name,
        name_range: statement.range,
        value,
        value_at: start,
        value_range: verbatim.then_some(inside),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_dotenv_file_know_their_places() {
        let text = "# c\nexport A='x y' # d\nB = plain # e\nC=\n";
        let read = DotenvFile::read(Text { path: ".env".into(), text: text.to_owned() });
        let found: Vec<_> = read
            .settings
            .iter()
            .map(|one| {
                assert_eq!(&text[one.name_range.clone()], one.name);
                assert_eq!(&text[one.value_range.clone().unwrap()], one.text());
                (one.name.as_str(), one.text())
            })
            .collect();
        assert_eq!(found, [("A", "x y"), ("B", "plain"), ("C", "")]);
    }
}
