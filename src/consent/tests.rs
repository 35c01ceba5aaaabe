//! Tests which requests may be sent.

use super::*;
use crate::secret::Secret;

const KEY: &str = "abcdEFGH1234ijklMNOP56";
const OTHER: &str = "0f0e7a210d9c7a558f624a3e8a392c5f";

/// Returns consent that knows a Honeycomb key, a Datadog key, and one of an unknown owner.
fn test_consent() -> Consent {
    Consent::new(known_secrets(), &["Vouched.example".to_owned()])
}

fn known_secrets() -> KnownSecrets {
    let mut secrets = KnownSecrets::default();
    secrets.add("HONEYCOMB_API_KEY", &Secret::new(KEY));
    secrets.add("DD_API_KEY", &Secret::new(OTHER));
    secrets.add("MY_KEY", &Secret::new("hunter2-hunter2"));
    secrets
}

fn test_header(name: &str, value: &str) -> ExportHeader {
    ExportHeader { name: name.to_owned(), value: Secret::new(value) }
}

/// Reviews a request for `url` with these headers and this body.
fn review_request(
    url: &str,
    headers: &[ExportHeader],
    body: &str,
) -> Result<ClearedDestination, Objection> {
    let url = url.parse().unwrap();
    test_consent().review(&OutgoingRequest {
        headers,
        texts: &[body.as_bytes()],
        ..OutgoingRequest::to(&url)
    })
}

#[test]
fn each_part_of_a_request_is_searched() {
    let parts = |url: &str, headers: &[ExportHeader], body: &str| {
        review_request(url, headers, body).unwrap_err().parts.into_iter().collect::<Vec<_>>()
    };
    let foreign = "http://evil.example/";
    assert_eq!(parts(&format!("http://{KEY}.evil.example/"), &[], ""), [RequestPart::Host]);
    assert_eq!(parts(&format!("http://{KEY}@evil.example/"), &[], ""), [RequestPart::UserInfo]);
    assert_eq!(parts(&format!("http://u:{KEY}@evil.example/"), &[], ""), [RequestPart::UserInfo]);
    assert_eq!(parts(&format!("{foreign}{KEY}/v1"), &[], ""), [RequestPart::Path]);
    assert_eq!(parts(&format!("{foreign}?a={KEY}"), &[], ""), [RequestPart::Query]);
    assert_eq!(parts(foreign, &[], &format!("..{KEY}..")), [RequestPart::Body]);
    assert_eq!(parts(foreign, &[test_header("x", KEY)], ""), [RequestPart::Header("x".to_owned())]);
    let name = test_header(&format!("x-{}", KEY.to_lowercase()), "1");
    assert_eq!(parts(foreign, &[name], ""), [RequestPart::Header(String::new())]);
    assert!(review_request(foreign, &[test_header("x", "public")], "backend").is_ok());
}

#[test]
fn each_secret_goes_to_its_owner_in_its_own_header_alone() {
    let team = |value: &str| [test_header("x-honeycomb-team", value)];
    let honeycomb = "https://api.honeycomb.io/v1/traces";
    assert!(review_request(honeycomb, &team(KEY), "backend").is_ok());
    assert!(review_request(honeycomb, &team("hunter2-hunter2"), "").is_ok());
    assert!(review_request(honeycomb, &team(OTHER), "").is_err());
    assert!(review_request(honeycomb, &[test_header("x-honeycomb-dataset", KEY)], "").is_err());
    assert!(review_request(honeycomb, &team(KEY), KEY).is_err());
    assert!(review_request(&format!("https://api.honeycomb.io/{KEY}"), &[], "").is_err());
    assert!(review_request("http://api.honeycomb.io/", &team(KEY), "").is_err());
    assert!(
        review_request("https://otlp.datadoghq.com/", &[test_header("dd-api-key", KEY)], "")
            .is_err()
    );
    assert!(
        review_request(
            "https://api.rollbar.com/",
            &[test_header("x-rollbar-access-token", KEY)],
            ""
        )
        .is_err()
    );
    let dynatrace = "https://abc1.live.dynatrace.com/api/v2/otlp/v1/traces";
    assert!(
        review_request(dynatrace, &[test_header("authorization", "Api-Token hunter2-hunter2")], "")
            .is_ok()
    );
    assert!(review_request(dynatrace, &[test_header("authorization", KEY)], "").is_err());
}

#[test]
fn only_a_providers_own_host_is_safe_by_its_name() {
    let team = [test_header("x-honeycomb-team", KEY)];
    for url in ["https://api.honeycomb.io", "https://API.Honeycomb.IO:443/v1/traces"] {
        assert!(review_request(url, &team, "").is_ok(), "{url}");
    }
    for url in [
        "http://api.honeycomb.io",
        "https://api.honeycomb.io@evil.example",
        "https://api.honeycomb.io:443@evil.example",
        "https://evil.example/https://api.honeycomb.io",
        "https://evil.example?api.honeycomb.io",
        "https://evil.example#@api.honeycomb.io",
        "https://evil.example\\@api.honeycomb.io",
        "https://api.honeycomb.io.evil.example",
        "https://api.honeycomb.io.",
        "https://xapi.honeycomb.io",
        "https://honeycomb.io",
        // A Cyrillic letter, another one, and a third.
        "https://api.h\u{43e}neycomb.io",
        "https://api.honeycom\u{432}.io",
        "https://api.honeycomb.\u{456}o",
    ] {
        assert!(review_request(url, &team, "").is_err(), "{url}");
    }
    // Names that the standard maps to the same name are equal.
    assert!(review_request("https://\u{ff41}pi.honeycomb.io", &team, "").is_ok());
}

#[test]
fn a_host_whose_address_the_project_sets_is_not_trusted_by_name() {
    let team = [test_header("x-honeycomb-team", KEY)];
    let url = "https://api.honeycomb.io".parse().unwrap();
    let outgoing = OutgoingRequest { headers: &team, ..OutgoingRequest::to(&url) };
    let consent = test_consent();
    assert!(consent.review(&outgoing).is_ok());
    let led = OutgoingRequest { address: Some("192.0.2.1:443".parse().unwrap()), ..outgoing };
    let objection = consent.review(&led).unwrap_err();
    assert_eq!((objection.reason, &*objection.host), (ObjectionReason::Led, "192.0.2.1"));
    for (trusted, is_allowed) in [("api.honeycomb.io", false), ("192.0.2.1", true)] {
        let consent = Consent::new(known_secrets(), &[trusted.to_owned()]);
        assert_eq!(consent.review(&led).is_ok(), is_allowed, "{trusted}");
    }
    let with_address =
        OutgoingRequest { address: Some("127.0.0.1:443".parse().unwrap()), ..outgoing };
    assert!(consent.review(&with_address).unwrap().is_own());
    let authority = OutgoingRequest { own_authority: true, ..outgoing };
    assert_eq!(consent.review(&authority).unwrap_err().reason, ObjectionReason::OwnAuthority);
}

#[test]
fn this_machine_and_a_trusted_host_see_everything_but_no_host_is_named_by_a_secret() {
    let team = [test_header("x", KEY), test_header("y", OTHER)];
    for url in
        ["http://127.0.0.1:4318/", "http://localhost/", "http://[::1]/", "http://vouched.EXAMPLE/"]
    {
        assert!(review_request(&format!("{url}{KEY}"), &team, KEY).is_ok(), "{url}");
    }
    let host = format!("{KEY}.evil.example");
    let consent = Consent::new(known_secrets(), std::slice::from_ref(&host));
    let url = format!("https://{host}/").parse().unwrap();
    let objection = consent.review(&OutgoingRequest::to(&url)).unwrap_err();
    assert!(objection.is_in_host() && objection.host.is_empty());
    assert!(!objection.describe().to_lowercase().contains(&KEY.to_lowercase()));
}

#[test]
fn an_agreement_covers_only_the_secrets_it_named() {
    let mut consent = test_consent();
    let url = "https://collector.example/".parse().unwrap();
    let headers = [test_header("x", KEY)];
    let outgoing = OutgoingRequest { headers: &headers, ..OutgoingRequest::to(&url) };
    let objection = consent.review(&outgoing).unwrap_err();
    assert_eq!(objection.names(), ["HONEYCOMB_API_KEY"]);
    consent.allow(&objection);
    let cleared = consent.review(&outgoing).unwrap();
    let plain = "http://collector.example/".parse().unwrap();
    assert!(consent.review(&OutgoingRequest { url: &plain, ..outgoing }).unwrap_err().is_plain);
    let both = [test_header("x", KEY), test_header("y", OTHER)];
    let more = OutgoingRequest { headers: &both, ..outgoing };
    assert_eq!(consent.review(&more).unwrap_err().names(), ["DD_API_KEY"]);
    assert!(cleared.check(&url, &both, b"").is_err());
    assert!(cleared.check(&url, &headers, KEY.as_bytes()).is_ok());
}

#[test]
fn a_request_is_examined_again_when_it_is_sent() {
    let cleared = review_request("https://evil.example/v1/traces", &[], "").unwrap();
    let url = |text: &str| text.parse::<Url>().unwrap();
    assert!(cleared.check(&url("https://evil.example/other"), &[], b"body").is_ok());
    for (to, headers, body) in [
        ("http://evil.example/v1/traces", vec![], ""),
        ("https://other.example/v1/traces", vec![], ""),
        ("https://evil.example:444/v1/traces", vec![], ""),
        ("https://evil.example/v1/traces", vec![test_header("x", KEY)], ""),
        ("https://evil.example/v1/traces", vec![], KEY),
    ] {
        let objection = cleared.check(&url(to), &headers, body.as_bytes()).unwrap_err();
        assert_eq!(objection.reason, ObjectionReason::Changed, "{to}");
    }
}

#[test]
fn headers_from_outside_the_compose_file_belong_to_the_user() {
    let supplied = ["TENANT".to_owned()];
    let headers = [test_header("x-tenant", "acme")];
    let consent = test_consent();
    for (url, expected) in [
        ("https://evil.example/", false),
        ("https://api.honeycomb.io/", true),
        ("http://127.0.0.1/", true),
        ("http://vouched.example/", true),
    ] {
        let url = url.parse().unwrap();
        let outgoing =
            OutgoingRequest { headers: &headers, supplied: &supplied, ..OutgoingRequest::to(&url) };
        assert_eq!(consent.review(&outgoing).is_ok(), expected, "{url}");
    }
}

#[test]
fn only_this_machine_is_cleared_without_knowing_any_secret() {
    for (url, is_own) in [
        ("http://127.0.0.1:1/x", true),
        ("http://localhost:1/", true),
        ("http://192.0.2.1/", false),
        ("http://localhost.evil.example/", false),
    ] {
        let url = url.parse().unwrap();
        assert_eq!(ClearedDestination::on_this_machine(&url, None).is_some(), is_own, "{url}");
    }
    let url = "http://collector:4318/".parse().unwrap();
    let cleared =
        ClearedDestination::on_this_machine(&url, Some("127.0.0.1:9".parse().unwrap())).unwrap();
    assert_eq!(cleared.url().port(), Some(9));
}
