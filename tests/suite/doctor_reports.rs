//! `init` and `verify` on projects that reproduce public bug reports; the same files label their findings by
//! `doctor`.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::doctor_trees::{LabelledTree, labelled_trees};
use crate::fake_grpc::{GrpcReceiver, Reply};
use crate::rude::Rude;
use crate::sandbox::{KEY, Sandbox};

const INIT: [&str; 7] = ["init", "--yes", "--json", "--store", "env", "--no-ports", "--no-verify"];

/// A receiver on loopback in the place of a project's collector.
enum Receiver {
    Grpc(GrpcReceiver),
    Http(Rude),
}

impl Receiver {
    fn start(protocol: &str) -> Self {
        match protocol {
            "grpc" => Self::Grpc(GrpcReceiver::start(Reply::Taken)),
            "http" => Self::Http(Rude::answering("application/x-protobuf", b"")),
            _ => panic!("{protocol}"),
        }
    }

    fn port(&self) -> u16 {
        match self {
            Self::Grpc(receiver) => receiver.address.port(),
            Self::Http(receiver) => receiver.address.port(),
        }
    }
}

impl LabelledTree {
    /// Returns the values of a word of its head.
    fn values<'a>(&'a self, word: &'a str) -> impl Iterator<Item = &'a str> {
        let of_word = self.expected.iter().filter(move |(one, _)| one == word);
        of_word.map(|(_, value)| value.as_str())
    }

    /// Returns the codes after a verb of its `init:` lines; `nothing` means none.
    fn codes_of_init(&self, verb: &str) -> BTreeSet<&str> {
        let lines = self.values("init").filter_map(|line| line.strip_prefix(verb));
        lines.flat_map(str::split_whitespace).filter(|code| *code != "nothing").collect()
    }

    fn all_text(&self, sandbox: &Sandbox) -> String {
        let paths = self.files.iter().filter(|(path, _)| sandbox.path(path).exists());
        paths.map(|(path, _)| sandbox.read(path)).collect()
    }
}

/// Returns the projects with expected results of `init` and `verify`.
fn public_reports() -> Vec<LabelledTree> {
    let mut trees = labelled_trees();
    trees.retain(|tree| !tree.expected.is_empty());
    trees
}

fn codes_found(sandbox: &Sandbox) -> BTreeSet<String> {
    let document = sandbox.run(&["doctor", "--json"]).json();
    let findings = document["findings"].as_array().unwrap().iter();
    findings.map(|one| one["code"].as_str().unwrap().to_owned()).collect()
}

/// Returns what is wrong with `init` on a project.
fn judge_init(tree: &LabelledTree) -> Vec<String> {
    let sandbox = tree.lay_out().with("HONEYCOMB_API_KEY", KEY);
    let mut wrong = Vec::new();
    let document = sandbox.run(&[&INIT[..], &["--dry-run"]].concat()).json();
    let warnings = document["notes"].as_array().unwrap().iter();
    let warnings: Vec<&Value> = warnings.filter(|note| note["level"] == "warning").collect();
    for keyword in tree.values("says") {
        if !warnings.iter().any(|note| note["text"].as_str().unwrap().contains(keyword)) {
            wrong.push(format!("no warning names {keyword}: {:#}", document["notes"]));
        }
    }
    for (path, text) in &tree.files {
        assert_eq!(sandbox.read(path), *text, "{}: {path} by --dry-run", tree.name);
    }
    sandbox.run(&INIT).expect(0);
    let text = tree.all_text(&sandbox);
    wrong.extend(
        tree.values("writes")
            .filter(|part| !text.contains(part))
            .map(|part| format!("does not write {part}: {text}")),
    );
    let found = codes_found(&sandbox);
    let left: BTreeSet<&str> = found.iter().map(String::as_str).collect();
    let expected = tree.codes_of_init("leaves");
    if left != expected {
        wrong.push(format!("leaves {left:?}, not {expected:?}: {text}"));
    }
    assert!(tree.codes_of_init("mends").is_disjoint(&expected), "{}", tree.name);
    wrong
}

/// Returns what is wrong with `verify` on a project.
fn judge_verify(tree: &LabelledTree) -> Vec<String> {
    let sandbox = tree.lay_out().with("HONEYCOMB_API_KEY", KEY);
    let mut arguments = vec!["verify", "--json", "--timeout", "1200ms"];
    let mut receivers = Vec::new();
    for provider in tree.values("provider") {
        let (port, protocol) = provider.split_once(' ').unwrap();
        let receiver = Receiver::start(protocol);
        for (path, text) in &tree.files {
            let published = format!("{}:", receiver.port());
            sandbox.write(path, &text.replace(&format!("{port}:"), &published));
        }
        receivers.push(receiver);
    }
    if receivers.is_empty() {
        arguments.push("--local");
    }
    let document = sandbox.run(&arguments).json();
    let mut wrong = Vec::new();
    for expected in tree.values("verify") {
        let words: Vec<&str> = expected.split(' ').collect();
        let services = document["services"].as_array().into_iter().flatten();
        let service = services.clone().find(|one| one["service"] == words[0]);
        let is_right = match (&*words, service) {
            (["refused"], _) => document["error"]["code"].is_string(),
            ([_, "fails"], Some(service)) => {
                service["code"].is_string() && document["passed"] == false
            }
            ([_, "accepted", status], Some(service)) => {
                let checks = service["checks"].as_array().unwrap();
                let status_of =
                    |rung| checks.iter().find(|one| one["rung"] == rung).map(|one| &one["status"]);
                service["code"].is_null()
                    && status_of("configured").is_some_and(|one| one == status)
                    && status_of("accepted").is_some_and(|one| one == "pass")
            }
            _ => false,
        };
        if !is_right {
            wrong.push(format!("not `{expected}`: {document:#}"));
        }
    }
    wrong
}

#[test]
fn init_and_verify_are_right_on_public_reports() {
    let trees = public_reports();
    let mut all_wrong = Vec::new();
    let (mut init, mut verify) = (0, 0);
    for tree in &trees {
        let (of_init, of_verify) = (judge_init(tree), judge_verify(tree));
        init += usize::from(of_init.is_empty());
        verify += usize::from(of_verify.is_empty());
        all_wrong.extend(of_init.into_iter().map(|one| format!("{}: init {one}", tree.name)));
        all_wrong.extend(of_verify.into_iter().map(|one| format!("{}: verify {one}", tree.name)));
    }
    println!("{} reports: init right on {init}, verify on {verify}", trees.len());
    assert!(trees.len() >= 10);
    assert_eq!(all_wrong, [] as [String; 0], "{}", all_wrong.join("\n"));
}
