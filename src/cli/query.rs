//! `query`: what can be typed.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::TargetArgs;

/// What `query` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cruddur-ops query traces --last 1h
  cruddur-ops query latency --by name --where 'service.name = backend-flask'
  cruddur-ops query latency --open")]
pub struct QueryArgs {
    /// Which query
    #[command(subcommand)]
    pub kind: QueryKind,
}

/// The queries of the setup guide.
#[derive(Debug, Subcommand)]
pub enum QueryKind {
    /// COUNT of the spans that have app.now, by trace.trace_id
    #[command(after_help = "Example:\n  cruddur-ops query traces --last 1h")]
    Traces(QueryFilters),
    /// HEATMAP and P90 of duration_ms, without our own test spans
    #[command(after_help = "Example:\n  cruddur-ops query latency --by name")]
    Latency(QueryFilters),
}

/// What narrows a query down.
#[derive(Debug, Args)]
pub struct QueryFilters {
    /// Only spans for which this holds: COLUMN OP [VALUE] (repeatable)
    #[arg(long = "where", value_name = "FILTER")]
    pub filters: Vec<String>,
    /// Group by this column as well (repeatable)
    #[arg(long, value_name = "COLUMN")]
    pub by: Vec<String>,
    /// How far to look back
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = super::time)]
    pub last: Duration,
    /// Open the link in a browser
    #[arg(long)]
    pub open: bool,
    /// HTTP port of a running listen
    #[arg(long, value_name = "PORT", default_value_t = 4318)]
    pub http_port: u16,
    /// Which Honeycomb is meant
    #[command(flatten)]
    pub target: TargetArgs,
}
