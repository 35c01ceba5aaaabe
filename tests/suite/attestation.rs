//! The attestation of an archive, which `packaging/install.sh` checks with a fake `gh`.

use std::process::Output;

use crate::install::{ARCHIVE, Machine, program, stderr};

/// A fake `gh` that answers with exit statuses and records its arguments and its token.
struct FakeGh<'a> {
    help: &'a str,
    signed_in: i32,
    verified: i32,
}

const GOOD: FakeGh = FakeGh { help: "--signer-workflow", signed_in: 0, verified: 0 };

impl FakeGh<'_> {
    /// Puts it before the machine's programs; returns the `PATH`.
    fn put(&self, machine: &Machine) -> String {
        let folder = machine.folder.path().join("gh");
        std::fs::create_dir_all(&folder).unwrap();
        let Self { help, signed_in, verified } = self;
        let asked = folder.join("asked");
        let text = format!(
            "#!/bin/sh\ncase \"$*\" in\n*--help) echo ' {help}' ;;\n'auth token '*) exit {signed_in} ;;\n\
             *) echo \"$GH_HOST ${{GH_TOKEN:-}} $*\" >>'{}'; echo no attestation >&2; exit {verified} ;;\nesac\n",
            asked.display()
        );
        program(&folder.join("gh"), &text);
        format!("{}:{}", folder.display(), machine.path())
    }
}

fn asked(machine: &Machine) -> String {
    std::fs::read_to_string(machine.folder.path().join("gh/asked")).unwrap_or_default()
}

fn install(machine: &Machine, gh: &FakeGh, arguments: &[&str]) -> Output {
    let url = machine.served.url();
    let path = gh.put(machine);
    machine.install_with(&path, &[&["--from", url.as_str()], arguments].concat())
}

const REPOSITORY: [&str; 2] = ["--repository", "me/ops"];

#[test]
fn the_archive_must_be_attested_by_the_release_workflow() {
    let machine = Machine::new();
    let output = install(&machine, &GOOD, &REPOSITORY);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(stderr(&output), "");
    let asked = asked(&machine);
    assert!(asked.starts_with("github.com  attestation verify /"), "{asked}");
    for part in [ARCHIVE, "--repo me/ops", "--signer-workflow me/ops/.github/workflows/release.yml"]
    {
        assert!(asked.contains(part), "{asked}");
    }
}

#[test]
fn an_archive_that_is_not_attested_is_refused() {
    for verified in [1, 4, 127] {
        let machine = Machine::new();
        let output = install(&machine, &FakeGh { verified, ..GOOD }, &REPOSITORY);
        machine.refused(&output, "gh: no attestation");
        let output = install(&machine, &FakeGh { verified, ..GOOD }, &[]);
        assert!(output.status.success(), "without a repository nothing can be asked");
    }
}

#[test]
fn an_unchecked_attestation_is_reported() {
    for (gh, arguments) in [
        (FakeGh { help: "--owner", ..GOOD }, &REPOSITORY[..]),
        (FakeGh { signed_in: 1, ..GOOD }, &REPOSITORY),
        (FakeGh { verified: 1, ..GOOD }, &[]),
        (FakeGh { verified: 1, ..GOOD }, &["--repository", "me/ops", "--without-attestation"]),
    ] {
        let machine = Machine::new();
        let output = install(&machine, &gh, arguments);
        assert!(output.status.success(), "{}", stderr(&output));
        assert!(machine.installed().exists());
        assert!(stderr(&output).starts_with("warning: the attestation was not checked: "));
        assert_eq!(asked(&machine), "");
    }
}

#[test]
fn the_checksum_is_checked_before_and_whatever_gh_says() {
    for arguments in [&REPOSITORY[..], &["--without-attestation"]] {
        let machine = Machine::new();
        let mut bytes = std::fs::read(machine.released(ARCHIVE)).unwrap();
        bytes.push(0);
        std::fs::write(machine.released(ARCHIVE), bytes).unwrap();
        let output = install(&machine, &GOOD, arguments);
        machine.refused(&output, "the SHA-256 sum of");
        assert_eq!(asked(&machine), "");
    }
}

#[test]
fn a_repository_that_is_none_is_refused() {
    for repository in ["me", "me/ops/x", "-me/ops", "me/ops --owner you", "me/ops\n", "/ops", "me/"]
    {
        let machine = Machine::new();
        let output = install(&machine, &GOOD, &["--repository", repository]);
        assert_eq!(output.status.code(), Some(2), "{repository:?}: {}", stderr(&output));
        machine.refused(&output, "is not OWNER/NAME");
        assert_eq!(asked(&machine), "");
    }
}
