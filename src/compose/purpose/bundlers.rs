//! Variables that a bundler embeds into the code that browsers load, from `templates/bundlers.yaml`.

use std::sync::LazyLock;

use serde::Deserialize;

/// A prefix of the variables that a bundler publishes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundlerPrefix {
    /// `REACT_APP_`
    pub prefix: String,
    /// The bundlers that publish them: `Create React App`.
    pub bundlers: String,
    /// Whether backends use such variables as well, so that one alone does not identify a frontend.
    #[serde(default)]
    pub is_shared: bool,
}

static PREFIXES: LazyLock<Vec<BundlerPrefix>> = LazyLock::new(|| {
    let text = include_str!("../../../templates/bundlers.yaml");
    serde_yaml::from_str(text).unwrap_or_default()
});

/// Returns the bundler prefix of the variable `name`, if it has one.
pub fn bundler_prefix(name: &str) -> Option<&'static BundlerPrefix> {
    PREFIXES
        .iter()
        .find(|bundler| name.len() > bundler.prefix.len() && name.starts_with(&bundler.prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_published_variable_is_known_by_its_prefix() {
        for (name, prefix) in [
            ("REACT_APP_BACKEND_URL", "REACT_APP_"),
            ("EXPO_PUBLIC_API", "EXPO_PUBLIC_"),
            ("STORYBOOK_THEME", "STORYBOOK_"),
            ("PUBLIC_API", "PUBLIC_"),
            ("NG_APP_KEY", "NG_APP_"),
        ] {
            assert_eq!(
                bundler_prefix(name).map(|bundler| bundler.prefix.as_str()),
                Some(prefix),
                "{name}"
            );
        }
        for name in ["API_URL", "MY_VITE_URL", "REACT_APP_", "EXPO_TOKEN", "vite_x"] {
            assert_eq!(bundler_prefix(name), None, "{name}");
        }
    }
}
