//! Whole services and items that are added to a compose file.

use cruddur_ops::edit::yaml::additions::{self, add};
use proptest::prelude::*;
use serde_yaml::Value;

use super::{lost, read, without};

proptest! {
    #[test]
    fn additions_mean_the_plan(
        services in prop::collection::vec(prop::sample::select(vec![
            "  a:\n    image: x\n", "  a:\n    depends_on: [b]\n", "  a:\n    depends_on:\n      b: {condition: service_healthy}\n",
            "  a:\n    depends_on:\n", "  a: # c\n    build: .\n    command: |\n      x\n\n", "  a:\n    depends_on:\n    - b\n    - c # d\n",
        ]), 1..2),
        rest in prop::sample::select(vec!["", "volumes:\n  v:\n", "# end\n", "\nx-y: {z: 1}\n"]),
        open in any::<bool>(),
    ) {
        let text = format!("services:\n{}  b: {{image: y}}\n{rest}", services.concat());
        let before = if open { text.trim_end().to_owned() } else { text };
        let path = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
        let wanted = [
            additions::Addition::Entry { path: path(&["services"]), key: "n".into(), body: "image: n\nports:\n  - \"1:1\"\n".into() },
            additions::Addition::Item {
                path: path(&["services", "a", "depends_on"]),
                item: "n".into(),
                entry: ("n".into(), "{condition: service_started}".into()),
            },
        ];
        let edit = add(&before, &wanted);
        prop_assert!(edit.is_ok(), "{before}\n{edit:#?}");
        let after = edit.unwrap().text;
        let (old, new) = (read(&before), read(&after));
        prop_assert_eq!(without(&old, "services"), without(&new, "services"));
        prop_assert_eq!(&new["services"]["n"], &read("image: n\nports: ['1:1']\n"));
        prop_assert_eq!(&old["services"]["b"], &new["services"]["b"]);
        let (was, is) = (&old["services"]["a"], &new["services"]["a"]);
        prop_assert_eq!(without(was, "depends_on"), without(is, "depends_on"));
        let names = |value: &Value| -> Vec<String> {
            match value.get("depends_on") {
                Some(Value::Sequence(items)) => items.iter().map(|one| one.as_str().unwrap().to_owned()).collect(),
                Some(Value::Mapping(entries)) => entries.keys().map(|one| one.as_str().unwrap().to_owned()).collect(),
                _ => Vec::new(),
            }
        };
        let mut planned = names(was);
        planned.push("n".to_owned());
        prop_assert_eq!(planned, names(is));
        prop_assert_eq!(lost(&before, &after, &["depends_on"]), None, "lost from\n{}", before);
        prop_assert_eq!(add(&after, &wanted).unwrap().text, after);
    }
}
