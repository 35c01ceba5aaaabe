//! Rewrites JSON from the form that every Protocol Buffers parser accepts to the one this decoder accepts: nulls
//! removed, numbers in strings or with exponents as integers, enumeration values as numbers.

use std::fmt;

use opentelemetry_proto::tonic::trace::v1::{span::SpanKind, status::StatusCode};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Integer fields of a trace request.
const INTEGERS: [&str; 8] = [
    "startTimeUnixNano",
    "endTimeUnixNano",
    "timeUnixNano",
    "flags",
    "droppedAttributesCount",
    "droppedEventsCount",
    "droppedLinksCount",
    "intValue",
];

/// Rewrites a JSON text, which grows by at most a few digits for each integer field.
///
/// # Errors
/// When it is not JSON, or is nested beyond the parser's limit.
pub(super) fn rewrite(body: &[u8]) -> Result<Vec<u8>, serde_json::Error> {
    let mut out = Vec::with_capacity(body.len());
    let mut reader = serde_json::Deserializer::from_slice(body);
    RewrittenValue { key: "", out: &mut out }.deserialize(&mut reader)?;
    reader.end()?;
    Ok(out)
}

/// A value that is written to the output while it is read.
struct RewrittenValue<'a> {
    /// The key of the value in the nearest object.
    key: &'a str,
    out: &'a mut Vec<u8>,
}

impl RewrittenValue<'_> {
    fn is_integer(&self) -> bool {
        INTEGERS.contains(&self.key)
    }

    /// Returns the integer that a number or text represents in an integer field.
    fn integer(&self, text: &str) -> Option<i128> {
        if let Ok(whole) = text.parse::<i128>() {
            return Some(whole);
        }
        let number = text.parse::<f64>().ok()?;
        let is_whole = number.fract() == 0.0 && number.abs() < 2_f64.powi(64);
        // Every whole number below 2^64 is exact.
        #[expect(clippy::cast_possible_truncation, reason = "it is whole and in range")]
        is_whole.then_some(number as i128)
    }

    /// Returns the number of an enumeration value.
    fn enumerated(&self, text: &str) -> Option<i32> {
        match self.key {
            "kind" => SpanKind::from_str_name(text).map(|kind| kind as i32),
            "code" => StatusCode::from_str_name(text).map(|code| code as i32),
            _ => None,
        }
    }

    fn write<E: Error>(self, value: impl serde::Serialize) -> Result<(), E> {
        serde_json::to_writer(self.out, &value).map_err(E::custom)
    }
}

impl<'de> DeserializeSeed<'de> for RewrittenValue<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for RewrittenValue<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of JSON")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.write(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.write(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.write(value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        let whole = self.is_integer().then(|| self.integer(&value.to_string())).flatten();
        match whole {
            Some(whole) => self.write(whole),
            None => self.write(value),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        if let Some(number) = self.enumerated(text) {
            return self.write(number);
        }
        match self.key {
            _ if self.is_integer() => match self.integer(text) {
                Some(whole) => self.write(whole),
                None => self.write(text),
            },
            // NaN and infinities are not JSON numbers.
            "doubleValue" => match text.parse::<f64>() {
                Ok(number) => self.write(number),
                Err(_) => self.write(text),
            },
            _ => self.write(text),
        }
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.out.push(b'[');
        let begin = self.out.len();
        loop {
            let end = self.out.len();
            if end > begin {
                self.out.push(b',');
            }
            if items.next_element_seed(RewrittenValue { key: "", out: self.out })?.is_none() {
                self.out.truncate(end);
                self.out.push(b']');
                return Ok(());
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        self.out.push(b'{');
        let begin = self.out.len();
        while let Some(key) = entries.next_key::<String>()? {
            let end = self.out.len();
            if end > begin {
                self.out.push(b',');
            }
            serde_json::to_writer(&mut *self.out, &key).map_err(A::Error::custom)?;
            self.out.push(b':');
            let value = self.out.len();
            entries.next_value_seed(RewrittenValue { key: &key, out: self.out })?;
            // A null means the same as a missing field.
            if &self.out[value..] == b"null" {
                self.out.truncate(end);
            }
        }
        self.out.push(b'}');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::net::receiver::intake;
    use crate::net::receiver::{MessageFormat, TelemetrySignal};
    use crate::otlp::span::SpanBatch;

    const IDS: &str =
        "\"traceId\":\"5b8efff798038103d269b633813fc60c\",\"spanId\":\"eee19b7ec3c1b174\"";

    fn read(span: &str) -> Result<SpanBatch, intake::RequestRefusal> {
        let text = format!(
            "{{\"resourceSpans\":[{{\"scopeSpans\":[{{\"spans\":[{{{IDS},{span}}}]}}]}}]}}"
        );
        intake::read(TelemetrySignal::Traces, MessageFormat::Json, text.as_bytes(), 1 << 20)
    }

    #[track_caller]
    fn same(written: &str, plain: &str) {
        let (written, plain) = (read(written).unwrap(), read(plain).unwrap());
        assert_eq!(format!("{written:?}"), format!("{plain:?}"));
    }

    #[test]
    fn integers_may_be_texts_and_have_exponents() {
        same("\"flags\":\"257\"", "\"flags\":257");
        same("\"droppedAttributesCount\":\"3\"", "\"droppedAttributesCount\":3");
        same("\"startTimeUnixNano\":1.5e18", "\"startTimeUnixNano\":\"1500000000000000000\"");
        same("\"endTimeUnixNano\":\"1.5e18\"", "\"endTimeUnixNano\":\"1500000000000000000\"");
        same("\"flags\":2.0,\"kind\":2", "\"flags\":2,\"kind\":2");
        let attribute =
            |value: &str| format!("\"attributes\":[{{\"key\":\"a\",\"value\":{{{value}}}}}]");
        same(&attribute("\"intValue\":1e3"), &attribute("\"intValue\":\"1000\""));
        same(&attribute("\"doubleValue\":\"1.5\""), &attribute("\"doubleValue\":1.5"));
    }

    #[test]
    fn nulls_count_as_missing() {
        same("\"attributes\":null", "\"name\":\"\"");
        same("\"name\":null,\"status\":null,\"kind\":null", "\"name\":\"\"");
        same("\"events\":null,\"parentSpanId\":null,\"flags\":null", "\"name\":\"\"");
        for text in ["{\"resourceSpans\":null}", "{\"resourceSpans\":[{\"scopeSpans\":null}]}"] {
            let batch = intake::read(
                TelemetrySignal::Traces,
                MessageFormat::Json,
                text.as_bytes(),
                1 << 20,
            );
            assert!(batch.unwrap().spans.is_empty(), "{text}");
        }
    }

    #[test]
    fn enumerations_may_be_named() {
        same("\"kind\":\"SPAN_KIND_SERVER\"", "\"kind\":2");
        same("\"kind\":\"SPAN_KIND_CLIENT\"", "\"kind\":3");
        same("\"status\":{\"code\":\"STATUS_CODE_ERROR\"}", "\"status\":{\"code\":2}");
    }

    #[test]
    fn invalid_values_are_refused_and_texts_are_kept() {
        for span in [
            "\"flags\":\"x\"",
            "\"flags\":1.5",
            "\"startTimeUnixNano\":-1",
            "\"kind\":\"SERVER\"",
            "\"flags\":1e300",
        ] {
            assert!(read(span).is_err(), "{span}");
        }
        same("\"name\":\"1e3\",\"flags\":\"1\"", "\"name\":\"1e3\",\"flags\":1");
    }
}
