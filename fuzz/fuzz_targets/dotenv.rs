//! `.env`: a new value is read as it was given, every other statement is kept, and removed ones are gone. The error
//! for an unreadable file is printed as one line, without a key.

#![no_main]

use cruddur_ops::compose::{DotenvStatement, parse_dotenv};
use cruddur_ops::error::{Error, ErrorCode, FilePosition};
use cruddur_ops::stores::dotenv::text::{find_dotenv_value, set, unset};
use cruddur_ops_fuzz::screen::SCREEN;
use libfuzzer_sys::fuzz_target;

const NAME: &str = "KEY";

fn others(text: &str) -> Vec<(String, cruddur_ops::compose::DotenvValue)> {
    let statements: Vec<DotenvStatement> = parse_dotenv(text).expect("the result cannot be read");
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
    let statements = match parse_dotenv(before) {
        Ok(statements) => statements,
        Err(error) => {
            let line = before[..error.offset].rfind('\n').map_or(0, |end| end + 1);
            let text = before[line..].split('\n').next().unwrap_or_default().to_owned();
            let column = before[line..error.offset].chars().count() + 1;
            let place = FilePosition { path: ".env".into(), line: 1, column, text };
            SCREEN.tells(&Error::new(ErrorCode::ComposeRefused, error.message).at(place));
            return;
        }
    };
    if statements.iter().any(|one| one.name.is_empty()) {
        return;
    }
    if let Ok(Some(after)) = set(before, NAME, value) {
        assert_eq!(find_dotenv_value(&after, NAME).ok().flatten().as_deref(), Some(value));
        assert_eq!(others(before), others(&after));
        assert_eq!(set(&after, NAME, value).ok().flatten().as_deref(), Some(after.as_str()));
    }
    if let Ok(Some(after)) = unset(before, NAME) {
        assert_eq!(find_dotenv_value(&after, NAME).ok().flatten(), None);
        assert_eq!(others(before), others(&after));
        let gone: Vec<_> = statements
            .iter()
            .filter(|one| one.name == NAME)
            .map(|one| one.range.start..one.value_range.end)
            .collect();
        let mut left = after.split_inclusive('\n');
        let mut end = 0;
        // A value may take several lines; each line without a byte of one stays, in its order.
        for line in before.split_inclusive('\n') {
            let start = end;
            end += line.len();
            let mut gone = gone.iter();
            if line.ends_with('\n') && !gone.any(|one| one.start < end && start < one.end) {
                assert!(left.any(|kept| kept == line), "{line:?} is lost: {after:?}");
            }
        }
    }
});
