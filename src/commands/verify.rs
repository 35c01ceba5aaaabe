//! `verify`: sends a test trace for each service and reports how far it got.

use url::Url;

use super::RunOutcome;
use crate::cli::{GlobalOptions, Require, VerifyArgs};
use crate::error::{Error, ErrorCode, Result};
use crate::otlp::ProvenRung;
use crate::prove::{
    self, AddonScope, AppRequest, ProjectStage, ProofRequest, TapUse, UnaskedServices,
};
use crate::session::containers::RestartPermission;
use crate::session::context::ProjectContext;
use crate::session::last_verdict::keep_verdict;
use crate::shell::Shell;
use crate::ui::Ui;

pub(super) fn run(
    args: &VerifyArgs,
    global: &GlobalOptions,
    shell: &Shell,
    ui: &mut Ui,
) -> Result<RunOutcome> {
    let context = ProjectContext::find(shell, global.directory.as_deref())?;
    let request = proof_request(args)?;
    let report = if args.local {
        prove::prove_locally(&request, &context, ui)?.0
    } else {
        prove::prove(&request, &context, ui)?
    };
    if !args.local {
        // A verdict that cannot be saved is still valid.
        let _ = keep_verdict(&context, &report, ui.redactor());
    }
    ui.document(&report)?;
    Ok(if report.passed { RunOutcome::Yes } else { RunOutcome::No })
}

/// Returns the proof request for the arguments.
fn proof_request(args: &VerifyArgs) -> Result<ProofRequest> {
    Ok(ProofRequest {
        services: args.service.clone(),
        application: args.app.as_ref().map(|url| app_request(url.as_deref(), args)).transpose()?,
        restart: if args.restart { RestartPermission::Given } else { RestartPermission::Ask },
        required: match args.require.unwrap_or_default() {
            Require::Accepted => ProvenRung::Accepted,
            Require::DatasetWritten => ProvenRung::DatasetWritten,
            Require::Queryable => ProvenRung::Queryable,
        },
        timeout: args.timeout,
        addons: if args.no_addons { AddonScope::LeftOut } else { AddonScope::Included },
        trusted_hosts: args.trust_host.clone(),
        stage: ProjectStage::Running,
    })
}

/// Returns which applications to ask.
fn app_request(url: Option<&str>, args: &VerifyArgs) -> Result<AppRequest> {
    if args.require == Some(Require::DatasetWritten) {
        return Err(Error::new(
            ErrorCode::Usage,
            "`--require dataset-written` proves nothing about the application: anything may have written to its dataset",
        )
        .hint("without `--require` the application's own spans are looked for"));
    }
    Ok(AppRequest {
        url: url.map(parse_app_address).transpose()?,
        unasked: if args.strict { UnaskedServices::Failed } else { UnaskedServices::Tolerated },
        tap: if args.tap { TapUse::Wanted } else { TapUse::Offered },
        recreated: args.recreate.clone(),
    })
}

/// Parses the application's address.
fn parse_app_address(text: &str) -> Result<Url> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
        _ => Err(Error::new(
            ErrorCode::UrlInvalid,
            format!("`{text}` is not an http or https address"),
        )
        .hint("`cruddur-ops verify --app http://localhost:4567/`")),
    }
}
