//! `.env`: a value that is set reads as it was given, every other statement stays, and what is removed is gone.

#![no_main]

use cruddur_ops::compose::{Statement, parse_dotenv};
use cruddur_ops::stores::dotenv::text::{get, set, unset};
use cruddur_ops_fuzz::lost;
use libfuzzer_sys::fuzz_target;

const NAME: &str = "KEY";

fn others(text: &str) -> Vec<(String, cruddur_ops::compose::Written)> {
    let statements: Vec<Statement> = parse_dotenv(text).expect("the result cannot be read");
    let others = statements.into_iter().filter(|one| one.name != NAME);
    others.map(|one| (one.name, one.value)).collect()
}

fuzz_target!(|data: &[u8]| {
    let Ok(whole) = std::str::from_utf8(data) else {
        return;
    };
    // What stands behind a zero is the value.
    let (before, value) = whole.split_once('\0').unwrap_or((whole, "hcaik_v'1"));
    // A lone name at the very end is none to docker compose, and one once a line follows.
    let Ok(statements) = parse_dotenv(before) else {
        return;
    };
    if statements.iter().any(|one| one.name.is_empty()) {
        return;
    }
    if let Ok(Some(after)) = set(before, NAME, value) {
        assert_eq!(get(&after, NAME).ok().flatten().as_deref(), Some(value));
        assert_eq!(others(before), others(&after));
        assert_eq!(
            set(&after, NAME, value).ok().flatten().as_deref(),
            Some(after.as_str())
        );
    }
    if let Ok(Some(after)) = unset(before, NAME) {
        assert_eq!(get(&after, NAME).ok().flatten(), None);
        assert_eq!(others(before), others(&after));
        // A value may take several lines.
        let mut rest = before.to_owned();
        let statements = statements.iter().rev();
        for one in statements.filter(|one| one.name == NAME) {
            rest.replace_range(one.range.start..one.value_range.end, NAME);
        }
        for line in lost(&rest, &after) {
            assert!(line.contains(NAME), "{line:?} is lost: {after:?}");
        }
    }
});
