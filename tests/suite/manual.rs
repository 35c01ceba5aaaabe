//! `docs/rules.md` describes each rule as `doctor --explain` does.

use std::fmt::Write as _;
use std::path::Path;

use cruddur_ops::lint::{RULES, RuleExample};

/// Returns the manual of all rules, as Markdown with a section for each.
fn render() -> String {
    let mut text = String::from(
        "# Rules of `cruddur-ops doctor`\n\n`cruddur-ops doctor --explain CODE` shows one of them. Lines marked `<-` are those that are found.\n",
    );
    for rule in RULES {
        write!(
            text,
            "\n## {}\n\nSeverity: {}\n\n{}\n\nWhy it matters: {}.\n",
            rule.code,
            rule.severity.word(),
            rule.explanation,
            rule.why
        )
        .unwrap();
        for (title, example) in [("Found", rule.failing), ("Not found", rule.passing)] {
            show(title, example, &mut text);
        }
    }
    text
}

fn show(title: &str, example: RuleExample, text: &mut String) {
    for (path, content) in example {
        write!(text, "\n{title} in `{path}`:\n\n").unwrap();
        for line in content.lines() {
            writeln!(text, "{}", format!("    {line}").trim_end()).unwrap();
        }
    }
}

#[test]
fn the_manual_says_what_the_rules_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules.md");
    let text = render();
    if std::env::var("INSTA_UPDATE").as_deref() == Ok("always") {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &text).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(written, text, "INSTA_UPDATE=always writes it anew");
    assert!(RULES.iter().all(|rule| text.contains(&format!("\n## {}\n", rule.code))));
}
