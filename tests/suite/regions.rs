//! A key of either of Honeycomb's regions, or of none: `key whoami` and `init` ask both and name both.

use std::io::{Read, Write};
use std::sync::{Arc, Mutex};

use rustls::{ServerConnection, StreamOwned};

use crate::certificates::Authority;
use crate::dialogue::{in_a_terminal, status, type_in};
use crate::fake_honeycomb::{Honeycomb, Key};
use crate::rude::Rude;
use crate::sandbox::{KEY, Sandbox};

const US: &str = "api.honeycomb.io";
const EU: &str = "api.eu1.honeycomb.io";

const KNOWN: &str = r#"{"id":"x","type":"ingest","api_key_access":{"createDatasets":true},"environment":{"name":"Bootcamp","slug":"bootcamp"},"team":{"name":"Cruddur","slug":"cruddur"}}"#;

/// Both regions behind a proxy; one of them knows the key.
struct Regions {
    proxy: Rude,
    authority: Authority,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Regions {
    fn start(home: &'static str) -> Self {
        let authority = Authority::new();
        let config = authority.server(&[US, EU], false);
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&asked);
        let proxy = Rude::unread(move |mut stream| {
            let head = read_head(&mut stream);
            let host = head.split([' ', ':']).nth(1).unwrap_or_default().to_owned();
            let _ = stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n");
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream);
            let request = read_head(&mut stream);
            noted.lock().unwrap().push(host.clone());
            let is_known = host == home && request.contains(KEY);
            let (status, body) = match is_known {
                true => ("200 OK", KNOWN),
                false => {
                    ("401 Unauthorized", r#"{"error":"unknown API key - check your credentials"}"#)
                }
            };
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            stream.conn.send_close_notify();
            let _ = stream.flush();
        });
        Self { proxy, authority, asked }
    }

    fn sandbox(&self) -> Sandbox {
        let compose = "services:\n  api:\n    build: .\n    ports: ['4567:4567']\n";
        let sandbox = Sandbox::new(&[("compose.yaml", compose), ("ca.pem", &self.authority.pem())]);
        let file = sandbox.path("ca.pem").display().to_string();
        sandbox
            .with("HTTPS_PROXY", &self.proxy.url())
            .with("SSL_CERT_FILE", &file)
            .with("HONEYCOMB_API_KEY", KEY)
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn read_head(stream: &mut impl Read) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count == 1) {
        head.push(byte[0]);
    }
    String::from_utf8_lossy(&head).into_owned()
}

#[test]
fn whoami_asks_the_other_region_too() {
    for (home, asked, known) in
        [(US, &[US][..], true), (EU, &[US, EU], true), ("nowhere", &[US, EU], false)]
    {
        let regions = Regions::start(home);
        let run = regions.sandbox().run(&["key", "whoami", "--json"]).expect(i32::from(!known));
        assert_eq!(run.json()["known"], known);
        assert_eq!(regions.asked(), asked);
        if known {
            let endpoint = run.json()["endpoint"].as_str().unwrap().to_owned();
            assert!(endpoint.contains(home), "{endpoint}");
        } else {
            assert!(run.stderr.contains(US) && run.stderr.contains(EU), "{}", run.stderr);
        }
    }
    // A region that was named is the only one.
    let regions = Regions::start(EU);
    regions.sandbox().run(&["key", "whoami", "--region", "us"]).expect(1);
    assert_eq!(regions.asked(), [US]);
}

#[test]
fn init_names_every_region_that_rejects_a_key() {
    let init = ["init", "--yes", "--no-instrument", "--json"];
    let regions = Regions::start("nowhere");
    let run = regions.sandbox().run(&init).expect(1);
    assert_eq!(run.json()["error"]["code"], "key-rejected");
    let message = run.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains(US) && message.contains(EU), "{message}");
    let regions = Regions::start(EU);
    let sandbox = regions.sandbox();
    sandbox.run(&["init", "--dry-run", "--no-instrument"]).expect(0);
    assert_eq!(regions.asked(), [US, EU]);
}

#[test]
fn a_rejected_key_is_asked_again() {
    let good = KEY.replace("01abc", "77xyz");
    let honeycomb = Honeycomb::start(&[(&good, Key::Ingest)]);
    let compose = "services:\n  api:\n    build: .\n";
    let url = honeycomb.url();
    let init = ["init", "--store", "dotenv", "--no-instrument", "--endpoint", url.as_str()];
    let sandbox = Sandbox::new(&[("compose.yaml", compose)]);
    let mut session = in_a_terminal(&sandbox, &init);
    session.exp_string("Honeycomb key").unwrap();
    type_in(&mut session, &format!("{KEY}\r"));
    session.exp_string("key-rejected").unwrap();
    session.exp_string("Another").unwrap();
    type_in(&mut session, &format!("{good}\r"));
    session.exp_string("Write these").unwrap();
    type_in(&mut session, "y\r");
    let seen = session.exp_eof().unwrap();
    assert_eq!(status(&session), 0, "{seen}");
    assert!(sandbox.read(".env").contains(&good));
    assert!(!sandbox.read(".env").contains(KEY));

    // Three keys are enough, and without a terminal there is one.
    let sandbox = Sandbox::new(&[("compose.yaml", compose)]);
    let mut session = in_a_terminal(&sandbox, &init);
    for _ in 0..3 {
        session.exp_string("key (hidden)").unwrap();
        type_in(&mut session, &format!("{KEY}\r"));
    }
    session.exp_eof().unwrap();
    assert_eq!(status(&session), 1);
    assert!(!sandbox.path(".env").exists());
    crate::gp::run_with_input(&sandbox, &[&init[..], &["--yes", "--key-stdin"]].concat(), KEY)
        .expect(1);
}
