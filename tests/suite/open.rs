//! `open`: passes a link to the provider's page to the program that opens links, without a secret.

use crate::dialogue::{in_a_terminal, status};
use crate::fake_honeycomb::{Honeycomb, Key};
use crate::fixtures::cruddur;
use crate::sandbox::{KEY, Sandbox};

fn wired(provider: &[&str]) -> Sandbox {
    let sandbox = Sandbox::new(&cruddur()).with("HONEYCOMB_API_KEY", KEY);
    let init = ["init", "--yes", "--store", "none", "--no-verify", "--no-instrument"];
    sandbox.run(&[&init[..], provider].concat()).expect(0);
    sandbox
}

/// Creates a program of this name that saves its arguments and its environment next to itself.
#[cfg(unix)]
fn opener(sandbox: Sandbox, name: &str) -> Sandbox {
    use std::os::unix::fs::PermissionsExt;
    let folder = sandbox.home().join("tools");
    std::fs::create_dir_all(&folder).unwrap();
    let script = "#!/bin/sh\nenv >\"$0.env\"\nprintf '%s\\n' \"$@\" >\"$0.arguments\"\n";
    std::fs::write(folder.join(name), script).unwrap();
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(folder.join(name), mode).unwrap();
    let path = format!("{}:/usr/bin:/bin", folder.display());
    sandbox.with("PATH", &path)
}

#[test]
fn the_link_names_the_services_and_leads_to_honeycombs_pages() {
    let honeycomb = Honeycomb::start(&[(KEY, Key::Ingest)]);
    let sandbox = wired(&[]);
    for (more, names) in [
        (&[][..], r#"["backend-flask"]"#),
        (&["--service", "backend-flask"], r#"["backend-flask"]"#),
    ] {
        let url = honeycomb.url();
        let arguments = [&["open", "--endpoint", &url, "--json"][..], more].concat();
        let document = sandbox.run(&arguments).expect(0).json();
        assert_eq!(document["opened"], false);
        let link = url::Url::parse(document["url"].as_str().unwrap()).unwrap();
        assert_eq!((link.scheme(), link.host_str()), ("https", Some("ui.honeycomb.io")));
        let (_, query) = link.query_pairs().next().unwrap();
        assert!(query.contains(names), "{query}");
        assert!(link.as_str().bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"'));
    }
    // In a pipe the link is all there is.
    let printed = sandbox.run(&["open", "--endpoint", &honeycomb.url()]).expect(0).stdout;
    assert_eq!(printed.lines().count(), 1);
    sandbox.run(&["open", "--service", "nosuch"]).failed("unknown-service", &["nosuch"]);
}

#[test]
fn without_an_answer_or_for_another_provider_it_is_the_front_page() {
    let sandbox = wired(&["--region", "eu"]);
    let closed = crate::closed::Closed::new();
    let run = sandbox.run(&["open", "--print", "--endpoint", &closed.url()]).expect(0);
    assert_eq!(run.stdout.trim(), "https://ui.eu1.honeycomb.io/");
    let axiom = wired(&["--provider", "axiom", "--set", "dataset=traces"]);
    assert_eq!(axiom.run(&["open", "--print"]).expect(0).stdout.trim(), "https://app.axiom.co/");
    let local = wired(&["--provider", "local"]);
    local.run(&["open"]).failed("not-configured", &["`cruddur-ops listen --web`"]);
    Sandbox::new(&cruddur()).run(&["open"]).failed("not-configured", &["no service"]);
    let unset = &["db", "`cruddur-ops init --service db`"];
    axiom.run(&["open", "--service", "db"]).failed("not-configured", unset);
    let otlp = wired(&["--provider", "otlp", "--endpoint", "https://traces.example"]);
    let unknown = &["traces.example", "`cruddur-ops status`"];
    otlp.run(&["open"]).failed("not-configured", unknown);
}

#[cfg(unix)]
#[test]
fn the_browser_gets_the_link_and_no_secret() {
    for (name, variable, arguments) in [
        ("browser", Some(("BROWSER", "browser")), vec![]),
        ("gp", Some(("GITPOD_WORKSPACE_ID", "w")), vec!["preview", "--external"]),
        ("xdg-open", None, vec![]),
    ] {
        let mut sandbox = opener(wired(&["--provider", "axiom", "--set", "dataset=t"]), name);
        if let Some((variable, value)) = variable {
            sandbox = sandbox.with(variable, value);
        }
        let mut session = in_a_terminal(&sandbox, &["open"]);
        session.exp_eof().unwrap();
        assert_eq!(status(&session), 0, "{name}");
        let left = |what: &str| {
            std::fs::read_to_string(sandbox.home().join(format!("tools/{name}.{what}"))).unwrap()
        };
        let given: Vec<String> = left("arguments").lines().map(str::to_owned).collect();
        let expected = [&arguments[..], &["https://app.axiom.co/"]].concat();
        assert_eq!(given, expected, "{name}");
        assert!(!left("env").contains(KEY), "{name}");
        assert!(left("env").contains("HOME="), "{name}");
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_or_a_file_gets_the_link_and_no_browser_starts() {
    for arguments in [&["open"][..], &["open", "--service", "backend-flask"], &["open", "--quiet"]]
    {
        let axiom = wired(&["--provider", "axiom", "--set", "dataset=t"]);
        let sandbox = opener(axiom, "browser").with("BROWSER", "browser");
        let program = sandbox.command(arguments);
        let printed = sandbox.home().join("printed");
        for script in ["\"$@\" >\"$0\"", "\"$@\" | cat >\"$0\""] {
            let mut shell = std::process::Command::new("sh");
            shell
                .env_clear()
                .envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
            shell.current_dir(sandbox.project()).args(["-c", script]).arg(&printed);
            shell.arg(program.get_program()).args(program.get_args());
            let mut session = rexpect::session::spawn_command(shell, Some(20_000)).unwrap();
            session.exp_eof().unwrap();
            assert_eq!(status(&session), 0, "{script}");
            assert_eq!(std::fs::read_to_string(&printed).unwrap(), "https://app.axiom.co/\n");
            assert!(!sandbox.home().join("tools/browser.arguments").exists(), "{script}");
        }
    }
}
