//! `key`: stores it, shows where it is, asks who owns it, removes it.

mod forget;
mod set;
mod status;
mod whoami;

use crate::cli::{GlobalOptions, KeyAction, KeyArgs};
use crate::commands::RunOutcome;
use crate::error::Result;
use crate::session::context::ProjectContext;
use crate::shell::Shell;
use crate::ui::Ui;

/// Version of the documents `key` prints under `--json`.
const SCHEMA_VERSION: u32 = 1;

pub(super) fn run(
    args: &KeyArgs,
    global: &GlobalOptions,
    shell: &Shell,
    ui: &mut Ui,
) -> Result<RunOutcome> {
    let context = ProjectContext::find(shell, global.directory.as_deref())?;
    let stores = context.stores(ui.redactor());
    match &args.action {
        KeyAction::Set(args) => set::run(args, &context, stores, ui),
        KeyAction::Status(args) => status::run(args, &context, stores, ui),
        KeyAction::Whoami(args) => whoami::run(args, &context, stores, ui),
        KeyAction::Forget(args) => forget::run(args, &context, stores, ui),
    }
}
