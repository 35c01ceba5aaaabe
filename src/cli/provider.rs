//! Arguments that determine where telemetry goes.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Arg, Args, Command};

use crate::provider::known_providers;

const PROVIDER: &str = "Provider";

/// Where telemetry goes.
#[derive(Debug, Default, Args)]
pub struct ProviderArgs {
    /// Provider to send traces to (see `cruddur-ops help providers`) [default: the one in use, else honeycomb]
    #[arg(long, help_heading = PROVIDER, value_name = "PROVIDER", value_parser = ProviderParser { others: &OTHER_NAMES }, hide_possible_values = true)]
    pub provider: Option<ProviderName>,
    /// Provider that the collector of `--provider collector` sends to [default: the one in use, else honeycomb]
    #[arg(long, help_heading = PROVIDER, value_name = "PROVIDER", value_parser = ProviderParser { others: &OTHER_NAMES[..1] }, hide_possible_values = true)]
    pub to: Option<ProviderName>,
    /// Region of the provider, such as us or eu [default: found from the key or the project]
    #[arg(long, help_heading = PROVIDER, value_name = "REGION")]
    pub region: Option<String>,
    /// Account setting of the provider, such as zone or dataset (repeatable)
    #[arg(long, help_heading = PROVIDER, value_name = "NAME=VALUE", value_parser = parse_setting)]
    pub set: Vec<(String, String)>,
    /// Base URL of the OTLP endpoint, for `--provider otlp` or instead of the provider's own
    #[arg(long, help_heading = PROVIDER, value_name = "URL", required_if_eq_any([("provider", "otlp"), ("to", "otlp")]))]
    pub endpoint: Option<String>,
    /// Header and the variable that holds its value, for `--provider otlp` (repeatable)
    #[arg(long, help_heading = PROVIDER, value_name = "NAME=VARIABLE")]
    pub header: Vec<String>,
}

/// The name of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderName(pub String);

/// Names in addition to the catalogue's.
const OTHER_NAMES: [(&str, &str); 3] = [
    ("otlp", "Any OTLP endpoint"),
    ("local", "`cruddur-ops listen` on this machine"),
    ("collector", "An OpenTelemetry Collector next to the services, which alone holds the key"),
];

/// The parser of a provider's name. The catalogue is parsed only when a name is read or listed, so that other
/// commands need not wait for it.
#[derive(Debug, Clone, Copy)]
struct ProviderParser {
    /// Names in addition to the catalogue's.
    others: &'static [(&'static str, &'static str)],
}

impl TypedValueParser for ProviderParser {
    type Value = ProviderName;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Self::Value, clap::Error> {
        let parser = PossibleValuesParser::new(self.names());
        parser.parse_ref(command, argument, value).map(ProviderName)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.names()))
    }
}

impl ProviderParser {
    fn names(self) -> impl Iterator<Item = PossibleValue> {
        let known = known_providers().iter().filter(|provider| provider.refused.is_none()).map(
            |provider| PossibleValue::new(provider.name.as_str()).help(provider.title.as_str()),
        );
        let others = self.others.iter().map(|(name, help)| PossibleValue::new(name).help(help));
        // Accepted here, so that the later refusal can suggest an alternative.
        let refused = known_providers()
            .iter()
            .filter(|provider| provider.refused.is_some())
            .map(|provider| PossibleValue::new(provider.name.as_str()).hide(true));
        known.chain(others).chain(refused)
    }
}

fn parse_setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() && !value.is_empty() => {
            Ok((name.to_owned(), value.to_owned()))
        }
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}
