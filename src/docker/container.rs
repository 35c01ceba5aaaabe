//! Containers as docker lists them.

use std::path::Path;
use std::time::SystemTime;

use serde::Deserialize;

/// A container of a project's service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// The beginning of its id.
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

/// What `docker compose ps --format json` says of one container.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Row {
    #[serde(rename = "ID")]
    id: String,
    service: String,
    state: String,
    #[serde(default)]
    exit_code: i64,
    #[serde(default)]
    labels: String,
}

/// The containers of the project in `root` on a list: one document a line, or, before Compose 2.21, one list.
pub(super) fn read(listed: &str, root: &Path) -> Vec<Container> {
    let rows: Vec<Row> = serde_json::from_str(listed).unwrap_or_else(|_| {
        let lines = listed.lines();
        lines.filter_map(|line| serde_json::from_str(line).ok()).collect()
    });
    let own = |row: &Row| folder(&row.labels).is_some_and(|folder| same(folder, root));
    rows.into_iter().filter(own).map(Container::from).collect()
}

/// One folder, even where one of its names leads over a link.
fn same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| fs_err::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    one == other || real(one) == real(other)
}

impl From<Row> for Container {
    fn from(row: Row) -> Self {
        Self {
            digest: digest(&row.labels),
            running: row.state == "running",
            id: row.id,
            service: row.service,
            status: row.exit_code,
            started: None,
        }
    }
}

/// The digest of the configuration among a container's labels.
fn digest(labels: &str) -> Option<String> {
    label(labels, "config-hash").map(str::to_owned)
}

/// The folder that the project was started from.
fn folder(labels: &str) -> Option<&Path> {
    label(labels, "project.working_dir").map(Path::new)
}

/// The value of one of docker compose's labels, up to the comma before the next.
fn label<'a>(labels: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = labels.split_once(&format!("com.docker.compose.{name}="))?;
    rest.split(',').next().filter(|value| !value.is_empty())
}

/// Full ids and the times at which their containers were started.
pub(super) fn starts(inspected: &str) -> Vec<(String, SystemTime)> {
    let pairs = inspected.lines().filter_map(|line| line.split_once(' '));
    pairs
        .filter_map(|(id, time)| {
            let time = humantime::parse_rfc3339_weak(time.trim()).ok()?;
            Some((id.to_owned(), time))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &str = r#"{"ID":"b9e6c5ee06c3","Service":"api","State":"exited","ExitCode":3,"Labels":"a=1,com.docker.compose.project.config_files=/p/a.yml,/p/b.yml,com.docker.compose.config-hash=f49ab,com.docker.compose.project.working_dir=/p,com.docker.compose.service=api","Name":"p-api-1"}"#;

    #[test]
    fn lists_of_both_forms_are_read() {
        let wanted = Container {
            id: "b9e6c5ee06c3".to_owned(),
            service: "api".to_owned(),
            running: false,
            status: 3,
            digest: Some("f49ab".to_owned()),
            started: None,
        };
        let read = |text: &str| super::read(text, Path::new("/p"));
        assert_eq!(read(&format!("{ROW}\n")), std::slice::from_ref(&wanted));
        assert_eq!(read(&format!("[{ROW}]")), [wanted]);
        assert_eq!(read("no JSON\n"), []);
        assert_eq!(super::read(ROW, Path::new("/")), []);
        assert_eq!(super::read(ROW, Path::new("/p/b")), []);
    }

    #[test]
    fn starts_are_read_to_the_nanosecond_and_never_started_is_long_ago() {
        let text = "b9e6 2026-11-26T01:52:07.981791308Z\nc1 0001-01-01T00:00:00Z\n";
        let found = starts(text);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0, "b9e6");
    }
}
