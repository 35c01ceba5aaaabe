//! `verify` over TLS: which certificates it trusts, what it prints, and how it names each failure.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::certificates::Authority;
use crate::rude::Rude;
use crate::verify::{check, expect, project, project_with};

const TAKEN: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";

/// Starts a TLS server that accepts every trace.
fn serve(config: Arc<ServerConfig>) -> Rude {
    Rude::unread(move |stream| {
        let Ok(connection) = ServerConnection::new(Arc::clone(&config)) else {
            return;
        };
        let mut stream = StreamOwned::new(connection, stream);
        if read_request(&mut stream) {
            let _ = stream.write_all(TAKEN);
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    })
}

/// Reads a request to its end; `false` if none came.
fn read_request(stream: &mut StreamOwned<ServerConnection, TcpStream>) -> bool {
    let mut request = Vec::new();
    let mut chunk = [0; 4096];
    while let Ok(count) = stream.read(&mut chunk) {
        request.extend_from_slice(&chunk[..count]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some(head) = text.find("\r\n\r\n") else {
            if count == 0 {
                return false;
            }
            continue;
        };
        let length = text.to_ascii_lowercase();
        let length =
            length.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        if request.len() >= head + 4 + length.unwrap_or(0) {
            return true;
        }
    }
    false
}

fn https(server: &Rude) -> String {
    format!("https://localhost:{}", server.address.port())
}

#[test]
fn an_authority_of_the_services_own_is_trusted_and_no_other() {
    let authority = Authority::new();
    let server = serve(authority.server(&["localhost"], false));
    let unknown = expect(&project(&https(&server)), &[], "none", Some("tls"));
    let evidence = check(&unknown, "reachable")["evidence"].as_str().unwrap();
    assert!(evidence.contains("UnknownIssuer"), "{evidence}");

    let more = [("OTEL_EXPORTER_OTLP_CERTIFICATE", "certs/ca.pem")];
    let sandbox = project_with(&https(&server), &more);
    sandbox.write("certs/ca.pem", &authority.pem());
    expect(&sandbox, &[], "accepted", None);
    sandbox.write("certs/ca.pem", &Authority::new().pem());
    expect(&sandbox, &[], "none", Some("tls"));
    sandbox.write("certs/ca.pem", "no certificate at all");
    expect(&sandbox, &[], "none", Some("tls"));
}

#[test]
fn the_systems_authorities_may_be_named_in_ssl_cert_file() {
    let authority = Authority::new();
    let server = serve(authority.server(&["localhost"], false));
    let sandbox = project(&https(&server));
    sandbox.write("ca.pem", &authority.pem());
    let file = sandbox.path("ca.pem").display().to_string();
    expect(&sandbox.with("SSL_CERT_FILE", &file), &[], "accepted", None);
}

#[test]
fn a_certificate_for_another_name_is_not_accepted() {
    let authority = Authority::new();
    let server = serve(authority.server(&["elsewhere.example"], false));
    let more = [("OTEL_EXPORTER_OTLP_CERTIFICATE", "ca.pem")];
    let sandbox = project_with(&https(&server), &more);
    sandbox.write("ca.pem", &authority.pem());
    expect(&sandbox, &[], "none", Some("tls"));
}

#[test]
fn a_server_that_asks_for_a_certificate_gets_the_services_own() {
    let authority = Authority::new();
    let server = serve(authority.server(&["localhost"], true));
    let root = ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/certs/ca.pem");
    let client = [
        root,
        ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "/certs/client.pem"),
        ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "/certs/client.key"),
    ];
    let sandbox = project_with(&https(&server), &client);
    let compose = sandbox.read("docker-compose.yml") + "    volumes:\n      - ./certs:/certs:ro\n";
    sandbox.write("docker-compose.yml", &compose);
    let signed = authority.sign(&["client"]);
    sandbox.write("certs/ca.pem", &authority.pem());
    sandbox.write("certs/client.pem", &signed.certificate);
    sandbox.write("certs/client.key", &signed.key);
    expect(&sandbox, &[], "accepted", None);

    let anonymous = project_with(&https(&server), &[root]);
    let compose =
        anonymous.read("docker-compose.yml") + "    volumes:\n      - ./certs:/certs:ro\n";
    anonymous.write("docker-compose.yml", &compose);
    anonymous.write("certs/ca.pem", &authority.pem());
    let refused = anonymous.run(&["verify", "--json"]).expect(1);
    assert_eq!(refused.json()["services"][0]["code"], "tls");
}

#[test]
fn tls_to_a_plain_port_and_plain_text_to_a_tls_port_are_named() {
    let plain = Rude::saying("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    let url = format!("https://127.0.0.1:{}", plain.address.port());
    let service = expect(&project(&url), &[], "none", Some("tls"));
    let hint = check(&service, "reachable")["hint"].as_str().unwrap();
    assert!(hint.contains("http://"), "{hint}");
    assert!(!plain.received().windows(5).any(|five| five == b"POST "));

    let authority = Authority::new();
    let server = serve(authority.server(&["localhost"], false));
    let service = expect(&project(&server.url()), &[], "reachable", Some("tls"));
    let hint = check(&service, "accepted")["hint"].as_str().unwrap();
    assert!(hint.contains("https://"), "{hint}");
}

#[test]
fn a_certificate_file_that_is_only_in_the_container_is_named() {
    let authority = Authority::new();
    let server = serve(authority.server(&["localhost"], false));
    let more = [("OTEL_EXPORTER_OTLP_CERTIFICATE", "/etc/only-in-the-image/ca.pem")];
    let service = expect(&project_with(&https(&server), &more), &[], "none", Some("tls"));
    let evidence = check(&service, "reachable")["evidence"].as_str().unwrap();
    assert!(evidence.contains("/etc/only-in-the-image/ca.pem"), "{evidence}");
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_machine_without_authorities_still_sends_without_tls() {
    let taking = Rude::answering("application/json", b"{}");
    let nowhere = [("SSL_CERT_FILE", "/nowhere.pem"), ("SSL_CERT_DIR", "/nowhere")];
    let bare = nowhere
        .iter()
        .fold(project(&taking.url()), |sandbox, (name, value)| sandbox.with(name, value));
    expect(&bare, &[], "accepted", None);
    let server = serve(Authority::new().server(&["localhost"], false));
    let bare = nowhere
        .iter()
        .fold(project(&https(&server)), |sandbox, (name, value)| sandbox.with(name, value));
    expect(&bare, &[], "none", Some("tls"));
}
