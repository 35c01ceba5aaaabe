//! `completions`: what can be typed.

use clap::Args;
use clap_complete::Shell;

/// What `completions` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  source <(cruddur-ops completions bash)
  cruddur-ops completions zsh > ~/.zfunc/_cruddur-ops
  cruddur-ops completions fish > ~/.config/fish/completions/cruddur-ops.fish")]
pub struct CompletionsArgs {
    /// The shell that reads the script
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}
