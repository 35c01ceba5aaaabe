//! The editor of `.gitpod.yml`.

use cruddur_ops::edit::yaml::ports::{self, PortEntry, Visibility};
use proptest::prelude::*;
use serde_yaml::Value;

use super::{lost, read, text, without};

const PORTS: [&str; 9] = [
    "  - port: 3000 # c\n    onOpen: notify\n",
    "  - port: 5432\n    visibility: public\n    name: db\n",
    "  - name: \"r\"\n    port: 5000-9000\n",
    "  - {port: 8080, visibility: private}\n",
    "  - port: 3000\n    visibility: public\n",
    "  # a comment\n",
    "\n",
    "  - port: 4567\n    description: |\n      one\n\n      two\n",
    "  - &a {port: 1}\n",
];

fn gitpod() -> impl Strategy<Value = String> {
    let list = prop_oneof![
        Just("ports: []\n".to_owned()),
        Just("ports:\n".to_owned()),
        Just("ports: ~ # none\n".to_owned()),
        Just(String::new()),
        Just("ports: [{port: 3000}, {port: 5432, visibility: public}]\n".to_owned()),
        text(PORTS.to_vec(), 6).prop_filter_map("a list has an item", |text| {
            let text = text.replace("\r\n", "\n");
            let items = text.lines().any(|line| line.starts_with("  -"));
            items.then(|| format!("ports:\n{text}\n"))
        }),
    ];
    let before =
        prop::sample::select(vec!["", "tasks:\n  - init: x\n", "image: y # é\n", "# c\n\n"]);
    let after = prop::sample::select(vec!["", "github: {prebuilds: {main: true}}\n", "# end\n"]);
    (before, list, after, any::<bool>()).prop_map(|(before, list, after, open)| {
        let text = format!("{before}{list}{after}");
        if open { text.trim_end().to_owned() } else { text }
    })
}

fn wanted() -> impl Strategy<Value = Vec<PortEntry>> {
    let entry = (
        prop::sample::select(vec![3000, 4567, 5432, 6000, 8080]),
        prop::option::of(prop::sample::select(vec!["web", "a: b", "#x"])),
        prop::option::of(any::<bool>()),
    );
    prop::collection::vec(entry, 1..4).prop_map(|entries| {
        let mut seen = Vec::new();
        let mut wanted = Vec::new();
        for (port, name, public) in entries {
            if seen.contains(&port) {
                continue;
            }
            seen.push(port);
            wanted.push(PortEntry {
                port,
                name: name.map(str::to_owned),
                visibility: public.map(|public| match public {
                    true => Visibility::Public,
                    false => Visibility::Private,
                }),
                on_open: None,
            });
        }
        wanted
    })
}

proptest! {
    #[test]
    fn ports_mean_the_plan(before in gitpod(), wanted in wanted()) {
        let edit = ports::set(&before, &wanted);
        // A text that ends inside a block scalar may be refused.
        prop_assume!(edit.is_ok() || !before.ends_with("two"));
        prop_assert!(edit.is_ok(), "{before}\n{edit:#?}");
        let after = edit.unwrap().text;
        let none = Value::Mapping(Default::default());
        let old = Some(read(&before)).filter(|value| !value.is_null()).unwrap_or(none);
        let new = read(&after);
        prop_assert_eq!(without(&old, "ports"), without(&new, "ports"));
        let list = |value: &Value| value.get("ports").and_then(Value::as_sequence).cloned().unwrap_or_default();
        for (was, is) in list(&old).iter().zip(&list(&new)) {
            prop_assert_eq!(without(was, "visibility"), without(is, "visibility"));
        }
        for entry in &wanted {
            let Some(asked) = entry.visibility else { continue };
            // Of two entries the first counts, and an exact one before a range.
            let exact = list(&new).into_iter().find(|one| one["port"].as_u64() == Some(entry.port.into()));
            if let Some(exact) = exact {
                let said = exact.get("visibility").and_then(Value::as_str).unwrap_or("private").to_owned();
                prop_assert_eq!(said, asked.as_str(), "{} in\n{}", entry.port, after);
            }
        }
        prop_assert_eq!(lost(&before, &after, &["ports", "visibility", "{"]), None, "lost from\n{}", before);
        prop_assert_eq!(ports::set(&after, &wanted).unwrap().text, after);
    }
}
