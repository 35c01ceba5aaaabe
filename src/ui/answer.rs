//! Reads answers key by key: Escape ends a question as Ctrl-C does.

use std::{fmt, io};

use console::{Key, Term, measure_text_width};
use dialoguer::theme::Theme;
use zeroize::Zeroizing;

use super::prompt::{PromptChoice, list_choices};
use super::terminal::{EchoGuard, drop_waiting_input};

/// Asks for one of `choices` and waits for the enter key; returns its index. A first letter or an arrow key chooses.
///
/// # Errors
/// `UnexpectedEof` after Escape; any error of reading the terminal.
pub(super) fn read_choice(
    theme: &dyn Theme,
    question: &str,
    choices: &[PromptChoice],
    mut chosen: usize,
) -> io::Result<usize> {
    let terminal = Term::stderr();
    let offered = list_choices(choices);
    terminal.hide_cursor()?;
    loop {
        terminal.clear_line()?;
        let asked = render(|text| theme.format_input_prompt(text, question, Some(&offered)))?;
        terminal.write_str(&format!("{asked}{}", choices[chosen].word))?;
        let key = terminal.read_key()?;
        match key {
            Key::Enter => break,
            Key::Escape => return Err(escape_error()),
            _ => chosen = choose_by_key(&key, choices, chosen),
        }
    }
    terminal.clear_line()?;
    let word = choices[chosen].word;
    let answered = |text: &mut String| theme.format_input_prompt_selection(text, question, word);
    terminal.write_line(&render(answered)?)?;
    terminal.show_cursor()?;
    Ok(chosen)
}

/// Returns the choice after a key: the one with that first letter, the next or the previous one, or the same.
fn choose_by_key(key: &Key, choices: &[PromptChoice], chosen: usize) -> usize {
    let step = |steps: usize| (chosen + steps) % choices.len();
    match key {
        Key::Char(typed) => {
            let typed = typed.to_ascii_lowercase();
            choices.iter().position(|choice| choice.word.starts_with(typed)).unwrap_or(chosen)
        }
        Key::ArrowRight | Key::ArrowDown | Key::Tab => step(1),
        Key::ArrowLeft | Key::ArrowUp | Key::BackTab => step(choices.len() - 1),
        _ => chosen,
    }
}

/// Asks for a line of text, and shows `strip` of it as the answer.
///
/// # Errors
/// As [`read_choice`].
pub(super) fn read_line(
    theme: &dyn Theme,
    question: &str,
    strip: impl Fn(&str) -> String,
) -> io::Result<String> {
    let terminal = Term::stderr();
    terminal.write_str(&render(|text| theme.format_input_prompt(text, question, None))?)?;
    let answer = strip(&read_typed_text(&terminal)?);
    terminal.clear_line()?;
    let answered = |text: &mut String| theme.format_input_prompt_selection(text, question, &answer);
    terminal.write_line(&render(answered)?)?;
    Ok(answer)
}

/// Asks for a line of text that is not shown. What was typed before the question is discarded, and so are further lines of
/// a paste; what is typed as soon as the question can be read is kept, which `dialoguer::Password` would discard.
///
/// # Errors
/// The terminal's error.
pub(super) fn read_hidden_line(theme: &dyn Theme, question: &str) -> io::Result<Zeroizing<String>> {
    let terminal = Term::stderr();
    let _hushed = EchoGuard::now();
    drop_waiting_input();
    let question = render(|text| theme.format_password_prompt(text, question))?;
    terminal.write_str(&format!("\r{question}"))?;
    let mut typed = Zeroizing::new(String::new());
    io::stdin().read_line(&mut typed)?;
    drop_waiting_input();
    terminal.write_line("")?;
    terminal.clear_last_lines(1)?;
    let length = typed.trim_end_matches(['\r', '\n']).len();
    typed.truncate(length);
    Ok(typed)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_or_an_arrow_chooses_and_other_keys_do_not() {
        let choice = |word, meaning| PromptChoice { word, meaning };
        let choices = [choice("yes", None), choice("no", None), choice("without", Some("code"))];
        for (keys, chosen) in [
            (&[][..], 0),
            (&[Key::Char('y')], 0),
            (&[Key::Char('N')], 1),
            (&[Key::Char('w'), Key::Char('i'), Key::Char('t'), Key::Char('h')], 2),
            (&[Key::Char('n'), Key::Char('y')], 0),
            (&[Key::ArrowRight], 1),
            (&[Key::ArrowDown, Key::Tab], 2),
            (&[Key::ArrowRight, Key::ArrowRight, Key::ArrowRight], 0),
            (&[Key::ArrowLeft], 2),
            (&[Key::ArrowUp, Key::BackTab], 1),
            (&[Key::Char('x'), Key::Char('1'), Key::Home, Key::Backspace], 0),
        ] {
            let after = keys.iter().fold(0, |chosen, key| choose_by_key(key, &choices, chosen));
            assert_eq!(after, chosen, "{keys:?}");
        }
        assert_eq!(list_choices(&choices), "y/n/w: code");
    }
}
