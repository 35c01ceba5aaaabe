//! The line in `.gitignore` that makes git ignore a `.env`.

use crate::edit::patch::TextPatch;

/// Returns the text of `.gitignore` with a line for `file`, which is added if missing.
pub(super) fn add_ignore_line(text: &str, file: &str) -> String {
    let rooted = format!("/{file}");
    if text.lines().map(str::trim_end).any(|line| line == file || line == rooted) {
        return text.to_owned();
    }
    format!("{text}{}", TextPatch::append_lines(text, &[rooted]).text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_is_added_once() {
        for (before, after) in [
            ("", "/.env\n"),
            ("node_modules", "node_modules\n/.env\n"),
            ("a\r\n", "a\r\n/.env\r\n"),
            (".env\n", ".env\n"),
            ("# .env\n", "# .env\n/.env\n"),
        ] {
            assert_eq!(add_ignore_line(before, ".env"), after, "{before:?}");
            assert_eq!(add_ignore_line(after, ".env"), after);
        }
    }
}
