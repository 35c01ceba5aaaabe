use std::io::Write;
use std::sync::{Arc, Mutex};

use super::*;
use crate::error::{Error, ErrorCode, FilePosition};
use crate::otlp::{Check, CheckStatus, ProofMode, ProofReport, ProvenRung, Rung, ServiceVerdict};
use crate::secret::{Redactor, Secret};
use crate::ui::Interactivity;

/// The output written to either stream.
#[derive(Clone, Default)]
struct WrittenOutput(Arc<Mutex<Vec<u8>>>);

impl Write for WrittenOutput {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

const SECRET: &str = "first-half second-half";

/// Returns a narrow screen whose redactor knows [`SECRET`], and its output.
fn narrow_screen() -> (Ui, WrittenOutput) {
    let written = WrittenOutput::default();
    let redactor = Redactor::default();
    redactor.learn("KEY", &Secret::new(SECRET));
    let look = StreamLook { width: 40, wraps: true, ..StreamLook::plain() };
    let (out, err) = (Box::new(written.clone()), Box::new(written.clone()));
    let ui = Ui::new(out, err, redactor, Interactivity::Interactive).with_look(look, look);
    (ui, written)
}

#[track_caller]
fn assert_hidden(written: &WrittenOutput) {
    let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    assert!(!text.contains("-half"), "{text}");
    assert!(text.contains("<KEY>"), "{text}");
}

#[test]
fn a_secret_with_a_blank_is_hidden_where_lines_are_broken() {
    let text = format!("{} {SECRET} and more", "x".repeat(28));
    let talk: [fn(&mut Ui, &str); 5] = [
        |ui, text| ui.say(text),
        |ui, text| ui.result_after("fix: ", text, 5),
        |ui, text| ui.warn(text, None),
        |ui, text| ui.warn("", Some(text)),
        |ui, text| ui.error(&Error::new(ErrorCode::Internal, text).cause(text).hint(text)),
    ];
    for print in talk {
        // For every position of the line break.
        for length in 0..text.len() - SECRET.len() {
            let (mut ui, written) = narrow_screen();
            print(&mut ui, &format!("{} {SECRET} and more", "x".repeat(length)));
            assert_hidden(&written);
        }
    }
}

#[test]
fn a_secret_is_hidden_in_evidence_that_is_broken_over_lines() {
    for length in 0..40 {
        let text = format!("{} {SECRET}", "x".repeat(length));
        let mut check = Check::new(Rung::Configured, CheckStatus::Fail, text.clone());
        check.hint = Some(text);
        let mut verdict = ServiceVerdict::new("a", "a");
        verdict.prove(ProvenRung::None);
        verdict.check(check);
        let (mut ui, written) = narrow_screen();
        ui.verdict(&ProofReport::new(ProofMode::Trace, vec![verdict]));
        assert_hidden(&written);
    }
}

#[test]
fn a_key_at_the_edge_of_an_excerpt_is_hidden() {
    let key = format!("hcaik_{}", "0a".repeat(29));
    for before in 1..160 {
        let (mut ui, written) = narrow_screen();
        let line = format!("x{} {key} {}", "-".repeat(before), "-".repeat(300));
        ui.error(&Error::new(ErrorCode::Internal, "y").at(FilePosition {
            path: "compose.yaml".into(),
            line: 1,
            column: 1,
            text: line,
        }));
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        assert!(!text.contains("hcaik_0"), "{text}");
    }
}

#[test]
fn a_secret_that_the_line_of_an_error_assigns_is_hidden() {
    for (path, line) in [
        ("a.yml", "      DB_PASSWORD: \"hunter2\" x"),
        ("a.yml", "\t- DB_PASSWORD=hunter2"),
        ("a.env", "export DB_PASSWORD=hunter2 x"),
        ("a.py", "app.secret_key = 'hunter2' ("),
    ] {
        let (mut ui, written) = narrow_screen();
        let column = line.chars().count();
        let place = FilePosition { path: path.into(), line: 1, column, text: line.to_owned() };
        let error = Error::new(ErrorCode::Internal, "y").at(place.clone());
        ui.error(&error);
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        assert!(text.contains('<') && !text.contains("hunter2"), "{text}");
        let (excerpt, caret) = ui.excerpt(&place, line.len() - line.trim_start().len());
        assert!(caret.chars().count() <= excerpt.chars().count(), "{excerpt}");
    }
}

#[test]
fn every_line_has_the_whole_width() {
    let (mut ui, written) = narrow_screen();
    ui.result_after("    why: ", &"a".repeat(16).replace('a', "aaaa "), 9);
    let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    assert_eq!(lines[0], format!("    why: {}", ["aaaa"; 6].join(" ")));
    assert_eq!(lines[1], format!("         {}", ["aaaa"; 6].join(" ")));
}

#[test]
fn a_word_that_does_not_fit_after_its_head_is_below_it() {
    let (mut ui, written) = narrow_screen();
    let head = format!("{}: ", "-".repeat(30));
    ui.result_after(&head, "ROLLBAR_ACCESS_TOKEN is set nowhere", 4);
    let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    assert_eq!(text, format!("{head}\n    ROLLBAR_ACCESS_TOKEN is set nowhere\n"));
}

#[test]
fn a_wide_column_before_the_text_does_not_push_it_off_the_screen() {
    let (mut ui, written) = narrow_screen();
    let head = format!("{:<24} ", "env-near-miss");
    ui.result_after(&head, "no program reads a misspelt variable", head.len());
    let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    assert_eq!(text, format!("{head}no program\n    reads a misspelt variable\n"));
}

#[test]
fn painted_lines_are_broken_at_spaces_as_well() {
    let local = || {
        let mut verdict = ServiceVerdict::new("backend-flask", "backend-flask");
        verdict.prove(ProvenRung::Queryable);
        ProofReport::new(ProofMode::Local, vec![verdict])
    };
    let heading = "a sample project with a backend, a frontend and a database";
    let shows: [&dyn Fn(&mut Ui); 3] = [
        &|ui| ui.say(crate::ui::TextRole::Strong.paint(heading)),
        &|ui| ui.section(heading),
        &|ui| ui.verdict(&local()),
    ];
    for show in shows {
        let (mut ui, written) = narrow_screen();
        show(&mut ui);
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        assert!(text.lines().count() > 1, "{text}");
        assert!(text.lines().all(|line| count_columns(line) <= 40), "{text}");
    }
}
