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
