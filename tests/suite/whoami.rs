//! `key whoami` with a server on loopback.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::thread::JoinHandle;

use crate::sandbox::{KEY, Sandbox};

const COMPOSE: (&str, &str) = ("compose.yaml", "services:\n  api:\n    build: .\n");
const INGEST: &str = r#"{"id":"hcaik_x","type":"ingest","api_key_access":{"createDatasets":true},
    "environment":{"name":"Bootcamp","slug":"bootcamp"},"team":{"name":"Cruddur","slug":"cruddur"}}"#;

/// Answers one request with `status` and `body`; the thread returns the request's head.
fn honeycomb(status: &str, body: &str) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let serve = move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = String::new();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).unwrap() > 0 {}
        stream.write_all(answer.as_bytes()).unwrap();
        head
    };
    (base, std::thread::spawn(serve))
}

fn sandbox() -> Sandbox {
    Sandbox::new(&[COMPOSE]).with("HONEYCOMB_API_KEY", KEY)
}

#[test]
fn a_known_key_is_shown_with_team_environment_and_permissions() {
    let (base, served) = honeycomb("200 OK", INGEST);
    sandbox().run(&["key", "whoami", "--endpoint", &base]).expect(0);
    let head = served.join().unwrap();
    assert!(head.starts_with("GET /1/auth HTTP/1.1"), "{head}");
    assert!(head.to_lowercase().contains(&format!("x-honeycomb-team: {KEY}")), "{head}");

    let (base, served) = honeycomb("200 OK", INGEST);
    let json = sandbox().run(&["key", "whoami", "--json", "--endpoint", &base]).expect(0).json();
    served.join().unwrap();
    assert_eq!(json["known"], true);
    assert_eq!(json["may_send"], true);
    assert_eq!(json["permissions"], serde_json::json!(["createDatasets"]));
}

#[test]
fn a_key_that_may_not_send_is_warned_of() {
    let body = INGEST.replace("\"ingest\"", "\"configuration\"");
    let (base, served) = honeycomb("200 OK", &body);
    let run = sandbox().run(&["key", "whoami", "--json", "--endpoint", &base]).expect(0);
    served.join().unwrap();
    assert_eq!(run.json()["may_send"], false);
}

#[test]
fn an_unknown_key_is_a_no_with_honeycombs_words() {
    let body = r#"{"error":"unknown API key - check your credentials"}"#;
    let (base, served) = honeycomb("401 Unauthorized", body);
    let run = sandbox().run(&["key", "whoami", "--json", "--endpoint", &base]).expect(1);
    served.join().unwrap();
    assert!(run.stderr.contains("error[key-rejected]"), "{}", run.stderr);
    assert_eq!(run.json()["known"], false);
}

#[test]
fn a_page_is_no_answer() {
    let (base, served) = honeycomb("200 OK", "<html>");
    let run = sandbox().run(&["key", "whoami", "--endpoint", &base]).expect(2);
    served.join().unwrap();
    assert!(run.stderr.contains("error[no-answer]"), "{}", run.stderr);
}

#[test]
fn the_key_goes_to_no_host_that_was_not_named() {
    // Reserved for documentation: nobody answers there, and nobody is asked.
    let run = sandbox().run(&["key", "whoami", "--endpoint", "https://192.0.2.1"]).expect(2);
    assert!(run.stderr.contains("error[untrusted-host]"), "{}", run.stderr);
    run.shows("key_whoami_untrusted");
}

#[test]
fn no_key_and_no_region_are_errors() {
    let run = Sandbox::new(&[COMPOSE]).run(&["key", "whoami"]).expect(2);
    assert!(run.stderr.contains("error[key-missing]"), "{}", run.stderr);
    let run = sandbox().run(&["key", "whoami", "--region", "mars"]).expect(2);
    run.shows("key_whoami_regions");
}
