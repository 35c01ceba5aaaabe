//! Checks limits of spans and batches that lose data, or that an SDK rejects.

use super::number::{javascript_number, python_int};
use super::problem::SdkProblemKind;
use super::reading::SdkReading;

const BATCH: [&str; 4] = [
    "OTEL_BSP_MAX_QUEUE_SIZE",
    "OTEL_BSP_SCHEDULE_DELAY",
    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
    "OTEL_BSP_EXPORT_TIMEOUT",
];

/// The limits of a span, and the effect of a limit of 0.
const LIMITS: [(&str, &str); 8] = [
    ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", NO_ATTRIBUTES),
    ("OTEL_ATTRIBUTE_COUNT_LIMIT", NO_ATTRIBUTES),
    ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", EMPTY_ATTRIBUTES),
    ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", EMPTY_ATTRIBUTES),
    ("OTEL_SPAN_EVENT_COUNT_LIMIT", INCOMPLETE_SPANS),
    ("OTEL_SPAN_LINK_COUNT_LIMIT", INCOMPLETE_SPANS),
    ("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", INCOMPLETE_SPANS),
    ("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", INCOMPLETE_SPANS),
];

const NO_ATTRIBUTES: &str = "spans have no attributes";
const EMPTY_ATTRIBUTES: &str = "every attribute is cut to nothing";
const INCOMPLETE_SPANS: &str = "something of each span is left out";

/// Reports the batch settings that Python's SDK rejects.
pub(super) fn check_python_batch(reading: &mut SdkReading<'_>) {
    let number = |name: &str, default| reading.get(name).and_then(python_int).unwrap_or(default);
    let queue = number(BATCH[0], 2048);
    let delay = number(BATCH[1], 5000);
    let batch = number(BATCH[2], 512);
    let refused = match (queue, delay, batch) {
        (..=0, _, _) => Some((BATCH[0], queue)),
        (_, ..=0, _) => Some((BATCH[1], delay)),
        (_, _, ..=0) => Some((BATCH[2], batch)),
        _ if batch > queue => Some((BATCH[2], batch)),
        _ => None,
    };
    if let Some((name, value)) = refused {
        let text = if batch > queue && queue > 0 {
            format!(
                "{name} is {value}, more than the queue of {queue} holds: the SDK does not start"
            )
        } else {
            format!("{name} is {value}, which has to be positive: the SDK does not start")
        };
        reading.nothing_starts(SdkProblemKind::BatchInvalid, name, text);
    }
    note_ignored(reading, &BATCH, |value| python_int(value).is_some());
}

/// Reports the limits that Python's SDK rejects, and limits of 0.
pub(super) fn check_python_limits(reading: &mut SdkReading<'_>) {
    for (name, effect) in LIMITS {
        let Some(value) = reading.get(name).filter(|value| !value.trim().is_empty()) else {
            continue;
        };
        match python_int(value) {
            Some(0) => note_zero(reading, name, effect),
            Some(limit) if limit > 0 => {}
            _ => {
                let text =
                    format!("{name} is `{value}`, not a number from 0: the SDK does not start");
                reading.nothing_starts(SdkProblemKind::LimitInvalid, name, text);
            }
        }
    }
}

/// Reports the batch settings and limits that the JavaScript SDK replaces with defaults, and limits of 0.
pub(super) fn check_node_limits(reading: &mut SdkReading<'_>) {
    note_ignored(reading, &BATCH, |value| {
        javascript_number(value).is_some_and(|number| number > 0.0)
    });
    note_ignored(reading, &LIMITS.map(|(name, _)| name), |value| {
        javascript_number(value).is_some()
    });
    note_zeros(reading);
}

/// Reports the batch settings and limits that are not numbers, and limits of 0.
pub(super) fn check_limits(reading: &mut SdkReading<'_>) {
    let is_number = |value: &str| value.trim().parse::<u64>().is_ok();
    note_ignored(reading, &BATCH, |value| is_number(value) && value.trim() != "0");
    note_ignored(reading, &LIMITS.map(|(name, _)| name), is_number);
    note_zeros(reading);
}

fn note_zeros(reading: &mut SdkReading<'_>) {
    for (name, effect) in LIMITS {
        let value = reading.get(name).filter(|value| !value.trim().is_empty());
        if value.and_then(javascript_number) == Some(0.0) {
            note_zero(reading, name, effect);
        }
    }
}

fn note_zero(reading: &mut SdkReading<'_>, name: &'static str, effect: &str) {
    reading.different(SdkProblemKind::LimitZero, name, format!("{name} is 0: {effect}"));
}

fn note_ignored(
    reading: &mut SdkReading<'_>,
    names: &[&'static str],
    is_valid: impl Fn(&str) -> bool,
) {
    for name in names {
        let value = reading.get(name).filter(|value| !value.trim().is_empty());
        if let Some(value) = value.filter(|value| !is_valid(value)) {
            let text = format!("{name} is `{value}`: the default is used");
            reading.different(SdkProblemKind::LimitInvalid, name, text);
        }
    }
}
