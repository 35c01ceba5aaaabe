//! Looks up the files that `env_file` and `label_file` name.

use std::path::Path;
use std::sync::Arc;

use crate::compose::dotenv::{self, DotenvStatement};
use crate::compose::merge::{PartialService, ServiceField};
use crate::compose::read::{EnvFilePath, ServiceMapping, clean_path};
use crate::compose::service::{EnvFile, EnvFileFormat, EnvFileState, EnvTemplate};
use crate::compose::source::{FileSyntax, WarningWeight};
use crate::error::Result;

use super::contents::DocumentContents;
use super::{ProjectLoader, SERVICES_TOO_LARGE};

impl ProjectLoader<'_> {
    /// Returns a service with the state of its `env_file`s.
    ///
    /// # Errors
    /// Fails if the services exceed their size limit.
    pub(super) fn with_env_files(
        &mut self,
        contents: &DocumentContents,
        read: &ServiceMapping,
    ) -> Result<Arc<PartialService>> {
        let Some(left) = self.service_room.checked_sub(read.weight) else {
            return Err(self.too_large(&read.partial.places[0], SERVICES_TOO_LARGE));
        };
        self.service_room = left;
        for (written, span) in &read.label_files {
            if !self.sources.exists(&clean_path(&contents.folder.join(written))) {
                let text = format!("the label_file {written} does not exist");
                self.warn(span, text, WarningWeight::Refused);
            }
        }
        let mut partial = Arc::clone(&read.partial);
        let env_files = match &read.env_files {
            ServiceField::Silent => return Ok(partial),
            ServiceField::Reset => ServiceField::Reset,
            ServiceField::Said(named) => ServiceField::Said(self.look_up(contents, named)),
            ServiceField::Instead(named) => ServiceField::Instead(self.look_up(contents, named)),
        };
        Arc::make_mut(&mut partial).env_files = env_files;
        Ok(partial)
    }

    fn look_up(&mut self, contents: &DocumentContents, named: &[EnvFilePath]) -> Vec<EnvFile> {
        let mut out = Vec::with_capacity(named.len());
        for env_file in named {
            let path = clean_path(&contents.folder.join(&env_file.written));
            let state = self.env_file(&path, env_file.format);
            if let (EnvFileState::Missing(template), true) = (&state, env_file.required)
                && self.missing_files.insert(path.clone())
            {
                let mut text = format!("the env_file {} does not exist", env_file.written);
                if let Some(template) = template {
                    let path = &template.path;
                    let shown = path.strip_prefix(self.project).unwrap_or(path);
                    text = format!("{text}; it is generated from {}", shown.display());
                }
                self.warn(&env_file.span, text, WarningWeight::Refused);
            }
            if let EnvFileState::Broken(reason) = &state {
                let text = format!("the env_file {} cannot be read: {reason}", env_file.written);
                self.warn(&env_file.span, text, WarningWeight::Refused);
            }
            out.push(EnvFile {
                path,
                written: env_file.written.clone(),
                required: env_file.required,
                state,
                span: env_file.span.clone(),
            });
        }
        out
    }

    fn env_file(&mut self, path: &Path, format: EnvFileFormat) -> EnvFileState {
        let key = (path.to_owned(), format);
        if let Some(state) = self.env_files.get(&key) {
            return state.clone();
        }
        let state = match self.file(path, FileSyntax::Variables) {
            Ok(None) => EnvFileState::Missing(self.template_of(path)),
            Err(error) => EnvFileState::Broken(error.message),
            Ok(Some(id)) => {
                let parse = match format {
                    EnvFileFormat::Dotenv => dotenv::parse_dotenv,
                    EnvFileFormat::Raw => dotenv::parse_raw,
                };
                match self.statements(id, parse) {
                    Some(statements) => EnvFileState::Read(id, statements),
                    None => EnvFileState::Broken("it is not a list of variables".to_owned()),
                }
            }
        };
        self.env_files.insert(key, state.clone());
        state
    }

    /// Returns the template of a missing `backend.env`: an ERB file where the bootcamp's repositories keep it, or else
    /// an example file next to it.
    fn template_of(&mut self, path: &Path) -> Option<EnvTemplate> {
        let name = path.file_name()?.to_str()?;
        let parent = path.parent()?;
        let erb = format!("{name}.erb");
        let folders = [self.project.join("erb"), parent.join("erb"), parent.to_owned()];
        let examples = EXAMPLES.iter().map(|end| parent.join(format!("{name}.{end}")));
        let mut candidates = folders.iter().map(|folder| folder.join(&erb)).chain(examples);
        let path = candidates.find(|candidate| self.sources.exists(candidate))?;
        let id = self.file(&path, FileSyntax::Variables).ok().flatten();
        let statements = id.map(|id| (id, read_template(&self.files[id.0].text).into()));
        Some(EnvTemplate { path, statements })
    }
}

/// Name endings of example files for variables.
const EXAMPLES: [&str; 7] = ["example", "sample", "template", "tmpl", "tpl", "dist", "default"];

/// Reads the statements of a template line by line.
fn read_template(text: &str) -> Vec<DotenvStatement> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let statements = dotenv::parse_dotenv(&without_tags(line)).unwrap_or_default();
        found.extend(statements.into_iter().map(|statement| DotenvStatement {
            range: statement.range.start + start..statement.range.end + start,
            value_range: start..start + line.trim_end().len(),
            ..statement
        }));
        start += line.len();
    }
    found
}

/// Converts the ERB tags of a template line to `${NAME}` references.
fn without_tags(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, tag)) = rest.split_once("<%") {
        out.push_str(before);
        let (inner, after) = tag.split_once("%>").unwrap_or((tag, ""));
        let mut quoted = inner.split(['"', '\'']);
        if let (Some(head), Some(name)) = (quoted.next(), quoted.next())
            && head.trim_start_matches('=').trim_start().starts_with("ENV")
        {
            out.push_str(&format!("${{{name}}}"));
        }
        rest = after;
    }
    out + rest
}
