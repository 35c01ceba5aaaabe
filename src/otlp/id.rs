//! The ids of traces and spans.

use serde::{Serialize, Serializer};

/// An id of `N` bytes, not all zero, written as lower-case hex.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id<const N: usize>([u8; N]);

/// The id of a trace: 32 hex digits.
pub type TraceId = Id<16>;

/// The id of a span within its trace: 16 hex digits.
pub type SpanId = Id<8>;

impl<const N: usize> Id<N> {
    /// Returns the id with these bytes; `None` for a wrong length or all zeros.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: [u8; N] = bytes.try_into().ok()?;
        (bytes != [0; N]).then_some(Self(bytes))
    }

    /// Returns the id that is written as `text`; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let pairs = text.as_bytes().chunks(2).map(std::str::from_utf8);
        let bytes: Option<Vec<u8>> =
            pairs.map(|pair| u8::from_str_radix(pair.ok()?, 16).ok()).collect();
        Self::from_bytes(&bytes?).filter(|id| id.to_string() == text)
    }

    /// Returns its bytes.
    pub fn bytes(&self) -> &[u8; N] {
        &self.0
    }
}

impl<const N: usize> std::fmt::Display for Id<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl<const N: usize> std::fmt::Debug for Id<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl<const N: usize> Serialize for Id<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::{SpanId, TraceId};

    #[test]
    fn an_id_is_parsed_from_what_it_is_written_as_and_nothing_else() {
        for bytes in [[1, 2, 3, 4, 5, 6, 7, 8], [0, 0, 0, 0, 0, 0, 0, 0xff], [0xab; 8]] {
            let id = SpanId::from_bytes(&bytes);
            assert!(id.is_some());
            assert_eq!(SpanId::parse(&id.unwrap().to_string()), id);
        }
        for text in [
            "",
            "0",
            "00f067aa0ba902b",
            "00F067AA0BA902B7",
            "00f067aa0ba902b7 ",
            "+0f067aa0ba902b7",
        ] {
            assert_eq!(SpanId::parse(text), None, "{text:?}");
        }
        assert_eq!(SpanId::parse("0000000000000000"), None);
        assert_eq!(TraceId::parse("00f067aa0ba902b7"), None);
    }
}
