//! `query`: shows the queries of the setup guide as a link into Honeycomb, and the answer of a running `listen`.

mod link;

use link::MissingLinkReason;
pub(super) use link::build_link;
use serde::Serialize;
use serde_json::Value as Json;

use crate::cli::{GlobalOptions, QueryArgs, QueryFilters, QueryKind};
use crate::commands::{RunOutcome, browser};
use crate::error::{Error, ErrorCode, Result};
use crate::net::listen;
use crate::otlp::answer::QueryAnswer;
use crate::otlp::query::{CalculationOp, Filter, Query};
use crate::shell::Shell;
use crate::ui::table::Table;
use crate::ui::text::{format_count, format_nanoseconds};
use crate::ui::{PaintedLine, TextRole, Ui, heatmap};

/// The document under `--json`.
#[derive(Serialize)]
struct QueryDocument<'a> {
    schema_version: u32,
    query: &'a Query,
    /// The link into Honeycomb; null if it cannot be built.
    link: Option<&'a str>,
    /// Why there is no link.
    link_missing: Option<&'a str>,
    /// The address of the `listen` that answered.
    answered_by: Option<String>,
    answer: Option<&'a QueryAnswer>,
}

pub(super) fn run(
    args: &QueryArgs,
    global: &GlobalOptions,
    shell: &Shell,
    ui: &mut Ui,
) -> Result<RunOutcome> {
    let (filters, query) = match &args.kind {
        QueryKind::Traces(filters) => (filters, Query::traces(filters.last)),
        QueryKind::Latency(filters) => (filters, Query::latency(filters.last)),
    };
    let query = narrow_query(query, filters)?;
    let link = build_link(&query, &filters.target, global, shell, ui)?;
    let answer = listen::ask(&query, filters.http_port)?;
    if let (Err(missing), None) = (&link, &answer) {
        return Err(no_answer_error(missing, filters.http_port));
    }
    match &link {
        Ok(url) => ui.result(PaintedLine::link(url)),
        // Without a link, an answer from `listen` is enough.
        Err(missing) if answer.is_some() && !filters.open => ui.detail(missing_link_text(missing)),
        Err(missing) => ui.say(missing_link_text(missing)),
    }
    if let Some(answer) = &answer {
        show_query_result(&query, answer, filters.http_port, ui);
    }
    if filters.open
        && let Ok(url) = &link
    {
        browser::open(url, shell)?;
    }
    ui.document(&QueryDocument {
        schema_version: 1,
        query: &query,
        link: link.as_deref().ok(),
        link_missing: link.as_ref().err().map(|missing| missing.why.as_str()),
        answered_by: answer.as_ref().map(|_| listen::listen_address(filters.http_port)),
        answer: answer.as_ref(),
    })?;
    Ok(match (filters.open, &link) {
        (true, Err(_)) => RunOutcome::No,
        _ => RunOutcome::Yes,
    })
}

fn narrow_query(mut query: Query, filters: &QueryFilters) -> Result<Query> {
    for text in &filters.filters {
        query.filters.push(Filter::parse(text)?);
    }
    for column in &filters.by {
        if !query.breakdowns.contains(column) {
            query.breakdowns.push(column.clone());
        }
    }
    Ok(query)
}

fn no_answer_error(missing: &MissingLinkReason, http_port: u16) -> Error {
    let error = Error::new(
        ErrorCode::NobodyAnswers,
        format!("no `listen` answers at {}", listen::listen_address(http_port)),
    )
    .cause(format!("there is no link into Honeycomb either: {}", missing.why))
    .hint("`cruddur-ops listen`, in another terminal, collects traces to query");
    match missing.remedy {
        Some(remedy) => error.hint(remedy),
        None => error,
    }
}

fn missing_link_text(missing: &MissingLinkReason) -> String {
    format!("no link into Honeycomb: {}", missing.why)
}

/// Prints the answer as a table, and as a heatmap if the query asks for one.
fn show_query_result(query: &Query, answer: &QueryAnswer, http_port: u16, ui: &mut Ui) {
    let pen = ui.result_pen();
    let spans = format_count(answer.spans, "span");
    let from = TextRole::Faint.paint(listen::listen_address(http_port));
    let hidden = if query.hides_tests() { ", test spans left out" } else { "" };
    ui.say(PaintedLine::from(format!("{spans} in `listen` at ")) + from + hidden);
    if answer.spans == 0 {
        return;
    }
    let shown = |value: &Json| match value {
        Json::Null => "-".to_owned(),
        Json::String(text) => text.clone(),
        value => value.to_string(),
    };
    let rows = answer.groups.iter().map(|group| {
        let names = group.by.iter().map(shown).collect();
        let mut figures = vec![group.count.to_string()];
        if query.asks(CalculationOp::P90) {
            figures.push(format_nanoseconds((group.p90_ms * 1e6) as u64, &pen.look));
        }
        (names, figures)
    });
    let table = Table {
        names: query.breakdowns.clone(),
        figures: if query.asks(CalculationOp::P90) { vec!["COUNT", "P90"] } else { vec!["COUNT"] },
        rows: rows.collect(),
    };
    for line in table.draw(&pen) {
        ui.result(line);
    }
    if answer.groups.len() == query.limit {
        ui.say(format!("only the largest {} groups are shown", query.limit));
    }
    if let Some(heat) = &answer.heatmap {
        ui.result("");
        for line in heatmap::draw(heat, &pen) {
            ui.result(line);
        }
    }
}
