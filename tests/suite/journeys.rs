//! From a fresh clone to a proven trace, in terminals of three widths and three environments, with the time it takes.

use std::process::Command;
use std::time::{Duration, Instant};

use rexpect::ReadUntil;
use rexpect::session::{PtySession, spawn_command};

use crate::dialogue::{status, type_in};
use crate::fake_cloud::{FakeCloud, Mode as CloudMode};
use crate::fake_gp::{FakeGp, Mode};
use crate::fake_honeycomb::{Honeycomb, Key};
use crate::fixtures::cruddur;
use crate::sandbox::{KEY, Sandbox};

/// The time limit for everything except building images.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// The questions and the typed answers. The key is pasted, which counts as one keystroke.
const ANSWERS: [(&str, &str, usize); 4] = [
    ("Honeycomb key", "\r", 2),
    ("Which services are traced", "\r", 1),
    ("published ports public", "y\r", 2),
    ("Write these", "\r", 1),
];

fn clone() -> Sandbox {
    let mut files = cruddur();
    files.push(("backend-flask/app.py", "from flask import Flask\n\napp = Flask(__name__)\n"));
    Sandbox::new(&files)
}

fn in_a_terminal_of(width: usize, sandbox: &Sandbox, arguments: &[&str]) -> PtySession {
    let template = sandbox.command(arguments);
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &format!("stty cols {width} rows 40; exec \"$@\""), "sh"])
        .arg(template.get_program())
        .args(template.get_args())
        .current_dir(sandbox.project())
        .env_clear()
        .envs(template.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .env("TERM", "xterm");
    spawn_command(shell, Some(TIME_LIMIT.as_millis() as u64)).unwrap()
}

/// Answers every question of `init`; returns the output and the number of keystrokes.
fn walk(mut session: PtySession) -> (String, usize) {
    let (mut seen, mut keys) = (String::new(), 0);
    let mut left: Vec<(&str, &str, usize)> = ANSWERS.to_vec();
    loop {
        let asked = left.iter().map(|(question, ..)| ReadUntil::String((*question).to_owned()));
        let needles: Vec<ReadUntil> = asked.chain([ReadUntil::EOF]).collect();
        let (before, found) = session.exp_any(needles).unwrap();
        seen += &before;
        seen += &found;
        let Some(at) = left.iter().position(|(question, ..)| found.contains(question)) else {
            assert_eq!(status(&session), 0, "{seen}");
            return (seen, keys);
        };
        let (question, answer, count) = left.remove(at);
        if question == ANSWERS[0].0 {
            type_in(&mut session, KEY);
        }
        type_in(&mut session, answer);
        keys += count;
    }
}

#[test]
fn a_fresh_clone_is_proven_within_a_minute_and_with_few_keys() {
    for width in [60, 80, 120] {
        let gp = FakeGp::new(Mode::Slow);
        let gh = FakeCloud::codespace(CloudMode::Slow);
        for (name, sandbox) in [
            ("Gitpod", gp.workspace(clone())),
            ("codespace", gh.workspace(clone())),
            ("bare shell", clone()),
        ] {
            let honeycomb = Honeycomb::start(&[(KEY, Key::Ingest)]);
            let begin = Instant::now();
            let arguments = ["init", "--endpoint", &honeycomb.url()];
            let (seen, keys) = walk(in_a_terminal_of(width, &sandbox, &arguments));
            let proven = begin.elapsed();
            println!("{name}, {width} columns: {:.1} s, {keys} keys", proven.as_secs_f64());
            assert!(proven < TIME_LIMIT, "{name} {width}: {proven:?}");
            assert!(keys <= 6, "{name} {width}: {keys}");
            assert!(!seen.contains(KEY), "{name} {width}");
            assert!(seen.contains("accepted"), "{name} {width}: {seen}");
            assert!(sandbox.read("docker-compose.yml").contains("OTEL_SERVICE_NAME"));
        }
    }
}
