//! The lines of a text: where each begins and ends, and its line break.

/// A text split into lines; each lookup is a binary search.
#[derive(Debug, Clone)]
pub(super) struct YamlLines<'a> {
    source: &'a str,
    starts: Vec<usize>,
    usual: &'static str,
}

impl<'a> YamlLines<'a> {
    /// Splits `source` at `\n`, `\r\n` and lone `\r`.
    pub(super) fn new(source: &'a str) -> Self {
        let bytes = source.as_bytes();
        let mut starts = vec![0];
        let (mut windows, mut unix) = (0_usize, 0_usize);
        for at in memchr::memchr2_iter(b'\n', b'\r', bytes) {
            match bytes[at] {
                b'\n' if at > 0 && bytes[at - 1] == b'\r' => windows += 1,
                b'\n' => unix += 1,
                _ if bytes.get(at + 1) != Some(&b'\n') => {}
                _ => continue,
            }
            starts.push(at + 1);
        }
        let usual_ending = if windows > unix { "\r\n" } else { "\n" };
        Self { source, starts, usual: usual_ending }
    }

    fn index(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at).max(1) - 1
    }

    /// Returns the line number of `at`, starting at 1.
    pub(super) fn number(&self, at: usize) -> usize {
        self.index(at) + 1
    }

    /// Returns the first byte of the line of `at`.
    pub(super) fn start(&self, at: usize) -> usize {
        self.starts[self.index(at)]
    }

    /// Returns the first byte of the line after that of `at`; the end of the text for the last line.
    pub(super) fn next(&self, at: usize) -> usize {
        let next = self.starts.get(self.index(at) + 1);
        next.copied().unwrap_or(self.source.len())
    }

    /// Returns the line of `at` without its break.
    pub(super) fn text(&self, at: usize) -> &'a str {
        self.source[self.start(at)..self.next(at)].trim_end_matches(['\r', '\n'])
    }

    /// Returns the end of the line of `at`, without its line break.
    pub(super) fn end(&self, at: usize) -> usize {
        self.start(at) + self.text(at).len()
    }

    /// Returns the line break of the line of `at`; empty if the text ends there.
    pub(super) fn ending(&self, at: usize) -> &'a str {
        &self.source[self.end(at)..self.next(at)]
    }

    /// Returns the most frequent line break.
    pub(super) fn usual_ending(&self) -> &'static str {
        self.usual
    }

    /// Counts the characters between the beginning of the line and `at`, without a byte order mark.
    pub(super) fn column(&self, at: usize) -> usize {
        self.source[self.start(at)..at].trim_start_matches('\u{feff}').chars().count()
    }

    /// Returns whether only white space precedes `at` on its line.
    pub(super) fn leads(&self, at: usize) -> bool {
        let before = &self.source[self.start(at)..at];
        before.trim_start_matches('\u{feff}').bytes().all(|byte| byte == b' ')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_break_ends_a_line() {
        let lines = YamlLines::new("\u{feff}a: 1\r\n  é: 2\nc\rd");
        assert_eq!(lines.number(7), 1);
        assert_eq!((lines.ending(3), lines.ending(12), lines.ending(18)), ("\r\n", "\n", "\r"));
        assert_eq!((lines.text(19), lines.ending(19)), ("d", ""));
        assert_eq!((lines.column(3), lines.column(11)), (0, 2));
        assert!(lines.leads(3) && lines.leads(11) && !lines.leads(14));
    }

    #[test]
    fn the_usual_ending_is_that_of_most_lines() {
        assert_eq!(YamlLines::new("a\r\nb\r\nc\n").usual_ending(), "\r\n");
        assert_eq!(YamlLines::new("a\nb\r\n").usual_ending(), "\n");
        assert_eq!(YamlLines::new("").usual_ending(), "\n");
    }
}
