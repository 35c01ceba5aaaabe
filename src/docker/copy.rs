//! A second container of a service, with a few variables of its own, beside the project's containers.
//!
//! It is made from the image that the service's container runs with, on networks and volumes that are there: nothing is
//! pulled, built, made, changed or removed for it. It has no name that another container knows it by.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_yaml::value::{Tag, TaggedValue, Value};

use super::container::{self, Container};
use super::{ComposeProject, Engine, compose, failed};
use crate::error::{Error, ErrorCode, Result};
use crate::workspace::program;

/// A container is made and started within this time, or not at all.
const START_LIMIT: Duration = Duration::from_secs(60);

/// The label by which a copy is found again; its value is the copy's own id.
const COPY_LABEL: &str = "cruddur-ops.copy";

/// The field of an override file with the variables that say which engine it is for.
const ENGINE_FIELD: &str = "x-cruddur-ops-engine";

/// What is to be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceCopy {
    /// The copy's own id, which its name and its label hold: letters and digits.
    pub id: String,
    /// The service in the compose file.
    pub service: String,
    /// The image's id.
    pub image: String,
    /// Variables in place of the service's own.
    pub environment: BTreeMap<String, String>,
    /// A name for the engine's machine that the container would not know without.
    pub machine_name: Option<String>,
    /// The container's port that a free port of 127.0.0.1 leads to.
    pub port: u16,
}

/// The project's networks and volumes, by their keys in the compose files, as docker calls them.
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

/// A network or a volume that is there.
#[derive(Serialize)]
struct ExternalResource<'a> {
    name: &'a str,
    external: bool,
}

impl ServiceCopy {
    /// The container's name.
    fn name(&self) -> String {
        format!("cruddur-ops-copy-{}", self.id)
    }

    /// The compose file that goes on top of the project's own. `engine` says which engine it is for: a word of ours that
    /// docker compose passes over.
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
            ("build", tagged("!reset", Value::Null)),
            ("environment", to_value(&self.environment)?),
        ]);
        if let Some(name) = &self.machine_name {
            service.insert("extra_hosts", to_value(&[format!("{name}:host-gateway")])?);
        }
        let mut file = BTreeMap::from([
            (ENGINE_FIELD, to_value(engine)?),
            ("services", to_value(&BTreeMap::from([(self.service.as_str(), service)]))?),
        ]);
        for (kind, resources) in [("networks", &names.networks), ("volumes", &names.volumes)] {
            let external = resources.iter().map(|(key, NamedResource { name })| {
                let resource = to_value(&ExternalResource { name, external: true })?;
                Ok((key.as_str(), tagged("!override", resource)))
            });
            let external = external.collect::<Result<BTreeMap<_, _>>>()?;
            if !external.is_empty() {
                file.insert(kind, to_value(&external)?);
            }
        }
        serde_yaml::to_string(&file).map_err(unwritable)
    }
}

/// The engine that an override file is for; `None` where it is not whole.
pub fn engine_of(override_file: &str) -> Option<BTreeMap<String, String>> {
    let file: BTreeMap<String, Value> = serde_yaml::from_str(override_file).ok()?;
    serde_yaml::from_value(file.get(ENGINE_FIELD)?.clone()).ok()
}

fn tagged(tag: &str, value: Value) -> Value {
    Value::Tagged(Box::new(TaggedValue { tag: Tag::new(tag), value }))
}

fn to_value(value: &impl Serialize) -> Result<Value> {
    serde_yaml::to_value(value).map_err(unwritable)
}

fn unwritable(error: serde_yaml::Error) -> Error {
    Error::new(ErrorCode::Internal, "a compose file could not be written").cause(error)
}

impl Engine {
    /// The names that docker has for the project's networks and volumes.
    ///
    /// # Errors
    /// `docker-failed`; `remote-resource`.
    pub fn resource_names(&self, project: &ComposeProject) -> Result<ResourceNames> {
        const MODEL: [&str; 4] = ["compose", "config", "--format", "json"];
        let model = self.compose(&MODEL, project)?;
        // What is wrong with it is not shown: the model holds every value of every variable.
        serde_json::from_str(&model)
            .map_err(|_| failed(&MODEL, "its answer is no model of a project"))
    }

    /// Starts `copy` beside the containers of the project, whose compose files are `files`; its override file is at `path`,
    /// and a lock on `held` lasts as long as docker is at it, also if this process ends.
    ///
    /// # Errors
    /// `docker-failed` with docker's last line; `remote-resource`.
    pub fn start_copy(
        &self,
        copy: &ServiceCopy,
        project: &ComposeProject,
        files: &[PathBuf],
        path: &Path,
        held: Stdio,
    ) -> Result<()> {
        const RUN: [&str; 7] =
            ["compose", "run", "--detach", "--rm", "--no-deps", "--no-TTY", "--publish"];
        let publish = format!("127.0.0.1::{}", copy.port);
        let (name, label) = (copy.name(), format!("{COPY_LABEL}={}", copy.id));
        let own = [&*publish, "--name", &*name, "--label", &*label, "--", &*copy.service];
        let mut command =
            compose::command(&self.program, &[&RUN, &own[..]].concat(), &self.shell, project)?;
        compose::set_files(&mut command, files.iter().map(PathBuf::as_path).chain([path]));
        let captured = program::capture_holding(command, held, START_LIMIT);
        let captured = captured.map_err(|failure| failed(&RUN, &failure.to_string()))?;
        match captured.status {
            Some(0) => Ok(()),
            _ => Err(failed(&RUN, captured.stderr.trim().lines().last().unwrap_or_default())),
        }
    }

    /// The container of a copy; `None` once it has ended.
    ///
    /// # Errors
    /// `docker-failed`.
    pub fn find_copy(&self, id: &str) -> Result<Option<Container>> {
        let ids = self.copy_containers(id)?;
        let Some(first) = ids.first() else {
            return Ok(None);
        };
        let inspected = self.docker(&["inspect", "--format", container::FORMAT, first])?.stdout;
        Ok(container::read(&inspected).into_iter().find(|one| one.running))
    }

    /// Removes every container of a copy, whatever state it is in, with the volumes that are its own. Answers whether there
    /// was one.
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
            // One that has just ended removes itself.
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
    fn an_override_file_makes_nothing_and_has_the_copys_variables() {
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
            port: 80,
        };
        let engine = BTreeMap::from([("DOCKER_HOST".to_owned(), "unix:///s".to_owned())]);
        let expected = "networks:\n  a b: !override\n    name: x\n    external: true\n  default: !override\n    name: p_default\n    external: true\nservices:\n  api:\n    build: !reset null\n    environment:\n      OTEL_BSP_SCHEDULE_DELAY: '200'\n      OTEL_EXPORTER_OTLP_ENDPOINT: http://172.18.0.1:9/0a\n    extra_hosts:\n    - host.docker.internal:host-gateway\n    image: sha256:1e5\n    pull_policy: never\nvolumes:\n  data: !override\n    name: p_data\n    external: true\nx-cruddur-ops-engine:\n  DOCKER_HOST: unix:///s\n";
        assert_eq!(copy.override_file(&names, &engine).unwrap(), expected);
        assert_eq!(engine_of(expected), Some(engine.clone()));
        assert_eq!(engine_of(&expected[..30]), None);
        let bare = ServiceCopy { machine_name: None, ..copy };
        let text = bare.override_file(&ResourceNames::default(), &engine).unwrap();
        assert!(!text.contains("networks") && !text.contains("extra_hosts"), "{text}");
    }
}
