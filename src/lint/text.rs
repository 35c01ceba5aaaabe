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

/// The lines of a text, found once for every place in it that is asked for.
#[derive(Debug)]
pub struct Lines<'t> {
    file: &'t Text,
    starts: Vec<usize>,
}

impl Text {
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

impl<'t> Lines<'t> {
    /// The lines of `file`.
    pub fn of(file: &'t Text) -> Self {
        let ends = file.text.match_indices('\n').map(|(end, _)| end + 1);
        Self { file, starts: std::iter::once(0).chain(ends).collect() }
    }

    /// Line, column and the line itself at a byte.
    pub fn place(&self, offset: usize) -> Place {
        let text = &self.file.text;
        let mut offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.starts.partition_point(|start| *start <= offset).max(1);
        let before = &text[self.starts[line - 1]..offset];
        Place {
            path: self.file.path.clone(),
            line,
            column: before.trim_start_matches('\u{feff}').chars().count() + 1,
            text: self.line(line).unwrap_or_default().trim_start_matches('\u{feff}').to_owned(),
        }
    }

    /// The byte of a place in this text.
    pub fn offset(&self, place: &Place) -> usize {
        let Some(start) = self.starts.get(place.line.saturating_sub(1)) else { return 0 };
        let line = self.file.text[*start..].lines().next().unwrap_or_default();
        let mark = line.len() - line.trim_start_matches('\u{feff}').len();
        let before = line[mark..].chars().take(place.column.saturating_sub(1));
        start + mark + before.map(char::len_utf8).sum::<usize>()
    }

    /// The codes that a `cruddur-ops: ignore CODE` comment on `line`, or alone on the line above it, silences.
    pub fn silenced(&self, line: usize) -> Vec<&'t str> {
        let above = line
            .checked_sub(1)
            .and_then(|above| self.line(above))
            .filter(|line| line.trim_start().starts_with(['#', '/']));
        self.line(line)
            .into_iter()
            .chain(above)
            .filter_map(|line| line.split_once("cruddur-ops: ignore ").map(|(_, codes)| codes))
            .flat_map(|codes| codes.split([' ', ',']))
            .map(str::trim)
            .filter(|code| !code.is_empty())
            .collect()
    }

    /// A line without its ending; 1 is the first.
    fn line(&self, line: usize) -> Option<&'t str> {
        let start = *self.starts.get(line.checked_sub(1)?)?;
        self.file.text[start..].lines().next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_characters_and_know_their_line() {
        let text = Text { path: "a.yml".into(), text: "\u{feff}a: 1\r\nü: x\n".into() };
        let lines = Lines::of(&text);
        let place = lines.place(text.text.find('x').unwrap());
        assert_eq!((place.line, place.column, place.text.as_str()), (2, 4, "ü: x"));
        assert_eq!(lines.place(3).column, 1);
    }

    #[test]
    fn a_comment_silences_its_own_line_and_the_one_below() {
        let text = |text: &str| Text { path: "a.yml".into(), text: text.to_owned() };
        let two = text("a: 1 # cruddur-ops: ignore one, two\n# cruddur-ops: ignore three\nb: 2\n");
        assert_eq!(Lines::of(&two).silenced(1), ["one", "two"]);
        assert_eq!(Lines::of(&two).silenced(3), ["three"]);
        let one = text("a: 1 # cruddur-ops: ignore one\nb: 2\n");
        assert!(Lines::of(&one).silenced(2).is_empty());
    }
}
