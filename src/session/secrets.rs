//! Finds the variables of a project that hold a provider's secret, and when a shell has them.

use std::collections::{BTreeMap, BTreeSet};

use crate::compose::{ComposeModel, is_collector};
use crate::error::Result;
use crate::provider;
use crate::secret::{self, KnownSecrets, Redactor, Secret};
use crate::session::context::ProjectContext;
use crate::shell::Shell;
use crate::stores::StoreKind;
use crate::ui::Ui;
use crate::workspace::Workspace;

/// Returns the variables in the project's files that hold a provider's secret: those of the catalogue, those in
/// exporter headers, and a collector's variables that are named like a secret.
pub(crate) fn asked_for(model: &ComposeModel) -> BTreeSet<String> {
    let known = provider::secret_variables();
    let mut names = BTreeSet::new();
    for service in &model.services {
        let collects = is_collector(service);
        // A template reads its variables when the env_file is created from it.
        for setting in service.intended(model.plain()) {
            let name = &setting.name;
            let headers = name.starts_with("OTEL_EXPORTER_OTLP_") && name.ends_with("HEADERS");
            let sent = headers || collects && secret::is_secret_name(name);
            let uses = setting.uses.into_iter().map(|variable_use| variable_use.name);
            names.extend(uses.filter(|name| sent || known.contains(&name.as_str())));
        }
    }
    let anywhere = |name: &str| {
        let inherited = model.services.iter().any(|service| service.declared(name).is_some());
        inherited || model.files.iter().any(|file| refers_to(&file.text, name))
    };
    names.extend(known.into_iter().filter(|name| anywhere(name)).map(str::to_owned));
    names
}

/// Returns the values that a program of the user gets from the stores, for the names in the compose files. Variables of
/// the shell are not among them, because every program has them.
///
/// # Errors
/// When the project cannot be read.
pub(crate) fn stored_variables(
    context: &ProjectContext,
    redactor: &Redactor,
) -> Result<BTreeMap<String, Secret>> {
    let stores = context.stores(redactor);
    let stored = asked_for(context.project.model()?).into_iter().filter_map(|name| {
        let found = stores.survey(&name).handed_over();
        let found = found.filter(|found| found.store != StoreKind::Env)?;
        Some((name, found.secret))
    });
    Ok(stored.collect())
}

/// Returns every secret this run knows: those in the redactor, including stored ones, and every variable of the
/// shell, the `.env` files and the services that counts as a secret.
///
/// # Errors
/// When the project cannot be read.
pub(crate) fn collect_known(
    context: &ProjectContext,
    stored: &BTreeMap<String, Secret>,
    redactor: &Redactor,
) -> Result<KnownSecrets> {
    let model = context.project.model()?;
    let mut known = KnownSecrets::of(redactor);
    let variables = model.under_run(stored.clone());
    for (name, value) in variables.iter() {
        known.judge(name, value);
    }
    for service in &model.services {
        for setting in service.effective(&variables) {
            known.judge(&setting.name, setting.value.known().unwrap_or_default());
        }
    }
    Ok(known)
}

/// Returns when a codespace gets a secret that was stored at GitHub; `None` elsewhere.
pub(crate) fn codespace_delay(shell: &Shell) -> Option<&'static str> {
    matches!(Workspace::detect(shell), Workspace::Codespaces(_)).then_some(
        "a Codespaces secret that was stored after this codespace started is available once it is stopped and started again",
    )
}

/// Prints when a codespace gets a secret that was stored at GitHub; nothing elsewhere.
pub(crate) fn show_codespace_delay(shell: &Shell, ui: &mut Ui) {
    if let Some(when) = codespace_delay(shell) {
        ui.say(when);
    }
}

/// Returns whether the text contains `$NAME` or `${NAME…`.
fn refers_to(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + name.len()..]);
        let ended = !after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        ended && (before.ends_with('$') || before.ends_with("${"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_references_to_the_whole_name_count() {
        for (text, expected) in [
            ("x=${KEY}", true),
            ("x=${KEY:-none}", true),
            ("x=$KEY.", true),
            ("x=${KEYS}", false),
            ("x=KEY", false),
            ("x=${MY_KEY}", false),
        ] {
            assert_eq!(refers_to(text, "KEY"), expected, "{text}");
        }
    }
}
