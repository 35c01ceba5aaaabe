//! Variables replaced: no template is too much, and what is escaped comes out as it went in.

#![no_main]

use cruddur_ops::compose::interpolate;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(template) = std::str::from_utf8(data) else {
        return;
    };
    let lookup = |name: &str| match name.len() % 3 {
        0 => None,
        1 => Some(String::new()),
        _ => Some(format!("<{name}>")),
    };
    if let Ok(done) = interpolate(template, &lookup) {
        // Each variable that is set gives its own name and two brackets.
        assert!(done.text.len() <= template.len() * 3);
        if !template.contains('$') {
            assert_eq!(done.text, template);
            assert!(done.uses.is_empty());
        }
    }
    let escaped = template.replace('$', "$$");
    let done = interpolate(&escaped, &lookup).expect("an escaped text is refused");
    assert_eq!(done.text, template);
    assert!(done.uses.is_empty());
});
