//! A file as read, and places in it.

use std::path::PathBuf;

use crate::error::Place;

/// A text file of the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// As the user would name it: relative to the project's folder.
    pub path: PathBuf,
    /// Exactly as it lies there.
    pub text: String,
}

impl Text {
    /// Line, column and the line itself at a byte.
    pub fn place(&self, offset: usize) -> Place {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &self.text[..offset];
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = self.text[start..].lines().next().unwrap_or_default();
        Place {
            path: self.path.clone(),
            line: before.matches('\n').count() + 1,
            column: before[start..]
                .trim_start_matches('\u{feff}')
                .chars()
                .count()
                + 1,
            text: line.trim_start_matches('\u{feff}').to_owned(),
        }
    }

    /// Byte ranges of the lines, endings left out.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut start = 0;
        self.text.split_inclusive('\n').map(move |line| {
            let at = start;
            start += line.len();
            (at, line.trim_end_matches(['\n', '\r']))
        })
    }
}

/// The codes that a `cruddur-ops: ignore CODE` comment on `line`, or alone on the line above it, silences.
pub fn silenced(text: &str, line: usize) -> Vec<&str> {
    let lines: Vec<&str> = text.lines().collect();
    let own = line.checked_sub(1).and_then(|at| lines.get(at));
    let above = line
        .checked_sub(2)
        .and_then(|at| lines.get(at))
        .filter(|line| line.trim_start().starts_with(['#', '/']));
    own.into_iter()
        .chain(above)
        .filter_map(|line| {
            line.split_once("cruddur-ops: ignore ")
                .map(|(_, codes)| codes)
        })
        .flat_map(|codes| codes.split([' ', ',']))
        .map(str::trim)
        .filter(|code| !code.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_characters_and_know_their_line() {
        let text = Text {
            path: "a.yml".into(),
            text: "\u{feff}a: 1\r\nü: x\n".into(),
        };
        let place = text.place(text.text.find('x').unwrap());
        assert_eq!(
            (place.line, place.column, place.text.as_str()),
            (2, 4, "ü: x")
        );
        assert_eq!(text.place(3).column, 1);
    }

    #[test]
    fn a_comment_silences_its_own_line_and_the_one_below() {
        let text = "a: 1 # cruddur-ops: ignore one, two\n# cruddur-ops: ignore three\nb: 2\n";
        assert_eq!(silenced(text, 1), ["one", "two"]);
        assert_eq!(silenced(text, 3), ["three"]);
        assert!(silenced("a: 1 # cruddur-ops: ignore one\nb: 2\n", 2).is_empty());
    }
}
