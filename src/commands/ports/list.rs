//! `ports` alone: what is declared, configured, live and listened on.

use serde_json::{Value, json};

use crate::commands::Outcome;
use crate::commands::place::Place;
use crate::edit::yaml::ports::Visibility;
use crate::error::Result;
use crate::plan::gitpod::{self, Configured};
use crate::plan::ports::Published;
use crate::ui::text::columns;
use crate::ui::{Role, Ui};
use crate::workspace::listening::{self, Reach};
use crate::workspace::{LivePort, Visibility as Live, Workspace};

/// One line of `ports`.
struct Row {
    port: u16,
    service: Option<String>,
    configured: Option<Configured>,
    live: Option<LivePort>,
    listening: Option<Reach>,
}

/// Lists the ports.
///
/// # Errors
/// Where the compose project cannot be read.
pub(super) fn run(place: &Place, ui: &mut Ui) -> Result<Outcome> {
    let rows = rows(place, ui)?;
    if rows.is_empty() {
        ui.say("no port is published by a compose service or named in .gitpod.yml");
    } else {
        let titles = ["PORT", "COMPOSE", ".GITPOD.YML", "LIVE", "LISTENING"];
        let mut cells = vec![titles.map(str::to_owned)];
        cells.extend(rows.iter().map(Row::cells));
        for (number, line) in aligned(&cells).into_iter().enumerate() {
            let role = if number == 0 {
                Role::Strong
            } else {
                Role::Plain
            };
            let line = ui.result_look.paint(role, &line);
            ui.result(line);
        }
    }
    let ports: Vec<Value> = rows.iter().map(Row::document).collect();
    ui.document(&json!({"schema_version": 1, "ports": ports}))?;
    Ok(Outcome::Yes)
}

/// Lines whose cells stand below each other.
fn aligned(cells: &[[String; 5]]) -> Vec<String> {
    let width = |column: usize| {
        cells
            .iter()
            .map(|row| columns(&row[column]))
            .max()
            .unwrap_or(0)
            + 2
    };
    let widths: Vec<usize> = (0..5).map(width).collect();
    let line = |row: &[String; 5]| -> String {
        let padded = row.iter().zip(&widths).map(|(cell, width)| {
            let gap = width.saturating_sub(columns(cell));
            format!("{cell}{}", " ".repeat(gap))
        });
        padded.collect::<String>().trim_end().to_owned()
    };
    cells.iter().map(line).collect()
}

fn rows(place: &Place, ui: &mut Ui) -> Result<Vec<Row>> {
    let model = place.project.model()?;
    let published: Vec<Published> = place.published(model);
    let configured = place.configured_ports();
    let workspace = Workspace::detect(place.shell);
    let live = match &workspace {
        Workspace::Gitpod(_) => workspace.live_ports().unwrap_or_else(|error| {
            ui.warn(&error.message, error.hints.first().map(String::as_str));
            Vec::new()
        }),
        _ => Vec::new(),
    };
    let mut ports: Vec<u16> = published.iter().map(|port| port.port).collect();
    ports.extend(
        configured
            .iter()
            .filter(|entry| entry.first == entry.last)
            .map(|entry| entry.first),
    );
    ports.extend(live.iter().map(|live| live.port));
    ports.sort_unstable();
    ports.dedup();
    let listening = listening::among(&ports);
    let row = |port: u16| Row {
        port,
        service: published
            .iter()
            .find(|published| published.port == port)
            .map(|published| published.service.clone()),
        configured: gitpod::effective(&configured, port).cloned(),
        live: live.iter().find(|live| live.port == port).cloned(),
        listening: listening.get(&port).copied(),
    };
    Ok(ports.into_iter().map(row).collect())
}

impl Row {
    fn cells(&self) -> [String; 5] {
        let configured = self.configured.as_ref().map(|entry| {
            let name = entry.name.as_deref().map(|name| format!(" ({name})"));
            let visibility = word(entry.visibility == Visibility::Public);
            format!("{visibility}{}", name.unwrap_or_default())
        });
        let live = self
            .live
            .as_ref()
            .and_then(|live| live.visibility)
            .map(Live::name);
        let or_dash = |cell: Option<String>| cell.unwrap_or_else(|| "-".to_owned());
        [
            self.port.to_string(),
            or_dash(self.service.clone()),
            or_dash(configured),
            or_dash(live.map(str::to_owned)),
            self.listening.map_or("no", reach).to_owned(),
        ]
    }

    fn document(&self) -> Value {
        json!({
            "port": self.port,
            "service": self.service,
            "configured": self.configured.as_ref().map(|entry| word(entry.visibility == Visibility::Public)),
            "name": self.configured.as_ref().and_then(|entry| entry.name.clone()),
            "live": self.live.as_ref().and_then(|live| live.visibility).map(Live::name),
            "url": self.live.as_ref().and_then(|live| live.url.clone()),
            "listening": self.listening.map(reach),
        })
    }
}

fn reach(reach: Reach) -> &'static str {
    match reach {
        Reach::Loopback => "on localhost",
        Reach::Everywhere => "on all interfaces",
    }
}

fn word(public: bool) -> &'static str {
    if public { "public" } else { "private" }
}
