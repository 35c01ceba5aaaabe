//! Values that docker compose converts after interpolation, and rejects if it cannot convert them.
//!
//! Follows compose-go's `interpolateTypeCastMapping` and its decoders of sizes and durations.

/// The type that a value is converted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Conversion {
    /// `true`, `false`, `yes`, `no`, `on`, `off`, `y`, `n` in any case.
    Boolean,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// A number of bytes with an optional unit: `512m`.
    Size,
    /// Numbers with units: `1m30s`.
    Duration,
}

/// Keys of a service and the conversion of each; `[]` matches any item.
const KEYS: [(&str, Conversion); 33] = [
    ("attach", Conversion::Boolean),
    ("cpu_count", Conversion::Integer),
    ("cpu_percent", Conversion::Number),
    ("cpu_period", Conversion::Integer),
    ("cpu_quota", Conversion::Integer),
    ("cpu_rt_period", Conversion::Integer),
    ("cpu_rt_runtime", Conversion::Integer),
    ("cpu_shares", Conversion::Integer),
    ("cpus", Conversion::Number),
    ("deploy.replicas", Conversion::Integer),
    ("healthcheck.disable", Conversion::Boolean),
    ("healthcheck.interval", Conversion::Duration),
    ("healthcheck.retries", Conversion::Integer),
    ("healthcheck.start_interval", Conversion::Duration),
    ("healthcheck.start_period", Conversion::Duration),
    ("healthcheck.timeout", Conversion::Duration),
    ("init", Conversion::Boolean),
    ("mem_limit", Conversion::Size),
    ("mem_reservation", Conversion::Size),
    ("mem_swappiness", Conversion::Size),
    ("memswap_limit", Conversion::Size),
    ("oom_kill_disable", Conversion::Boolean),
    ("oom_score_adj", Conversion::Integer),
    ("pids_limit", Conversion::Integer),
    ("ports[].target", Conversion::Integer),
    ("privileged", Conversion::Boolean),
    ("read_only", Conversion::Boolean),
    ("scale", Conversion::Integer),
    ("shm_size", Conversion::Size),
    ("stdin_open", Conversion::Boolean),
    ("stop_grace_period", Conversion::Duration),
    ("tty", Conversion::Boolean),
    ("volumes[].read_only", Conversion::Boolean),
];

/// Conversions below an arbitrary key: the parent key, the path below the arbitrary key, and the conversion.
const BELOW_ANY_KEY: [(&str, &str, Conversion); 5] = [
    ("depends_on", ".required", Conversion::Boolean),
    ("depends_on", ".restart", Conversion::Boolean),
    ("ulimits", "", Conversion::Integer),
    ("ulimits", ".hard", Conversion::Integer),
    ("ulimits", ".soft", Conversion::Integer),
];

impl Conversion {
    /// Returns the conversion of a service's value at `path`, relative to the service: `ports[].target`.
    pub(super) fn of_service_value(path: &str) -> Option<Self> {
        if let Some((_, conversion)) = KEYS.iter().find(|(key, _)| *key == path) {
            return Some(*conversion);
        }
        let (top, rest) = path.split_once('.')?;
        let fits = |(above, after, _): &&(&str, &str, Self)| {
            let key = rest.strip_suffix(after).filter(|_| *above == top);
            key.is_some_and(|key| !key.is_empty() && (!after.is_empty() || !key.contains('.')))
        };
        BELOW_ANY_KEY.iter().find(fits).map(|(.., conversion)| *conversion)
    }

    /// Returns whether docker compose can convert `text`.
    pub(super) fn accepts(self, text: &str) -> bool {
        match self {
            Self::Boolean => {
                let text = text.to_ascii_lowercase();
                matches!(text.as_str(), "true" | "false" | "yes" | "no" | "on" | "off" | "y" | "n")
            }
            Self::Integer => text.parse::<i64>().is_ok(),
            Self::Number => text.parse::<f64>().is_ok(),
            Self::Size => is_size(text),
            Self::Duration => is_duration(text),
        }
    }

    /// Returns the expected type in words.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Boolean => "true or false",
            Self::Integer => "a whole number",
            Self::Number => "a number",
            Self::Size => "a size such as `512m`",
            Self::Duration => "a duration such as `1m30s`",
        }
    }
}

/// Returns whether a text is a number with an optional unit of up to three letters: `1.5 GiB`.
fn is_size(text: &str) -> bool {
    let text = text.trim();
    let unit = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = (text[..unit].trim_end(), text[unit..].to_ascii_lowercase());
    let scale = unit.trim_end_matches('b').trim_end_matches('i');
    number.parse::<f64>().is_ok() && matches!(scale, "" | "k" | "m" | "g" | "t" | "p" | "e")
}

fn is_duration(text: &str) -> bool {
    let mut rest = text;
    if rest == "0" {
        return true;
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
        let unit = rest[digits..].find(|c: char| c.is_ascii_digit() || c == '.');
        let end = unit.map_or(rest.len(), |unit| digits + unit);
        let unit = &rest[digits..end];
        let known =
            matches!(unit, "ns" | "us" | "\u{b5}s" | "ms" | "s" | "m" | "h" | "d" | "w" | "y");
        if digits == 0 || !known {
            return false;
        }
        rest = &rest[end..];
    }
    !text.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_is_found() {
        for (key, conversion) in KEYS {
            assert_eq!(Conversion::of_service_value(key), Some(conversion), "{key}");
        }
        let found = |path| Conversion::of_service_value(path);
        assert_eq!(found("depends_on.a.b.required"), Some(Conversion::Boolean));
        assert_eq!(found("ulimits.nofile"), Some(Conversion::Integer));
        assert_eq!(found("ulimits.nofile.soft"), Some(Conversion::Integer));
        assert_eq!(found("ulimits.nofile.other"), None);
        assert_eq!(found("image"), None);
    }

    #[test]
    fn durations_are_numbers_with_units() {
        for text in ["0", "30s", "1m30s", "1.5h", "1h2m3s4ms5us6ns", "2\u{b5}s", "1w2d"] {
            assert!(is_duration(text), "{text}");
        }
        for text in ["", "30", "s", "30s5", "1m 30s", "1x", "-1s", "00"] {
            assert!(!is_duration(text), "{text}");
        }
    }
}
