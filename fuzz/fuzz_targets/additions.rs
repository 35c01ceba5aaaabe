//! Adds whole services, volumes and items: everything else keeps its meaning, and a second run changes nothing.

#![no_main]

use cruddur_ops::edit::yaml::additions::{Addition, add};
use cruddur_ops_fuzz::{edited, keeps, without, yaml};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let path = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
    let service = Addition::Entry {
        path: path(&["services"]),
        key: "added".to_owned(),
        body: "image: x\nports:\n  - \"1:1\"\n".to_owned(),
    };
    let item = Addition::Item {
        path: path(&["services", "a", "depends_on"]),
        item: "added".to_owned(),
        entry: ("added".to_owned(), "{condition: service_started}".to_owned()),
    };
    for additions in [vec![service.clone()], vec![item.clone()], vec![service, item]] {
        let Some((before, after)) = edited(data, |text| add(text, &additions).ok()) else {
            continue;
        };
        keeps(before, &after, &["services", "depends_on", "a"]);
        if let (Some(old), Some(new)) = (yaml(before), yaml(&after))
            && old.is_mapping()
        {
            assert_eq!(without(&old, "services"), without(&new, "services"));
        }
    }
});
