//! Writes the manual pages, one per command: `cargo run --example man -- FOLDER`.

use std::path::PathBuf;

use clap::CommandFactory;
use cruddur_ops::cli::Cli;

fn main() -> std::io::Result<()> {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        return Err(std::io::Error::other("usage: cargo run --example man -- FOLDER"));
    };
    fs_err::create_dir_all(&folder)?;
    clap_mangen::generate_to(Cli::command(), &folder)?;
    for entry in fs_err::read_dir(&folder)? {
        let path = entry?.path();
        let page = fs_err::read_to_string(&path)?;
        fs_err::write(&path, with_examples(&page))?;
    }
    Ok(())
}

/// What a command says after its options, under the headings of a manual; commands to copy keep their lines.
fn with_examples(page: &str) -> String {
    page.replace("\nExamples:\n", "\n.SH EXAMPLES\n.nf\n")
        .replace("\nExample:\n", "\n.SH EXAMPLES\n.nf\n")
        .replace(".SH EXTRA\n.SH EXAMPLES\n", ".SH EXAMPLES\n")
        .replace(".SH EXTRA\n", ".SH NOTES\n")
        .replace(".SH VERSION\n", ".fi\n.SH VERSION\n")
}
