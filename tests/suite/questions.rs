//! Confirmations in a pseudo-terminal: a yes covers only what was shown, in one question, and Ctrl-C prints at most
//! one line.

use rexpect::session::PtySession;

use crate::dialogue::{in_a_terminal, status, type_in};
use crate::faults::{self, tree};
use crate::sandbox::{KEY, Sandbox};

/// Creates a project in which two configuration files and two code files would change.
fn project() -> (Sandbox, PtySession) {
    let sandbox = faults::sandbox();
    let session = in_a_terminal(&sandbox, &["init", "--no-verify", "--store", "env", "--public"]);
    (sandbox, session)
}

/// Returns which of the project's files are unchanged.
fn untouched(sandbox: &Sandbox) -> Vec<String> {
    let (before, now) = (tree(&faults::sandbox().project()), tree(&sandbox.project()));
    let same = before.iter().filter(|(path, bytes)| now.get(*path) == Some(bytes));
    let names = same.map(|(path, _)| path.file_name().unwrap().to_str().unwrap().to_owned());
    names.filter(|name| name != "Dockerfile" && name != "package.json").collect()
}

#[test]
fn one_question_names_the_files_and_the_code_among_them() {
    const ALL: [&str; 4] = [".gitpod.yml", "app.py", "requirements.txt", "docker-compose.yml"];
    for (answer, expected, left) in [
        ("\r", 0, &[][..]),
        ("y\r", 0, &[]),
        ("yes\r", 0, &[]),
        ("w\r", 0, &ALL[1..3]),
        ("W\r", 0, &ALL[1..3]),
        ("n\r", 1, &ALL),
        ("xn\r", 1, &ALL),
        // Right, down and left: the next answer, and the one before.
        ("\u{1b}[C\r", 1, &ALL),
        ("\u{1b}[B\u{1b}[B\r", 0, &ALL[1..3]),
        ("\u{1b}[D\r", 0, &ALL[1..3]),
    ] {
        let (sandbox, mut session) = project();
        session.exp_string("Which services").unwrap();
        type_in(&mut session, "\r");
        let before = session.exp_string("Write these 4 files, 2 of them code?").unwrap();
        for name in ALL {
            assert!(before.contains(name), "{name}: {before}");
        }
        type_in(&mut session, answer);
        let rest = session.exp_eof().unwrap();
        assert_eq!(status(&session), expected, "{answer:?}: {rest}");
        // The enter key alone shows which answer that was.
        let told = console::strip_ansi_codes(&rest).into_owned();
        assert!(answer != "\r" || told.contains("yes"), "{told:?}");
        let mut found = untouched(&sandbox);
        found.sort();
        let mut left = left.to_vec();
        left.sort_unstable();
        assert_eq!(found, left, "{answer:?}: {rest}");
    }
}

#[test]
fn code_alone_is_asked_about_once_and_left_by_a_no() {
    let sandbox = faults::sandbox();
    sandbox.run(&[&faults::INIT[..], &["--no-instrument"]].concat()).expect(0);
    let mut session = in_a_terminal(&sandbox, &["init", "--no-verify", "--store", "env"]);
    session.exp_string("Write these 2 files of code?").unwrap();
    // There is nothing that could be written without it.
    type_in(&mut session, "wn\r");
    session.exp_eof().unwrap();
    assert_eq!(status(&session), 1);
    assert_eq!(sandbox.read("backend-flask/app.py"), faults::APP);
}

#[test]
fn without_a_terminal_each_answer_has_its_flag() {
    let sandbox = faults::sandbox();
    let run = sandbox.run(&["init", "--no-verify", "--store", "env", "--public"]);
    let run = run.failed("answer-missing", &["`--yes`", "`--yes --no-instrument`"]);
    assert_eq!(untouched(&sandbox).len(), 4, "{}", run.stderr);
    sandbox.run(&[&faults::INIT[..], &["--no-instrument"]].concat()).expect(0);
    assert_eq!(untouched(&sandbox), ["app.py", "requirements.txt"]);
}

/// Types `text` while no question is asked, and waits until the terminal shows it.
fn type_ahead(session: &mut PtySession, text: &str) {
    type_in(session, text);
    session.exp_string(&text.replace('\r', "\r\n")).unwrap();
}

#[test]
fn keys_typed_before_a_question_do_not_answer_it() {
    let (sandbox, mut session) = project();
    session.exp_string("Which services").unwrap();
    type_in(&mut session, "\ry\r\r\ry\r");
    session.exp_string("Write these").unwrap();
    type_in(&mut session, "n\r");
    let rest = session.exp_eof().unwrap();
    assert_eq!(status(&session), 1, "{rest}");
    assert_eq!(untouched(&sandbox).len(), 4);
}

#[test]
fn keys_typed_before_the_program_ran_do_not_answer_it() {
    let stored = format!("HONEYCOMB_API_KEY='{KEY}'\n");
    for (arguments, question) in [
        ("key forget", "Forget HONEYCOMB_API_KEY?"),
        ("ports --public", "Write these"),
        ("instrument", "Change packages and code"),
        ("init --no-verify --store env --service backend-flask --public", "Write these"),
    ] {
        let sandbox = faults::sandbox();
        sandbox.write(".env", &stored);
        let before = tree(&sandbox.project());
        let template = sandbox.command(&[]);
        let program = template.get_program().to_str().unwrap().to_owned();
        let mut shell = std::process::Command::new("sh");
        let script = format!(
            "stty echo; echo ready; while [ ! -e ../go ]; do :; done; exec '{program}' {arguments}"
        );
        let variables = template.get_envs();
        shell
            .args(["-c", &script])
            .current_dir(sandbox.project())
            .env_clear()
            .envs(variables.filter_map(|(name, value)| Some((name, value?))))
            .env("TERM", "xterm");
        let mut session = rexpect::session::spawn_command(shell, Some(20_000)).unwrap();
        session.exp_string("ready").unwrap();
        type_ahead(&mut session, "y\ry\r");
        std::fs::write(sandbox.path("../go"), "").unwrap();
        session.exp_string(question).unwrap();
        type_in(&mut session, "n\r");
        let rest = session.exp_eof().unwrap();
        assert_eq!(status(&session), 1, "{arguments}: {rest}");
        assert!(tree(&sandbox.project()) == before, "{arguments}: {rest}");
    }
}

#[test]
fn an_interrupt_is_one_line_and_130_at_every_question() {
    const INIT: &[&str] = &["init", "--no-verify", "--public"];
    type Question<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], &'a str);
    const MISSPELT: &str = "services:\n  api:\n    build: .\n    environment:\n      - OTEL_SERVICE_NAME=api\n      - OTEL_EXPORTER_OTLP_HEADER=x-honeycomb-team=${HONEYCOMB_API_KEY}\n      - OTEL_EXPORTER_OTLP_ENDPOINT=https://api.honeycomb.io\n";
    let questions: [Question<'_>; 12] = [
        (INIT, &[], "Honeycomb key"),
        (&["init", "--no-verify", "--public", "--store", "env"], &[], "Which services"),
        (&["init", "--no-verify", "--store", "env"], &[("Which services", "\r")], "ports public"),
        (
            &["init", "--no-verify", "--store", "env", "--public"],
            &[("Which services", "\r")],
            "Write these",
        ),
        (
            &["init", "--no-verify", "--store", "env", "--public", "--with", "xray"],
            &[("Which services", "\r")],
            "AWS region",
        ),
        (&["ports", "--public"], &[], "Write these changes?"),
        (&["key", "set", "--store", "dotenv"], &[], "HONEYCOMB_API_KEY (hidden)"),
        (&["instrument"], &[], "Change packages"),
        (&["undo"], &[], "Undo these"),
        (&["remove"], &[], "Remove the setup"),
        (&["doctor", "--fix"], &[], "Write these changes?"),
        (&["ports", "--public"], &[], "Create .gitpod.yml"),
    ];
    // A hidden line is read whole, so that Escape needs the enter key there.
    let keys = ["\u{3}", "\u{1b}"];
    for ((arguments, answers, question), key) in
        questions.into_iter().flat_map(|asked| keys.map(|key| (asked, key)))
    {
        let sandbox = faults::sandbox();
        match (arguments[0], question) {
            ("undo" | "remove", _) => {
                sandbox.run(&faults::INIT).expect(0);
            }
            ("doctor", _) => {
                sandbox.write("docker-compose.yml", MISSPELT);
            }
            (_, "Create .gitpod.yml") => std::fs::remove_file(sandbox.path(".gitpod.yml")).unwrap(),
            _ => {}
        }
        let before = tree(&sandbox.project());
        let sandbox = match arguments == INIT {
            true => sandbox.with("HONEYCOMB_API_KEY", ""),
            false => sandbox,
        };
        let mut session = in_a_terminal(&sandbox, arguments);
        for (question, answer) in answers {
            session.exp_string(question).unwrap();
            type_in(&mut session, answer);
        }
        session.exp_string(question).unwrap();
        let is_hidden = question.contains("(hidden)") || question == "Honeycomb key";
        type_in(&mut session, key);
        if is_hidden && key == "\u{1b}" {
            type_in(&mut session, "\r");
        }
        let rest = session.exp_eof().unwrap();
        assert_eq!(status(&session), 130, "{question} {key:?}: {rest}");
        let rest = console::strip_ansi_codes(&rest).into_owned();
        let lines: Vec<&str> = rest.lines().filter(|line| !line.trim().is_empty()).collect();
        assert!(lines.last().unwrap().starts_with("error[interrupted]"), "{question}: {rest:?}");
        for said in ["interrupt", "error", "cause:", "hint:"] {
            let times = lines.iter().filter(|line| line.contains(said)).count();
            assert_eq!(times, usize::from(!said.contains(':')), "{said} at {question}: {rest:?}");
        }
        assert!(tree(&sandbox.project()) == before, "{question} {key:?}");
    }
}
