//! Reads a single compose file, without other files.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::compose::aliases::check_aliases;
use crate::compose::model::FailingTemplate;
use crate::compose::reachability::ComposeNetwork;
use crate::compose::read::{ComposeFault, MappingReader, ServiceMapping};
use crate::compose::references::ReferenceKind;
use crate::compose::scan;
use crate::compose::schema;
use crate::compose::source::{FileId, FileSpan, FileSyntax, WarningWeight};
use crate::compose::variables::ScopeId;
use crate::compose::view::{NodeShape, NodeView, OverrideTag};
use crate::edit::yaml::tree::YamlTree;
use crate::error::{Error, ErrorCode, Result};

use super::services::read_services;
use super::{ProjectLoader, SERVICES_TOO_LARGE};

/// The content of one document of a compose file.
pub(super) struct DocumentContents {
    pub(super) file: FileId,
    pub(super) folder: PathBuf,
    pub(super) scope: ScopeId,
    pub(super) services: Vec<(OverrideTag, ServiceMapping)>,
    pub(super) includes: Vec<IncludeEntry>,
    /// The names that its top-level sections define.
    pub(super) defined: Vec<(ReferenceKind, String)>,
    /// Networks by key.
    pub(super) networks: Vec<(String, ComposeNetwork)>,
    /// Faults outside of the services that are not yet reported.
    refused: RefCell<Vec<ComposeFault>>,
}

impl DocumentContents {
    /// Returns the faults of the document as a whole the first time, then an empty list.
    pub(super) fn take_refused(&self) -> Vec<ComposeFault> {
        self.refused.take()
    }
}

/// The documents of a file, in order.
pub(super) type FileDocuments = Rc<[Rc<DocumentContents>]>;

pub(super) struct IncludeEntry {
    pub(super) paths: Vec<String>,
    pub(super) folder: Option<String>,
    pub(super) env_files: Vec<String>,
    pub(super) span: FileSpan,
}

impl ProjectLoader<'_> {
    /// Returns the documents of a file, which override each other in order; each file is read once for each set of
    /// variables.
    pub(super) fn contents(
        &mut self,
        path: &Path,
        scope: ScopeId,
        folder: &Path,
    ) -> Result<Option<FileDocuments>> {
        let Some(file) = self.file(path, FileSyntax::Compose)? else {
            return Ok(None);
        };
        let key = (file, scope, folder.to_owned());
        if let Some(contents) = self.contents.get(&key) {
            return Ok(Some(Rc::clone(contents)));
        }
        let read = &self.files[file.0];
        let tree = read.tree().cloned().map_err(|error| {
            let message = format!("{} is not valid YAML", path.display());
            Error::new(ErrorCode::InvalidYaml, message)
                .cause(&error.message)
                .hint("`cruddur-ops doctor` recognises common mistakes")
                .at(read.place(error.offset))
        })?;
        self.scan(&tree, file, scope)?;
        if tree.root().is_none() {
            let span = FileSpan { file, range: 0..0 };
            self.warn(&span, "the file is empty".to_owned(), WarningWeight::Refused);
        }
        let mut documents = Vec::with_capacity(1);
        for root in NodeView::roots(&tree, file) {
            documents.push(Rc::new(self.document(root, &tree, file, scope, folder)?));
        }
        let documents: FileDocuments = documents.into();
        self.contents.insert(key, Rc::clone(&documents));
        Ok(Some(documents))
    }

    fn document(
        &mut self,
        root: NodeView<'_>,
        tree: &YamlTree,
        file: FileId,
        scope: ScopeId,
        folder: &Path,
    ) -> Result<DocumentContents> {
        let mut reader = MappingReader {
            variables: &self.variables,
            scope,
            folder,
            faults: Vec::new(),
            reaches: Vec::new(),
        };
        let mut contents = DocumentContents {
            file,
            folder: folder.to_owned(),
            scope,
            services: Vec::new(),
            includes: Vec::new(),
            defined: Vec::new(),
            networks: Vec::new(),
            refused: RefCell::default(),
        };
        let fits = read_root(root, &mut reader, &mut contents, self.service_room);
        let MappingReader { mut faults, reaches, .. } = reader;
        if let (false, Some((_, read))) = (fits, contents.services.last()) {
            return Err(self.too_large(&read.partial.places[0], SERVICES_TOO_LARGE));
        }
        self.reaches.extend(reaches);
        faults.extend(check_aliases(tree, root.node()).map(|(id, text)| ComposeFault {
            span: FileSpan { file, range: tree.node(id).range.clone() },
            text,
            weight: WarningWeight::Refused,
        }));
        for fault in faults {
            self.report(fault);
        }
        Ok(contents)
    }

    fn scan(&mut self, tree: &YamlTree, file: FileId, scope: ScopeId) -> Result<()> {
        let found = scan::scan(tree, file, &self.variables, scope, &mut self.template_room);
        if let Some((span, error)) = found.too_large {
            return Err(self.too_large(&span, error));
        }
        for fault in found.faults {
            self.report(fault);
        }
        for (fault, template) in found.failing {
            self.failing.push(FailingTemplate { warning: self.warnings.len(), scope, template });
            self.report(fault);
        }
        Ok(())
    }
}

/// Reads services until they exceed `room` bytes; returns whether all of them fit.
fn read_root<'t>(
    root: NodeView<'t>,
    reader: &mut MappingReader<'_>,
    contents: &mut DocumentContents,
    room: usize,
) -> bool {
    if root.shape() != NodeShape::Mapping {
        reader.refuse(root, "a compose file is a mapping");
        return true;
    }
    let (variables, scope) = (reader.variables, reader.scope);
    let interpolate =
        |text: &str| variables.interpolate(scope, text).map(|interpolated| interpolated.text);
    contents.refused = RefCell::new(schema::check_file(root, &interpolate));
    for (key, name, value) in root.entries() {
        if let Some(kind) = ReferenceKind::of_section(&key) {
            read_section(kind, value, reader, contents);
            continue;
        }
        match key.as_ref() {
            "services"
                if value.shape() != NodeShape::Mapping && value.mark() == OverrideTag::None =>
            {
                reader.refuse(value, "`services` is not a mapping");
            }
            "services" => {
                let is_whole = read_services(value, reader, contents, room);
                if !is_whole {
                    return false;
                }
            }
            "include" => {
                for item in value.items() {
                    contents.includes.push(read_include(item, reader));
                }
            }
            _ if value.get("image").or(value.get("build")).is_some() && !key.starts_with("x-") => {
                reader.refuse(
                    name,
                    format!(
                        "`{key}` is outside `services`; version 1 of the format is no longer supported"
                    ),
                );
            }
            _ => {}
        }
    }
    true
}

/// Reads a top-level section other than `services`: the names it defines, and the networks themselves.
fn read_section<'t>(
    kind: ReferenceKind,
    section: NodeView<'t>,
    reader: &mut MappingReader<'_>,
    contents: &mut DocumentContents,
) {
    if kind == ReferenceKind::Network {
        for (key, _, network) in section.entries() {
            contents.networks.push((key.into_owned(), reader.network(network)));
        }
    }
    let present =
        section.entries().into_iter().filter(|(.., view)| view.mark() != OverrideTag::Reset);
    contents.defined.extend(present.map(|(name, ..)| (kind, name.into_owned())));
}

fn read_include<'t>(item: NodeView<'t>, reader: &mut MappingReader<'_>) -> IncludeEntry {
    let mut strings = |view: Option<NodeView<'t>>| {
        let read = view.and_then(|view| reader.names(view));
        read.unwrap_or_default()
    };
    let include = match item.shape() {
        NodeShape::Mapping => IncludeEntry {
            paths: strings(item.get("path")),
            folder: strings(item.get("project_directory")).pop(),
            env_files: strings(item.get("env_file")),
            span: item.span(),
        },
        _ => IncludeEntry {
            paths: strings(Some(item)),
            folder: None,
            env_files: Vec::new(),
            span: item.span(),
        },
    };
    for written in include.paths.iter().chain(&include.folder).chain(&include.env_files) {
        reader.note_path(written, &include.span);
    }
    include
}
