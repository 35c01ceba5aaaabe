//! The codes that scripts and `# cruddur-ops: ignore` rely on: none is renamed, removed or given another meaning by accident.

use std::fmt::Write;

use cruddur_ops::error::ErrorCode;
use cruddur_ops::lint::RULES;
use cruddur_ops::otlp::verdict::FailureCode;

#[test]
fn error_codes_keep_their_text_and_meaning() {
    let mut table = String::new();
    for code in ErrorCode::ALL {
        writeln!(table, "{code:<22} {}", code.meaning()).unwrap();
    }
    insta::assert_snapshot!("error_codes", table);
}

#[test]
fn verdict_codes_keep_their_text_and_meaning() {
    let mut table = String::new();
    for code in FailureCode::ALL {
        writeln!(table, "{code:<22} {}", code.meaning()).unwrap();
    }
    insta::assert_snapshot!("verdict_codes", table);
}

#[test]
fn rule_codes_keep_their_text_and_severity() {
    let mut table = String::new();
    for rule in RULES {
        writeln!(table, "{:<24} {}", rule.code, rule.severity.word()).unwrap();
    }
    insta::assert_snapshot!("rule_codes", table);
}
