//! Values that docker compose converts after interpolation, and rejects if it cannot convert them.
//!
//! Follows compose-go's `interpolateTypeCastMapping` and its decoders of sizes and durations.

/// The type that a value is converted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueConversion {
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
const KEYS: [(&str, ValueConversion); 33] = [
    ("attach", ValueConversion::Boolean),
    ("cpu_count", ValueConversion::Integer),
    ("cpu_percent", ValueConversion::Number),
    ("cpu_period", ValueConversion::Integer),
    ("cpu_quota", ValueConversion::Integer),
    ("cpu_rt_period", ValueConversion::Integer),
    ("cpu_rt_runtime", ValueConversion::Integer),
    ("cpu_shares", ValueConversion::Integer),
    ("cpus", ValueConversion::Number),
    ("deploy.replicas", ValueConversion::Integer),
    ("healthcheck.disable", ValueConversion::Boolean),
    ("healthcheck.interval", ValueConversion::Duration),
    ("healthcheck.retries", ValueConversion::Integer),
    ("healthcheck.start_interval", ValueConversion::Duration),
    ("healthcheck.start_period", ValueConversion::Duration),
    ("healthcheck.timeout", ValueConversion::Duration),
    ("init", ValueConversion::Boolean),
    ("mem_limit", ValueConversion::Size),
    ("mem_reservation", ValueConversion::Size),
    ("mem_swappiness", ValueConversion::Size),
    ("memswap_limit", ValueConversion::Size),
    ("oom_kill_disable", ValueConversion::Boolean),
    ("oom_score_adj", ValueConversion::Integer),
    ("pids_limit", ValueConversion::Integer),
    ("ports[].target", ValueConversion::Integer),
    ("privileged", ValueConversion::Boolean),
    ("read_only", ValueConversion::Boolean),
    ("scale", ValueConversion::Integer),
    ("shm_size", ValueConversion::Size),
    ("stdin_open", ValueConversion::Boolean),
    ("stop_grace_period", ValueConversion::Duration),
    ("tty", ValueConversion::Boolean),
    ("volumes[].read_only", ValueConversion::Boolean),
];

/// Conversions below an arbitrary key: the parent key, the path below the arbitrary key, and the conversion.
const NESTED_CONVERSIONS: [(&str, &str, ValueConversion); 5] = [
    ("depends_on", ".required", ValueConversion::Boolean),
    ("depends_on", ".restart", ValueConversion::Boolean),
    ("ulimits", "", ValueConversion::Integer),
    ("ulimits", ".hard", ValueConversion::Integer),
    ("ulimits", ".soft", ValueConversion::Integer),
];

impl ValueConversion {
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
        NESTED_CONVERSIONS.iter().find(fits).map(|(.., conversion)| *conversion)
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
            assert_eq!(ValueConversion::of_service_value(key), Some(conversion), "{key}");
        }
        let found = |path| ValueConversion::of_service_value(path);
        assert_eq!(found("depends_on.a.b.required"), Some(ValueConversion::Boolean));
        assert_eq!(found("ulimits.nofile"), Some(ValueConversion::Integer));
        assert_eq!(found("ulimits.nofile.soft"), Some(ValueConversion::Integer));
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
