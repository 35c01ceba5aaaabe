//! `verify`: what can be typed.

use std::time::Duration;

use clap::{Args, ValueEnum};

/// What `verify` takes.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  cruddur-ops verify
  cruddur-ops verify --service backend-flask --timeout 4s
  cruddur-ops verify --local --json
  cruddur-ops verify --app
  cruddur-ops verify --app http://localhost:4567/api/activities/home
  cruddur-ops verify --app --tap")]
pub struct VerifyArgs {
    /// Only this service; may be given more than once [default: every service that has an OTLP endpoint]
    #[arg(long, value_name = "NAME")]
    pub service: Vec<String>,
    /// Send to a receiver of our own on this machine and look at what arrives; a placeholder stands in for a key that nobody has
    #[arg(long)]
    pub local: bool,
    /// Ask the application at URL and look for its own spans instead of sending a test trace; without URL ask every traced service
    #[arg(long, value_name = "URL", num_args = 0..=1, conflicts_with = "local")]
    pub app: Option<Option<String>>,
    /// Let a second container of the service send through a relay of ours to its endpoint, whose answer is the proof: with any key
    #[arg(long, requires = "app")]
    pub tap: bool,
    /// Fail for services that nothing could ask, too
    #[arg(long, requires = "app")]
    pub strict: bool,
    /// Restart the service first, without asking, where its container runs with an older configuration
    #[arg(long, requires = "app")]
    pub restart: bool,
    /// The rung every service has to reach for exit status 0 [default: accepted; with --app the application's spans are always required]
    #[arg(long, value_enum)]
    pub require: Option<Require>,
    /// Time for each service: lookup, sending, retries and all
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = super::time)]
    pub timeout: Duration,
    /// Leave X-Ray and Rollbar out; a test item for Rollbar counts as one occurrence
    #[arg(long)]
    pub no_addons: bool,
    /// Send the keys of this project to HOST without asking; may be given more than once
    #[arg(long, value_name = "HOST")]
    pub trust_host: Vec<String>,
}

/// The rungs that can be asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Require {
    /// The receiver took the spans
    #[default]
    Accepted,
    /// Something reached the dataset since; not with --app
    DatasetWritten,
    /// Our own trace was found
    Queryable,
}
