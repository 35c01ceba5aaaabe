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
    route.is_loopback() || (route.url.scheme() == "https" && owns(&host(route)))
}

/// The host of a route, as people compare hosts.
pub(super) fn host(route: &Route) -> String {
    route
        .url
        .host_str()
        .unwrap_or_default()
        .to_ascii_lowercase()
}

/// `host` is one of `hosts`, however they are spelled.
pub(super) fn is_in(hosts: &[String], host: &str) -> bool {
    hosts.iter().any(|one| one.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::Addon;

    #[test]
    fn each_secret_goes_to_its_owner_alone() {
        let route =
            |url: &str| Route::at_address(&url.parse().unwrap(), "192.0.2.1:443".parse().unwrap());
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
}
