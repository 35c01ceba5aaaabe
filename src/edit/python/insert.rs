//! Inserts blocks of lines with the file's own indentation and line endings.

use std::collections::HashSet;
use std::ops::Range;

use super::bindings::ImportDepth;
use super::bindings::PythonImport;
use super::source::PythonSource;
use crate::edit::patch::TextPatch;
use crate::edit::text::{line_end, line_start};

/// An insertion point: a byte at the beginning of a line, or the end of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InsertionPoint {
    /// Byte offset.
    pub at: usize,
    /// The indentation of its lines.
    pub indent: String,
}

/// Returns the point before the statement and the comments directly above it.
pub(crate) fn before(source: &PythonSource<'_>, statement: &Range<usize>) -> InsertionPoint {
    let mut at = line_start(source.text, statement.start);
    while at > 0 {
        let above = line_start(source.text, at - 1);
        let line = source.text[above..at].trim();
        if !line.starts_with('#') || line.starts_with("#!") || is_coding(line) {
            break;
        }
        at = above;
    }
    InsertionPoint {
        at: at.max(after_bom(source)),
        indent: source.indent(statement.start).to_owned(),
    }
}

/// Returns the point after the last line of the statement.
pub(crate) fn after(source: &PythonSource<'_>, statement: &Range<usize>) -> InsertionPoint {
    InsertionPoint {
        at: line_end(source.text, statement.end),
        indent: source.indent(statement.start).to_owned(),
    }
}

/// Returns the point after the last import that always runs before the byte `limit`, or else after the lines that must
/// come first.
pub(crate) fn after_imports(
    source: &PythonSource<'_>,
    imports: &[PythonImport],
    limit: usize,
) -> InsertionPoint {
    let starts: HashSet<usize> = imports
        .iter()
        .filter(|import| import.depth == ImportDepth::Top)
        .map(|import| import.start)
        .collect();
    let mut cursor = source.root().walk();
    let statements = source.root().children(&mut cursor);
    let last = statements
        .filter(|statement| starts.contains(&statement.start_byte()))
        .map(|statement| line_end(source.text, statement.end_byte()))
        .filter(|end| *end <= limit)
        .max();
    InsertionPoint {
        at: last.unwrap_or_else(|| preamble_end(source)).min(limit),
        indent: String::new(),
    }
}

/// Returns the end of the byte order mark, `#!` line, encoding comment and docstring.
fn preamble_end(source: &PythonSource<'_>) -> usize {
    let mut at = after_bom(source);
    for line in source.text[at..].split_inclusive('\n').take(2) {
        if line.starts_with("#!") || is_coding(line) {
            at += line.len();
        } else {
            break;
        }
    }
    let mut cursor = source.root().walk();
    let docstring =
        source.root().named_children(&mut cursor).find(|child| child.kind() != "comment").filter(
            |first| {
                first.kind() == "expression_statement"
                    && first.named_child(0).is_some_and(|inner| inner.kind() == "string")
            },
        );
    docstring.map_or(at, |node| line_end(source.text, node.end_byte()))
}

fn after_bom(source: &PythonSource<'_>) -> usize {
    if source.text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 }
}

/// Returns whether a line is an encoding comment (PEP 263), which counts on the first two lines only.
fn is_coding(line: &str) -> bool {
    line.trim_start().starts_with('#') && (line.contains("coding:") || line.contains("coding="))
}

/// Inserts blocks at one point, with blank lines around each.
pub(crate) fn insert_blocks(
    source: &PythonSource<'_>,
    spot: &InsertionPoint,
    blocks: &[&str],
) -> TextPatch {
    let ending = source.ending.text();
    let above = source.text[..spot.at].trim_start_matches('\u{feff}');
    let mut text = String::new();
    if !above.is_empty() && !above.ends_with('\n') {
        text.push_str(ending);
    }
    let line_above = above.lines().next_back().unwrap_or_default();
    if !line_above.trim().is_empty() {
        text.push_str(ending);
    }
    for (index, block) in blocks.iter().enumerate() {
        if index > 0 {
            text.push_str(ending);
        }
        for line in block.lines() {
            if !line.is_empty() {
                text.push_str(&spot.indent);
                text.push_str(line);
            }
            text.push_str(ending);
        }
    }
    let below = source.text[spot.at..].lines().next();
    if below.is_some_and(|line| !line.trim().is_empty()) {
        text.push_str(ending);
    }
    TextPatch::insert(spot.at, text)
}

#[cfg(test)]
mod tests {
    use super::super::bindings::list_imports;
    use super::*;

    /// Asserts that in each text, with its `|` removed, `find` returns the position of that `|`.
    #[track_caller]
    fn check(texts: &[&str], find: impl Fn(&PythonSource<'_>) -> InsertionPoint) {
        for marked in texts {
            let at = marked.find('|').unwrap();
            let text = marked.replacen('|', "", 1);
            assert_eq!(find(&PythonSource::parse(&text).unwrap()).at, at, "{text:?}");
        }
    }

    #[test]
    fn a_block_stands_above_the_comments_of_a_statement_and_below_the_first_lines() {
        let texts = [
            "|x = 1\n",
            "|# about x\nx = 1\n",
            "y = 2\n|# about x\n# and more\nx = 1\n",
            "y = 2\n# apart\n\n|x = 1\n",
            "\u{feff}|x = 1\n",
            "#!/usr/bin/env python\n|x = 1\n",
            "#!/usr/bin/env python\n|# about x\nx = 1\n",
            "# -*- coding: utf-8 -*-\n|x = 1\n",
            "# vim: set fileencoding=utf-8 :\n|# about x\nx = 1\n",
            "y = 'coding: x'\n|x = 1\n",
        ];
        check(&texts, |source| {
            let start = source.text.find("x = 1").unwrap();
            before(source, &(start..start + 5))
        });
    }

    #[test]
    fn without_imports_a_block_stands_below_what_comes_first_in_a_file() {
        let texts = [
            "|x = 1\n",
            "|# about x\nx = 1\n",
            "\u{feff}|x = 1\n",
            "#!/usr/bin/env python\n|x = 1\n",
            "#!/usr/bin/env python\n# coding=utf-8\n|# about x\nx = 1\n",
            "# -*- coding: utf-8 -*-\n|x = 1\n",
            "# one\n'''doc'''\n|x = 1\n",
            "|x = 'coding: x'\n",
            "import a\n|x = 1\n",
            "import a\nx = 1\nimport b\n|",
        ];
        check(&texts, |source| after_imports(source, &list_imports(source), source.text.len()));
    }
}
