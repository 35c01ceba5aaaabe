use super::*;

#[test]
fn a_known_secret_is_replaced_by_its_name_in_every_form() {
    let redactor = Redactor::default();
    redactor.learn("KEY", &Secret::new("p@ss word/1"));
    assert_eq!(redactor.redact("a p@ss word/1 b p%40ss%20word%2F1"), "a <KEY> b <KEY>");
}

#[test]
fn the_rest_of_a_truncated_secret_is_hidden() {
    let redactor = Redactor::default();
    redactor.learn("KEY", &Secret::new("0123456789 abcdefgh"));
    for (text, hidden) in [
        ("a 0123456789 abc… b", "a <KEY>… b"),
        ("a 01234567... b", "a <KEY>... b"),
        ("…bcdefgh, …9 abcdefgh, …", "…bcdefgh, …<KEY>, …"),
        ("0123456… 0123456 789", "0123456… 0123456 789"),
        ("0123456… 0123456789", "0123456… <KEY>"),
        ("lines\nbcdefgh, \n9 abcdefgh", "lines\nbcdefgh, \n<KEY>"),
        ("a 0123456789.. 12 345.....9 abcdefgh", "a <KEY>.. 12 345.....<KEY>"),
    ] {
        assert_eq!(redactor.redact(text), hidden);
    }
}

#[test]
fn an_unknown_key_is_hidden_by_its_shape() {
    let key = format!("hcaik_{}", "0a".repeat(29));
    let redactor = Redactor::default();
    assert_eq!(redactor.redact(&format!("k {key}.")), "k <a secret>.");
    assert_eq!(
        redactor.redact("x-honeycomb-team=abcdEFGH1234567890abcd"),
        "x-honeycomb-team=<a secret>"
    );
    for reference in [
        "x-honeycomb-team=${HONEYCOMB_API_KEY}",
        "`cruddur-ops init --header x-honeycomb-team=HONEYCOMB_API_KEY`",
    ] {
        assert_eq!(redactor.redact(reference), reference);
    }
    let upper = format!("dd-api-key={}", key.to_uppercase());
    assert_eq!(redactor.redact(&upper), "dd-api-key=<a secret>");
}

#[test]
fn only_the_key_is_hidden_whatever_surrounds_it() {
    let key = format!("hcaik_{}", "0a".repeat(29));
    let license = format!("{}NRAL", "0a".repeat(18));
    let redactor = Redactor::default();
    for (text, hidden) in [
        (format!("{key} é {license}/{key}"), "<a secret> é <a secret>/<a secret>"),
        ("aws_secret_access_key: 'abcd1234efgh'".into(), "aws_secret_access_key: '<a secret>'"),
        ("my-Dd-Api-Key = abcd1234efgh é".into(), "my-Dd-Api-Key = <a secret> é"),
        (
            "authorization=bearer%20abcdefghijklmnopqrst,x=1".into(),
            "authorization=bearer%20<a secret>,x=1",
        ),
    ] {
        assert_eq!(redactor.redact(&text), hidden);
    }
    for harmless in [
        format!("0{license} {license}0"),
        "MY_AWS_SECRET_ACCESS_KEY=abcd1234efgh".into(),
        "hc dd-api-key é Basic".into(),
        String::new(),
    ] {
        assert_eq!(redactor.redact(&harmless), harmless);
    }
}

#[test]
fn debug_and_mask_do_not_give_it_away() {
    let secret = Secret::new("abcdefghijklmnopqrstuv");
    assert_eq!(format!("{secret:?}"), "Secret(****)");
    assert_eq!(secret.masked(), "****stuv");
    assert_eq!(Secret::new("short").masked(), "****");
}

/// A Honeycomb key of an old format that cannot be recognised by its shape.
const OLD_KEY: &str = "Zx0abcDEF45ghiJKL90mnp";

fn build_test_redactor() -> Redactor {
    let redactor = Redactor::default();
    redactor.learn("KEY", &Secret::new(OLD_KEY));
    redactor.learn("PASSWORD", &Secret::new("p\"a\\ss é/word+1"));
    redactor
}

#[test]
fn a_known_secret_is_hidden_in_every_form() {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    let redactor = build_test_redactor();
    let percent =
        |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02x}")).collect() };
    let hexadecimal =
        |text: &str| -> String { text.bytes().map(|byte| format!("{byte:02x}")).collect() };
    let password = "p\"a\\ss é/word+1";
    let json = |text: &str| serde_json::to_string(text).unwrap();
    let half = format!("{}{}", percent(&OLD_KEY[..9]), &OLD_KEY[9..]);
    for text in [
        OLD_KEY.to_lowercase(),
        OLD_KEY.to_uppercase(),
        percent(OLD_KEY),
        percent(OLD_KEY).to_uppercase(),
        half.clone(),
        percent(&half),
        format!("%2{OLD_KEY}"),
        format!("{}\u{200b}{}", &OLD_KEY[..5], &OLD_KEY[5..]),
        format!("{}\u{e0041}\u{202e}{}", &OLD_KEY[..12], &OLD_KEY[12..]),
        format!("{}\u{1b}[1;31m{}", &OLD_KEY[..3], &OLD_KEY[3..]),
        format!("{}%E2%80%8b{}", &OLD_KEY[..5], &OLD_KEY[5..]),
        OLD_KEY.chars().map(|character| format!("\\u{:04x}", u32::from(character))).collect(),
        password.to_owned(),
        percent(password),
        json(password),
        json(&json(password)),
        STANDARD.encode(OLD_KEY),
        STANDARD.encode(format!("a{OLD_KEY}bc")),
        STANDARD.encode(format!("ab{OLD_KEY}")),
        URL_SAFE_NO_PAD.encode(password),
        URL_SAFE_NO_PAD.encode(format!("user:{password}")),
        percent(&STANDARD.encode(OLD_KEY)),
        hexadecimal(OLD_KEY),
        hexadecimal(OLD_KEY).to_uppercase(),
        hexadecimal(password),
        format!("0{}", hexadecimal(OLD_KEY)),
    ] {
        let hidden = redactor.redact(&text);
        assert!(hidden.contains("<KEY>") || hidden.contains("<PASSWORD>"), "{text}: {hidden}");
        let rest = hidden.replace("<KEY>", "").replace("<PASSWORD>", "");
        // At most the characters that base64 shares with neighbours, or quotes.
        assert!(rest.len() <= 12, "{text}: {hidden}");
        let around = format!("before \"{text}\" after");
        let hidden = redactor.redact(&around);
        assert!(hidden.starts_with("before \"") && hidden.ends_with("\" after"), "{hidden}");
        assert_eq!(redactor.redact(&hidden), hidden, "redacted twice");
    }
}

#[test]
fn a_secret_with_line_breaks_and_tabs_is_hidden_in_json() {
    let redactor = Redactor::default();
    for secret in ["tab\tbed-pass", "two\r\nshort\nlines", "a\tb\tc\td\te"] {
        redactor.learn("KEY", &Secret::new(secret));
        let json = serde_json::to_string(secret).unwrap();
        assert_eq!(redactor.redact(&json), "\"<KEY>\"");
        assert_eq!(redactor.redact(secret), "<KEY>");
    }
}

#[test]
fn a_secret_with_characters_of_one_escape_is_hidden_in_another() {
    let redactor = Redactor::default();
    redactor.learn("KEY", &Secret::new("p\"a\\ss/word+1%41"));
    for text in [
        r#"p\"a\\ss/word+1%41"#,
        r#"p\\\"a\\\\ss\/word+1%41"#,
        r#"p"a\ss%2fword+1%2541"#,
        r#"p%22a%5css%2Fword%2B1%2541"#,
        r#"p%5C%22a%5C%5Css/word+1%2541"#,
    ] {
        let around = format!("%41\\n{text}\\\"%2");
        assert_eq!(redactor.redact(&around), "%41\\n<KEY>\\\"%2", "{text}");
    }
}

#[test]
fn a_truncated_key_is_hidden() {
    let redactor = build_test_redactor();
    let shaped = format!("hcaik_{}", "0a".repeat(29));
    for length in 14..shaped.len() {
        for text in [format!("xxx{}", &shaped[..length]), format!("{}..", &shaped[..length])] {
            assert!(!redactor.redact(&text).contains("hcaik"), "{text}");
        }
    }
    for length in 8..OLD_KEY.len() {
        let begin = &OLD_KEY[..length];
        let end = &OLD_KEY[OLD_KEY.len() - length..];
        for text in [
            format!("xxx {begin}"),
            format!("xxx{begin}.. tail"),
            format!("xxx{begin}… tail"),
            format!("{begin}\nnext"),
            format!("head …{end} tail"),
            format!("head...{end} tail"),
            format!("head\n{end}"),
            format!("{end} tail"),
        ] {
            let hidden = redactor.redact(&text);
            assert!(hidden.contains("<KEY>") && !hidden.contains(begin), "{text}: {hidden}");
            assert!(!hidden.contains(end), "{text}: {hidden}");
        }
    }
}

#[test]
fn a_value_is_hidden_to_the_end_of_its_quotes() {
    let redactor = Redactor::default();
    for (text, hidden) in [
        (
            r#"export HONEYCOMB_API_KEY="ab\"cdEFGH12345678""#,
            r#"export HONEYCOMB_API_KEY="<a secret>""#,
        ),
        (r#"{"x-honeycomb-team": "ab\\cdEFGH12345678"}"#, r#"{"x-honeycomb-team": "<a secret>"}"#),
        ("DD_API_KEY='ab\"cdEFGH12345678' x", "DD_API_KEY='<a secret>' x"),
        (r#"HONEYCOMB_API_KEY=\"abcdEFGH1234567890abcd\""#, r#"HONEYCOMB_API_KEY=\"<a secret>\""#),
        ("https://user:pa%40ss@host/x", "https://user:<a secret>@host/x"),
        ("postgres://postgres:password@db:5432/x", "postgres://postgres:<a secret>@db:5432/x"),
        ("postgres://app:hunt/er2@db/x", "postgres://app:<a secret>@db/x"),
        ("redis://:p@ss:w@cache:6379", "redis://:<a secret>@cache:6379"),
        (
            "https://ghp_0123456789abcdefghij@github.example/x",
            "https://<a secret>@github.example/x",
        ),
        ("x-honeycomb-team%3Dabcd1234efgh%2Ca%3D1", "x-honeycomb-team%3D<a secret>%2Ca%3D1"),
    ] {
        assert_eq!(redactor.redact(text), hidden);
    }
}

#[test]
fn other_text_is_shown_unchanged() {
    let redactor = build_test_redactor();
    for text in [
        "x = os.getenv('ROLLBAR_ACCESS_TOKEN')",
        "rollbar_access_token = os.getenv('ROLLBAR_ACCESS_TOKEN')",
        "rollbar_access_token = os.environ['ROLLBAR_ACCESS_TOKEN']",
        "ROLLBAR_ACCESS_TOKEN = settings.rollbar.access_token",
        "accessToken: process.env.ROLLBAR_ACCESS_TOKEN,",
        "ROLLBAR_ACCESS_TOKEN: rollbarAccessToken",
        "rollbar_access_token=rollbar_access_token,",
        "honeycomb_api_key = read_the_key()",
        "HONEYCOMB_API_KEY: Optional[str] = None",
        "HONEYCOMB_API_KEY=${HONEYCOMB_API_KEY:-}",
        "HONEYCOMB_API_KEY: \"${HONEYCOMB_API_KEY:?set it}\"",
        "ROLLBAR_ACCESS_TOKEN: ${{ secrets.ROLLBAR_ACCESS_TOKEN }}",
        "\"x-honeycomb-team\": os.environ[\"HONEYCOMB_API_KEY\"]",
        "x-honeycomb-team=${HONEYCOMB_API_KEY}",
        "headers = f\"x-honeycomb-team={honeycomb_api_key}\"",
        "Authorization: Bearer ${TOKEN}",
        "Bearer authentication is what it wants",
        "Basic realm=\"registry\"",
        "postgres://postgres:${POSTGRES_PASSWORD}@db:5432/cruddur",
        "mysql://%s:%s@db/x",
        "https://api.honeycomb.io:443/v1/traces?x=a@b",
        "http://localhost:4318, see https://docs.example/a:b@c",
        "git@github.com:owner/name.git",
        "user@host.example:22",
        "image: python:3.12-slim@sha256:0f9d7c3a1b5e8d2c4f6a7b8c9d0e1f2a3b4c5d6e7f8091a2b3c4d5e6f7a8b9c0",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "123e4567-e89b-12d3-a456-426614174000",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "sha512-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08==",
        "us-east-1, eu-central-1",
        "backend-flask, frontend-react-js, aws-xray-daemon",
        "arn:aws:iam::123456789012:role/cruddur",
        "OTEL_SERVICE_NAME: backend-flask",
        "opentelemetry-exporter-otlp-proto-http==1.45.1",
        "hcaik_ begins every ingest key",
        "a..b ... c… d",
        "C:\\new\\table \\u12 100 %",
        "caf\u{e9} \u{65e5}\u{672c}\u{8a9e}",
        "2026-11-28T07:05:37.123456Z INFO started in 12.5 ms",
    ] {
        assert_eq!(redactor.redact(text), text);
    }
}

#[test]
fn a_secret_of_several_lines_is_hidden_line_by_line() {
    let redactor = Redactor::default();
    let body = ["MIIEvQIBADANBgkqhkiG9w0BAQEF", "AASCBKcwggSjAgEAAoIBAQC7VJTU"];
    let key = format!("-----BEGIN KEY-----\n{}\n-----END KEY-----\n", body.join("\n"));
    redactor.learn("PEM", &Secret::new(key.clone()));
    assert_eq!(redactor.redact(&key), "<PEM>");
    assert_eq!(redactor.redact(body[1]), "<PEM>");
    assert_eq!(redactor.redact(&serde_json::to_string(&key).unwrap()), "\"<PEM>\"");
}

#[test]
fn concealed_text_can_be_restored_byte_for_byte() {
    let redactor = build_test_redactor();
    for text in [
        format!("a: {OLD_KEY}\n"),
        format!("A={}\n", OLD_KEY.to_lowercase()),
        "U=https://user:pw@host\n".to_owned(),
    ] {
        let concealed = redactor.conceal(&text);
        assert!(!concealed.text.contains(OLD_KEY));
        let mut revealed = concealed.text.clone();
        for (name, secret) in concealed.secrets.into_iter().rev() {
            revealed.replace_range(name, secret.expose());
        }
        assert_eq!(revealed, text);
    }
}

#[test]
fn a_long_run_of_dots_is_searched_once() {
    let redactor = build_test_redactor();
    let dots = ".".repeat(1 << 20);
    assert_eq!(redactor.redact(&dots), dots);
    let behind = format!("{dots}{}", &OLD_KEY[8..]);
    assert!(!redactor.redact(&behind).contains(&OLD_KEY[8..]));
    let ellipses = format!("{}{}", "\u{2026}.\n".repeat(1 << 10), &OLD_KEY[8..]);
    assert!(!redactor.redact(&ellipses).contains(&OLD_KEY[8..]));
}
