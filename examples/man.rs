//! Writes the manual pages, one per command: `cargo run --example man -- FOLDER`.

use std::path::PathBuf;

use clap::CommandFactory;
use cruddur_ops::cli::Cli;

fn main() -> std::io::Result<()> {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        return Err(std::io::Error::other(
            "usage: cargo run --example man -- FOLDER",
        ));
    };
    fs_err::create_dir_all(&folder)?;
    clap_mangen::generate_to(Cli::command(), folder)
}
