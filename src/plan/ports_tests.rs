use super::*;

pub(in crate::plan) fn published_port(
    port: u16,
    service: &str,
    role: ServiceRole,
) -> PublishedTcpPort {
    PublishedTcpPort::new(port, service, role)
}

fn cruddur_ports() -> Vec<PublishedTcpPort> {
    vec![
        published_port(4567, "backend-flask", ServiceRole::Backend),
        published_port(3000, "frontend-react-js", ServiceRole::Frontend),
        published_port(5432, "db", ServiceRole::Database),
        published_port(2000, "xray-daemon", ServiceRole::TracingDaemon),
    ]
}

fn summarize_port_entries(entries: &[PortEntry]) -> Vec<(u16, Option<&str>, Option<Visibility>)> {
    entries.iter().map(|entry| (entry.port, entry.name.as_deref(), entry.visibility)).collect()
}

#[test]
fn public_leaves_databases_and_x_ray_private() {
    let PortEntries { to_write: entries, notes, .. } =
        entries(&cruddur_ports(), PortPolicy::Public, &[], &[], PortEntryOrigin::File);
    assert_eq!(
        summarize_port_entries(&entries),
        [
            (4567, Some("backend"), Some(Visibility::Public)),
            (3000, Some("frontend"), Some(Visibility::Public)),
            (5432, Some("db"), Some(Visibility::Private)),
            (2000, Some("xray"), Some(Visibility::Private)),
        ]
    );
    assert_eq!(entries[1].on_open.as_deref(), Some("open-browser"));
    assert_eq!(notes.len(), 2);
}

#[test]
fn a_named_port_is_opened_with_a_warning() {
    let requests = ["2000=public".parse().unwrap()];
    let PortEntries { to_write: entries, notes, .. } =
        entries(&cruddur_ports(), PortPolicy::Public, &requests, &[], PortEntryOrigin::File);
    assert_eq!(entries[3].visibility, Some(Visibility::Public));
    assert!(notes.iter().any(|note| note.text.contains("AWS keys")));
}

#[test]
fn admin_ports_are_opened_only_if_named() {
    let mut ports = cruddur_ports();
    ports[0].service = "flask-admin".to_owned();
    ports[1].called.push("PgAdmin4".to_owned());
    ports[2].role = ServiceRole::Administration;
    let entries_of_all = entries(&ports, PortPolicy::Public, &[], &[], PortEntryOrigin::Live);
    assert!(entries_of_all.goals.values().all(|goal| *goal == Visibility::Private));
    let requests = ["3000=public".parse().unwrap()];
    let entries = entries(&ports, PortPolicy::Public, &requests, &[], PortEntryOrigin::Live);
    assert_eq!(entries.goals[&3000], Visibility::Public);
    assert!(!is_administrative("administer-posts") && is_administrative("my_admin-2"));
}

#[test]
fn dangerous_ports_are_opened_only_if_named() {
    let backend_port = |number| published_port(number, "api", ServiceRole::Backend);
    let ports = [
        PublishedTcpPort { is_loopback: true, ..backend_port(4000) },
        PublishedTcpPort { container: 9229, ..backend_port(9300) },
        PublishedTcpPort { container: 5678, ..backend_port(5679) },
        PublishedTcpPort { is_admin: true, ..published_port(8080, "gateway", ServiceRole::Proxy) },
        PublishedTcpPort { is_loopback: true, container: 5005, ..backend_port(5006) },
        published_port(3001, "grafana", ServiceRole::TracingDaemon),
    ];
    let all = entries(&ports, PortPolicy::Public, &[], &[], PortEntryOrigin::File);
    assert!(all.goals.values().all(|goal| *goal == Visibility::Private), "{:?}", all.goals);
    assert_eq!(all.notes.len(), ports.len());
    assert!(all.notes.iter().all(|note| !note.text.contains("send telemetry")), "{:?}", all.notes);
    let requests = ["4000=public".parse().unwrap(), "9300=public".parse().unwrap()];
    let named = entries(&ports, PortPolicy::Public, &requests, &[], PortEntryOrigin::File);
    let opened = named.goals.iter().filter(|(_, goal)| **goal == Visibility::Public);
    assert_eq!(opened.map(|(port, _)| *port).collect::<Vec<_>>(), [4000, 9300]);
}

#[test]
fn one_named_port_leaves_the_others_alone() {
    let requests = ["3000=public".parse().unwrap()];
    let existing = gitpod::configured("ports:\n  - port: 5432\n    visibility: public\n");
    let entries =
        entries(&cruddur_ports(), PortPolicy::Keep, &requests, &existing, PortEntryOrigin::File);
    assert_eq!(entries.to_write.len(), 1);
    assert_eq!(entries.notes, []);
    assert_eq!(entries.goals, BTreeMap::from([(3000, Visibility::Public)]));
}

#[test]
fn entries_of_the_user_are_kept_with_a_warning() {
    let existing = gitpod::configured(
        "ports:\n  - port: 5432\n    visibility: public\n  - port: 3000\n    name: web\n",
    );
    let PortEntries { to_write: entries, notes, goals } =
        entries(&cruddur_ports(), PortPolicy::Public, &[], &existing, PortEntryOrigin::File);
    let ports: Vec<u16> = entries.iter().map(|entry| entry.port).collect();
    assert_eq!(ports, [4567, 3000, 2000]);
    assert_eq!(goals.get(&5432), None, "it is opened nowhere else");
    assert_eq!(entries[1].name, None);
    assert!(
        notes
            .iter()
            .any(|note| note.hint.as_deref() == Some("`cruddur-ops ports 5432=private` closes it"))
    );
}

#[test]
fn a_request_that_is_not_followed_is_explained() {
    let existing = gitpod::configured("ports:\n  - port: 3000\n    name: web\n");
    let mut without_daemon = cruddur_ports();
    without_daemon.retain(|port| port.port != 2000);
    let said = |typed: &str, origin| {
        let requests = [typed.parse().unwrap()];
        let notes = entries(&without_daemon, PortPolicy::Keep, &requests, &existing, origin).notes;
        let texts = notes.into_iter().map(|note| note.text);
        texts.collect::<Vec<_>>()
    };
    let keeps = "port 3000 keeps its name `web`: an existing entry changes only in its visibility";
    assert_eq!(said("3000=public:app", PortEntryOrigin::File), [keeps]);
    assert_eq!(said("3000=public:web", PortEntryOrigin::File), [""; 0]);
    assert_eq!(said("3000=public:app", PortEntryOrigin::Live), [""; 0]);
    let signs = said("2000=public", PortEntryOrigin::File);
    assert!(signs[0].ends_with("publishes port 2000 over TCP"), "{signs:?}");
    assert!(signs[1].contains("sign requests with your AWS keys"), "{signs:?}");
}

#[test]
fn a_short_name_two_services_would_share_stays_long() {
    let port = |number, service| published_port(number, service, ServiceRole::Backend);
    let labels = label_ports(&[
        port(1, "api-users"),
        port(2, "api-posts"),
        port(3, "web-x"),
        port(4, "web-x"),
    ]);
    let texts: Vec<&str> = labels.values().map(String::as_str).collect();
    assert_eq!(texts, ["api-users", "api-posts", "web", "web-4"]);
}

#[test]
fn port_requests_are_parsed() {
    assert_eq!(
        "3000=public:web".parse(),
        Ok(PortRequest {
            port: 3000,
            visibility: Some(Visibility::Public),
            name: Some("web".to_owned())
        })
    );
    for typed in ["3000", "3000=private", "3000=public:web", "80:x"] {
        assert_eq!(typed.parse::<PortRequest>().unwrap().to_string(), typed);
    }
    assert!("0=public".parse::<PortRequest>().is_err());
    assert!("3000=open".parse::<PortRequest>().is_err());
    for visibility_as_name in ["3000:public", "3000:private", "3000=private:public"] {
        assert!(visibility_as_name.parse::<PortRequest>().is_err(), "{visibility_as_name}");
    }
    assert!("3000:publican".parse::<PortRequest>().is_ok());
}
