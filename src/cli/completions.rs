//! Command-line arguments of `completions`.

use clap::Args;
use clap_complete::Shell;

/// Arguments of `completions`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  source <(cruddur-ops completions bash)
  cruddur-ops completions zsh >~/.zfunc/_cruddur-ops
  cruddur-ops completions fish \\
      >~/.config/fish/completions/cruddur-ops.fish")]
pub struct CompletionsArgs {
    /// Shell to print the script for
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}
