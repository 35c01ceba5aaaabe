//! Command-line arguments of `query`.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::TargetArgs;

/// Arguments of `query`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cruddur-ops query traces --last 1h
  cruddur-ops query latency --by name \\
      --where 'service.name = backend-flask'
  cruddur-ops query latency --open")]
pub struct QueryArgs {
    /// The query
    #[command(subcommand)]
    pub kind: QueryKind,
}

/// The queries of the setup guide.
#[derive(Debug, Subcommand)]
pub enum QueryKind {
    /// Count the spans with the attribute app.now, by trace
    #[command(after_help = "Example:\n  cruddur-ops query traces --last 1h")]
    Traces(QueryFilters),
    /// Heatmap and P90 of span durations, without the test spans of `verify`
    #[command(after_help = "Example:\n  cruddur-ops query latency --by name")]
    Latency(QueryFilters),
}

/// Arguments that narrow a query.
#[derive(Debug, Args)]
pub struct QueryFilters {
    /// Use only spans that match COLUMN OP [VALUE] (repeatable)
    #[arg(long = "where", value_name = "FILTER")]
    pub filters: Vec<String>,
    /// Also group by this column (repeatable)
    #[arg(long, value_name = "COLUMN")]
    pub by: Vec<String>,
    /// Time range, up to now
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = super::parse_time)]
    pub last: Duration,
    /// Open the query in a browser
    #[arg(long)]
    pub open: bool,
    /// HTTP port of the running `listen`
    #[arg(long, value_name = "PORT", default_value_t = 4318)]
    pub http_port: u16,
    /// The Honeycomb API to use
    #[command(flatten)]
    pub target: TargetArgs,
}
