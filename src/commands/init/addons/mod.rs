//! `init --with`: collects what X-Ray and Rollbar need apart from code: a region, a token, and the services to
//! report.

mod daemon;
mod token;

use super::key::KeyChoice;
use crate::cli::InitArgs;
use crate::compose::ComposeModel;
use crate::error::Result;
use crate::plan::Note;
use crate::plan::addons::{self, AddonRequest, HostNaming};
use crate::plan::ports::PublishedTcpPort;
use crate::plan::telemetry::SelectedService;
use crate::provider::Addon;
use crate::session::code;
use crate::session::context::ProjectContext;
use crate::ui::Ui;
use crate::workspace::Workspace;

/// The requested addons, and the answers they need.
#[derive(Debug, Default)]
pub(super) struct AddonAnswers {
    pub(super) request: AddonRequest,
    /// The tokens of addons without a daemon, unless they are provided from elsewhere.
    pub(super) tokens: Vec<KeyChoice>,
}

impl AddonAnswers {
    /// Returns the port published for the daemon.
    pub(super) fn published(&self, model: &ComposeModel) -> Option<PublishedTcpPort> {
        addons::published(model, &self.request)
    }
}

/// Finds what the addons on the command line need, or asks for it.
///
/// # Errors
/// When an answer is missing and there is no terminal.
pub(super) fn ask(
    args: &InitArgs,
    context: &ProjectContext,
    selected: &[SelectedService],
    ui: &mut Ui,
) -> Result<(AddonAnswers, Vec<Note>)> {
    let mut all = AddonAnswers::default();
    let mut notes = Vec::new();
    let wanted = Addon::each_once(&args.with);
    if wanted.is_empty() {
        return Ok((all, notes));
    }
    let names: Vec<String> = selected.iter().map(|selected| selected.service.clone()).collect();
    let services = code::find_python_services(&context.project, &names)?;
    if services.is_empty() {
        notes.push(Note::warning("no traced service runs Python, so `--with` adds nothing"));
        return Ok((all, notes));
    }
    all.request = AddonRequest {
        addons: wanted,
        services,
        hosts: match Workspace::detect(context.shell) {
            Workspace::Gitpod(_) => HostNaming::Gitpod,
            Workspace::Codespaces { .. } => HostNaming::Codespaces,
            _ => HostNaming::Local,
        },
        region: None,
    };
    for addon in all.request.addons.clone() {
        let Some(profile) = addon.profile() else {
            continue;
        };
        notes.push(Note::fact(format!(
            "{}: used by {}",
            profile.name.title(),
            all.request.services.join(", ")
        )));
        match profile.daemon {
            Some(_) => {
                let (region, answer_notes) = daemon::ask(args, context, profile, ui)?;
                all.request.region = region.or(all.request.region);
                notes.extend(answer_notes);
            }
            None => {
                let (token, answer_notes) = token::ask(args, context, profile, &all.request, ui)?;
                all.tokens.extend(token);
                notes.extend(answer_notes);
            }
        }
    }
    Ok((all, notes))
}
