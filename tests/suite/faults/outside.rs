//! No path in a project makes the program write or show a file outside it: links, service folders, `COMPOSE_FILE`.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::{APP, GITPOD, INIT, assert_same, sandbox, tree};
use crate::fixtures::COMPOSE;
use crate::sandbox::{KEY, Run, Sandbox};

/// Content outside the project that must not be changed or shown.
const MARK: &str = "somebody-elses-line";

/// Creates a folder next to the project that does not belong to it.
fn elsewhere(sandbox: &Sandbox) -> PathBuf {
    let folder = sandbox.home().parent().unwrap().join("elsewhere");
    std::fs::create_dir_all(folder.join("backend-flask")).unwrap();
    for (file, text) in [
        ("docker-compose.yml", format!("# {MARK}\n{COMPOSE}")),
        (".gitpod.yml", format!("# {MARK}\n{GITPOD}")),
        (".gitignore", format!("{MARK}\n")),
        (".env", format!("TOKEN={MARK}\n")),
        ("backend-flask/requirements.txt", format!("flask\n# {MARK}\n")),
        ("backend-flask/app.py", format!("{APP}# {MARK}\n")),
        ("devcontainer.json", format!("// {MARK}\n{{}}\n")),
        ("broken.yml", format!("services: [ {MARK}\n a: b: c\n")),
    ] {
        std::fs::write(folder.join(file), text).unwrap();
    }
    folder
}

/// Creates a project in which `link` points to `target` in the folder next to it.
fn linked(link: &str, target: &str) -> (Sandbox, PathBuf) {
    let sandbox = sandbox();
    let folder = elsewhere(&sandbox);
    let path = sandbox.path(link);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let _ = std::fs::remove_file(&path);
    let _ = std::fs::remove_dir_all(&path);
    symlink(folder.join(target), path).unwrap();
    (sandbox, folder)
}

/// Runs every command that writes; nothing next to the project changes, and none of its lines is shown.
#[track_caller]
fn stays_inside(sandbox: &Sandbox, folder: &Path) -> Vec<Run> {
    let before = tree(folder);
    let commands: [&[&str]; 7] = [
        &INIT,
        &crate::init::INIT,
        &["ports", "--public", "--yes"],
        &["ports", "--public", "--yes", "--devcontainer"],
        &["instrument", "--yes"],
        &["doctor", "--fix", "--yes"],
        &["undo", "--yes"],
    ];
    let runs: Vec<Run> = commands.iter().map(|command| sandbox.run(command)).collect();
    for (run, command) in runs.iter().zip(commands) {
        let said = format!("{}{}", run.stdout, run.stderr);
        assert!(!said.contains(MARK), "{command:?} shows\n{said}");
        assert!((0..=2).contains(&run.status), "{command:?}: {said}");
    }
    assert_same(&tree(folder), &before);
    runs
}

#[test]
fn a_link_out_of_the_project_is_not_written_through_nor_shown() {
    for (link, target) in
        [("docker-compose.yml", "docker-compose.yml"), (".gitpod.yml", ".gitpod.yml")]
    {
        let (sandbox, folder) = linked(link, target);
        let runs = stays_inside(&sandbox, &folder);
        let mut runs = runs.into_iter();
        runs.next().unwrap().failed("outside-project", &[link, "elsewhere"]);
    }
    for (link, target) in [
        ("backend-flask/requirements.txt", "backend-flask/requirements.txt"),
        ("backend-flask/app.py", "backend-flask/app.py"),
        ("backend-flask", "backend-flask"),
        (".devcontainer", ""),
        (".devcontainer/devcontainer.json", "devcontainer.json"),
        (".gitignore", ".gitignore"),
        (".env", ".env"),
    ] {
        let (sandbox, folder) = linked(link, target);
        stays_inside(&sandbox, &folder);
    }
}

#[test]
fn a_link_to_a_broken_file_outside_shows_no_line_of_it() {
    let (sandbox, folder) = linked("docker-compose.yml", "broken.yml");
    for run in stays_inside(&sandbox, &folder).into_iter().take(2) {
        let run = run.expect(2);
        assert!(run.stderr.contains("error[invalid-yaml]"), "{}", run.stderr);
    }
    let sandbox = self::sandbox();
    let folder = elsewhere(&sandbox);
    for text in [
        "include: [../elsewhere/broken.yml]\nservices: {a: {image: x}}\n",
        "services: {a: {extends: {file: ../elsewhere/broken.yml, service: a}}}\n",
        "services: {a: {image: x, env_file: ../elsewhere/broken.yml}}\n",
        "services: {a: {image: x, env_file: [../../../../../../proc/self/environ]}}\n",
    ] {
        sandbox.write("docker-compose.yml", text);
        stays_inside(&sandbox, &folder);
    }
}

#[test]
fn a_link_that_stays_inside_is_followed_and_stays_one() {
    let sandbox = sandbox();
    let compose = sandbox.path("docker-compose.yml");
    std::fs::create_dir(sandbox.path("deploy")).unwrap();
    std::fs::rename(&compose, sandbox.path("deploy/real.yml")).unwrap();
    symlink("deploy/real.yml", &compose).unwrap();
    sandbox.run(&INIT).expect(0);
    assert!(compose.is_symlink());
    assert!(sandbox.read("deploy/real.yml").contains("OTEL_SERVICE_NAME"));
    sandbox.run(&["undo", "--yes"]).expect(0);
    assert_eq!(sandbox.read("deploy/real.yml"), COMPOSE);
}

#[test]
fn the_key_is_not_stored_through_a_link_out_of_the_project() {
    for link in [".env", ".gitignore"] {
        let (sandbox, folder) = linked(link, link);
        let before = tree(&folder);
        let given = folder.with_file_name("given");
        std::fs::write(&given, KEY).unwrap();
        let mut command = sandbox.command(&["key", "set", "--store", "dotenv", "--stdin", "--yes"]);
        command.stdin(std::fs::File::open(&given).unwrap());
        let run = Run::of(command).expect(2);
        assert!(run.stderr.contains(link), "{}", run.stderr);
        assert_same(&tree(&folder), &before);
        std::fs::remove_file(given).unwrap();
        assert!(sandbox.files_with_the_key().is_empty(), "{link}");
    }
}

#[test]
fn a_service_built_from_a_folder_outside_is_left_alone_there() {
    for context in ["../elsewhere/backend-flask", "backend-flask/../../elsewhere/backend-flask"] {
        let sandbox = sandbox();
        let folder = elsewhere(&sandbox);
        let text = COMPOSE.replace("./backend-flask", context);
        sandbox.write("docker-compose.yml", &text);
        let runs = stays_inside(&sandbox, &folder);
        assert!(
            runs[0].stderr.contains("outside-project")
                || runs[0].stderr.contains("outside the project"),
            "{}",
            runs[0].stderr
        );
    }
}

#[test]
fn a_dot_env_that_names_compose_files_elsewhere_moves_no_pen() {
    let sandbox = sandbox();
    let folder = elsewhere(&sandbox);
    std::fs::remove_file(sandbox.path("docker-compose.yml")).unwrap();
    sandbox.write(".env", "COMPOSE_FILE=../elsewhere/docker-compose.yml\n");
    let runs = stays_inside(&sandbox, &folder);
    let mut runs = runs.into_iter();
    runs.next().unwrap().failed("outside-project", &["elsewhere/"]);

    // The user's own word is another matter.
    let sandbox = sandbox.with("COMPOSE_FILE", "../elsewhere/docker-compose.yml");
    sandbox.run(&INIT).expect(0);
    assert_ne!(
        std::fs::read_to_string(folder.join("docker-compose.yml")).unwrap(),
        format!("# {MARK}\n{COMPOSE}")
    );
    sandbox.run(&["undo", "--yes"]).expect(0);
    assert_eq!(
        std::fs::read_to_string(folder.join("docker-compose.yml")).unwrap(),
        format!("# {MARK}\n{COMPOSE}")
    );
}
