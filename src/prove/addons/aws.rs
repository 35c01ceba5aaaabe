//! Asks AWS whether X-Ray has a trace, by running `aws`, if it is installed and permitted.

use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

use crate::addon::xray::contains_trace;
use crate::otlp::response::excerpt_line;
use crate::otlp::{Check, CheckStatus, Rung};
use crate::shell::Shell;
use crate::workspace::program::{self, ProgramOutput};

/// The pause between two requests.
const PAUSE: Duration = Duration::from_secs(1);

/// Asks for a trace until it is found, AWS refuses, or the deadline.
pub(super) async fn find(
    trace_id: &str,
    region: Option<&str>,
    shell: &Shell,
    deadline: Instant,
) -> Check {
    let started = Instant::now();
    let check = |status, evidence: String| {
        Check::new(Rung::Queryable, status, evidence).took(started.elapsed())
    };
    let Some(program) = shell.which("aws") else {
        return check(CheckStatus::Skip, "the program `aws` is not on PATH".to_owned());
    };
    loop {
        let printed = match fetch_xray_trace(&program, trace_id, region, shell, deadline).await {
            Err(why) => return check(CheckStatus::Skip, why),
            Ok(printed) => printed,
        };
        match contains_trace(&printed, trace_id) {
            Some(true) => {
                let text = "`aws xray batch-get-traces` gives our own trace back";
                return check(CheckStatus::Pass, text.to_owned());
            }
            None => return check(CheckStatus::Skip, "`aws` printed no traces".to_owned()),
            Some(false) if Instant::now() + PAUSE >= deadline => {
                let text = "`aws xray batch-get-traces` does not know the trace yet; X-Ray may take longer";
                return check(CheckStatus::Warn, text.to_owned());
            }
            Some(false) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Returns what `aws` prints, or why it failed.
async fn fetch_xray_trace(
    program: &Path,
    trace_id: &str,
    region: Option<&str>,
    shell: &Shell,
    deadline: Instant,
) -> Result<String, String> {
    let refused = |why: &str| format!("`aws` does not say: {}", excerpt_line(why));
    let mut arguments: Vec<String> =
        ["xray", "batch-get-traces", "--output", "json"].map(str::to_owned).into();
    arguments.extend(["--trace-ids".to_owned(), trace_id.to_owned()]);
    if let Some(region) = region {
        arguments.extend(["--region".to_owned(), region.to_owned()]);
    }
    let (program, shell) = (program.to_owned(), shell.clone());
    let left = deadline.saturating_duration_since(Instant::now());
    // `capture` blocks on a runtime of its own.
    let ended =
        tokio::task::spawn_blocking(move || program::capture(&program, &arguments, &shell, left));
    match ended.await {
        Ok(Ok(ProgramOutput { status: Some(0), stdout, .. })) => Ok(stdout),
        Ok(Ok(captured)) => Err(refused(&captured.stderr)),
        Ok(Err(failure)) => Err(refused(&failure.to_string())),
        Err(_) => Err(refused("it could not be started")),
    }
}
