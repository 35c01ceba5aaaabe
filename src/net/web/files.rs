//! The files of the page, and the headers that limit what a browser may do with each response.

/// A file of the page.
#[derive(Debug, Clone, Copy)]
pub(super) struct PageFile {
    path: &'static str,
    pub(super) kind: &'static str,
    pub(super) text: &'static str,
}

const FILES: [PageFile; 4] = [
    PageFile {
        path: "/",
        kind: "text/html; charset=utf-8",
        text: include_str!("../../../templates/web/index.html"),
    },
    PageFile {
        path: "/app.js",
        kind: "text/javascript; charset=utf-8",
        text: include_str!("../../../templates/web/app.js"),
    },
    PageFile {
        path: "/style.css",
        kind: "text/css; charset=utf-8",
        text: include_str!("../../../templates/web/style.css"),
    },
    PageFile {
        path: "/icon.svg",
        kind: "image/svg+xml",
        text: include_str!("../../../templates/web/icon.svg"),
    },
];

/// Headers of every response: nothing but the page's own files is loaded or run, no text becomes markup, no other page
/// shows it, and its address goes nowhere.
pub(super) const HEADERS: [(&str, &str); 7] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    ),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cache-control", "no-store"),
];

/// Returns the file at a path.
pub(super) fn find(path: &str) -> Option<&'static PageFile> {
    FILES.iter().find(|file| file.path == path)
}

#[cfg(test)]
mod tests {
    use super::FILES;

    #[test]
    fn the_page_is_small_and_names_no_other_host() {
        let bytes: usize = FILES.iter().map(|file| file.text.len()).sum();
        assert!(bytes <= 40_000, "{bytes} bytes");
        for file in FILES {
            // The namespace of SVG is a name, not an address.
            let text = file.text.replace("http://www.w3.org/2000/svg", "");
            let foreign: Vec<&str> =
                text.split("//").skip(1).filter(|rest| rest.contains("://")).collect();
            assert!(foreign.is_empty(), "{}: {foreign:?}", file.path);
            for sink in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("]
            {
                assert!(!text.contains(sink), "{}: {sink}", file.path);
            }
        }
    }
}
