//! `query`: the queries of the setup guide, as a link into Honeycomb and as an answer from a running `listen`.

use crate::cli::{Global, QueryArgs};
use crate::commands::Outcome;
use crate::error::{Error, Result};
use crate::shell::Shell;
use crate::ui::Ui;

pub(super) fn run(
    args: &QueryArgs,
    global: &Global,
    shell: &Shell,
    ui: &mut Ui,
) -> Result<Outcome> {
    let _ = (args, global, shell, ui);
    Err(Error::new("internal", "not reached"))
}
