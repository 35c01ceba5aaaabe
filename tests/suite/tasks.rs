//! `init --tasks`: what a workspace installs at its start, beside what is there, and once.

use crate::fake_gp::{FakeGp, Mode};
use crate::sandbox::{KEY, Sandbox};

const INIT: [&str; 7] =
    ["init", "--yes", "--store", "env", "--no-verify", "--no-instrument", "--tasks"];

const COMPOSE: &str = "services:
  backend-flask:
    build: ./backend-flask
    volumes: ['./backend-flask:/backend-flask']
  frontend-react-js:
    build: ./frontend-react-js
    volumes: ['./frontend-react-js:/frontend-react-js']
  worker:
    build: ./worker
";

fn project(more: &[(&str, &str)]) -> Sandbox {
    let files = [
        ("docker-compose.yml", COMPOSE),
        ("backend-flask/requirements.txt", "flask\n"),
        ("frontend-react-js/package.json", "{}"),
        ("worker/package.json", "{}"),
    ];
    Sandbox::new(&[&files[..], more].concat()).with("HONEYCOMB_API_KEY", KEY)
}

#[test]
fn missing_entries_are_added_once_to_existing_ones() {
    let theirs =
        "tasks:\n  - name: react-js\n    command: |\n      cd frontend-react-js\n      npm i\n";
    let python =
        "  - name: backend-flask\n    command: pip install -r backend-flask/requirements.txt\n";
    let both = format!(
        "{python}  - name: frontend-react-js\n    command: npm install --prefix frontend-react-js\n"
    );
    for (before, after) in [
        (theirs, format!("{theirs}{python}")),
        ("# mine\n", format!("# mine\ntasks:\n{both}")),
        (
            "tasks:\n  - command: echo frontend-react-js\n",
            format!("tasks:\n  - command: echo frontend-react-js\n{both}"),
        ),
    ] {
        let sandbox = project(&[(".gitpod.yml", before)]);
        sandbox.run(&INIT).expect(0);
        assert_eq!(sandbox.read(".gitpod.yml"), after);
        sandbox.run(&INIT).expect(0).shows_no_diff();
        sandbox.run(&["undo", "--yes"]).expect(0);
        assert_eq!(sandbox.read(".gitpod.yml"), before);
    }
}

#[test]
fn the_file_is_the_one_of_the_workspace() {
    let sandbox =
        project(&[(".devcontainer/devcontainer.json", "{\"postCreateCommand\": \"make\"}\n")]);
    sandbox.run(&INIT).expect(0);
    let text = sandbox.read(".devcontainer/devcontainer.json");
    assert!(text.contains("pip install -r backend-flask/requirements.txt && npm install --prefix frontend-react-js"), "{text}");
    assert!(text.contains("\"make\""), "{text}");
    sandbox.run(&INIT).expect(0).shows_no_diff();

    let gp = FakeGp::new(Mode::Well);
    let sandbox = gp.workspace(project(&[]));
    sandbox.run(&INIT).expect(0);
    assert!(sandbox.read(".gitpod.yml").contains("npm install --prefix frontend-react-js"));

    let bare = project(&[]);
    let run = bare.run(&INIT).expect(0);
    assert!(run.stderr.contains("`--tasks`"), "{}", run.stderr);
    assert!(!bare.path(".gitpod.yml").exists());
}
