//! Resolves overrides, `include` and `extends`.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use foldhash::HashMap;

use crate::compose::merge::PartialService;
use crate::compose::read::{ExtendsReference, ServiceMapping, clean_path, may_be_fetched};
use crate::compose::source::{FileId, FileSyntax, WarningWeight};
use crate::compose::variables::ScopeId;
use crate::compose::view::OverrideTag;
use crate::error::{Error, ErrorCode, Result};
use crate::limits;

use super::ProjectLoader;
use super::contents::{DocumentContents, IncludeEntry};

/// Services in order, indexed by name.
#[derive(Default)]
struct ServiceIndex {
    order: Vec<Option<Arc<PartialService>>>,
    index: HashMap<String, usize>,
}

impl ServiceIndex {
    fn take(&mut self, name: &str) -> Option<Arc<PartialService>> {
        self.order[*self.index.get(name)?].take()
    }

    fn has(&self, name: &str) -> bool {
        self.index.get(name).is_some_and(|at| self.order[*at].is_some())
    }

    fn put(&mut self, partial: Arc<PartialService>) {
        match self.index.get(&partial.name) {
            Some(at) => self.order[*at] = Some(partial),
            None => {
                self.index.insert(partial.name.clone(), self.order.len());
                self.order.push(Some(partial));
            }
        }
    }
}

impl ProjectLoader<'_> {
    /// Merges several files in order.
    pub(super) fn group(
        &mut self,
        paths: &[PathBuf],
        scope: ScopeId,
        folder: &Path,
    ) -> Result<Vec<Arc<PartialService>>> {
        let mut index = ServiceIndex::default();
        for path in paths {
            let Some(documents) = self.contents(path, scope, folder)? else {
                return Err(missing_file_error(path));
            };
            for contents in documents.iter() {
                self.including.push(path.clone());
                self.lay_over(&mut index, contents)?;
                self.including.pop();
            }
        }
        Ok(index.order.into_iter().flatten().collect())
    }

    /// Merges a document over the services so far.
    fn lay_over(
        &mut self,
        index: &mut ServiceIndex,
        contents: &Rc<DocumentContents>,
    ) -> Result<()> {
        for (key, network) in &contents.networks {
            let known = self.networks.entry(key.clone()).or_default();
            known.lay_over(network);
        }
        for (kind, name) in &contents.defined {
            self.defined.entry(*kind).or_default().insert(name.clone());
        }
        for fault in contents.take_refused() {
            self.report(fault);
        }
        let mut own_services = ServiceIndex::default();
        for (mark, read) in &contents.services {
            let name = &read.partial.name;
            if *mark != OverrideTag::None {
                index.take(name);
            }
            match &read.without_value {
                _ if *mark == OverrideTag::Reset => {}
                None => own_services.put(self.extended(contents, read, &mut Vec::new())?),
                // It changes nothing in the existing service, and would not be a service alone.
                Some(_) if index.has(name) => {}
                Some(span) => {
                    let text = format!("the service `{name}` is not a mapping");
                    self.warn(span, text, WarningWeight::Refused);
                }
            }
        }
        for include in &contents.includes {
            self.include(include, contents, &mut own_services)?;
        }
        if index.order.is_empty() {
            *index = own_services;
            return Ok(());
        }
        for partial in own_services.order.into_iter().flatten() {
            let merged = match index.take(&partial.name) {
                Some(below) => merge(partial, below),
                None => partial,
            };
            index.put(merged);
        }
        Ok(())
    }

    fn include(
        &mut self,
        include: &IncludeEntry,
        from: &DocumentContents,
        own_services: &mut ServiceIndex,
    ) -> Result<()> {
        let resolve = |written: &String| clean_path(&from.folder.join(written));
        let paths: Vec<PathBuf> = include.paths.iter().map(resolve).collect();
        let Some(first) = paths.first() else {
            return Ok(());
        };
        if self.including.len() > limits::CHAIN_LINKS {
            let text = format!("a chain of more than {} includes leads here", limits::CHAIN_LINKS);
            return Err(self.too_large(&include.span, text));
        }
        if self.including.contains(first) {
            let place = self.files[include.span.file.0].place(include.span.range.start);
            let message =
                format!("{} includes itself, directly or through other files", first.display());
            return Err(Error::new(ErrorCode::ComposeCycle, message).at(place));
        }
        for (path, written) in paths.iter().zip(&include.paths) {
            if self.file(path, FileSyntax::Compose)?.is_none() {
                if may_be_fetched(written) {
                    let text =
                        format!("`{written}` is fetched by docker compose, and not read here");
                    self.warn(&include.span, text, WarningWeight::Remark);
                    return Ok(());
                }
                let text = format!("the included file {} does not exist", path.display());
                self.warn(&include.span, text, WarningWeight::Refused);
                return Ok(());
            }
        }
        let folder = match &include.folder {
            Some(written) => resolve(written),
            None => first.parent().unwrap_or(first).to_owned(),
        };
        let env_files: Vec<PathBuf> = match include.env_files.as_slice() {
            [] => vec![folder.join(".env")],
            written => written.iter().map(resolve).collect(),
        };
        if self.scopes.len() > limits::INCLUDES {
            let text = format!("the project includes more than {} files", limits::INCLUDES);
            return Err(self.too_large(&include.span, text));
        }
        let scope = self.scope(Some(from.scope), &env_files)?;
        for partial in self.group(&paths, scope, &folder)? {
            let merged = match own_services.take(&partial.name) {
                None => partial,
                Some(above) => {
                    let text = format!(
                        "the service `{}` is included and defined elsewhere too; releases before v5 refuse that",
                        partial.name
                    );
                    self.warn(&include.span, text, WarningWeight::Remark);
                    merge(above, partial)
                }
            };
            own_services.put(merged);
        }
        Ok(())
    }

    /// Returns a service merged over the one it extends.
    fn extended(
        &mut self,
        contents: &Rc<DocumentContents>,
        read: &ServiceMapping,
        chain: &mut Vec<(FileId, String)>,
    ) -> Result<Arc<PartialService>> {
        for fault in read.refused.take() {
            self.report(fault);
        }
        let mut partial = self.with_env_files(contents, read)?;
        let Some(extends) = &read.extends else {
            return Ok(partial);
        };
        let link = (contents.file, partial.name.clone());
        if chain.len() > limits::CHAIN_LINKS {
            let text = format!("a chain of more than {} `extends` leads here", limits::CHAIN_LINKS);
            return Err(self.too_large(&extends.span, text));
        }
        if chain.contains(&link) {
            let place = self.files[extends.span.file.0].place(extends.span.range.start);
            let message = format!(
                "the service `{}` extends itself, directly or through others",
                partial.name
            );
            return Err(Error::new(ErrorCode::ComposeCycle, message).at(place));
        }
        chain.push(link);
        let base = self.base(contents, extends, chain);
        chain.pop();
        match base? {
            Ok(mut base) => {
                Arc::make_mut(&mut base).places.clear();
                Ok(merge(partial, base))
            }
            Err(gap) => {
                let weight = if extends.file.as_deref().is_some_and(may_be_fetched) {
                    WarningWeight::Remark
                } else {
                    WarningWeight::Refused
                };
                self.warn(&extends.span, gap.clone(), weight);
                Arc::make_mut(&mut partial).gaps.push(gap);
                Ok(partial)
            }
        }
    }

    /// Returns the service that another extends, or the reason why it is missing.
    fn base(
        &mut self,
        from: &Rc<DocumentContents>,
        extends: &ExtendsReference,
        chain: &mut Vec<(FileId, String)>,
    ) -> Result<ExtendedService> {
        let documents = match &extends.file {
            None => Rc::from([Rc::clone(from)]),
            Some(written) => {
                let path = clean_path(&from.folder.join(written));
                let folder = path.parent().unwrap_or(&path).to_owned();
                match self.contents(&path, from.scope, &folder)? {
                    Some(documents) => documents,
                    None if may_be_fetched(written) => {
                        return Ok(Err(format!(
                            "`{written}`, which this service extends, is fetched by docker compose, and not read here"
                        )));
                    }
                    None => {
                        return Ok(Err(format!(
                            "`{written}`, which this service extends, does not exist"
                        )));
                    }
                }
            }
        };
        let mut base: Option<Arc<PartialService>> = None;
        for contents in documents.iter() {
            let named = |read: &ServiceMapping| read.partial.name == extends.service;
            for (mark, read) in contents.services.iter().filter(|(_, read)| named(read)) {
                let below = base.take().filter(|_| *mark == OverrideTag::None);
                base = match mark {
                    OverrideTag::Reset => None,
                    OverrideTag::None | OverrideTag::Override => {
                        let above = self.extended(contents, read, chain)?;
                        Some(match below {
                            Some(below) => merge(above, below),
                            None => above,
                        })
                    }
                };
            }
        }
        Ok(base.ok_or_else(|| {
            format!("the service `{}`, which this service extends, does not exist", extends.service)
        }))
    }
}

/// The service that another one extends, or the reason why it is missing.
type ExtendedService = std::result::Result<Arc<PartialService>, String>;

fn merge(above: Arc<PartialService>, below: Arc<PartialService>) -> Arc<PartialService> {
    Arc::new(Arc::unwrap_or_clone(above).over(Arc::unwrap_or_clone(below)))
}

fn missing_file_error(path: &Path) -> Error {
    Error::new(ErrorCode::NoComposeFile, format!("{} does not exist", path.display()))
}
