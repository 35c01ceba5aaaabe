//! The style of questions: coloured with a `>` at the active row, or ASCII.

use std::fmt;

use console::style;
use dialoguer::theme::{ColorfulTheme, SimpleTheme, Theme};

use super::StreamLook;

/// Returns the theme for questions on a stream with this look.
pub(super) fn question_theme(look: &StreamLook) -> Box<dyn Theme> {
    if look.colour { Box::new(ColouredTheme(prompt_theme(look))) } else { Box::new(SimpleTheme) }
}

fn prompt_theme(look: &StreamLook) -> ColorfulTheme {
    let theme = ColorfulTheme::default();
    if look.unicode {
        return theme;
    }
    let mark = |text: &str| style(text.to_owned()).for_stderr();
    ColorfulTheme {
        prompt_suffix: mark(">").bright(),
        success_prefix: mark("*").green(),
        success_suffix: mark("-").bright(),
        error_prefix: mark("!").red(),
        active_item_prefix: mark(">").green(),
        checked_item_prefix: mark("[x]").green(),
        unchecked_item_prefix: mark("[ ]").magenta(),
        ..theme
    }
}

/// The coloured theme, which also marks the active row of a list: colour alone never carries meaning.
struct ColouredTheme(ColorfulTheme);

impl Theme for ColouredTheme {
    fn format_prompt(&self, f: &mut dyn fmt::Write, prompt: &str) -> fmt::Result {
        self.0.format_prompt(f, prompt)
    }

    fn format_error(&self, f: &mut dyn fmt::Write, error: &str) -> fmt::Result {
        self.0.format_error(f, error)
    }

    fn format_input_prompt(
        &self,
        f: &mut dyn fmt::Write,
        prompt: &str,
        default: Option<&str>,
    ) -> fmt::Result {
        self.0.format_input_prompt(f, prompt, default)
    }

    fn format_input_prompt_selection(
        &self,
        f: &mut dyn fmt::Write,
        prompt: &str,
        selection: &str,
    ) -> fmt::Result {
        self.0.format_input_prompt_selection(f, prompt, selection)
    }

    fn format_multi_select_prompt_item(
        &self,
        f: &mut dyn fmt::Write,
        text: &str,
        checked: bool,
        active: bool,
    ) -> fmt::Result {
        f.write_str(if active { "> " } else { "  " })?;
        self.0.format_multi_select_prompt_item(f, text, checked, active)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(look: &StreamLook, checked: bool, active: bool) -> String {
        let mut text = String::new();
        let theme = question_theme(look);
        theme.format_multi_select_prompt_item(&mut text, "api", checked, active).unwrap();
        console::strip_ansi_codes(&text).into_owned()
    }

    #[test]
    fn the_active_row_has_a_mark_and_ascii_is_enough() {
        for colour in [true, false] {
            for unicode in [true, false] {
                let look = StreamLook { colour, unicode, ..StreamLook::plain() };
                for checked in [true, false] {
                    let (active, inactive) =
                        (item(&look, checked, true), item(&look, checked, false));
                    assert!(
                        active.starts_with('>') && !inactive.starts_with('>'),
                        "{active} {inactive}"
                    );
                    assert!(unicode || (active + &inactive).is_ascii());
                }
                assert_ne!(item(&look, true, false), item(&look, false, false));
                let mut prompt = String::new();
                question_theme(&look)
                    .format_input_prompt(&mut prompt, "Go on?", Some("y/n"))
                    .unwrap();
                assert!(unicode || prompt.is_ascii(), "{prompt}");
            }
        }
    }
}
