//! Command-line arguments of `ports`.

use clap::Args;

use super::WriteArgs;

/// Arguments of `ports`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cruddur-ops ports
  cruddur-ops ports --public
  cruddur-ops ports --public --on-start
  cruddur-ops ports 3000=public:web 5432=private")]
pub struct PortsArgs {
    /// Make published ports public, except those of databases, debuggers, admin pages and X-Ray
    #[arg(long, conflicts_with = "private")]
    pub public: bool,
    /// Make every published port private
    #[arg(long)]
    pub private: bool,
    /// Ports to set one by one, such as 3000, 3000=public or 5432=private:database; overrides what --public leaves private
    #[arg(value_name = "PORT[=public|private][:NAME]")]
    pub ports: Vec<String>,
    /// Reopen public ports each time the codespace starts, by a command in devcontainer.json
    #[arg(long)]
    pub on_start: bool,
    /// Create .gitpod.yml outside Gitpod too
    #[arg(long)]
    pub gitpod: bool,
    /// Also write devcontainer.json, creating it if missing
    #[arg(long)]
    pub devcontainer: bool,
    /// Write files only; leave live ports alone
    #[arg(long)]
    pub no_live: bool,
    /// Options on commands that write
    #[command(flatten)]
    pub write: WriteArgs,
}
