//! Ports of a GitHub codespace, through a fake `gh` that behaves like the real one.

use std::time::{Duration, Instant};

use crate::fake_cloud::{FakeCloud, Mode};
use crate::fixtures::{COMPOSE, cruddur};
use crate::sandbox::Sandbox;

const DEVCONTAINER: &str =
    "// ours\n{\n\t\"name\": \"Cruddur\", // c\n\t\"remoteUser\": \"vscode\",\n}\n";

const PUBLIC: &str = "// ours
{
\t\"name\": \"Cruddur\", // c
\t\"remoteUser\": \"vscode\",
\t\"forwardPorts\": [4567, 3000],
\t\"portsAttributes\": {
\t\t\"4567\": {
\t\t\t\"label\": \"backend\"
\t\t},
\t\t\"3000\": {
\t\t\t\"label\": \"frontend\",
\t\t\t\"onAutoForward\": \"openBrowser\"
\t\t}
\t},
}
";

const FILE: &str = ".devcontainer/devcontainer.json";

/// Creates the bootcamp's project without `.gitpod.yml`, with a devcontainer.json.
fn project() -> Sandbox {
    let mut files = cruddur();
    files.retain(|(name, _)| *name != ".gitpod.yml");
    files.push((FILE, DEVCONTAINER));
    Sandbox::new(&files)
}

/// Creates a codespace in which everything is running.
fn running(mode: Mode) -> (FakeCloud, Sandbox) {
    let gh = FakeCloud::codespace(mode);
    for port in [3000, 4567, 5432] {
        gh.port(port, "private");
    }
    let sandbox = gh.workspace(project());
    (gh, sandbox)
}

fn visibilities(gh: &FakeCloud) -> [String; 3] {
    [3000, 4567, 5432].map(|port| gh.visibility(port).unwrap_or_default())
}

#[test]
fn public_writes_the_file_opens_the_ports_and_is_taken_back() {
    let (gh, sandbox) = running(Mode::Well);
    let run = sandbox.run(&["ports", "--public", "--yes"]).expect(0);
    assert_eq!(sandbox.read(FILE), PUBLIC);
    assert_eq!(visibilities(&gh), ["public", "public", "private"]);
    run.shows("codespaces_public");
    assert!(!sandbox.path(".gitpod.yml").exists());

    let again = sandbox.run(&["ports", "--public", "--yes"]).expect(0);
    again.shows("codespaces_public_already");
    let calls = gh.calls();
    assert_eq!(calls.matches("visibility").count(), 2 + calls.matches("--json").count());

    sandbox.run(&["undo", "--yes"]).expect(0);
    assert_eq!(sandbox.read(FILE), DEVCONTAINER);
    assert_eq!(visibilities(&gh), ["private", "private", "private"]);
}

#[test]
fn the_list_shows_what_is_forwarded_and_live() {
    let (gh, sandbox) = running(Mode::Well);
    sandbox.run(&["ports", "3000=public:web", "--yes"]).expect(0);
    let list = sandbox.run(&["ports"]).expect(0);
    list.shows("codespaces_list");
    let row = &sandbox.run(&["ports", "--json"]).expect(0).json()["ports"][0];
    assert_eq!((&row["forwarded"], &row["label"]), (&true.into(), &"web".into()));
    assert_eq!(row["live"], "public");
    assert_eq!(visibilities(&gh), ["public", "private", "private"]);
}

#[test]
fn a_database_that_is_public_is_warned_of_and_closed_by_name() {
    let (gh, sandbox) = running(Mode::Well);
    gh.port(5432, "public");
    let run = sandbox.run(&["ports", "--public", "--yes"]).expect(0);
    run.shows("codespaces_public_database");
    assert_eq!(visibilities(&gh), ["public", "public", "public"]);
    sandbox.run(&["ports", "5432=private", "--yes"]).expect(0);
    assert_eq!(visibilities(&gh), ["public", "public", "private"]);
    sandbox.run(&["ports", "--private", "--yes"]).expect(0);
    assert_eq!(visibilities(&gh), ["private", "private", "private"]);
}

#[test]
fn a_port_open_to_an_organisation_is_so_again_after_undo() {
    let (gh, sandbox) = running(Mode::Well);
    gh.port(3000, "org");
    sandbox.run(&["ports", "3000=public", "--yes"]).expect(0);
    assert_eq!(gh.visibility(3000).as_deref(), Some("public"));
    sandbox.run(&["undo", "--yes"]).expect(0);
    assert_eq!(gh.visibility(3000).as_deref(), Some("org"));
}

#[test]
fn ports_without_a_listener_are_reported_and_opened_later() {
    let gh = FakeCloud::codespace(Mode::Well);
    gh.port(4567, "private");
    let sandbox = gh.workspace(project());
    let run = sandbox.run(&["ports", "--public", "--yes", "--json"]).expect(1);
    run.shows("codespaces_not_forwarded");
    let document = run.json();
    assert_eq!(document["live"], serde_json::json!([4567]));
    assert_eq!(document["not_forwarded"], serde_json::json!([3000]));
    gh.port(3000, "private");
    sandbox.run(&["ports", "--public", "--yes"]).expect(0);
    assert_eq!(gh.visibility(3000).as_deref(), Some("public"));
    sandbox.run(&["undo", "--yes"]).expect(0);
    assert_eq!(gh.visibility(3000).as_deref(), Some("private"));
    assert_eq!(
        gh.visibility(4567).as_deref(),
        Some("public"),
        "the last change alone is taken back"
    );
}

#[test]
fn the_start_command_is_offered_written_and_kept_up() {
    let (gh, sandbox) = running(Mode::Well);
    sandbox.run(&["ports", "--public", "--on-start", "--yes"]).expect(0);
    let command = "test -z \\\"$CODESPACE_NAME\\\" || gh codespace ports visibility 3000:public 4567:public -c \\\"$CODESPACE_NAME\\\"";
    let text = sandbox.read(FILE);
    assert!(text.contains(&format!("\t\"postStartCommand\": \"{command}\",\n")), "{text}");

    // As the codespace would run it at its next start.
    let line = command.replace("\\\"", "\"");
    for port in [3000, 4567] {
        gh.port(port, "private");
    }
    let shell = |sandbox: &Sandbox| {
        let template = sandbox.command(&[]);
        let variables = template.get_envs();
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", &line]).env_clear();
        shell.envs(variables.filter_map(|(name, value)| Some((name, value?))));
        shell.status().unwrap().success()
    };
    assert!(shell(&sandbox));
    assert_eq!(visibilities(&gh), ["public", "public", "private"]);
    assert!(shell(&project()), "it does nothing where there is no codespace");

    let again = sandbox.run(&["ports", "--public", "--yes"]).expect(0);
    again.shows("codespaces_on_start");
    sandbox.run(&["ports", "3000=private", "--yes"]).expect(0);
    let text = sandbox.read(FILE);
    assert!(text.contains("visibility 3000:private 4567:public"), "{text}");
}

#[test]
fn at_a_terminal_the_start_command_is_a_question() {
    for (answer, written) in [("y\r", true), ("n\r", false)] {
        let (gh, sandbox) = running(Mode::Well);
        let mut command = sandbox.command(&["ports", "--public"]);
        command.env("TERM", "xterm").stdin(std::process::Stdio::inherit());
        let mut session = rexpect::session::spawn_command(command, Some(20_000)).unwrap();
        for (question, answer) in [("at each start", answer), ("Write these changes?", "y\r")] {
            session.exp_string(question).unwrap();
            session.send(answer).unwrap();
            session.flush().unwrap();
        }
        session.exp_eof().unwrap();
        assert_eq!(sandbox.read(FILE).contains("postStartCommand"), written);
        assert_eq!(visibilities(&gh), ["public", "public", "private"]);
    }
}

#[test]
fn a_policy_is_named_and_the_files_are_back_after_undo() {
    let (gh, sandbox) = running(Mode::Policy);
    let run = sandbox.run(&["ports", "--public", "--yes"]).expect(2);
    assert!(run.stderr.contains("error[visibility-refused]"), "{}", run.stderr);
    run.shows("codespaces_policy");
    assert_eq!(visibilities(&gh), ["private", "private", "private"]);
    sandbox.run(&["undo", "--yes"]).expect(0);
    assert_eq!(sandbox.read(FILE), DEVCONTAINER);
}

#[test]
fn a_success_without_effect_is_no_success() {
    let (_gh, sandbox) = running(Mode::Stuck);
    let run = sandbox.run(&["ports", "3000=public", "--yes"]).expect(2);
    assert!(run.stderr.contains("error[visibility-unchanged]"), "{}", run.stderr);
    run.shows("codespaces_unchanged");
}

#[test]
fn a_user_who_is_not_signed_in_gets_the_command() {
    let (gh, sandbox) = running(Mode::SignedOut);
    let run = sandbox.run(&["ports", "--public", "--yes"]).expect(2);
    assert!(run.stderr.contains("error[not-signed-in]"), "{}", run.stderr);
    run.shows("codespaces_signed_out");
    assert_eq!(sandbox.read(FILE), PUBLIC, "the file is written all the same");
    let list = sandbox.run(&["ports"]).expect(0);
    list.shows("codespaces_list_signed_out");

    sandbox.run(&["undo", "--yes"]).expect(0);
    assert_eq!(sandbox.read(FILE), DEVCONTAINER);

    gh.becomes(Mode::Well);
    sandbox.run(&["ports", "--public", "--yes"]).expect(0);
    gh.becomes(Mode::SignedOut);
    let undo = sandbox.run(&["undo", "--yes"]).expect(2);
    undo.shows("codespaces_undo_signed_out");
    assert_eq!(sandbox.read(FILE), DEVCONTAINER);
    assert_eq!(gh.visibility(3000).as_deref(), Some("public"));
    gh.becomes(Mode::Well);
    sandbox.run(&["undo", "--yes"]).expect(0);
    assert_eq!(gh.visibility(3000).as_deref(), Some("private"));
}

#[test]
fn gh_that_never_answers_is_given_up() {
    let (_gh, sandbox) = running(Mode::Sleep);
    let begun = Instant::now();
    let run = sandbox.run(&["ports", "--public", "--yes"]).expect(2);
    run.shows("codespaces_silent");
    assert!(begun.elapsed() < Duration::from_secs(120));
    assert_eq!(sandbox.read(FILE), PUBLIC);
}

#[test]
fn without_gh_the_file_is_written_and_the_way_to_it_named() {
    let (gh, sandbox) = running(Mode::Well);
    let sandbox = sandbox.with("PATH", "/nowhere");
    let run = sandbox.run(&["ports", "--public", "--yes"]).expect(2);
    run.shows("codespaces_without_gh");
    sandbox.run(&["ports", "--public", "--no-live", "--yes"]).expect(0);
    assert_eq!(sandbox.read(FILE), PUBLIC);
    assert_eq!(gh.calls(), "");
}

#[test]
fn a_file_is_made_only_on_request_and_gone_after_undo() {
    let gh = FakeCloud::codespace(Mode::Well);
    gh.port(3000, "private");
    let sandbox = gh.workspace(Sandbox::new(&[(
        "compose.yaml",
        "services:\n  web:\n    build: .\n    ports: [\"3000:3000\"]\n",
    )]));
    let run = sandbox.run(&["ports", "--public", "--yes"]).expect(0);
    run.shows("codespaces_no_devcontainer");
    assert!(!sandbox.path(".devcontainer").exists());
    assert!(!sandbox.path(".gitpod.yml").exists());
    sandbox.run(&["ports", "--public", "--devcontainer", "--on-start", "--yes"]).expect(0);
    let text = sandbox.read(FILE);
    assert!(text.contains("\"image\": \"mcr.microsoft.com/devcontainers/universal:2\""), "{text}");
    assert!(text.contains("3000:public"), "{text}");
    sandbox.run(&["undo", "--yes"]).expect(0);
    assert!(!sandbox.path(FILE).exists());
}

#[test]
fn of_several_files_one_is_meant_and_named() {
    let gh = FakeCloud::codespace(Mode::Well);
    let sandbox = gh.workspace(project());
    sandbox.write(".devcontainer/gpu/devcontainer.json", "{}");
    let run = sandbox.run(&["ports", "--public", "--no-live", "--yes"]).expect(0);
    run.shows("codespaces_several_files");
    assert_eq!(sandbox.read(".devcontainer/gpu/devcontainer.json"), "{}");
}

#[test]
fn a_file_that_cannot_be_edited_is_refused_before_anything_is_opened() {
    let (gh, sandbox) = running(Mode::Well);
    sandbox.write(FILE, "{\n  \"forwardPorts\": 3000\n}\n");
    let run = sandbox.run(&["ports", "--public", "--yes"]).expect(2);
    assert!(run.stderr.contains("error[unsafe-edit]"), "{}", run.stderr);
    run.shows("codespaces_refused_edit");
    assert_eq!(visibilities(&gh), ["private", "private", "private"]);
    assert_eq!(sandbox.read("docker-compose.yml"), COMPOSE);
}

#[test]
fn a_dry_run_opens_nothing() {
    let (gh, sandbox) = running(Mode::Well);
    for flag in ["--dry-run", "--check"] {
        let status = i32::from(flag == "--check");
        sandbox.run(&["ports", "--public", flag]).expect(status);
    }
    assert_eq!(sandbox.read(FILE), DEVCONTAINER);
    assert_eq!(visibilities(&gh), ["private", "private", "private"]);
}
