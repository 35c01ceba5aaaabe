//! Command-line arguments of `init`.

use clap::Args;

use super::instrument_choice::{InstrumentChoice, SentSignal, agent_image};
use super::{ProviderArgs, StoreName, WriteArgs, addon, store};
use crate::provider::Addon;

const KEY: &str = "Key";
const SERVICES: &str = "Services";
const PORTS: &str = "Ports";

/// Arguments of `init`.
#[derive(Debug, Default, Args)]
#[command(after_help = "\
Examples:
  cruddur-ops init
  cruddur-ops init --public \\
      --service backend-flask --service worker=jobs
  echo \"$KEY\" | \\
      cruddur-ops init --yes --key-stdin --store dotenv
  cruddur-ops init --provider local      # to `listen`
  cruddur-ops init --provider collector  # it holds the key
  cruddur-ops init --provider grafana-cloud \\
      --set zone=prod-eu-west-2
  cruddur-ops init --provider collector --to axiom \\
      --set dataset=shop
  cruddur-ops init --with xray,rollbar \\
      --aws-region us-east-1
  cruddur-ops init --instrument code --instrument api=agent
  cruddur-ops init --provider otlp \\
      --endpoint https://otlp.example.com \\
      --header x-api-key=MY_API_KEY")]
pub struct InitArgs {
    /// Where telemetry goes
    #[command(flatten)]
    pub provider: ProviderArgs,
    /// Read the key from standard input
    #[arg(long, help_heading = KEY)]
    pub key_stdin: bool,
    /// Keep the key in this store (see `cruddur-ops help stores`) [default: the store that has it; for a new key gp in Gitpod, dotenv in a codespace, keyring elsewhere]
    #[arg(long, value_parser = store::store_or_none(), hide_possible_values = true, help_heading = KEY)]
    pub store: Option<StoreName>,
    /// Trace this service, optionally under another name (repeatable) [default: backend services whose code is in the project]
    #[arg(long, value_name = "NAME[=OTEL_NAME]", help_heading = SERVICES)]
    pub service: Vec<String>,
    /// Trace every service, including databases and frontends
    #[arg(long, conflicts_with = "service", help_heading = SERVICES)]
    pub all_services: bool,
    /// Also report to this service, from traced Python services (repeatable, or comma-separated)
    #[arg(long, value_parser = addon::addon(), value_name = "ADDON", value_delimiter = ',', help_heading = SERVICES)]
    pub with: Vec<Addon>,
    /// AWS region for X-Ray [default: the region set in the project or the shell]
    #[arg(long, value_name = "REGION", requires = "with", help_heading = SERVICES)]
    pub aws_region: Option<String>,
    /// Leave ports alone, in files and live
    #[arg(long, conflicts_with = "public", help_heading = PORTS)]
    pub no_ports: bool,
    /// Make published ports public, except those of databases, debuggers, admin pages and X-Ray
    #[arg(long, help_heading = PORTS)]
    pub public: bool,
    /// Reopen public ports each time the codespace starts, by a command in devcontainer.json
    #[arg(long, requires = "public", help_heading = PORTS)]
    pub on_start: bool,
    /// How to instrument all services, or one: auto, code, agent or none (repeatable) [default: auto]
    #[arg(long, value_name = "[NAME=]HOW", value_parser = InstrumentChoice::parse, help_heading = SERVICES)]
    #[arg(long_help = InstrumentChoice::HELP)]
    pub instrument: Vec<InstrumentChoice>,
    /// Same as `--instrument none`
    #[arg(long, conflicts_with = "instrument", help_heading = SERVICES)]
    pub no_instrument: bool,
    /// Image to copy an agent from: a mirror, another tag or a digest (repeatable)
    #[arg(long, value_name = "LANG=IMAGE", value_parser = agent_image, help_heading = SERVICES)]
    pub agent_image: Vec<(String, String)>,
    /// Signals that agents send: traces, metrics, logs (comma-separated)
    #[arg(long, value_name = "SIGNALS", value_delimiter = ',', default_value = "traces", help_heading = SERVICES)]
    pub signals: Vec<SentSignal>,
    /// Have the workspace install, at each start, the packages of services whose code is mounted over their image
    #[arg(long, help_heading = PORTS)]
    pub tasks: bool,
    /// Make no network calls: check neither the key nor delivery
    #[arg(long)]
    pub no_verify: bool,
    /// Allow sending the key to this host, which belongs to no known provider (repeatable)
    #[arg(long, value_name = "HOST", help_heading = KEY)]
    pub trust_host: Vec<String>,
    /// Recreate running containers that have an old configuration, without asking
    #[arg(long, conflicts_with = "no_verify")]
    pub restart: bool,
    /// Options on commands that write
    #[command(flatten)]
    pub write: WriteArgs,
}
