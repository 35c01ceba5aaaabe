//! Reads answers key by key: Escape ends a question as Ctrl-C does.

use std::{fmt, io};

use console::{Key, Term, measure_text_width};
use dialoguer::theme::Theme;

/// Asks for yes or no, and waits for the enter key.
///
/// # Errors
/// `UnexpectedEof` after Escape; any error of reading the terminal.
pub(super) fn read_confirmation(
    theme: &dyn Theme,
    question: &str,
    default: bool,
) -> io::Result<bool> {
    let terminal = Term::stderr();
    let mut answer = default;
    terminal.hide_cursor()?;
    loop {
        terminal.clear_line()?;
        terminal.write_str(&render(|text| {
            theme.format_confirm_prompt(text, question, Some(answer))
        })?)?;
        match terminal.read_key()? {
            Key::Char('y' | 'Y') => answer = true,
            Key::Char('n' | 'N') => answer = false,
            Key::Enter => break,
            Key::Escape => return Err(escape_error()),
            _ => {}
        }
    }
    terminal.clear_line()?;
    let answered =
        |text: &mut String| theme.format_confirm_prompt_selection(text, question, Some(answer));
    terminal.write_line(&render(answered)?)?;
    terminal.show_cursor()?;
    Ok(answer)
}

/// Asks for a line of text until `read` accepts one, shows the answer as `describe` puts it, and returns it.
///
/// # Errors
/// As [`read_confirmation`].
pub(super) fn read_line<T>(
    theme: &dyn Theme,
    question: &str,
    read: impl Fn(&str) -> Result<T, String>,
    describe: impl Fn(&T) -> String,
) -> io::Result<T> {
    let terminal = Term::stderr();
    loop {
        terminal.write_str(&render(|text| theme.format_input_prompt(text, question, None))?)?;
        let typed = read_typed_text(&terminal)?;
        terminal.clear_line()?;
        let answer = match read(&typed) {
            Ok(answer) => answer,
            Err(mistake) => {
                terminal.write_line(&render(|text| theme.format_error(text, &mistake))?)?;
                continue;
            }
        };
        let shown = describe(&answer);
        terminal.write_line(&render(|text| {
            theme.format_input_prompt_selection(text, question, &shown)
        })?)?;
        return Ok(answer);
    }
}

/// Reads and shows what is typed, up to the enter key.
fn read_typed_text(terminal: &Term) -> io::Result<String> {
    let mut typed = String::new();
    loop {
        match terminal.read_key()? {
            Key::Enter => return Ok(typed),
            Key::Escape => return Err(escape_error()),
            Key::Backspace => {
                if let Some(last) = typed.pop() {
                    terminal.clear_chars(measure_text_width(&last.to_string()))?;
                }
            }
            Key::Char(one) if !one.is_control() => {
                typed.push(one);
                terminal.write_str(&one.to_string())?;
            }
            _ => {}
        }
    }
}

/// Returns the error for a question that Escape ended.
pub(super) fn escape_error() -> io::Error {
    io::ErrorKind::UnexpectedEof.into()
}

fn render(write: impl FnOnce(&mut String) -> fmt::Result) -> io::Result<String> {
    let mut text = String::new();
    write(&mut text).map_err(io::Error::other)?;
    Ok(text)
}
