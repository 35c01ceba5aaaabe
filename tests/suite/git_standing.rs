//! Git's treatment of a file, read without running git, is the same as git's own answer: rules, indexes of every
//! form, worktrees.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use cruddur_ops::project::GitFileStatus;
use cruddur_ops::shell::Shell;

/// A folder with a home and a repository.
struct Scratch {
    folder: tempfile::TempDir,
}

impl Scratch {
    fn new() -> Self {
        let scratch = Self { folder: tempfile::tempdir().unwrap() };
        std::fs::create_dir_all(scratch.path("home")).unwrap();
        std::fs::create_dir_all(scratch.path("repo")).unwrap();
        scratch.git("repo", &["init", "--quiet"]);
        scratch
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// Returns a git command in a folder, without the machine's configuration.
    fn command(&self, folder: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command
            .args(arguments)
            .current_dir(self.path(folder))
            .env_clear()
            .env("PATH", std::env::var("PATH").unwrap())
            .env("HOME", self.path("home"))
            .env("GIT_CONFIG_NOSYSTEM", "1");
        command
    }

    fn status(&self, folder: &str, arguments: &[&str]) -> i32 {
        self.command(folder, arguments).output().unwrap().status.code().unwrap()
    }

    /// Returns the `paths` that git ignores.
    fn ignored(&self, folder: &str, paths: &[&str]) -> Vec<String> {
        let mut command = self.command(folder, &["check-ignore", "--stdin"]);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(paths.join("\n").as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    }

    #[track_caller]
    fn git(&self, folder: &str, arguments: &[&str]) {
        assert_eq!(self.status(folder, arguments), 0, "git {arguments:?} in {folder}");
    }

    fn commit(&self, folder: &str) {
        let who = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
        self.git(folder, &[&who[..], &["commit", "--quiet", "--message=a"]].concat());
    }

    fn ours(&self, folder: &str, name: &str) -> GitFileStatus {
        let home = self.path("home").display().to_string();
        let shell = Shell::new([("HOME".to_owned(), home)], self.path("home"));
        GitFileStatus::of(&self.path(folder), name, &shell)
    }

    fn theirs(&self, folder: &str, name: &str) -> GitFileStatus {
        match self.status(folder, &["ls-files", "--error-unmatch", "--", name]) {
            0 => GitFileStatus::Tracked,
            1 => match self.status(folder, &["check-ignore", "--quiet", "--", name]) {
                0 => GitFileStatus::Ignored,
                1 => GitFileStatus::Untracked,
                other => panic!("git check-ignore: {other}"),
            },
            other => panic!("git ls-files: {other}"),
        }
    }

    /// Returns git's own answer, after checking that ours is the same.
    #[track_caller]
    fn agreed(&self, folder: &str, name: &str) -> GitFileStatus {
        let theirs = self.theirs(folder, name);
        assert_eq!(self.ours(folder, name), theirs, "{name} in {folder}");
        theirs
    }
}

/// A file with rules, and the folder whose `.env` they apply to.
type Shape = (&'static [(&'static str, &'static str)], &'static str);

const SHAPES: [Shape; 64] = [
    (&[(".gitignore", "")], ""),
    (&[(".gitignore", ".env")], ""),
    (&[(".gitignore", ".env\n")], "a/b"),
    (&[(".gitignore", "/.env\n")], ""),
    (&[(".gitignore", "/.env\n")], "a"),
    (&[(".gitignore", "a/.env\n")], "a"),
    (&[(".gitignore", "a/.env\n")], "b/a"),
    (&[(".gitignore", "**/a/.env\n")], "b/a"),
    (&[(".gitignore", "a/**\n")], "a/b"),
    (&[(".gitignore", "a/**/.env\n")], "a"),
    (&[(".gitignore", "a/**/.env\n")], "a/b/c"),
    (&[(".gitignore", "a/*/.env\n")], "a/b/c"),
    (&[(".gitignore", ".env/\n")], ""),
    (&[(".gitignore", "a/\n")], "a"),
    (&[(".gitignore", "a\n")], "b/a/c"),
    (&[(".gitignore", "/a\n")], "b/a"),
    (&[(".gitignore", "*\n")], ""),
    (&[(".gitignore", "*\n!.env\n")], ""),
    (&[(".gitignore", "*\n!.env\n")], "a"),
    (&[(".gitignore", "*\n!*/\n!.env\n")], "a"),
    (&[(".gitignore", "a/\n!a/.env\n")], "a"),
    (&[(".gitignore", "a/*\n!a/.env\n")], "a"),
    (&[(".gitignore", "/*\n!/a\n/a/*\n!/a/b\n")], "a/b"),
    (&[(".gitignore", "!.env\n.env\n")], ""),
    (&[(".gitignore", ".env\n!.env\n")], ""),
    (&[(".gitignore", ".env*\n!.env.example\n")], ""),
    (&[(".gitignore", ".e?v\n")], ""),
    (&[(".gitignore", ".[a-f]nv\n")], ""),
    (&[(".gitignore", ".[!a-d]nv\n")], ""),
    (&[(".gitignore", ".[^e]nv\n")], ""),
    (&[(".gitignore", ".[[:alpha:]]nv\n")], ""),
    (&[(".gitignore", ".[env\n")], ""),
    (&[(".gitignore", "\\.env\n")], ""),
    (&[(".gitignore", "\\!.env\n")], ""),
    (&[(".gitignore", "\\#.env\n#.env\n")], ""),
    (&[(".gitignore", ".env \n")], ""),
    (&[(".gitignore", ".env\\ \n")], ""),
    (&[(".gitignore", ".env\t\n")], ""),
    (&[(".gitignore", " .env\n")], ""),
    (&[(".gitignore", ".env\r\n")], ""),
    (&[(".gitignore", "x\r\n.env")], ""),
    (&[(".gitignore", "\u{feff}.env\n")], ""),
    (&[(".gitignore", "\u{feff}.env")], "a"),
    (&[(".gitignore", ".ENV\n")], ""),
    (&[(".gitignore", ".env\\\n")], ""),
    (&[(".gitignore", ".env\0x\n")], ""),
    (&[(".gitignore", ".env\n!.env\0\n")], ""),
    (&[(".gitignore", "/\n//.env\n")], ""),
    (&[(".gitignore", "./.env\n")], ""),
    (&[(".gitignore", "**\n")], "a"),
    (&[(".gitignore", "**/\n")], "a"),
    (&[(".gitignore", "!\n!!.env\n*.env\n")], ""),
    (&[(".gitignore", "*.e*v*\n")], "a"),
    (&[(".gitignore", ".env\n"), ("a/.gitignore", "!.env\n")], "a"),
    (&[(".gitignore", ".env\n"), ("a/.gitignore", "!.env\n")], "a/b"),
    (&[(".gitignore", "a/\n"), ("a/.gitignore", "!.env\n")], "a"),
    (&[("a/.gitignore", ".env\n")], ""),
    (&[("a/.gitignore", "/.env\n")], "a/b"),
    (&[("a/.gitignore", "b/.env\n"), ("a/b/.gitignore", "!*\n")], "a/b"),
    (&[(".git/info/exclude", ".env\n")], "a"),
    (&[(".git/info/exclude", ".env\n"), (".gitignore", "!.env\n")], "a"),
    (&[("../home/.config/git/ignore", ".env\n")], "a"),
    (&[("../home/.gitconfig", "[core]\nexcludesFile = ~/mine\n"), ("../home/mine", "*\n")], ""),
    (&[("../home/.config/git/ignore", ".env\n"), (".git/info/exclude", "!.env\n")], ""),
];

#[test]
fn ignore_rules_mean_what_git_says_they_mean() {
    let mut seen = Vec::new();
    for (files, folder) in SHAPES {
        let scratch = Scratch::new();
        for (path, text) in files {
            scratch.write(&format!("repo/{path}"), text);
        }
        let folder = format!("repo/{folder}");
        scratch.write(&format!("{folder}/.env"), "A=1\n");
        let theirs = scratch.theirs(&folder, ".env");
        assert_eq!(scratch.ours(&folder, ".env"), theirs, "{files:?} in {folder}");
        // A file that does not exist yet has the same rules.
        std::fs::remove_file(scratch.path(&folder).join(".env")).unwrap();
        assert_eq!(scratch.ours(&folder, ".env"), scratch.theirs(&folder, ".env"), "{files:?}");
        seen.push(theirs);
    }
    let ignored = seen.iter().filter(|one| **one == GitFileStatus::Ignored).count();
    assert!((20..50).contains(&ignored), "{ignored} shapes ignore the file");
}

/// A form of the index, and the commands that create it in a repository where `.env` and 60 other files are staged.
const INDEXES: [(&str, &[&[&str]]); 9] = [
    ("version 2", &[&["update-index", "--index-version", "2"]]),
    ("version 3", &[&["rm", "--cached", "-q", "f7"], &["add", "--intent-to-add", "f7"]]),
    ("version 4", &[&["update-index", "--index-version", "4"]]),
    ("split", &[&["update-index", "--split-index"]]),
    ("split, one added", &[&["update-index", "--split-index"], &["add", "late"]]),
    ("split, one removed", &[&["update-index", "--split-index"], &["rm", "--cached", "-q", "f8"]]),
    (
        "split, version 4",
        &[&["update-index", "--index-version", "4"], &["update-index", "--split-index"]],
    ),
    ("untracked cache", &[&["update-index", "--force-untracked-cache"]]),
    ("skip-worktree", &[&["update-index", "--skip-worktree", "f9"]]),
];

#[test]
fn every_form_of_the_index_is_read() {
    for object_format in ["sha1", "sha256"] {
        for (form, commands) in INDEXES {
            let scratch = Scratch::new();
            let repo = format!("--object-format={object_format}");
            scratch.git("", &["init", "--quiet", &repo, "other"]);
            for number in 0..60 {
                scratch.write(&format!("other/f{number}"), "x");
            }
            scratch.write("other/deep/er/.env", "x");
            scratch.write(&format!("other/{}", "long".repeat(60)), "x");
            scratch.git("other", &["add", "."]);
            scratch.write("other/late", "x");
            for command in commands {
                scratch.git("other", command);
            }
            for (folder, name) in [
                ("other", "f7"),
                ("other", "f8"),
                ("other", "f9"),
                ("other", "f59"),
                ("other", "f60"),
                ("other", "late"),
                ("other", "f"),
                ("other", "deep"),
                ("other", "dee"),
                ("other", "er"),
                ("other/deep/er", ".env"),
                ("other/deep/er", ".en"),
                ("other/deep", "er"),
            ] {
                let listed = scratch.status(folder, &["ls-files", "--error-unmatch", name]);
                let theirs = match listed {
                    0 => GitFileStatus::Tracked,
                    _ => GitFileStatus::Untracked,
                };
                let ours = scratch.ours(folder, name);
                assert_eq!(ours, theirs, "{name} in {folder}: {object_format}, {form}");
            }
            assert_eq!(scratch.ours("other/deep/er", ".env"), GitFileStatus::Tracked, "{form}");
        }
    }
}

#[test]
fn a_folder_that_a_sparse_index_keeps_to_itself_is_unknown() {
    let scratch = Scratch::new();
    for path in ["in/.env", "in/a", "out/.env", "out/deep/a", ".env"] {
        scratch.write(&format!("repo/{path}"), "x");
    }
    scratch.git("repo", &["add", "."]);
    scratch.commit("repo");
    scratch.git("repo", &["sparse-checkout", "init", "--cone", "--sparse-index"]);
    scratch.git("repo", &["sparse-checkout", "set", "in"]);
    assert_eq!(scratch.agreed("repo/in", ".env"), GitFileStatus::Tracked);
    assert_eq!(scratch.agreed("repo/in", ".envrc"), GitFileStatus::Untracked);
    assert_eq!(scratch.agreed("repo", ".env"), GitFileStatus::Tracked);
    std::fs::create_dir_all(scratch.path("repo/out/deep")).unwrap();
    for folder in ["repo/out", "repo/out/deep"] {
        let ours = scratch.ours(folder, ".env");
        assert!(matches!(ours, GitFileStatus::Unknown(_)), "{folder}: {ours:?}");
    }
}

#[test]
fn an_unmerged_file_and_an_empty_repository_are_known() {
    let scratch = Scratch::new();
    assert_eq!(scratch.agreed("repo", ".env"), GitFileStatus::Untracked);
    scratch.write("repo/.env", "A=1\n");
    assert_eq!(scratch.agreed("repo", ".env"), GitFileStatus::Untracked);
    scratch.git("repo", &["add", ".env"]);
    scratch.git("repo", &["config", "user.name", "a"]);
    scratch.git("repo", &["config", "user.email", "a@example.com"]);
    scratch.commit("repo");
    scratch.git("repo", &["branch", "other"]);
    scratch.write("repo/.env", "A=2\n");
    scratch.git("repo", &["add", "."]);
    scratch.commit("repo");
    scratch.git("repo", &["checkout", "--quiet", "other"]);
    scratch.write("repo/.env", "A=3\n");
    scratch.git("repo", &["add", "."]);
    scratch.commit("repo");
    assert_eq!(scratch.status("repo", &["merge", "--quiet", "-"]), 1);
    assert_eq!(scratch.agreed("repo", ".env"), GitFileStatus::Tracked);
}

#[test]
fn worktrees_submodules_and_links_lead_to_the_right_repository() {
    let scratch = Scratch::new();
    scratch.write("repo/.env", "A=1\n");
    scratch.write("repo/app/file", "x");
    scratch.git("repo", &["add", "."]);
    scratch.commit("repo");
    scratch.git("repo", &["worktree", "add", "--quiet", "--detach", "../tree"]);
    assert_eq!(scratch.agreed("tree", ".env"), GitFileStatus::Tracked);
    scratch.git("tree", &["rm", "--cached", "--quiet", ".env"]);
    assert_eq!(scratch.agreed("tree", ".env"), GitFileStatus::Untracked);
    assert_eq!(scratch.agreed("repo", ".env"), GitFileStatus::Tracked);
    // The rules of `info` belong to all worktrees.
    scratch.write("repo/.git/info/exclude", ".env\n");
    assert_eq!(scratch.agreed("tree", ".env"), GitFileStatus::Ignored);

    let url = scratch.path("repo").display().to_string();
    scratch.git("", &["init", "--quiet", "outer"]);
    let allow = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add"];
    scratch.git("outer", &[&allow[..], &[&url, "sub"]].concat());
    assert!(scratch.path("outer/sub/.git").is_file());
    assert_eq!(scratch.agreed("outer/sub", ".env"), GitFileStatus::Tracked);
    assert_eq!(scratch.agreed("outer/sub/app", ".env"), GitFileStatus::Untracked);
    scratch.write("outer/.gitignore", ".env\n");
    assert_eq!(scratch.agreed("outer/sub/app", ".env"), GitFileStatus::Untracked);
    assert_eq!(scratch.agreed("outer", ".env"), GitFileStatus::Ignored);

    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(scratch.path("outer/sub"), scratch.path("link")).unwrap();
        assert_eq!(scratch.agreed("link", ".env"), GitFileStatus::Tracked);
        // Git does not follow a `.gitignore` that is a link.
        scratch.write("rules", "*\n");
        std::fs::create_dir(scratch.path("repo/linked")).unwrap();
        let link = scratch.path("repo/linked/.gitignore");
        std::os::unix::fs::symlink(scratch.path("rules"), link).unwrap();
        scratch.write("repo/.git/info/exclude", "");
        assert_eq!(scratch.agreed("repo/linked", ".env"), GitFileStatus::Untracked);
    }
}

#[test]
fn upper_and_lower_case_are_one_where_the_repository_says_so() {
    let scratch = Scratch::new();
    scratch.git("repo", &["config", "core.ignoreCase", "true"]);
    scratch.write("repo/.gitignore", "/APP/*.ENV\n");
    scratch.write("repo/app/x", "x");
    assert_eq!(scratch.agreed("repo/app", "a.env"), GitFileStatus::Ignored);
    scratch.git("repo", &["config", "core.ignoreCase", "false"]);
    assert_eq!(scratch.agreed("repo/app", "a.env"), GitFileStatus::Untracked);
}

#[test]
fn what_cannot_be_read_is_unknown_and_no_pipe_is_waited_for() {
    type Damage = (&'static str, fn(&Scratch));
    let cases: [Damage; 9] = [
        ("not an index", |scratch| scratch.write("repo/.git/index", "nothing")),
        ("a newer version", |scratch| scratch.write("repo/.git/index", b"DIRC\0\0\0\x05\0\0\0\0")),
        ("cut", |scratch| {
            let bytes = std::fs::read(scratch.path("repo/.git/index")).unwrap();
            scratch.write("repo/.git/index", &bytes[..40]);
        }),
        ("more entries than bytes", |scratch| {
            scratch.write("repo/.git/index", b"DIRC\0\0\0\x02\xff\xff\xff\xff");
        }),
        ("no shared index", |scratch| {
            scratch.git("repo", &["update-index", "--split-index"]);
            for entry in std::fs::read_dir(scratch.path("repo/.git")).unwrap() {
                let path = entry.unwrap().path();
                if path.display().to_string().contains("sharedindex") {
                    std::fs::remove_file(path).unwrap();
                }
            }
        }),
        ("a `.git` file that names nothing", |scratch| {
            std::fs::rename(scratch.path("repo/.git"), scratch.path("moved")).unwrap();
            scratch.write("repo/.git", "gitdir: ../gone\n");
        }),
        ("another working tree", |scratch| {
            scratch.git("repo", &["config", "core.worktree", "../.."]);
        }),
        ("rules in a folder", |scratch| scratch.write("repo/.gitignore/x", "")),
        ("an index that is a pipe", |scratch| {
            let index = scratch.path("repo/.git/index");
            std::fs::remove_file(&index).unwrap();
            assert!(Command::new("mkfifo").arg(index).status().unwrap().success());
        }),
    ];
    for (case, damage) in cases {
        let scratch = Scratch::new();
        scratch.write("repo/a", "x");
        scratch.git("repo", &["add", "."]);
        damage(&scratch);
        let ours = scratch.ours("repo", ".env");
        assert!(matches!(ours, GitFileStatus::Unknown(_)), "{case}: {ours:?}");
    }
}

/// A folder that looks like a bare repository is an ordinary folder of the surrounding clone.
#[test]
fn only_a_repository_ends_the_search_and_no_configuration_changes_the_answer() {
    let scratch = Scratch::new();
    scratch.write("repo/sub/HEAD", "ref: refs/heads/main\n");
    scratch.write("repo/sub/objects/a", "");
    scratch.write("repo/sub/refs/a", "");
    scratch.write("repo/sub/config", "[core]\nworktree = .\nbare = false\nexcludesFile = ../all\n");
    scratch.write("repo/sub/info/exclude", "*\n");
    scratch.write("repo/all", "*\n");
    scratch.write("repo/sub/.env", "A=1\n");
    assert_eq!(scratch.ours("repo/sub", ".env"), GitFileStatus::Untracked);
    scratch.git("repo", &["add", "--force", "sub/.env"]);
    assert_eq!(scratch.ours("repo/sub", ".env"), GitFileStatus::Tracked);
    // Nor is an empty `.git` one.
    std::fs::create_dir_all(scratch.path("repo/app/.git")).unwrap();
    scratch.write("repo/app/.env", "A=1\n");
    assert_eq!(scratch.agreed("repo/app", ".env"), GitFileStatus::Untracked);
    scratch.git("repo", &["add", "--force", "app/.env"]);
    assert_eq!(scratch.agreed("repo/app", ".env"), GitFileStatus::Tracked);
    // Rules of the user count only where the repository does not name others in their place.
    scratch.write("home/.config/git/ignore", "x.env\n");
    assert_eq!(scratch.agreed("repo", "x.env"), GitFileStatus::Ignored);
    scratch.git("repo", &["config", "core.excludesFile", "/dev/null"]);
    assert_eq!(scratch.agreed("repo", "x.env"), GitFileStatus::Untracked);
    let outside = scratch.path("rules");
    scratch.write("rules", "x.env\n");
    scratch.git("repo", &["config", "core.excludesFile", &outside.display().to_string()]);
    assert_eq!(scratch.ours("repo", "x.env"), GitFileStatus::Untracked, "nothing outside is read");
}

/// Damaged repositories lead to an answer in time, without a panic.
#[test]
fn a_damaged_index_is_answered() {
    let scratch = Scratch::new();
    for number in 0..40 {
        scratch.write(&format!("repo/folder/f{number}"), "x");
    }
    scratch.git("repo", &["add", "."]);
    for preparation in [
        &["update-index", "--index-version", "2"][..],
        &["update-index", "--index-version", "4"],
        &["update-index", "--split-index"],
        &["rm", "--cached", "-q", "folder/f3"],
    ] {
        scratch.git("repo", preparation);
        let index = scratch.path("repo/.git/index");
        let bytes = std::fs::read(&index).unwrap();
        let step = (bytes.len() / 80).max(1);
        for at in (0..bytes.len()).step_by(step) {
            for value in [0, 0x7f, 0xff] {
                let mut damaged = bytes.clone();
                damaged[at] = value;
                std::fs::write(&index, &damaged).unwrap();
                scratch.ours("repo/folder", "f3");
            }
            std::fs::write(&index, &bytes[..at]).unwrap();
            scratch.ours("repo/folder", "f3");
        }
        std::fs::write(&index, bytes).unwrap();
        scratch.agreed("repo/folder", "f3");
    }
}

/// Random short folder names and rules are read as git reads them.
#[test]
fn rules_at_random_mean_what_git_says_they_mean() {
    const PARTS: [&str; 22] = [
        "a", "b", ".env", "*", "**", "?", "/", "/", "!", "\\", "[", "]", "-", "^", " ", ".", "e",
        "\n", "\n", "\n", "#", "nv",
    ];
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 16) as usize % below
    };
    let scratch = Scratch::new();
    scratch.write("repo/a/b/x", "");
    for _ in 0..300 {
        let count = 2 + next(9);
        let rules: String = (0..count).map(|_| PARTS[next(PARTS.len())]).collect();
        scratch.write("repo/.gitignore", &rules);
        let theirs = scratch.ignored("repo", &[".env", "a/.env", "a/b/.env"]);
        for folder in ["", "a/", "a/b/"] {
            let expected = match theirs.contains(&format!("{folder}.env")) {
                true => GitFileStatus::Ignored,
                false => GitFileStatus::Untracked,
            };
            let ours = scratch.ours(&format!("repo/{folder}"), ".env");
            assert_eq!(ours, expected, "{rules:?} in {folder:?}");
        }
    }
}
