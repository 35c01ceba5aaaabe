//! `ports`: what can be typed.

use clap::Args;

use super::WriteArgs;

/// What `ports` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cruddur-ops ports
  cruddur-ops ports --public
  cruddur-ops ports --public --on-start
  cruddur-ops ports 3000=public:web 5432=private")]
pub struct PortsArgs {
    /// Make every published port public, but for databases, debuggers, admin pages and X-Ray's
    #[arg(long, conflicts_with = "private")]
    pub public: bool,
    /// Make every published port private
    #[arg(long)]
    pub private: bool,
    /// A port by itself, also one that stays private under --public [possible: 3000, 3000=public, 3000=private:name]
    #[arg(value_name = "PORT[=public|private][:NAME]")]
    pub ports: Vec<String>,
    /// Have devcontainer.json open the public ports at each start, since a codespace forgets them when it stops
    #[arg(long)]
    pub on_start: bool,
    /// Write devcontainer.json too, and make one where the project has none
    #[arg(long)]
    pub devcontainer: bool,
    /// Write files only: change no live port
    #[arg(long)]
    pub no_live: bool,
    /// Options on commands that write
    #[command(flatten)]
    pub write: WriteArgs,
}
