//! Checks a plan on the whole compose project, before any of it is shown.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::context::ProjectContext;
use crate::compose::{ComposeModel, FileSyntax};
use crate::error::Result;
use crate::plan::Plan;
use crate::plan::compose_changes::ComposeChanges;
use crate::plan::project_proof::{self, UnprovenChange};

impl ProjectContext<'_> {
    /// Checks that every service has what is planned for it and is otherwise unchanged.
    ///
    /// # Errors
    /// `unsafe-edit`, with lines to write by hand; when the planned files cannot be read.
    pub(crate) fn prove(&self, plan: &Plan) -> Result<(), UnprovenChange> {
        let before = self.project.model()?;
        let texts = planned_texts(before, plan);
        if !texts.is_empty() {
            let after = self.project.planned_model(&texts, &plan.compose.trees)?;
            project_proof::prove(before, &after, &plan.compose)
        } else if plan.compose.is_empty() {
            Ok(())
        } else {
            project_proof::prove(before, before, &plan.compose)
        }
    }

    /// Proves that a plan removes exactly what `back` would add again.
    ///
    /// # Errors
    /// `unsafe-edit`; what keeps the planned files from being read.
    pub(crate) fn prove_removed(&self, plan: &Plan, back: &ComposeChanges) -> Result<()> {
        let before = self.project.model()?;
        let texts = planned_texts(before, plan);
        if texts.is_empty() {
            return Ok(());
        }
        let after = self.project.planned_model(&texts, &plan.compose.trees)?;
        project_proof::prove_removed(before, &after, back)
    }

    /// Proves that docker compose refuses nothing after these changes that it does not refuse before.
    ///
    /// # Errors
    /// `unsafe-edit`; what keeps the planned files from being read.
    pub(crate) fn prove_not_refused(&self, plan: &Plan) -> Result<()> {
        let before = self.project.model()?;
        let texts = planned_texts(before, plan);
        let after = self.project.planned_model(&texts, &plan.compose.trees)?;
        project_proof::prove_not_refused(before, &after)
    }

    /// Checks that docker compose still loads the project with these changes, and that no service is lost. Succeeds
    /// for a project that cannot be read at all.
    ///
    /// # Errors
    /// `unsafe-edit`; when the planned files cannot be read.
    pub(crate) fn prove_loads(&self, plan: &Plan) -> Result<()> {
        let Ok(before) = self.project.model() else { return Ok(()) };
        let texts = planned_texts(before, plan);
        if texts.is_empty() {
            return Ok(());
        }
        project_proof::prove_loads(
            before,
            &self.project.planned_model(&texts, &plan.compose.trees)?,
        )
    }
}

/// Returns the planned texts of compose files.
fn planned_texts(model: &ComposeModel, plan: &Plan) -> BTreeMap<PathBuf, Arc<str>> {
    let is_compose = |path: &PathBuf| {
        model.files.iter().any(|file| file.path == *path && file.syntax != FileSyntax::Variables)
    };
    let changes = plan.changes.iter().filter(|change| is_compose(&change.path));
    changes.filter_map(|change| Some((change.path.clone(), change.after.clone()?))).collect()
}
