//! Project files as text, and positions in them.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::edit::yaml::tree::{YamlSyntaxError, YamlTree};
use crate::error::{Error, FilePosition};

/// The content of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceText {
    /// The text, unchanged.
    Found(Arc<str>),
    /// Nothing exists at the path.
    Missing,
    /// Something exists that cannot be used: a folder, a file without read permission, or text that is not UTF-8.
    Unreadable(Error),
}

impl SourceText {
    /// Returns the text, if there is one.
    pub fn found(self) -> Option<Arc<str>> {
        match self {
            Self::Found(text) => Some(text),
            Self::Missing | Self::Unreadable(_) => None,
        }
    }
}

/// The files of a project. Each path is read at most once.
pub trait ProjectSources {
    /// Returns the text at an absolute path.
    fn text(&self, path: &Path) -> SourceText;

    /// Returns whether a file or folder exists at an absolute path.
    fn exists(&self, path: &Path) -> bool;

    /// Returns whether an absolute path leads to a file outside of the project, whose lines must not be shown.
    fn is_foreign(&self, path: &Path) -> bool;
}

/// The files of a project, with planned texts instead of some of them.
pub(super) struct PlannedSources<'s> {
    pub(super) below: &'s dyn ProjectSources,
    pub(super) texts: &'s BTreeMap<PathBuf, Arc<str>>,
}

impl ProjectSources for PlannedSources<'_> {
    fn text(&self, path: &Path) -> SourceText {
        match self.texts.get(path) {
            Some(text) => SourceText::Found(Arc::clone(text)),
            None => self.below.text(path),
        }
    }

    fn exists(&self, path: &Path) -> bool {
        self.texts.contains_key(path) || self.below.exists(path)
    }

    fn is_foreign(&self, path: &Path) -> bool {
        self.below.is_foreign(path)
    }
}

/// A text file of a project.
#[derive(Debug, Clone)]
pub struct ProjectTextFile {
    /// Absolute path.
    pub path: PathBuf,
    /// The text as read, including a byte order mark.
    pub text: Arc<str>,
    /// The kind of content.
    pub syntax: FileSyntax,
    /// The byte each line begins at; computed on first use.
    lines: OnceLock<Vec<usize>>,
    /// The parsed YAML; computed on first use.
    tree: OnceLock<Result<Arc<YamlTree>, YamlSyntaxError>>,
}

/// The kind of content of a [`ProjectTextFile`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileSyntax {
    /// Services.
    Compose,
    /// Variables, whose values may be secrets: positions in it show no text.
    Variables,
    /// A file outside of the project: positions in it show no text.
    Foreign,
    /// Anything not used by docker compose: code, packages, a workspace configuration.
    Other,
}

/// The index of a [`ProjectTextFile`] in a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub(super) usize);

/// A byte range in one of a model's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSpan {
    /// The file.
    pub file: FileId,
    /// Byte range in its text.
    pub range: Range<usize>,
}

impl ProjectTextFile {
    /// Creates a file from its text.
    pub fn new(path: PathBuf, text: Arc<str>, syntax: FileSyntax) -> Self {
        Self { path, text, syntax, lines: OnceLock::new(), tree: OnceLock::new() }
    }

    pub(super) fn parsed_already(path: PathBuf, tree: Arc<YamlTree>, syntax: FileSyntax) -> Self {
        let text = Arc::clone(&tree.source);
        Self { path, text, syntax, lines: OnceLock::new(), tree: OnceLock::from(Ok(tree)) }
    }

    /// Returns the name of the file; empty if it is not UTF-8.
    pub fn name(&self) -> &str {
        self.path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    }

    /// Returns whether its name is that of a Dockerfile: `Dockerfile.prod`, `api.dockerfile`.
    pub fn is_dockerfile(&self) -> bool {
        self.name().to_ascii_lowercase().contains("dockerfile")
    }

    /// Returns its tree, if its text was parsed as YAML and is valid.
    pub(super) fn parsed(&self) -> Option<&Arc<YamlTree>> {
        self.tree.get()?.as_ref().ok()
    }

    /// Parses its text as YAML, once.
    ///
    /// # Errors
    /// The first syntax error.
    pub fn tree(&self) -> Result<&Arc<YamlTree>, &YamlSyntaxError> {
        let parse = || YamlTree::parse(Arc::clone(&self.text)).map(Arc::new);
        self.tree.get_or_init(parse).as_ref()
    }

    /// Returns the byte each line begins at.
    fn line_starts(&self) -> &[usize] {
        self.lines.get_or_init(|| {
            let ends = self.text.match_indices('\n').map(|(end, _)| end + 1);
            std::iter::once(0).chain(ends).collect()
        })
    }

    /// Returns a line without its ending, and the byte it begins at; lines count from 1.
    pub fn line(&self, number: usize) -> Option<(usize, &str)> {
        let start = *self.line_starts().get(number.checked_sub(1)?)?;
        Some((start, self.text[start..].lines().next().unwrap_or_default()))
    }

    /// Returns the byte range of a line with its ending; lines count from 1.
    pub fn line_range(&self, number: usize) -> Option<Range<usize>> {
        let starts = self.line_starts();
        let start = *starts.get(number.checked_sub(1)?)?;
        Some(start..starts.get(number).copied().unwrap_or(self.text.len()))
    }

    /// Returns the byte at which the text of a line begins, after its indentation; 0 if there is no such line.
    pub fn text_start(&self, number: usize) -> usize {
        let found = self.line(number);
        found.map_or(0, |(at, line)| at + line.len() - line.trim_start().len())
    }

    /// Iterates over the lines without their endings, each with the byte it begins at.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut start = 0;
        self.text.split_inclusive('\n').map(move |line| {
            let at = start;
            start += line.len();
            (at, line.trim_end_matches(['\n', '\r']))
        })
    }

    /// Returns the byte of a line and a column, both counted from 1; the end of the text if the line does not exist.
    pub fn offset(&self, line: usize, column: usize) -> usize {
        let Some((start, text)) = self.line(line) else { return self.text.len() };
        let mark = text.len() - text.trim_start_matches('\u{feff}').len();
        let before = text[mark..].chars().take(column.saturating_sub(1));
        start + mark + before.map(char::len_utf8).sum::<usize>()
    }

    /// Returns line, column and line text of a byte offset.
    pub fn place(&self, offset: usize) -> FilePosition {
        let text: &str = &self.text;
        let lines = self.line_starts();
        let line = lines.partition_point(|start| *start <= offset).max(1);
        let start = lines[line - 1];
        let whole = text[start..].lines().next().unwrap_or_default();
        let before = whole
            .char_indices()
            .take_while(|(at, _)| start + at < offset)
            .filter(|(_, character)| *character != '\u{feff}');
        FilePosition {
            path: self.path.clone(),
            line,
            column: before.count() + 1,
            text: match self.syntax {
                FileSyntax::Compose | FileSyntax::Other => {
                    whole.trim_start_matches('\u{feff}').to_owned()
                }
                FileSyntax::Variables | FileSyntax::Foreign => String::new(),
            },
        }
    }
}

/// A warning or error that docker compose would report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComposeWarning {
    /// Its position.
    pub place: FilePosition,
    /// The byte range it is about.
    pub span: FileSpan,
    /// Lowercase, without a full stop.
    pub text: String,
    /// Its effect on docker compose.
    pub weight: WarningWeight,
}

/// The effect of a [`ComposeWarning`] on docker compose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WarningWeight {
    /// Docker compose continues.
    Remark,
    /// Docker compose refuses to load the project until this is fixed.
    Refused,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::texts::TestSources;

    #[test]
    fn places_count_characters_and_leave_the_byte_order_mark_out() {
        let file = ProjectTextFile::new(
            "/p/a".into(),
            "\u{feff}ab\r\nüx: y\n".into(),
            FileSyntax::Compose,
        );
        let at = |offset| {
            let place = file.place(offset);
            (place.line, place.column, place.text)
        };
        assert_eq!(at(4), (1, 2, "ab".to_owned()));
        assert_eq!(at(9), (2, 2, "üx: y".to_owned()));
        assert_eq!(at(14), (3, 1, String::new()));
        for line_and_column in [(1, 2), (2, 2)] {
            let place = file.place(file.offset(line_and_column.0, line_and_column.1));
            assert_eq!((place.line, place.column), line_and_column);
        }
        assert_eq!(file.offset(9, 1), file.text.len());
        assert_eq!(at(900), (3, 1, String::new()));
    }

    #[test]
    fn a_place_among_variables_shows_no_value() {
        let file =
            ProjectTextFile::new("/p/.env".into(), "KEY=secret\n".into(), FileSyntax::Variables);
        let place = file.place(4);
        assert_eq!((place.column, place.text.as_str()), (5, ""));
    }

    #[test]
    fn a_planned_text_replaces_a_file_or_adds_one() {
        let below = TestSources::new(&[("old", "1"), ("both", "1")]);
        let at = |name: &str| Path::new("/p").join(name);
        let texts = BTreeMap::from([(at("new"), "2".into()), (at("both"), "2".into())]);
        let planned = PlannedSources { below: &below, texts: &texts };
        for (name, text) in
            [("old", Some("1")), ("both", Some("2")), ("new", Some("2")), ("x", None)]
        {
            assert_eq!(planned.text(&at(name)).found().as_deref(), text, "{name}");
            assert_eq!(planned.exists(&at(name)), text.is_some(), "{name}");
        }
        assert!(planned.is_foreign(Path::new("/q")) && !planned.is_foreign(&at("new")));
    }
}
