//! The page of `listen --web` in a real browser, and its address.

mod browser;

use std::io::{BufRead, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Stdio;

use serde_json::Value;

use crate::listening::Listening;
use crate::sandbox::Sandbox;

/// Starts `listen` with a page; returns both and the page's address.
fn start(sandbox: &Sandbox, arguments: &[&str]) -> (Listening, String) {
    let mut all = vec!["--web", "--web-port", "0"];
    all.extend(arguments);
    with_address(Listening::start(sandbox, &all))
}

/// Starts `try` with its page; returns both and the page's address.
fn start_try(sandbox: &Sandbox) -> (Listening, String) {
    with_address(Listening::spawn(Stdio::null(), sandbox, &["try", "--web"]))
}

fn with_address(mut listening: Listening) -> (Listening, String) {
    let line = listening.hear("page at ");
    let url = line.split_whitespace().last().unwrap().to_owned();
    (listening, url)
}

/// Returns the socket address of a URL.
fn socket(url: &str) -> SocketAddr {
    url.trim_start_matches("http://").split('/').next().unwrap().parse().unwrap()
}

/// Returns the answer to a GET with this `Host`.
fn get(address: SocketAddr, host: &str, target: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn the_page_is_on_loopback_whatever_the_receiver_is_on() {
    let sandbox = Sandbox::new(&[]);
    let (listening, url) = start(&sandbox, &["--bind", "0.0.0.0"]);
    assert!(socket(&url).ip().is_loopback(), "{url}");
    listening.interrupt();
    listening.end().expect(0);
    assert!(TcpStream::connect(socket(&url)).is_err(), "the page ends with listen");
}

#[test]
fn json_names_the_page_before_any_span() {
    let sandbox = Sandbox::new(&[]);
    let mut listening = Listening::start(&sandbox, &["--web", "--web-port", "0", "--json"]);
    let mut line = String::new();
    listening.stdout().read_line(&mut line).unwrap();
    let document: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(document["schema_version"], 1);
    let url = document["page"]["url"].as_str().unwrap();
    let target = url.split_once("//").unwrap().1.split_once('/').unwrap().1;
    let answer = get(socket(url), "localhost", &format!("/{target}"));
    assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
    listening.interrupt();
    listening.end().expect(0);
}

#[test]
fn in_a_workspace_the_page_has_the_workspaces_name_and_no_other() {
    let gitpod = Sandbox::new(&[])
        .with("GITPOD_WORKSPACE_ID", "me-app-1")
        .with("GITPOD_WORKSPACE_URL", "https://me-app-1.ws-eu11.gitpod.io");
    let codespace = Sandbox::new(&[]).with("CODESPACES", "true").with("CODESPACE_NAME", "odd-owl");
    for (sandbox, before, after) in
        [(gitpod, "", "-me-app-1.ws-eu11.gitpod.io"), (codespace, "odd-owl-", ".app.github.dev")]
    {
        let (listening, url) = start(&sandbox, &[]);
        let (base, token) = url.split_once("/?token=").unwrap();
        let host = base.strip_prefix("https://").unwrap();
        let port = host.strip_prefix(before).unwrap().strip_suffix(after).unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], port.parse().unwrap()));
        let other = format!("{before}9{port}{after}");
        let target = format!("/?token={token}");
        assert!(get(address, &other, &target).starts_with("HTTP/1.1 421"), "{other}");
        let answer = get(address, host, &target);
        assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
        listening.interrupt();
        listening.end().expect(0);
    }
}

#[test]
fn a_taken_port_of_the_page_is_said_and_the_hint_works() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let arguments =
        ["listen", "--web", "--web-port", &port, "--http-port", "0", "--grpc-port", "0"];
    Sandbox::new(&[]).run(&arguments).failed("port-in-use", &["--web-port 0"]);
}

#[test]
fn a_public_port_of_the_page_is_warned_of() {
    let compose = "services:\n  web:\n    build: .\n    ports: ['3000:3000']\n";
    let sandbox = Sandbox::new(&[("compose.yaml", compose), (".gitpod.yml", "ports: []\n")]);
    let run = sandbox.run(&["ports", "4319=public", "--yes"]).expect(0);
    assert!(run.stderr.contains("port 4319 becomes public"), "{}", run.stderr);
    let run = sandbox.run(&["doctor", "--json"]).expect(1);
    let findings = run.json()["findings"].as_array().unwrap().clone();
    let found = findings.iter().find(|one| one["code"] == "port-page-public").unwrap();
    assert_eq!(found["severity"], "error");
}
