//! Containers as docker lists them.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use serde::Deserialize;

/// A container of a project's service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// Its id.
    pub id: String,
    /// The service it belongs to.
    pub service: String,
    /// It runs now.
    pub running: bool,
    /// How it ended, where it does not run.
    pub status: i64,
    /// The digest of the configuration it was made with.
    pub digest: Option<String>,
    /// When it was last started.
    pub started: Option<SystemTime>,
}

/// The format for `docker inspect` that [`read`] reads.
pub(super) const FORMAT: &str =
    "{\"id\":{{json .Id}},\"state\":{{json .State}},\"labels\":{{json .Config.Labels}}}";

#[derive(Deserialize)]
struct InspectedContainer {
    id: String,
    state: ContainerState,
    labels: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ContainerState {
    status: String,
    exit_code: i64,
    started_at: String,
}

/// The ids of those containers on a list, each with its project's folder, that are of the project in `root`.
pub(super) fn read_ids<'a>(listed: &'a str, root: &Path) -> Vec<&'a str> {
    let pairs = listed.lines().filter_map(|line| line.split_once(' '));
    let own = pairs.filter(|(_, folder)| is_same(Path::new(folder), root));
    own.map(|(id, _)| id).collect()
}

/// The containers that docker inspected, one document a line. A container of no service is left out.
pub(super) fn read(inspected: &str) -> Vec<Container> {
    let rows = inspected.lines().filter_map(|line| serde_json::from_str(line).ok());
    rows.filter_map(Container::read).collect()
}

/// One folder, even where one of its names leads over a link.
fn is_same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| fs_err::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    one == other || real(one) == real(other)
}

impl Container {
    fn read(InspectedContainer { id, state, mut labels }: InspectedContainer) -> Option<Self> {
        let mut label = |name: &str| labels.remove(&format!("com.docker.compose.{name}"));
        let started = humantime::parse_rfc3339_weak(state.started_at.trim()).ok();
        Some(Self {
            service: label("service")?,
            digest: label("config-hash").filter(|digest| !digest.is_empty()),
            running: state.status == "running",
            status: state.exit_code,
            started,
            id,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &str = r#"{"id":"b9e6c5ee06c3","state":{"Status":"exited","Running":false,"ExitCode":3,"StartedAt":"2026-11-26T01:52:07.981791308Z"},"labels":{"a":"x,com.docker.compose.service=b","com.docker.compose.config-hash":"f49ab","com.docker.compose.service":"api"}}"#;

    #[test]
    fn inspected_containers_are_read() {
        let containers = read(&format!("{ROW}\nno JSON\n{{}}\n"));
        let [container] = containers.as_slice() else { panic!("{containers:?}") };
        assert_eq!(container.id, "b9e6c5ee06c3");
        assert_eq!(container.service, "api");
        assert_eq!(container.digest.as_deref(), Some("f49ab"));
        assert!(!container.running && container.status == 3 && container.started.is_some());
        let never = ROW.replace("2026-11-26T01:52:07.981791308Z", "0001-01-01T00:00:00Z");
        assert_eq!(read(&never)[0].started, None);
        assert_eq!(read(&ROW.replace("compose.service\":", "compose.other\":")), []);
    }

    #[test]
    fn containers_of_other_folders_are_left_out() {
        let listed = "a1 /p\nb2 /p/b\nc3 /\nd4 /p\ne5 /p q\n";
        assert_eq!(read_ids(listed, Path::new("/p")), ["a1", "d4"]);
        assert_eq!(read_ids(listed, Path::new("/p q")), ["e5"]);
    }
}
