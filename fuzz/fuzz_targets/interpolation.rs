//! Replaces variables: no template is too large, escaped text is restored, and the error for a refused template is
//! printed as one line without a key.

#![no_main]

use cruddur_ops::compose::interpolate_template;
use cruddur_ops::error::{Error, ErrorCode};
use cruddur_ops_fuzz::screen::SCREEN;
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
    match interpolate_template(template, &lookup) {
        Ok(done) => {
            // Each variable that is set gives its own name and two brackets.
            assert!(done.text.len() <= template.len() * 3);
            if !template.contains('$') {
                assert_eq!(done.text, template);
                assert!(done.uses.is_empty());
            }
        }
        Err(error) => SCREEN.tells(&Error::new(ErrorCode::ComposeRefused, error.to_string())),
    }
    let escaped = template.replace('$', "$$");
    let done = interpolate_template(&escaped, &lookup).expect("an escaped text is refused");
    assert_eq!(done.text, template);
    assert!(done.uses.is_empty());
});
