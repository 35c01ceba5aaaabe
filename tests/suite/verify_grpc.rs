//! `verify` over gRPC: the same ladder, the same codes.

use std::io::{Read, Write};

use tonic::Code;

use crate::certificates::Authority;
use crate::closed::Closed;
use crate::fake_grpc::{Call, GrpcReceiver, Reply};
use crate::fake_honeycomb::Honeycomb;
use crate::rude::Rude;
use crate::sandbox::{KEY, Sandbox};
use crate::verify::{check, expect, project_with};

const GRPC: (&str, &str) = ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");

fn project(endpoint: &str) -> Sandbox {
    project_with(endpoint, &[GRPC])
}

#[test]
fn a_call_carries_the_key_and_both_spans() {
    let receiver = GrpcReceiver::start(Reply::Taken);
    let service = expect(&project(&receiver.url()), &[], "accepted", None);
    assert_eq!(service["protocol"], "grpc");
    assert_eq!(check(&service, "whose")["status"], "warn");
    let plain = Call { key: Some(KEY.to_owned()), encoding: None, spans: 2 };
    assert_eq!(receiver.calls(), std::slice::from_ref(&plain));

    let bare = receiver.address.to_string();
    let more =
        [GRPC, ("OTEL_EXPORTER_OTLP_INSECURE", "true"), ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")];
    expect(&project_with(&bare, &more), &[], "accepted", None);
    assert_eq!(receiver.calls()[1].encoding.as_deref(), Some("gzip"));
}

#[test]
fn statuses_lead_to_their_codes() {
    let table = [
        (Reply::Partial(0, "slow down"), "accepted", None),
        (Reply::Partial(2, "too old"), "reachable", Some("spans-rejected")),
        (Reply::Refused(Code::Unauthenticated, "no"), "reachable", Some("key-rejected")),
        (Reply::Refused(Code::PermissionDenied, "no"), "reachable", Some("key-rejected")),
        (Reply::Refused(Code::InvalidArgument, "bad"), "reachable", Some("request-rejected")),
        (Reply::Refused(Code::Unimplemented, "what"), "reachable", Some("not-otlp")),
        (Reply::Refused(Code::ResourceExhausted, "full"), "reachable", Some("throttled")),
        (Reply::Refused(Code::Internal, "oops"), "reachable", Some("server-error")),
        (Reply::Silence, "reachable", Some("timeout")),
    ];
    for (reply, proven, code) in table {
        let receiver = GrpcReceiver::start(reply.clone());
        expect(&project(&receiver.url()), &["--timeout", "900ms"], proven, code);
        assert_eq!(receiver.calls().len(), 1, "{reply:?} was tried again");
    }
}

#[test]
fn a_server_that_is_not_available_is_tried_again() {
    let receiver = GrpcReceiver::start(Reply::Refused(Code::Unavailable, "soon"));
    let arguments = ["--timeout", "900ms"];
    let service = expect(&project(&receiver.url()), &arguments, "reachable", Some("server-error"));
    assert!(receiver.calls().len() > 1);
    let evidence = check(&service, "accepted")["evidence"].as_str().unwrap();
    assert!(evidence.contains("soon") && evidence.contains("attempts"), "{evidence}");
}

#[test]
fn tls_is_trusted_as_over_http() {
    let authority = Authority::new();
    let receiver = GrpcReceiver::secure(Reply::Taken, &authority.sign(&["localhost"]));
    let url = format!("https://localhost:{}", receiver.address.port());
    expect(&project(&url), &[], "none", Some("tls"));
    let sandbox = project_with(&url, &[GRPC, ("OTEL_EXPORTER_OTLP_CERTIFICATE", "ca.pem")]);
    sandbox.write("ca.pem", &authority.pem());
    expect(&sandbox, &[], "accepted", None);
    let scheme_less = format!("localhost:{}", receiver.address.port());
    let sandbox = project_with(&scheme_less, &[GRPC, ("OTEL_EXPORTER_OTLP_CERTIFICATE", "ca.pem")]);
    sandbox.write("ca.pem", &authority.pem());
    expect(&sandbox, &[], "accepted", None);
    assert_eq!(receiver.calls().len(), 2);
    expect(&project(&receiver.url()), &[], "reachable", Some("tls"));
}

#[test]
fn a_server_without_grpc_is_not_otlp() {
    let web = Rude::start(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        // Closing at once would reset the connection and take the answer with it.
        let _ = stream.read_to_end(&mut Vec::new());
    });
    expect(&project(&web.url()), &[], "reachable", Some("not-otlp"));
    // A server of HTTP/2 that knows nothing of gRPC.
    let honeycomb = Honeycomb::start(&[]);
    expect(&project(&honeycomb.url()), &[], "reachable", Some("not-otlp"));
    let plain = Rude::saying("nothing of the kind");
    let url = format!("https://127.0.0.1:{}", plain.address.port());
    expect(&project(&url), &[], "none", Some("tls"));
}

#[test]
fn a_missing_server_and_a_closed_port() {
    let closed = Closed::new();
    expect(&project(&closed.url()), &[], "none", Some("connect"));
    let closing = Rude::unread(drop);
    expect(&project(&closing.url()), &[], "reachable", Some("response-broken"));
    assert!(!closing.received().windows(KEY.len()).any(|window| window == KEY.as_bytes()));
}
