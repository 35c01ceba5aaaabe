//! Compares URLs by destination.

use url::Url;

/// Returns whether two URLs lead to the same place: the case of scheme and host, a default port and trailing slashes
/// do not matter.
pub(crate) fn is_same_address(left: &str, right: &str) -> bool {
    let parse = |text: &str| Url::parse(text.trim()).ok().filter(Url::has_host);
    match (parse(left), parse(right)) {
        (Some(left), Some(right)) => {
            let identity = |url: &Url| {
                let host = url.host_str().map(|host| host.trim_end_matches('.').to_owned());
                (url.scheme().to_owned(), host, url.port_or_known_default())
            };
            let path = |url: &Url| url.path().trim_end_matches('/').to_owned();
            let who = |url: &Url| (url.username().to_owned(), url.password().map(str::to_owned));
            identity(&left) == identity(&right)
                && path(&left) == path(&right)
                && who(&left) == who(&right)
                && left.query() == right.query()
        }
        _ => left.trim() == right.trim(),
    }
}

#[cfg(test)]
mod tests {
    use super::is_same_address;

    #[test]
    fn equivalent_urls_are_the_same_address() {
        let honeycomb = "https://api.honeycomb.io";
        for (left, right, expected) in [
            ("https://api.honeycomb.io:443/", honeycomb, true),
            ("https://api.honeycomb.io/", honeycomb, true),
            ("https://API.Honeycomb.IO", honeycomb, true),
            ("HTTPS://api.honeycomb.io", honeycomb, true),
            (" https://api.honeycomb.io ", honeycomb, true),
            ("https://api.honeycomb.io./", honeycomb, true),
            ("http://h:80", "http://h", true),
            ("http://h:4318//", "http://h:4318", true),
            ("http://[::1]:4318", "http://[0:0:0:0:0:0:0:1]:4318/", true),
            ("https://h/otlp/", "https://h/otlp", true),
            ("otel:4317", "otel:4317", true),
            ("http://api.honeycomb.io", honeycomb, false),
            ("https://api.honeycomb.io:444", honeycomb, false),
            ("https://api.eu1.honeycomb.io", honeycomb, false),
            ("https://api.honeycomb.io/v1/traces", honeycomb, false),
            ("https://user@api.honeycomb.io", honeycomb, false),
            ("https://api.honeycomb.io?x=1", honeycomb, false),
            ("https://h/OTLP", "https://h/otlp", false),
            ("otel:4317", "otel:4318", false),
            ("", honeycomb, false),
        ] {
            assert_eq!(is_same_address(left, right), expected, "{left} {right}");
            assert_eq!(is_same_address(right, left), expected, "{right} {left}");
        }
    }
}
