//! Which hosts may see a key without anybody being asked. A cloned compose file must not be able to send keys elsewhere.

use crate::net::route::Route;
use crate::provider;

/// Loopback, or with TLS the host of a provider, unless one of `variables` holds the key of another.
pub(super) fn is_safe<S: AsRef<str>>(route: &Route, variables: &[S]) -> bool {
    is_safe_with(route, |host| {
        provider::owner(host).is_some_and(|owner| {
            let mut keys = variables.iter().map(AsRef::as_ref);
            keys.all(|key| provider::of_variable(key).is_none_or(|whose| whose.name == owner.name))
        })
    })
}

/// Loopback, or with TLS one of the hosts that `owns` knows.
pub(super) fn is_safe_with(route: &Route, owns: impl Fn(&str) -> bool) -> bool {
    let by_name = route.url.scheme() == "https" && owns(&host(route));
    route.is_loopback() || (by_name && !route.is_led)
}

/// The host of a route, as people compare hosts.
pub(super) fn host(route: &Route) -> String {
    route.url.host_str().unwrap_or_default().to_ascii_lowercase()
}

/// `host` is one of `hosts`, however they are spelled.
pub(super) fn is_in(hosts: &[String], host: &str) -> bool {
    hosts.iter().any(|one| one.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::Addon;

    /// A route to an address somewhere else.
    fn route(url: &str) -> Route {
        Route { is_led: false, ..led(url) }
    }

    /// A route whose address the project chose.
    fn led(url: &str) -> Route {
        Route::at_address(&url.parse().unwrap(), "192.0.2.1:443".parse().unwrap())
    }

    #[test]
    fn each_secret_goes_to_its_owner_alone() {
        let rollbar = Addon::Rollbar.profile().unwrap();
        let of_rollbar = |url: &str| is_safe_with(&route(url), |host| rollbar.owns(host));
        assert!(of_rollbar("https://api.rollbar.com/api/1/item/"));
        assert!(!of_rollbar("http://api.rollbar.com/api/1/item/"));
        assert!(!of_rollbar("https://api.honeycomb.io/"));
        let safe = |url: &str, variables: &[&str]| is_safe(&route(url), variables);
        assert!(safe("https://api.honeycomb.io/", &["HONEYCOMB_API_KEY"]));
        assert!(!safe("http://api.honeycomb.io/", &["HONEYCOMB_API_KEY"]));
        assert!(!safe("https://api.rollbar.com/", &["HONEYCOMB_API_KEY"]));
        let dynatrace = "https://abc1.live.dynatrace.com/api/v2/otlp";
        assert!(safe(dynatrace, &["DYNATRACE_API_TOKEN"]));
        assert!(safe(dynatrace, &["A_NAME_OF_ONES_OWN"]));
        assert!(!safe(dynatrace, &["HONEYCOMB_API_KEY"]));
        assert!(!safe(dynatrace, &["DYNATRACE_API_TOKEN", "DD_API_KEY"]));
    }

    #[test]
    fn only_a_providers_own_host_is_safe_by_its_name() {
        let safe = |route: &Route| is_safe(route, &["HONEYCOMB_API_KEY"]);
        for url in [
            "https://api.honeycomb.io",
            "https://API.Honeycomb.IO:443/v1/traces",
            "https://x:y@api.eu1.honeycomb.io",
        ] {
            assert!(safe(&route(url)), "{url}");
        }
        assert!(!safe(&led("https://api.honeycomb.io")));
        for url in [
            "http://api.honeycomb.io",
            "https://api.honeycomb.io@evil.example",
            "https://api.honeycomb.io:443@evil.example",
            "https://evil.example/https://api.honeycomb.io",
            "https://evil.example?api.honeycomb.io",
            "https://evil.example#@api.honeycomb.io",
            "https://evil.example\\@api.honeycomb.io",
            "https://api.honeycomb.io.evil.example",
            "https://api.honeycomb.io.",
            "https://xapi.honeycomb.io",
            "https://honeycomb.io",
            // A Cyrillic letter, a full-width one, and a dot that is none.
            "https://api.h\u{43e}neycomb.io",
            "https://api.honeycom\u{432}.io",
            "https://api.honeycomb.\u{456}o",
        ] {
            assert!(!safe(&route(url)), "{url}");
        }
        // What the standard maps to the same name is the same name.
        assert_eq!(host(&route("https://\u{ff41}pi.honeycomb.io")), "api.honeycomb.io");
    }
}
