//! Renders a plan as a unified diff, line by line.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use foldhash::{HashMap, HashMapExt};
use similar::{ChangeTag, DiffableStr, group_diff_ops};

use super::{FileChange, Plan, compare};
use crate::secret::{
    AssignmentSyntax, ContinuedSecret, find_continued_secrets, hide_assigned_secrets,
};

/// The kind of a diff line, which determines its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DiffLineKind {
    /// `--- a/…`, `+++ b/…`
    File,
    /// `@@ … @@`
    Hunk,
    /// An unchanged line.
    Context,
    /// A removed line.
    Removed,
    /// An added line.
    Added,
}

/// A line of a diff, without its line ending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffLine {
    /// The kind.
    pub kind: DiffLineKind,
    /// The text, with its leading sign.
    pub text: String,
}

/// How many folders, `base` included, a file may be above.
const MAX_PARENT_FOLDERS: usize = 4;

/// Renders the whole plan, with paths relative to `base` as in [`relative_path`].
pub fn render(plan: &Plan, base: &Path) -> Vec<DiffLine> {
    let base = find_base(plan, base);
    plan.changes.iter().flat_map(|change| render_change(change, base)).collect()
}

/// Returns the folder that the paths of a diff are relative to: `base`, or the nearest folder above it that holds
/// every file of the plan.
pub fn find_base<'b>(plan: &Plan, base: &'b Path) -> &'b Path {
    let has_files = |folder: &&Path| {
        folder.parent().is_some()
            && plan.changes.iter().all(|change| change.path.starts_with(folder))
    };
    base.ancestors().take(MAX_PARENT_FOLDERS).find(has_files).unwrap_or(base)
}

/// Returns `path` relative to `base`, with up to two `..`; unchanged if they are further apart.
pub fn relative_path(path: &Path, base: &Path) -> PathBuf {
    let mut up = PathBuf::new();
    for above in base.ancestors().take(MAX_PARENT_FOLDERS) {
        match path.strip_prefix(above) {
            // Paths that share only the root are unrelated.
            Ok(rest) if above.parent().is_some() => return up.join(rest),
            _ => up.push(".."),
        }
    }
    path.to_owned()
}

/// Renders one change, with its path relative to `base` as in [`relative_path`] and without the secrets that its
/// lines assign.
pub fn render_change(change: &FileChange, base: &Path) -> Vec<DiffLine> {
    let name = relative_path(&change.path, base).display().to_string();
    let mut lines = vec![
        DiffLine {
            kind: DiffLineKind::File,
            text: match change.before {
                Some(_) => format!("--- a/{name}"),
                None => "--- /dev/null".to_owned(),
            },
        },
        DiffLine {
            kind: DiffLineKind::File,
            text: match change.after {
                Some(_) => format!("+++ b/{name}"),
                None => "+++ /dev/null".to_owned(),
            },
        },
    ];
    let before = SourceLines::new(&change.path, change.before.as_deref());
    let after = SourceLines::new(&change.path, change.after.as_deref());
    let mut known = HashMap::new();
    for group in group_diff_ops(compare::lines(&before.lines, &after.lines), 3) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else {
            continue;
        };
        let old = first.old_range().start..last.old_range().end;
        let new = first.new_range().start..last.new_range().end;
        lines.push(DiffLine {
            kind: DiffLineKind::Hunk,
            text: format!("@@ -{} +{} @@", hunk_range(&old), hunk_range(&new)),
        });
        let (before_lines, after_lines) = (&before.lines[..], &after.lines[..]);
        for line in group.iter().flat_map(|op| op.iter_changes(before_lines, after_lines)) {
            let shown = match (line.old_index(), line.new_index()) {
                (Some(number), _) => before.show(number, &mut known),
                (None, number) => after.show(number.unwrap_or_default(), &mut known),
            };
            render_line(line.tag(), &shown, line.value().ends_with('\n'), &mut lines);
        }
    }
    lines
}

/// The lines of a text, and the secrets among them.
struct SourceLines<'t> {
    lines: Vec<&'t str>,
    syntax: AssignmentSyntax,
    /// In the order of the lines.
    continued: Vec<ContinuedSecret<'t>>,
}

impl<'t> SourceLines<'t> {
    /// Splits the text of the file at `path`; a missing file has no lines.
    fn new(path: &Path, text: Option<&'t str>) -> Self {
        let lines = text.unwrap_or_default().tokenize_lines();
        let is_yaml = path.extension().is_some_and(|ending| ending == "yml" || ending == "yaml");
        let continued = if is_yaml { find_continued_secrets(&lines) } else { Vec::new() };
        Self { lines, syntax: AssignmentSyntax::of_file(path), continued }
    }

    /// Returns a line without its ending and without secrets. The services of a file have many lines in common: each
    /// is searched once, and `known` holds what was found.
    fn show(&self, number: usize, known: &mut HashMap<&'t str, Cow<'t, str>>) -> Cow<'t, str> {
        let Some(line) = self.lines.get(number) else { return Cow::default() };
        let body = line.trim_end_matches(['\n', '\r']);
        let next = self.continued.partition_point(|secret| secret.lines.end <= number);
        match self.continued.get(next).filter(|secret| secret.lines.contains(&number)) {
            Some(secret) if !body.trim().is_empty() => {
                let indent = &body[..body.len() - body.trim_start().len()];
                Cow::Owned(format!("{indent}<{}>", secret.name))
            }
            _ => {
                let hide = || hide_assigned_secrets(body, self.syntax);
                known.entry(body).or_insert_with(hide).clone()
            }
        }
    }
}

fn render_line(tag: ChangeTag, body: &str, is_ended: bool, lines: &mut Vec<DiffLine>) {
    let (kind, sign) = match tag {
        ChangeTag::Equal => (DiffLineKind::Context, ' '),
        ChangeTag::Delete => (DiffLineKind::Removed, '-'),
        ChangeTag::Insert => (DiffLineKind::Added, '+'),
    };
    let mut text = String::with_capacity(1 + body.len());
    text.push(sign);
    text.push_str(body);
    lines.push(DiffLine { kind, text });
    if !is_ended {
        lines.push(DiffLine {
            kind: DiffLineKind::Context,
            text: "\\ No newline at end of file".to_owned(),
        });
    }
}

/// Formats a range of lines for a hunk header.
fn hunk_range(range: &std::ops::Range<usize>) -> String {
    match range.len() {
        0 => format!("{},0", range.start),
        1 => format!("{}", range.start + 1),
        count => format!("{},{count}", range.start + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::super::WriteMethod;
    use super::*;

    #[test]
    fn a_path_above_the_base_is_shown_relative_to_it() {
        let shown = |path| relative_path(Path::new(path), Path::new("/p/shop"));
        assert_eq!(shown("/p/shop/a/b"), Path::new("a/b"));
        assert_eq!(shown("/p/.gitpod.yml"), Path::new("../.gitpod.yml"));
        assert_eq!(shown("/q/x"), Path::new("/q/x"));
    }

    #[test]
    fn a_secret_of_several_lines_is_hidden() {
        let text = "a:\n  DB_PASSWORD: >-\n    hunter2\n    letmein\n  b: c\n";
        let plan = Plan {
            changes: vec![FileChange {
                path: "/p/a.yml".into(),
                before: Some(text.into()),
                after: Some(format!("{text}  d: e\n  TOKEN: |\n    hunter2").into()),
                writing: WriteMethod::Replace,
            }],
            ..Plan::default()
        };
        let shown: Vec<String> =
            render(&plan, Path::new("/p")).into_iter().map(|line| line.text).collect();
        let expected = [
            "     <DB_PASSWORD>",
            "     <DB_PASSWORD>",
            "   b: c",
            "+  d: e",
            "+  TOKEN: |",
            "+    <TOKEN>",
            "\\ No newline at end of file",
        ];
        assert_eq!(shown[3..], expected);
    }

    #[test]
    fn a_missing_final_newline_is_marked() {
        let plan = Plan {
            changes: vec![FileChange {
                path: "/p/a.yml".into(),
                before: Some("a: 1\nb: 2".into()),
                after: Some("a: 1\nb: 2\nc: 3\n".into()),
                writing: WriteMethod::Replace,
            }],
            ..Plan::default()
        };
        let text: Vec<String> =
            render(&plan, Path::new("/p")).into_iter().map(|line| line.text).collect();
        assert_eq!(
            text,
            [
                "--- a/a.yml",
                "+++ b/a.yml",
                "@@ -1,2 +1,3 @@",
                " a: 1",
                "-b: 2",
                "\\ No newline at end of file",
                "+b: 2",
                "+c: 3"
            ]
        );
    }
}
