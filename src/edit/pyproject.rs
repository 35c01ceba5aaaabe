//! Reads and extends the dependencies of a `pyproject.toml`, in the format of PEP 621 or of Poetry.
//!
//! The TOML parser supplies byte ranges and the edit splices bytes, so unchanged lines keep every byte.

use std::ops::Range;

use toml_edit::{Array, Document, Item, Table, Value};

use super::patch::{self, TextPatch};
use super::requirements::{
    PackageAddition, RequirementEntry, Requirements, VersionBounds, normalize_package_name,
};
use super::text::{LineEnding, line_end, line_start};
use crate::error::{Error, ErrorCode, Result};

/// The declared packages and the format they are declared in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pyproject {
    /// The format of the declaration.
    pub style: PyprojectStyle,
    /// The packages, in source order.
    pub entries: Vec<RequirementEntry>,
}

/// The format of a dependency declaration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PyprojectStyle {
    /// `[project] dependencies = […]` (PEP 621).
    Project,
    /// `[tool.poetry.dependencies]`
    Poetry,
}

/// Reads the dependencies; `None` if the file declares none.
///
/// # Errors
/// `toml-syntax`.
pub fn parse_pyproject(source: &str) -> Result<Option<Pyproject>> {
    let document = parse_toml_document(source)?;
    let root = document.as_table();
    if let Some(array) = project_array(root) {
        let strings = array.iter().filter_map(Value::as_str);
        let lines: Vec<&str> = strings.collect();
        return Ok(Some(Pyproject {
            style: PyprojectStyle::Project,
            entries: Requirements::parse(&lines.join("\n")).entries,
        }));
    }
    Ok(poetry_table(root).map(|table| Pyproject {
        style: PyprojectStyle::Poetry,
        entries: table.iter().map(|(name, item)| poetry_entry(name, item)).collect(),
    }))
}

/// Adds packages to the dependencies.
///
/// # Errors
/// `toml-syntax`; `unsafe-edit` if the result would not parse as the old packages plus the added ones.
pub fn extend(source: &str, added: &[PackageAddition]) -> Result<String> {
    if added.is_empty() {
        return Ok(source.to_owned());
    }
    let lines: Vec<String> = added.iter().map(PackageAddition::line).collect();
    let refused = || {
        Error::new(ErrorCode::UnsafeEdit, "these dependencies cannot be extended safely")
            .paste(lines.join("\n"))
    };
    let document = parse_toml_document(source)?;
    let root = document.as_table();
    let patches = match (project_array(root), poetry_table(root)) {
        (Some(array), _) => array_patches(source, array, &lines),
        (None, Some(table)) => table_patches(source, table, added),
        (None, None) => None,
    };
    let after = patches.and_then(|patches| patch::apply(source, &patches)).ok_or_else(refused)?;
    let names = |text: &str| -> Option<Vec<String>> {
        let entries = parse_pyproject(text).ok()??.entries;
        Some(entries.into_iter().map(|entry| entry.name).collect())
    };
    let mut wanted = names(source).ok_or_else(refused)?;
    wanted.extend(added.iter().map(|addition| normalize_package_name(&addition.name)));
    if names(&after) == Some(wanted) { Ok(after) } else { Err(refused()) }
}

fn parse_toml_document(source: &str) -> Result<Document<&str>> {
    Document::parse(source).map_err(|error| {
        Error::new(ErrorCode::TomlSyntax, "this is not valid TOML").cause(error.message())
    })
}

fn project_array(root: &Table) -> Option<&Array> {
    root.get("project")?.get("dependencies")?.as_array()
}

fn poetry_table(root: &Table) -> Option<&Table> {
    let poetry = root.get("tool")?.get("poetry")?;
    poetry.get("dependencies")?.as_table()
}

fn poetry_entry(name: &str, item: &Item) -> RequirementEntry {
    let condition = item.as_str().or_else(|| item.get("version").and_then(Item::as_str));
    let (pin, bounds) = match condition {
        None => (None, VersionBounds::Address),
        Some("*") => (None, VersionBounds::Any),
        Some(condition) => {
            let version = condition.trim_start_matches('=').trim();
            let exact = version.starts_with(|first: char| first.is_ascii_digit())
                && !version.contains(['*', ',', ' ']);
            (exact.then(|| version.to_owned()), VersionBounds::Version)
        }
    };
    let conditions = condition
        .filter(|condition| *condition != "*")
        .into_iter()
        .flat_map(|all| all.split(','))
        .map(|condition| condition.trim().to_owned());
    RequirementEntry {
        name: normalize_package_name(name),
        pin,
        bounds,
        conditions: conditions.collect(),
        line: 0,
    }
}

fn array_patches(source: &str, array: &Array, lines: &[String]) -> Option<Vec<TextPatch>> {
    let whole = array.span()?;
    let ending = LineEnding::of(source).text();
    let quoted: Vec<String> = lines.iter().map(|line| format!("\"{line}\"")).collect();
    let Some(last) = array.iter().last().and_then(Value::span) else {
        let body: String = quoted.iter().map(|line| format!("    {line},{ending}")).collect();
        // A comment runs to the end of its line, so the closing bracket needs a separate line.
        return Some(vec![if source[whole.clone()].contains('#') {
            TextPatch::insert(line_start(source, whole.end - 1), body)
        } else {
            TextPatch::replace(whole, format!("[{ending}{body}]"))
        }]);
    };
    let comma = comma_after(source, last.end..whole.end);
    let end = line_end(source, last.end);
    if end >= whole.end {
        let at = comma.map_or(last.end, |comma| comma + 1);
        let lead = if comma.is_some() { " " } else { ", " };
        return Some(vec![TextPatch::insert(at, format!("{lead}{}", quoted.join(", ")))]);
    }
    let start = line_start(source, last.start);
    let indent: String = source[start..].chars().take_while(|c| matches!(c, ' ' | '\t')).collect();
    let mut patches = Vec::new();
    if comma.is_none() {
        patches.push(TextPatch::insert(last.end, ","));
    }
    // If the comma is on a later line than its element, insert after that line.
    let end = comma.map_or(end, |comma| line_end(source, comma));
    let body: String = quoted.iter().map(|line| format!("{indent}{line},{ending}")).collect();
    patches.push(TextPatch::insert(end, body));
    Some(patches)
}

/// Finds the comma after the last element, skipping comments.
fn comma_after(source: &str, range: Range<usize>) -> Option<usize> {
    let mut at = range.start;
    for line in source[range].split_inclusive('\n') {
        let code = line.split('#').next().unwrap_or_default();
        if let Some(comma) = code.find(',') {
            return Some(at + comma);
        }
        at += line.len();
    }
    None
}

fn table_patches(source: &str, table: &Table, added: &[PackageAddition]) -> Option<Vec<TextPatch>> {
    let last = table.iter().filter_map(|(_, item)| item.span()).map(|span| span.end).max()?;
    let ending = LineEnding::of(source).text();
    let mut text = String::new();
    let at = line_end(source, last);
    if !source[..at].ends_with('\n') {
        text.push_str(ending);
    }
    for addition in added {
        let version = addition.version.as_deref().unwrap_or("*");
        text.push_str(&format!("{} = \"{version}\"{ending}", addition.name));
    }
    Some(vec![TextPatch::insert(at, text)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(before: &str, after: &str) {
        let added = [("a", None), ("b", Some("1.2"))].map(|(name, version)| PackageAddition {
            name: name.to_owned(),
            version: version.map(str::to_owned),
        });
        assert_eq!(extend(before, &added).unwrap(), after);
    }

    #[test]
    fn a_line_stays_a_line_and_a_block_a_block() {
        check(
            "[project]\ndependencies = [\"flask\"]  # web\n",
            "[project]\ndependencies = [\"flask\", \"a\", \"b==1.2\"]  # web\n",
        );
        check(
            "[project]\r\ndependencies = [\r\n\t\"x\", # why, oh\r\n\t'flask>=2' # web\r\n]\r\n",
            "[project]\r\ndependencies = [\r\n\t\"x\", # why, oh\r\n\t'flask>=2', # web\r\n\t\"a\",\r\n\t\"b==1.2\",\r\n]\r\n",
        );
        check(
            "[project]\ndependencies = [\n  \"flask\",\n  # end\n]\n",
            "[project]\ndependencies = [\n  \"flask\",\n  \"a\",\n  \"b==1.2\",\n  # end\n]\n",
        );
        check(
            "[project]\ndependencies = []\n",
            "[project]\ndependencies = [\n    \"a\",\n    \"b==1.2\",\n]\n",
        );
        check(
            "[project]\ndependencies = [ # none yet\n]\n",
            "[project]\ndependencies = [ # none yet\n    \"a\",\n    \"b==1.2\",\n]\n",
        );
    }

    #[test]
    fn a_comma_on_a_later_line_stays_where_it_is() {
        for lines in ["\n  ,\n", " # one, two\n  # three, four\n  , # five\n", "\n\n\n, # six\n"] {
            check(
                &format!("[project]\ndependencies = [\n  \"x\"{lines}]\n"),
                &format!("[project]\ndependencies = [\n  \"x\"{lines}  \"a\",\n  \"b==1.2\",\n]\n"),
            );
        }
    }

    #[test]
    fn poetry_gets_lines_of_its_own() {
        check(
            "[tool.poetry.dependencies]\npython = \"^3.10\"\nflask = {version = \"2.3.2\", extras = [\"x\"]}\n\n[other]\n",
            "[tool.poetry.dependencies]\npython = \"^3.10\"\nflask = {version = \"2.3.2\", extras = [\"x\"]}\na = \"*\"\nb = \"1.2\"\n\n[other]\n",
        );
        check(
            "[tool.poetry.dependencies]\nflask = \"*\"",
            "[tool.poetry.dependencies]\nflask = \"*\"\na = \"*\"\nb = \"1.2\"\n",
        );
    }

    #[test]
    fn a_file_without_dependencies_declares_none() {
        assert_eq!(parse_pyproject("[tool.ruff]\n").unwrap(), None);
        assert_eq!(parse_pyproject("[[").unwrap_err().code, ErrorCode::TomlSyntax);
    }
}
