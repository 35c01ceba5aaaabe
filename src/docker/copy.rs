//! Starts a container of a service with a few variables changed: next to the project's containers, or for a while in
//! place of the service's own.
//!
//! It is created from the image of the service's container, on existing networks and volumes: nothing is pulled,
//! built, created, changed or removed for it. Next to the others, no other container knows it by name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_yaml::value::{Tag, TaggedValue, Value};

use super::container::{self, Container};
use super::{ComposeProject, Engine, compose, docker_error};
use crate::error::{Error, ErrorCode, Result};
use crate::workspace::program;

/// The longest time to create and start a container.
const START_LIMIT: Duration = Duration::from_secs(60);

/// The label that identifies a copy; its value is the copy's id.
const COPY_LABEL: &str = "cruddur-ops.copy";

/// The field of an override file with the variables that determine its engine and its project.
const ENGINE_FIELD: &str = "x-cruddur-ops-engine";

/// The field of an override file that describes the container that it replaces.
const REPLACED_FIELD: &str = "x-cruddur-ops-replaced";

/// The arguments that recreate the container of one service and nothing else.
const REPLACE: [&str; 8] =
    ["compose", "up", "--detach", "--no-deps", "--no-build", "--pull", "never", "--force-recreate"];

/// The description of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceCopy {
    /// The copy's id, used in its name and label: letters and digits.
    pub id: String,
    /// The service in the compose file.
    pub service: String,
    /// The id of the image.
    pub image: String,
    /// Variables that replace the service's own.
    pub environment: BTreeMap<String, String>,
    /// An additional host name for the engine's machine.
    pub machine_name: Option<String>,
    /// The place of the copy.
    pub place: CopyPlace,
}

/// The place of a copy, relative to the service's own container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyPlace {
    /// Next to it, with a port published on a free port of 127.0.0.1.
    Beside {
        /// The container's port.
        port: u16,
    },
    /// In its place, until it is recreated.
    InPlace(ReplacedContainer),
}

/// A service's own container that a copy replaces, and what recreates it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplacedContainer {
    /// The service in the compose files.
    pub service: String,
    /// Where docker compose looks for the project.
    pub folder: PathBuf,
    /// The project's compose files.
    pub files: Vec<PathBuf>,
    /// The digest of the service's configuration.
    pub digest: String,
}

impl ReplacedContainer {
    /// Returns the command that recreates it by hand.
    pub fn command(&self) -> String {
        format!("docker {} {}", REPLACE.join(" "), self.service)
    }
}

/// The names that docker uses for the project's networks and volumes, by their keys in the compose files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ResourceNames {
    networks: BTreeMap<String, NamedResource>,
    volumes: BTreeMap<String, NamedResource>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct NamedResource {
    name: String,
}

/// An existing network or volume.
#[derive(Serialize)]
struct ExternalResource<'a> {
    name: &'a str,
    external: bool,
}

impl ServiceCopy {
    /// Returns the container's name.
    fn name(&self) -> String {
        format!("cruddur-ops-copy-{}", self.id)
    }

    /// Returns the compose file to add to the project's own. `engine` is recorded in a field that docker compose
    /// ignores.
    ///
    /// # Errors
    /// `internal`.
    pub fn override_file(
        &self,
        names: &ResourceNames,
        engine: &BTreeMap<String, String>,
    ) -> Result<String> {
        let mut service = BTreeMap::from([
            ("image", Value::from(self.image.as_str())),
            ("pull_policy", Value::from("never")),
            ("build", tagged_value("!reset", Value::Null)),
            ("environment", to_value(&self.environment)?),
        ]);
        if matches!(self.place, CopyPlace::InPlace(_)) {
            service.insert("labels", to_value(&BTreeMap::from([(COPY_LABEL, &self.id)]))?);
        }
        if let Some(name) = &self.machine_name {
            service.insert("extra_hosts", to_value(&[format!("{name}:host-gateway")])?);
        }
        let mut file = BTreeMap::from([
            (ENGINE_FIELD, to_value(engine)?),
            ("services", to_value(&BTreeMap::from([(self.service.as_str(), service)]))?),
        ]);
        if let CopyPlace::InPlace(replaced) = &self.place {
            file.insert(REPLACED_FIELD, to_value(replaced)?);
        }
        for (kind, resources) in [("networks", &names.networks), ("volumes", &names.volumes)] {
            let external = resources
                .iter()
                .map(|(key, NamedResource { name })| {
                    let resource = to_value(&ExternalResource { name, external: true })?;
                    Ok((key.as_str(), tagged_value("!override", resource)))
                })
                .collect::<Result<BTreeMap<_, _>>>()?;
            if !external.is_empty() {
                file.insert(kind, to_value(&external)?);
            }
        }
        serde_yaml::to_string(&file).map_err(unwritable_copy_error)
    }
}

/// Returns the engine recorded in an override file, and the container that it replaces; `None` if the file is
/// incomplete.
pub(crate) fn read_override(
    text: &str,
) -> Option<(BTreeMap<String, String>, Option<ReplacedContainer>)> {
    let mut file: BTreeMap<String, Value> = serde_yaml::from_str(text).ok()?;
    let replaced = file.remove(REPLACED_FIELD).map(serde_yaml::from_value).transpose().ok()?;
    Some((serde_yaml::from_value(file.remove(ENGINE_FIELD)?).ok()?, replaced))
}

fn tagged_value(tag: &str, value: Value) -> Value {
    Value::Tagged(Box::new(TaggedValue { tag: Tag::new(tag), value }))
}

fn to_value(value: &impl Serialize) -> Result<Value> {
    serde_yaml::to_value(value).map_err(unwritable_copy_error)
}

fn unwritable_copy_error(error: serde_yaml::Error) -> Error {
    Error::new(ErrorCode::Internal, "a compose file could not be written").cause(error)
}

impl Engine {
    /// Returns the names that docker uses for the project's networks and volumes.
    ///
    /// # Errors
    /// `docker-failed`; `remote-resource`.
    pub fn resource_names(&self, project: &ComposeProject) -> Result<ResourceNames> {
        const MODEL: [&str; 4] = ["compose", "config", "--format", "json"];
        let model = self.compose(&MODEL, project)?;
        // The parse error is not shown, because the model contains the values of all variables.
        serde_json::from_str(&model)
            .map_err(|_| docker_error(&MODEL, "its answer is not a compose project"))
    }

    /// Starts `copy` next to the containers of the project with compose files `files`, or in place of one. Its
    /// override file is at `path`; a lock on `held` lasts until docker is done, even if this process ends earlier.
    ///
    /// # Errors
    /// `docker-failed` with docker's last line; `remote-resource`.
    pub fn start_copy(
        &self,
        copy: &ServiceCopy,
        project: &ComposeProject,
        files: &[PathBuf],
        path: &Path,
        held: impl Into<Stdio>,
    ) -> Result<()> {
        const RUN: [&str; 7] =
            ["compose", "run", "--detach", "--rm", "--no-deps", "--no-TTY", "--publish"];
        let files = files.iter().map(PathBuf::as_path).chain([path]);
        let CopyPlace::Beside { port } = copy.place else {
            return self.replace(&copy.service, project, files, held);
        };
        let publish = format!("127.0.0.1::{port}");
        let (name, label) = (copy.name(), format!("{COPY_LABEL}={}", copy.id));
        let copy_arguments =
            [&*publish, "--name", &*name, "--label", &*label, "--", &*copy.service];
        self.start(&[&RUN, &copy_arguments[..]].concat(), project, files, held)
    }

    /// Recreates a service's container from its compose files, in place of a copy; `held` as in [`Engine::start_copy`].
    ///
    /// # Errors
    /// As [`Engine::start_copy`].
    pub fn put_back(
        &self,
        replaced: &ReplacedContainer,
        project: &ComposeProject,
        held: impl Into<Stdio>,
    ) -> Result<()> {
        let files = replaced.files.iter().map(PathBuf::as_path);
        self.replace(&replaced.service, project, files, held)
    }

    fn replace<'a>(
        &self,
        service: &str,
        project: &ComposeProject,
        files: impl Iterator<Item = &'a Path>,
        held: impl Into<Stdio>,
    ) -> Result<()> {
        self.start(&[&REPLACE, &["--", service][..]].concat(), project, files, held)
    }

    fn start<'a>(
        &self,
        arguments: &[&str],
        project: &ComposeProject,
        files: impl Iterator<Item = &'a Path>,
        held: impl Into<Stdio>,
    ) -> Result<()> {
        let mut command = compose::command(&self.program, arguments, &self.shell, project)?;
        compose::set_files(&mut command, files);
        let captured = program::capture_holding(command, held.into(), START_LIMIT)
            .map_err(|failure| docker_error(arguments, &failure.to_string()))?;
        match captured.status {
            Some(0) => Ok(()),
            _ => Err(docker_error(
                arguments,
                captured.stderr.trim().lines().last().unwrap_or_default(),
            )),
        }
    }

    /// Returns true if a container of a copy is there.
    ///
    /// # Errors
    /// `docker-failed`.
    pub fn has_copy(&self, id: &str) -> Result<bool> {
        Ok(!self.copy_containers(id)?.is_empty())
    }

    /// Returns the container of a copy; `None` once it has ended.
    ///
    /// # Errors
    /// `docker-failed`.
    pub fn find_copy(&self, id: &str) -> Result<Option<Container>> {
        let ids = self.copy_containers(id)?;
        let Some(first) = ids.first() else {
            return Ok(None);
        };
        let inspected = self.docker(&["inspect", "--format", container::FORMAT, first])?.stdout;
        Ok(container::parse_containers(&inspected).into_iter().find(|container| container.running))
    }

    /// Removes every container of a copy, in any state, with its anonymous volumes. Returns whether there was one.
    ///
    /// # Errors
    /// `docker-failed`.
    pub fn remove_copy(&self, id: &str) -> Result<bool> {
        let ids = self.copy_containers(id)?;
        if ids.is_empty() {
            return Ok(false);
        }
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        match self.docker(&[&["rm", "--force", "--volumes"], ids.as_slice()].concat()) {
            // A container that has just ended removes itself.
            Err(_) if self.copy_containers(id)?.is_empty() => Ok(true),
            removed => removed.map(|_| true),
        }
    }

    fn copy_containers(&self, id: &str) -> Result<Vec<String>> {
        let filter = format!("label={COPY_LABEL}={id}");
        let listing = ["ps", "--all", "--no-trunc", "--quiet", "--filter", &filter];
        let listed = self.docker(&listing)?.stdout;
        Ok(listed.lines().map(str::to_owned).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_override_file_creates_nothing_and_sets_the_copys_variables() {
        let names = r#"{"name":"p","networks":{"default":{"name":"p_default","ipam":{}},"a b":{"name":"x","external":true}},
            "volumes":{"data":{"name":"p_data"}},"services":{"api":{"environment":{"K":"v"}}}}"#;
        let names: ResourceNames = serde_json::from_str(names).unwrap();
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://172.18.0.1:9/0a");
        let delay = ("OTEL_BSP_SCHEDULE_DELAY", "200");
        let copy = ServiceCopy {
            id: "0a".to_owned(),
            service: "api".to_owned(),
            image: "sha256:1e5".to_owned(),
            environment: [endpoint, delay].map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
            machine_name: Some("host.docker.internal".to_owned()),
            place: CopyPlace::Beside { port: 80 },
        };
        let engine = BTreeMap::from([("DOCKER_HOST".to_owned(), "unix:///s".to_owned())]);
        let expected = "networks:\n  a b: !override\n    name: x\n    external: true\n  default: !override\n    name: p_default\n    external: true\nservices:\n  api:\n    build: !reset null\n    environment:\n      OTEL_BSP_SCHEDULE_DELAY: '200'\n      OTEL_EXPORTER_OTLP_ENDPOINT: http://172.18.0.1:9/0a\n    extra_hosts:\n    - host.docker.internal:host-gateway\n    image: sha256:1e5\n    pull_policy: never\nvolumes:\n  data: !override\n    name: p_data\n    external: true\nx-cruddur-ops-engine:\n  DOCKER_HOST: unix:///s\n";
        assert_eq!(copy.override_file(&names, &engine).unwrap(), expected);
        assert_eq!(read_override(expected), Some((engine.clone(), None)));
        assert_eq!(read_override(&expected[..30]), None);
        let replaced = ReplacedContainer {
            service: "api".to_owned(),
            folder: "/p".into(),
            files: vec!["/p/compose.yaml".into()],
            digest: "f49ab".to_owned(),
        };
        let in_place = ServiceCopy { place: CopyPlace::InPlace(replaced.clone()), ..copy.clone() };
        let text = in_place.override_file(&names, &engine).unwrap();
        assert!(text.contains("    labels:\n      cruddur-ops.copy: 0a\n"), "{text}");
        assert_eq!(read_override(&text), Some((engine.clone(), Some(replaced))));
        let bare = ServiceCopy { machine_name: None, ..copy };
        let text = bare.override_file(&ResourceNames::default(), &engine).unwrap();
        assert!(!text.contains("networks") && !text.contains("extra_hosts"), "{text}");
    }
}
