//! The output of `gp`: a list of variables is read as it was written, and no table is too large.

#![no_main]

use cruddur_ops::stores::gp::parse_gp_value;
use cruddur_ops::workspace::gitpod::parse_gp_ports;
use libfuzzer_sys::fuzz_target;

/// Returns whether a line of a value looks like the next variable or an escaped line break.
fn is_mistakable(value: &str) -> bool {
    let begins = |line: &str| {
        line.split_once('=').is_some_and(|(name, _)| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        })
    };
    value.lines().skip(1).any(begins)
        || value.contains('\r')
        || value.ends_with('\n')
        || value.contains("\\\"")
}

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let _ = (parse_gp_value(text, "KEY"), parse_gp_value(text, ""));
    for port in parse_gp_ports(text) {
        assert!(text.contains(&port.port.to_string()));
        assert!(port.served || port.visibility.is_none());
    }
    if !is_mistakable(text) {
        let list = format!("A=1\nKEY={}\nB=2\n", text.replace('"', "\\\""));
        assert_eq!(parse_gp_value(&list, "KEY").as_deref(), Some(text));
    }
});
