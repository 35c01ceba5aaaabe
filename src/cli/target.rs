//! Arguments that choose a Honeycomb API, for every command that uses one.

use clap::Args;

/// The Honeycomb API to use.
#[derive(Debug, Clone, Default, Args)]
pub struct TargetArgs {
    /// Honeycomb region
    #[arg(long, value_name = "us|eu", conflicts_with = "endpoint")]
    pub region: Option<String>,
    /// Use this address instead of Honeycomb's
    #[arg(long, value_name = "URL")]
    pub endpoint: Option<String>,
    /// Allow sending the key to this host, which is not Honeycomb's (repeatable)
    #[arg(long, value_name = "HOST")]
    pub trust_host: Vec<String>,
}
