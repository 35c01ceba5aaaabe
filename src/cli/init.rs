//! `init`: what can be typed.

use clap::Args;

use super::instrument_choice::{InstrumentChoice, SentSignal, agent_image};
use super::{ProviderArgs, StoreName, WriteArgs, addon, store};
use crate::provider::Addon;

/// What `init` takes.
#[derive(Debug, Default, Args)]
#[command(after_help = "\
Examples:
  cruddur-ops init
  cruddur-ops init --service backend-flask --service worker=jobs --public
  echo \"$KEY\" | cruddur-ops init --yes --key-stdin --store dotenv
  cruddur-ops init --provider local                     to `cruddur-ops listen`, without an account
  cruddur-ops init --provider collector --region eu     one collector holds the key
  cruddur-ops init --provider grafana-cloud --set zone=prod-eu-west-2
  cruddur-ops init --provider collector --to axiom --set dataset=shop
  cruddur-ops init --with xray,rollbar --aws-region us-east-1
  cruddur-ops init --instrument code --instrument worker=agent
  cruddur-ops init --provider otlp --endpoint https://otlp.example.com \\
      --header x-api-key=MY_API_KEY")]
pub struct InitArgs {
    /// Where telemetry goes
    #[command(flatten)]
    pub provider: ProviderArgs,
    /// Read the key from standard input
    #[arg(long)]
    pub key_stdin: bool,
    /// Where the key is kept [default: where it is; a new one: gp in Gitpod, dotenv in a codespace, else the keyring]
    #[arg(long, value_parser = store::store_or_none())]
    pub store: Option<StoreName>,
    /// Trace this service, under this name; repeatable [default: services built here that serve a backend]
    #[arg(long, value_name = "NAME[=OTEL_NAME]")]
    pub service: Vec<String>,
    /// Trace every service, databases and frontends too
    #[arg(long, conflicts_with = "service")]
    pub all_services: bool,
    /// Report to this too, from the traced Python services; repeatable, or a list with commas
    #[arg(long, value_parser = addon::addon(), value_name = "ADDON", value_delimiter = ',')]
    pub with: Vec<Addon>,
    /// Where X-Ray keeps the traces [default: the region the project or the shell names]
    #[arg(long, value_name = "REGION", requires = "with")]
    pub aws_region: Option<String>,
    /// Leave ports alone: `.gitpod.yml`, devcontainer.json and live ones
    #[arg(long, conflicts_with = "public")]
    pub no_ports: bool,
    /// Make the published ports public, but for databases, debuggers, admin pages and X-Ray's
    #[arg(long)]
    pub public: bool,
    /// Have devcontainer.json open the public ports at each start of a codespace
    #[arg(long, requires = "public")]
    pub on_start: bool,
    /// How services come to send spans, all or one of them; repeatable [default: auto]
    #[arg(long, value_name = "[NAME=]HOW", value_parser = InstrumentChoice::parse)]
    #[arg(long_help = InstrumentChoice::HELP)]
    pub instrument: Vec<InstrumentChoice>,
    /// The same as `--instrument none`
    #[arg(long, conflicts_with = "instrument")]
    pub no_instrument: bool,
    /// Take an agent from this image: a mirror, another tag, a digest; repeatable
    #[arg(long, value_name = "LANG=IMAGE", value_parser = agent_image)]
    pub agent_image: Vec<(String, String)>,
    /// What services that an agent traces send, as a list with commas
    #[arg(long, value_name = "SIGNALS", value_delimiter = ',', default_value = "traces")]
    pub signals: Vec<SentSignal>,
    /// Make not one network call: neither the key is tried nor delivery verified
    #[arg(long)]
    pub no_verify: bool,
    /// Send the key to this host, although no provider known here owns it; repeatable
    #[arg(long, value_name = "HOST")]
    pub trust_host: Vec<String>,
    /// Restart running services that would not know of the changes, without asking
    #[arg(long, conflicts_with = "no_verify")]
    pub restart: bool,
    /// Options on commands that write
    #[command(flatten)]
    pub write: WriteArgs,
}
