//! `init` on every real Cruddur repository in a folder next to this checkout: backends are traced, infrastructure is
//! unchanged, and the real Docker Compose accepts the result if it accepted the original.

use std::path::{Path, PathBuf};
use std::process::Command;

use cruddur_ops::compose::{ComposeModel, EnvFileState};
use cruddur_ops::project::Project;
use cruddur_ops::shell::Shell;

use crate::compose_oracle::docker_compose;
use crate::sandbox::{KEY, Sandbox};

/// The result of `init` in one repository.
enum Fate {
    Edited,
    WiredAlready,
    Refused(String),
}

#[test]
fn every_real_repository_is_wired_or_refused_with_a_reason() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus/cruddur");
    let corpus = std::fs::canonicalize(&corpus).unwrap_or(corpus);
    let Ok(entries) = std::fs::read_dir(&corpus) else {
        println!("skipped: no real repositories beside this checkout");
        return;
    };
    let compose = docker_compose();
    let mut repositories: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    repositories.retain(|folder| model(folder).is_some());
    repositories.sort();
    assert!(repositories.len() > 30, "{}", repositories.len());
    let (mut edited, mut wired, mut refused) = (0, 0, Vec::new());
    for repository in &repositories {
        let name = repository.file_name().unwrap().to_string_lossy().into_owned();
        match judge(repository, compose.as_deref()) {
            Fate::Edited => edited += 1,
            Fate::WiredAlready => wired += 1,
            Fate::Refused(reason) => refused.push(format!("{name}: {reason}")),
        }
    }
    println!(
        "{} repositories: {edited} edited, {wired} wired already, {} refused {refused:#?}",
        repositories.len(),
        refused.len()
    );
    assert!(refused.len() <= 1, "{refused:#?}");
}

fn model(folder: &Path) -> Option<ComposeModel> {
    let shell = Shell::new([], folder.to_owned());
    let project = Project::discover(&shell, None).ok()?;
    project.root.starts_with(folder).then(|| project.model().ok().cloned()).flatten()
}

fn judge(repository: &Path, compose: Option<&Path>) -> Fate {
    let sandbox = Sandbox::new(&[]).with("HONEYCOMB_API_KEY", KEY);
    copy(repository, &sandbox.project());
    let before = model(&sandbox.project()).unwrap();
    make_env_files(&before);
    let accepted = compose.map(|program| accepts(program, &sandbox));
    let run =
        sandbox.run(&["init", "--yes", "--provider", "honeycomb", "--store", "env", "--no-verify"]);
    if run.status == 2 {
        return Fate::Refused(run.stderr.lines().last().unwrap_or_default().to_owned());
    }
    let name = repository.file_name().unwrap().to_string_lossy();
    assert_eq!(run.status, 0, "{name}: {}", run.stderr);
    let after = model(&sandbox.project()).unwrap();
    for service in &after.services {
        let traced = service.effective(after.plain()).get("OTEL_SERVICE_NAME").is_some();
        let was = before.service(&service.name).unwrap();
        let traced_before = was.effective(before.plain()).get("OTEL_SERVICE_NAME").is_some();
        let image = service.image.as_deref().unwrap_or_default();
        if service.name.contains("backend") {
            assert!(traced, "{name}: {} is not traced", service.name);
        }
        let left_alone = ["postgres", "dynamodb", "xray"].iter().any(|word| image.contains(word));
        if left_alone || service.name.contains("frontend") {
            assert_eq!(traced, traced_before, "{name}: {}", service.name);
        }
    }
    if let (Some(true), Some(program)) = (accepted, compose) {
        assert!(accepts(program, &sandbox), "{name}: docker compose refuses the result");
    }
    match run.stderr.contains("nothing to do") {
        true => Fate::WiredAlready,
        false => Fate::Edited,
    }
}

/// Creates the files that the repository expects from its user.
fn make_env_files(model: &ComposeModel) {
    let files = model.services.iter().flat_map(|service| &service.env_files);
    for file in files.filter(|file| matches!(file.state, EnvFileState::Missing(_))) {
        std::fs::create_dir_all(file.path.parent().unwrap()).unwrap();
        std::fs::write(&file.path, "").unwrap();
    }
}

fn accepts(program: &Path, sandbox: &Sandbox) -> bool {
    Command::new(program)
        .args(["config", "-q"])
        .current_dir(sandbox.project())
        .env_clear()
        .output()
        .unwrap()
        .status
        .success()
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            std::fs::create_dir_all(&target).unwrap();
            copy(&path, &target);
        } else {
            // The bytes alone: the originals may be read-only.
            std::fs::write(target, std::fs::read(&path).unwrap()).unwrap();
        }
    }
}
