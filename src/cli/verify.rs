//! Command-line arguments of `verify`.

use std::time::Duration;

use clap::{Args, ValueEnum};

/// Arguments of `verify`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  cruddur-ops verify
  cruddur-ops verify --service backend-flask --timeout 4s
  cruddur-ops verify --local --json
  cruddur-ops verify --app
  cruddur-ops verify \\
      --app http://localhost:4567/api/activities/home
  cruddur-ops verify --app --tap
  cruddur-ops verify --app --tap --recreate worker")]
pub struct VerifyArgs {
    /// Verify only this service (repeatable) [default: every service with an OTLP endpoint]
    #[arg(long, value_name = "NAME")]
    pub service: Vec<String>,
    /// Send to a receiver inside this program instead of the provider; needs no key
    #[arg(long)]
    pub local: bool,
    /// Request URL from the application and look for the application's own spans; without URL, request every traced service
    #[arg(long, value_name = "URL", num_args = 0..=1, conflicts_with = "local")]
    pub app: Option<Option<String>>,
    /// Prove it with any key: run a second container of the service that exports through a local relay to the provider
    #[arg(long, requires = "app")]
    pub tap: bool,
    /// With --tap: replace SERVICE's own container, which publishes no port, and recreate it afterwards (repeatable)
    #[arg(long, value_name = "SERVICE", requires = "tap")]
    pub recreate: Vec<String>,
    /// Fail if a service could not be asked
    #[arg(long, requires = "app")]
    pub strict: bool,
    /// First recreate containers that have an old configuration, without asking
    #[arg(long, requires = "app")]
    pub restart: bool,
    /// Step that every service must reach for exit code 0 [default: accepted; --app always requires the application's spans]
    #[arg(long, value_enum)]
    pub require: Option<Require>,
    /// Time limit per service, retries included
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = super::parse_time)]
    pub timeout: Duration,
    /// Skip X-Ray and Rollbar (a test item counts as one Rollbar occurrence)
    #[arg(long)]
    pub no_addons: bool,
    /// Allow sending this project's keys to HOST (repeatable)
    #[arg(long, value_name = "HOST")]
    pub trust_host: Vec<String>,
}

/// The steps that `--require` accepts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Require {
    /// The provider accepted the spans
    #[default]
    Accepted,
    /// Something was written to the dataset afterwards; not with --app
    DatasetWritten,
    /// The test trace was found by its id
    Queryable,
}
