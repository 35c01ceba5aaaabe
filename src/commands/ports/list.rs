//! `ports` without arguments: lists what is declared, configured, live and listening.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::commands::RunOutcome;
use crate::edit::jsonc::devcontainer as devcontainer_editor;
use crate::edit::yaml::ports as gitpod_editor;
use crate::error::Result;
use crate::plan::gitpod::{self, GitpodPortEntry};
use crate::plan::ports::{PublishedRange, PublishedTcpPort};
use crate::secret::RedactedText;
use crate::session::context::ProjectContext;
use crate::ui::{LineStyle, TextRole, Ui};
use crate::workspace::listening::{self, PortReach};
use crate::workspace::{LivePort, LiveVisibility as Live, Workspace};

/// One line of `ports`.
struct PortRow {
    port: u16,
    /// The last port of a range.
    last: Option<u16>,
    service: Option<String>,
    configured: Option<GitpodPortEntry>,
    /// The entry in devcontainer.json: whether it is forwarded, and its label.
    forwarded: Option<(bool, Option<String>)>,
    live: Option<LivePort>,
    listening: Option<PortReach>,
}

/// Lists the ports.
///
/// # Errors
/// When the compose project cannot be read.
pub(super) fn run(context: &ProjectContext, ui: &mut Ui) -> Result<RunOutcome> {
    warn_unread_files(context, ui);
    let rows = collect_port_rows(context, ui)?;
    if rows.is_empty() {
        ui.say("no port is published by a compose service or named in .gitpod.yml or devcontainer.json");
    } else {
        let devcontainer = context.project.devcontainer.is_some();
        let gitpod = context.project.gitpod.is_some() || !devcontainer;
        let live = Workspace::detect(context.shell).has_live_ports();
        let shown = [true, true, gitpod, devcontainer, live, true];
        let titles = ["PORT", "COMPOSE", ".GITPOD.YML", "DEVCONTAINER.JSON", "LIVE", "LISTENING"];
        let keep = |cells: [String; 6]| -> Vec<String> {
            let cells = cells.into_iter().zip(shown);
            cells.filter(|(_, shown)| *shown).map(|(cell, _)| cell).collect()
        };
        let mut cells = vec![keep(titles.map(str::to_owned))];
        cells.extend(rows.iter().map(|row| keep(row.cells())));
        for (number, line) in align_cells(&cells, &ui.result_pen()).into_iter().enumerate() {
            let role = if number == 0 { TextRole::Strong } else { TextRole::Plain };
            ui.result(role.paint(line));
        }
    }
    let ports: Vec<Value> = rows.iter().map(PortRow::document).collect();
    ui.document(&json!({"schema_version": 1, "ports": ports}))?;
    Ok(RunOutcome::Yes)
}

/// Warns about files that could not be read: their ports are unknown, which is not the same as none.
fn warn_unread_files(context: &ProjectContext, ui: &mut Ui) {
    let project = &context.project;
    let gitpod = project
        .gitpod
        .as_ref()
        .and_then(|file| Some((file, gitpod_editor::read_gitpod_ports(&file.text).err()?)));
    let devcontainer = project
        .devcontainer
        .as_ref()
        .and_then(|file| Some((file, devcontainer_editor::read_devcontainer(&file.text).err()?)));
    for (file, refusal) in gitpod.into_iter().chain(devcontainer) {
        let text = format!(
            "{}:{} cannot be read, and its ports are missing here: {}",
            project.shown(&file.path).display(),
            refusal.line,
            refusal.reason
        );
        ui.warn(text, Some("`cruddur-ops doctor` looks for the cause"));
    }
}

/// The narrowest width a column is cut to.
const MIN_COLUMN_WIDTH: usize = 10;

/// Aligns the cells in columns; on a terminal, cuts the widest until a line fits.
fn align_cells(cells: &[Vec<String>], pen: &LineStyle) -> Vec<String> {
    const COLUMN_GAP: usize = 2;
    let look = &pen.look;
    let cells: Vec<Vec<RedactedText>> =
        cells.iter().map(|row| row.iter().map(|cell| pen.show(cell)).collect()).collect();
    let width = |column: usize| {
        let cells = cells.iter().map(|row| row[column].columns());
        cells.max().unwrap_or(0) + COLUMN_GAP
    };
    let count = cells.first().map_or(0, Vec::len);
    let mut widths: Vec<usize> = (0..count).map(width).collect();
    while look.wraps && widths.iter().sum::<usize>() > look.width + COLUMN_GAP {
        match widths.iter_mut().max() {
            Some(widest) if *widest > MIN_COLUMN_WIDTH => *widest -= 1,
            _ => break,
        }
    }
    let line = |row: &Vec<RedactedText>| -> String {
        let padded = row.iter().zip(&widths).map(|(cell, width)| {
            let cell = pen.cut(cell, width - COLUMN_GAP);
            let gap = width.saturating_sub(cell.columns());
            format!("{cell}{}", " ".repeat(gap))
        });
        padded.collect::<String>().trim_end().to_owned()
    };
    cells.iter().map(line).collect()
}

fn collect_port_rows(context: &ProjectContext, ui: &mut Ui) -> Result<Vec<PortRow>> {
    let model = context.project.model()?;
    let published: Vec<PublishedTcpPort> = context.published(model);
    let configured = context.configured_ports();
    let workspace = Workspace::detect(context.shell);
    let live = if workspace.has_live_ports() { ask_live_ports(&workspace, ui) } else { Vec::new() };
    let mut ports: Vec<u16> = published.iter().map(|port| port.port).collect();
    ports.extend(
        configured.iter().filter(|entry| entry.first == entry.last).map(|entry| entry.first),
    );
    let forwarded = context.forwarded_ports();
    ports.extend(forwarded.iter().flat_map(|file| &file.forwards));
    ports.extend(live.iter().map(|live| live.port));
    ports.sort_unstable();
    ports.dedup();
    let listening = listening::find_listening_ports(&ports);
    let services: HashMap<u16, &str> =
        published.iter().map(|port| (port.port, port.service.as_str())).collect();
    let row = |port: u16| PortRow {
        port,
        last: None,
        service: services.get(&port).map(|service| (*service).to_owned()),
        configured: gitpod::entry_in_force(&configured, port).cloned(),
        forwarded: forwarded.as_ref().map(|file| {
            let label = file.label(port).map(str::to_owned);
            (file.forwards.contains(&port), label)
        }),
        live: live.iter().find(|live| live.port == port).cloned(),
        listening: listening.get(&port).copied(),
    };
    let mut rows: Vec<PortRow> = ports.into_iter().map(row).collect();
    for PublishedRange { ports, service } in context.published_ranges(model) {
        let (first, last) = (*ports.start(), *ports.end());
        let mut covering = configured.iter().filter(|entry| entry.covers(first));
        rows.push(PortRow {
            port: first,
            last: Some(last),
            service: Some(service),
            configured: covering.find(|entry| entry.covers(last)).cloned(),
            forwarded: None,
            live: None,
            listening: None,
        });
    }
    rows.sort_by_key(|row| row.port);
    Ok(rows)
}

/// Returns the workspace's live ports; if it cannot be asked, warns and returns none.
fn ask_live_ports(workspace: &Workspace, ui: &mut Ui) -> Vec<LivePort> {
    ui.progress(&format!("asking {} for its ports", workspace.name()));
    let live = workspace.live_ports();
    ui.progress_done();
    live.unwrap_or_else(|error| {
        ui.warn(&error.message, error.hints.first().map(String::as_str));
        Vec::new()
    })
}

impl PortRow {
    fn cells(&self) -> [String; 6] {
        let configured = self.configured.as_ref().map(|entry| {
            let visibility = entry.visibility.as_str();
            append_name(visibility, entry.name.as_deref())
        });
        let forwarded = self.forwarded.as_ref().and_then(|(forwarded, label)| {
            let word = if *forwarded { "forwarded" } else { "labelled" };
            (*forwarded || label.is_some()).then(|| append_name(word, label.as_deref()))
        });
        let live = self.live.as_ref().and_then(|live| live.visibility).map(Live::name);
        let or_dash = |cell: Option<String>| cell.unwrap_or_else(|| "-".to_owned());
        [
            match self.last {
                Some(last) => format!("{}-{last}", self.port),
                None => self.port.to_string(),
            },
            or_dash(self.service.clone()),
            or_dash(configured),
            or_dash(forwarded),
            or_dash(live.map(str::to_owned)),
            match self.last {
                // The ports of a range are not checked one by one.
                Some(_) => "-".to_owned(),
                None => self.listening.map_or("no", describe_reach).to_owned(),
            },
        ]
    }

    fn document(&self) -> Value {
        json!({
            "port": self.port,
            "last_port": self.last,
            "service": self.service,
            "configured": self.configured.as_ref().map(|entry| entry.visibility.as_str()),
            "name": self.configured.as_ref().and_then(|entry| entry.name.clone()),
            "forwarded": self.forwarded.as_ref().map(|(forwarded, _)| *forwarded),
            "label": self.forwarded.as_ref().and_then(|(_, label)| label.clone()),
            "live": self.live.as_ref().and_then(|live| live.visibility).map(Live::name),
            "url": self.live.as_ref().and_then(|live| live.url.clone()),
            "listening": self.listening.map(describe_reach),
        })
    }
}

fn append_name(word: &str, name: Option<&str>) -> String {
    let name = name.map(|name| format!(" ({name})"));
    format!("{word}{}", name.unwrap_or_default())
}

fn describe_reach(reach: PortReach) -> &'static str {
    match reach {
        PortReach::Loopback => "on localhost",
        PortReach::Everywhere => "on all interfaces",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Redactor;
    use crate::ui::StreamLook;
    use crate::ui::text::count_columns;

    #[test]
    fn a_table_fits_the_screen_and_is_uncut_in_a_pipe() {
        let cells = [
            ["PORT", "COMPOSE", "DEVCONTAINER.JSON"],
            ["3000", "frontend-react-js", "forwarded (frontend)"],
        ]
        .map(|row| row.map(str::to_owned).to_vec());
        let pen = |look| LineStyle::new(look, &Redactor::default());
        let screen = StreamLook { width: 36, wraps: true, ..StreamLook::plain() };
        let shown = align_cells(&cells, &pen(screen));
        assert!(shown.iter().all(|line| count_columns(line) <= 36), "{shown:?}");
        assert!(shown[1].starts_with("3000  frontend"), "{shown:?}");
        let whole = align_cells(&cells, &pen(StreamLook::plain()));
        assert!(whole[1].ends_with("  forwarded (frontend)"), "{whole:?}");
    }
}
