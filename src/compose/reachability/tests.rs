//! Resolution of addresses as docker compose and the engine's DNS do it, case by case.

use super::*;
use crate::compose::texts::load_texts;

/// Returns the target of an address in a word: `own`, `otel:4318`, `machine`, `outside`, or `no` with the obstacle.
fn describe_target(services: &str, from: &str, host: &str, port: u16) -> String {
    let model = load_texts(&[("compose.yaml", &format!("name: shop\nservices:\n{services}"))], &[])
        .unwrap_or_else(|error| panic!("{services}: {error}"));
    let from = model.service(from).unwrap();
    match find_target(&model, from, (host, port), "tcp") {
        AddressTarget::Own => "own".to_owned(),
        AddressTarget::Container { service, port } => format!("{service}:{port}"),
        AddressTarget::Machine => "machine".to_owned(),
        AddressTarget::Outside => "outside".to_owned(),
        AddressTarget::Unreachable(obstacle) => {
            assert!(!obstacle.to_string().is_empty() && !obstacle.hint().is_empty());
            let words = format!("{obstacle:?}");
            format!("no {}", words.split([' ', '{']).next().unwrap())
        }
    }
}

/// Checks rows of a host, a port, and the target as seen from `api`.
#[track_caller]
fn assert_targets(services: &str, cells: &[(&str, u16, &str)]) {
    for (host, port, expected) in cells {
        assert_eq!(
            describe_target(services, "api", host, *port),
            *expected,
            "{host}:{port}\n{services}"
        );
    }
}

#[test]
fn loopback_and_unspecified_addresses_refer_to_the_container() {
    let plain = "  api: {image: x}\n  otel: {image: y, ports: ['4318:4318']}\n";
    assert_targets(
        plain,
        &[
            ("localhost", 4318, "own"),
            ("LOCALHOST.", 4318, "own"),
            ("127.0.0.1", 4318, "own"),
            ("127.0.1.1", 4318, "own"),
            ("0.0.0.0", 4318, "own"),
            ("[::1]", 4318, "own"),
            ("::", 4318, "own"),
            ("api.localhost", 4318, "own"),
            ("api", 4318, "api:4318"),
        ],
    );
}

#[test]
fn between_containers_the_containers_port_counts() {
    let mapped = "  api: {image: x}\n  otel: {image: y, ports: ['24318:4318', '24317:4317/udp', '3000-3002:4000-4002', '8080']}\n";
    assert_targets(
        mapped,
        &[
            ("otel", 4318, "otel:4318"),
            ("OTEL", 4318, "otel:4318"),
            ("otel", 24318, "no PublishedPort"),
            ("otel", 24317, "otel:24317"),
            ("otel", 3001, "no PublishedPort"),
            ("otel", 4001, "otel:4001"),
            ("otel", 8080, "otel:8080"),
            ("otel", 9999, "otel:9999"),
        ],
    );
    let both = "  api: {image: x}\n  otel: {image: y, ports: ['24318:4318', '4318:24318']}\n";
    assert_targets(both, &[("otel", 24318, "otel:24318"), ("otel", 4318, "otel:4318")]);
    let exposed = "  api: {image: x}\n  otel: {image: y, ports: ['24318:4318'], expose: ['24310-24320/tcp']}\n";
    assert_targets(exposed, &[("otel", 24318, "otel:24318")]);
    let target = find_port(mapped, "otel", 24318);
    assert_eq!(target, Some(4318));
    assert_eq!(find_port(mapped, "otel", 3002), Some(4002));
}

/// Returns the container port suggested instead of a published one.
fn find_port(services: &str, host: &str, port: u16) -> Option<u16> {
    let model = load_texts(&[("compose.yaml", &format!("services:\n{services}"))], &[]).unwrap();
    let from = model.service("api").unwrap();
    match find_target(&model, from, (host, port), "tcp") {
        AddressTarget::Unreachable(AddressObstacle::PublishedPort { container, .. }) => {
            Some(container)
        }
        _ => None,
    }
}

#[test]
fn names_resolve_on_shared_networks_only() {
    let nets = "  api: {image: x, networks: [front, shared]}\n  otel:\n    image: y\n    container_name: collector\n    hostname: gateway\n    networks:\n      back: {aliases: [hidden]}\n      shared: {aliases: [traces]}\n  db: {image: z, networks: [back]}\n  lone: {image: z}\nnetworks: {front: , back: , shared: }\n";
    assert_targets(
        nets,
        &[
            ("otel", 4318, "otel:4318"),
            ("collector", 4318, "otel:4318"),
            ("gateway", 4318, "otel:4318"),
            ("traces", 4318, "otel:4318"),
            ("hidden", 4318, "no NoSharedNetwork"),
            ("shop-otel-1", 4318, "otel:4318"),
            ("shop_otel_2", 4318, "otel:4318"),
            ("db", 5432, "no NoSharedNetwork"),
            ("lone", 80, "no NoSharedNetwork"),
            ("nobody", 80, "outside"),
            ("api.honeycomb.io", 443, "outside"),
            ("172.20.0.4", 4318, "outside"),
        ],
    );
    let renamed = "  api: {image: x, networks: [a]}\n  otel: {image: y, networks: [b]}\nnetworks: {a: {name: mesh}, b: {name: mesh, external: true}}\n";
    assert_targets(renamed, &[("otel", 4318, "otel:4318")]);
    let default = "  api: {image: x, networks: [default]}\n  otel: {image: y}\n";
    assert_targets(default, &[("otel", 4318, "otel:4318")]);
    let linked = "  api: {image: x, links: ['otel:traces', db]}\n  otel: {image: y, ports: ['24318:4318']}\n  db: {image: z}\n";
    assert_targets(
        linked,
        &[
            ("traces", 4318, "otel:4318"),
            ("traces", 24318, "no PublishedPort"),
            ("db", 5432, "db:5432"),
        ],
    );
}

#[test]
fn an_internal_network_leads_nowhere_else() {
    let internal = "  api: {image: x, networks: [in]}\n  otel: {image: y, networks: [in, out]}\nnetworks: {in: {internal: true}, out: }\n";
    assert_targets(
        internal,
        &[
            ("api.honeycomb.io", 443, "no Internal"),
            ("52.1.2.3", 443, "no Internal"),
            ("10.0.0.5", 4318, "outside"),
            ("otel", 4318, "otel:4318"),
            ("elsewhere", 4318, "outside"),
        ],
    );
    assert_eq!(describe_target(internal, "otel", "api.honeycomb.io", 443), "outside");
    let own = "  api: {image: x}\nnetworks: {default: {internal: true}}\n";
    assert_targets(own, &[("api.honeycomb.io", 443, "no Internal")]);
    let external =
        "  api: {image: x, networks: [e]}\nnetworks: {e: {external: true, name: proxy}}\n";
    assert_targets(external, &[("api.honeycomb.io", 443, "outside"), ("otel", 4318, "outside")]);
}

#[test]
fn network_mode_decides_which_names_are_known() {
    let host = "  api: {image: x, network_mode: host}\n  otel: {image: y, ports: ['24318:4318', '127.0.0.1:4317:4317']}\n";
    assert_targets(
        host,
        &[
            ("localhost", 24318, "otel:4318"),
            ("127.0.0.1", 4317, "otel:4317"),
            ("localhost", 4318, "machine"),
            ("otel", 4318, "no NamesUnknown"),
            ("api.honeycomb.io", 443, "outside"),
        ],
    );
    let none = "  api: {image: x, network_mode: none}\n  otel: {image: y}\n";
    assert_targets(
        none,
        &[
            ("otel", 4318, "no NoNetwork"),
            ("api.honeycomb.io", 443, "no NoNetwork"),
            ("10.0.0.1", 443, "no NoNetwork"),
            ("localhost", 4318, "own"),
        ],
    );
    let shared = "  api: {image: x, network_mode: 'service:otel'}\n  otel: {image: y, ports: ['4318:4318']}\n  db: {image: z}\n";
    assert_targets(
        shared,
        &[
            ("localhost", 4318, "otel:4318"),
            ("otel", 4318, "otel:4318"),
            ("db", 5432, "db:5432"),
            ("api", 80, "no SharesNetwork"),
        ],
    );
    assert_eq!(describe_target(shared, "db", "api", 80), "no SharesNetwork");
    assert_eq!(describe_target(shared, "otel", "localhost", 80), "own");
    let sidecar = "  api: {image: x, network_mode: 'service:otel'}\n  otel: {image: y}\n";
    assert_targets(sidecar, &[("localhost", 4318, "otel:4318")]);
    let named = "  api: {image: x, network_mode: 'container:collector'}\n  otel: {image: y, container_name: collector}\n";
    assert_targets(named, &[("localhost", 4318, "otel:4318")]);
    let foreign = "  api: {image: x, network_mode: 'container:somebody'}\n  otel: {image: y}\n";
    assert_targets(foreign, &[("localhost", 4318, "outside"), ("otel", 4318, "outside")]);
    let bridge = "  api: {image: x, network_mode: bridge}\n  otel: {image: y}\n";
    assert_targets(
        bridge,
        &[("otel", 4318, "no NamesUnknown"), ("api.honeycomb.io", 443, "outside")],
    );
    let targets = "  api: {image: x}\n  mesh: {image: y, network_mode: host}\n  cut: {image: z, network_mode: none}\n";
    assert_targets(
        targets,
        &[("mesh", 4318, "no OnTheMachine"), ("cut", 80, "no TargetWithoutNetwork")],
    );
}

#[test]
fn the_machine_is_reached_by_names_that_have_to_be_given() {
    let plain =
        "  api: {image: x}\n  otel: {image: y, ports: ['24318:4318', '127.0.0.1:4317:4317']}\n";
    assert_targets(
        plain,
        &[
            ("host.docker.internal", 4318, "machine"),
            ("host.docker.internal", 24318, "otel:4318"),
            ("host.docker.internal", 4317, "no PublishedToItself"),
            ("gateway.docker.internal", 4318, "machine"),
        ],
    );
    let extra = "  api:\n    image: x\n    extra_hosts:\n      - host.docker.internal:host-gateway\n      - collector=10.1.2.3\n      - six:[::1]\n      - me:127.0.0.1\n  otel: {image: y}\n";
    assert_targets(
        extra,
        &[
            ("host.docker.internal", 4318, "machine"),
            ("collector", 4318, "outside"),
            ("six", 4318, "own"),
            ("me", 4318, "own"),
        ],
    );
    let mapping = "  api: {image: x, extra_hosts: {box: host-gateway}}\n  otel: {image: y, ports: ['5000:4318']}\n";
    assert_targets(mapping, &[("box", 5000, "otel:4318"), ("box", 5001, "machine")]);
    let lacks = |services: &str, host: &str| {
        let model =
            load_texts(&[("compose.yaml", &format!("services:\n{services}"))], &[]).unwrap();
        lacks_machine_name(&model, model.service("api").unwrap(), host)
    };
    assert!(lacks(plain, "host.docker.internal") && lacks(plain, "Gateway.docker.internal"));
    assert!(!lacks(extra, "host.docker.internal") && lacks(extra, "gateway.docker.internal"));
    assert!(!lacks(plain, "otel"));
    let host = "  api: {image: x, network_mode: host}\n";
    assert!(!lacks(host, "host.docker.internal"));
}

#[test]
fn later_files_override_earlier_ones() {
    let files = [
        (
            "compose.yaml",
            "services:\n  api: {image: x, networks: [a]}\n  otel: {image: y, networks: {b: {aliases: [t]}}, ports: ['1:4318']}\nnetworks: {a: {internal: true}, b: }\n",
        ),
        (
            "compose.override.yaml",
            "services:\n  api: {networks: [b], extra_hosts: ['m:host-gateway']}\n  otel: {expose: [1]}\nnetworks: {a: {internal: false}}\n",
        ),
    ];
    let model = load_texts(&files, &[]).unwrap();
    let api = model.service("api").unwrap();
    let to = |host: &str, port| find_target(&model, api, (host, port), "tcp");
    let otel = |port| AddressTarget::Container { service: "otel".to_owned(), port };
    assert_eq!(to("t", 4318), otel(4318));
    assert_eq!(to("otel", 1), otel(1));
    assert_eq!(to("m", 1), otel(4318));
    assert_eq!(to("api.honeycomb.io", 443), AddressTarget::Outside);
}
