//! A question about spans, in Honeycomb's query specification: <https://docs.honeycomb.io/api/query-specification>.
//!
//! The same value becomes a link into Honeycomb and a question to `listen`. Knows neither.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::trace::TEST_ATTRIBUTE;
use crate::error::{Error, ErrorCode, Result};

/// A question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Query {
    /// What to calculate.
    pub calculations: Vec<Calculation>,
    /// Which spans count.
    #[serde(default)]
    pub filters: Vec<Filter>,
    /// How many of the filters have to hold.
    #[serde(default, skip_serializing_if = "FilterCombination::is_default")]
    pub filter_combination: FilterCombination,
    /// Columns to group by.
    #[serde(default)]
    pub breakdowns: Vec<String>,
    /// What comes first.
    #[serde(default)]
    pub orders: Vec<Order>,
    /// Groups at most.
    #[serde(default = "hundred")]
    pub limit: usize,
    /// Seconds to look back.
    pub time_range: u64,
}

fn hundred() -> usize {
    100
}

/// How many filters of a query have to hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum FilterCombination {
    /// All of them.
    #[default]
    And,
    /// One of them.
    Or,
}

impl FilterCombination {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// One calculation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calculation {
    /// What.
    pub op: Figure,
    /// Of which column; none for a count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
}

/// What can be calculated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Figure {
    /// How many spans.
    Count,
    /// When how many took how long.
    Heatmap,
    /// What 90 of 100 do not exceed.
    P90,
}

/// What comes first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// By which calculation.
    pub op: Figure,
    /// Of which column; none for a count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// `ascending` or `descending`.
    pub order: String,
}

/// A condition on one column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Filter {
    /// Which column.
    pub column: String,
    /// How it is compared.
    pub op: Op,
    /// With what; none where it only has to exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Json>,
}

/// How a column is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Op {
    /// Equal.
    #[serde(rename = "=")]
    Equal,
    /// Not equal, or not there.
    #[serde(rename = "!=")]
    Unequal,
    /// Greater.
    #[serde(rename = ">")]
    Greater,
    /// Greater or equal.
    #[serde(rename = ">=")]
    AtLeast,
    /// Less.
    #[serde(rename = "<")]
    Less,
    /// Less or equal.
    #[serde(rename = "<=")]
    AtMost,
    /// Begins with the text.
    StartsWith,
    /// Does not begin with it.
    DoesNotStartWith,
    /// Ends with the text.
    EndsWith,
    /// Does not end with it.
    DoesNotEndWith,
    /// Is there.
    Exists,
    /// Is not there.
    DoesNotExist,
    /// Has the text in it.
    Contains,
    /// Does not have it.
    DoesNotContain,
    /// Is one of a list.
    In,
    /// Is none of a list.
    NotIn,
}

/// Every operator, for the message that lists them.
const OPS: &str = "= != > >= < <= starts-with does-not-start-with ends-with does-not-end-with exists does-not-exist contains does-not-contain in not-in";

impl Query {
    /// COUNT of the spans that have `app.now`, by trace.
    pub fn traces(last: Duration) -> Self {
        let count = Calculation { op: Figure::Count, column: None };
        Self {
            orders: vec![Order { op: Figure::Count, column: None, order: "descending".to_owned() }],
            calculations: vec![count],
            filters: vec![Filter::existence("app.now", Op::Exists)],
            filter_combination: FilterCombination::And,
            breakdowns: vec!["trace.trace_id".to_owned()],
            limit: hundred(),
            time_range: last.as_secs().max(1),
        }
    }

    /// HEATMAP and P90 of `duration_ms`, without our own test spans.
    pub fn latency(last: Duration) -> Self {
        let of_duration = |op| Calculation { op, column: Some("duration_ms".to_owned()) };
        Self {
            calculations: vec![of_duration(Figure::Heatmap), of_duration(Figure::P90)],
            filters: vec![Filter::existence(TEST_ATTRIBUTE, Op::DoesNotExist)],
            filter_combination: FilterCombination::And,
            breakdowns: Vec::new(),
            orders: Vec::new(),
            limit: hundred(),
            time_range: last.as_secs().max(1),
        }
    }

    /// Whether it leaves out our own test spans.
    pub fn hides_tests(&self) -> bool {
        self.filters.contains(&Filter::existence(TEST_ATTRIBUTE, Op::DoesNotExist))
    }

    /// COUNT of the spans of one trace, wherever they are.
    pub fn spans_of(trace_id: &str, last: Duration) -> Self {
        Self {
            calculations: vec![Calculation { op: Figure::Count, column: None }],
            filters: vec![Filter {
                column: "trace.trace_id".to_owned(),
                op: Op::Equal,
                value: Some(Json::from(trace_id)),
            }],
            filter_combination: FilterCombination::And,
            breakdowns: Vec::new(),
            orders: Vec::new(),
            limit: hundred(),
            time_range: last.as_secs().max(1),
        }
    }

    /// This figure is asked for.
    pub fn asks(&self, figure: Figure) -> bool {
        self.calculations.iter().any(|one| one.op == figure)
    }
}

impl Filter {
    fn existence(column: &str, op: Op) -> Self {
        Self { column: column.to_owned(), op, value: None }
    }

    /// Reads `COLUMN OP [VALUE]`. A value is a number, `true`, `false` or else text, in quotes or not; after `in` and
    /// `not-in` several, with commas.
    ///
    /// # Errors
    /// `filter-invalid`.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = |why: String| {
            Error::new(ErrorCode::FilterInvalid, format!("the filter `{text}` {why}"))
                .hint("`--where 'service.name = backend-flask'`")
        };
        let (column, rest) = next_word(text);
        let (op, rest) = next_word(rest);
        if column.is_empty() || op.is_empty() {
            return Err(wrong("is not `COLUMN OP VALUE`".to_owned()));
        }
        let op: Op = serde_json::from_value(Json::from(op))
            .map_err(|_| wrong(format!("has no operator of: {OPS}")))?;
        let value = match op {
            Op::Exists | Op::DoesNotExist if rest.is_empty() => None,
            Op::Exists | Op::DoesNotExist => return Err(wrong("needs no value".to_owned())),
            _ if rest.is_empty() => return Err(wrong("needs a value".to_owned())),
            Op::In | Op::NotIn => Some(rest.split(',').map(|item| literal(item.trim())).collect()),
            _ => Some(literal(rest)),
        };
        Ok(Self { column: column.to_owned(), op, value })
    }
}

fn next_word(text: &str) -> (&str, &str) {
    let text = text.trim();
    match text.split_once(char::is_whitespace) {
        Some((word, rest)) => (word, rest.trim()),
        None => (text, ""),
    }
}

fn literal(text: &str) -> Json {
    for quote in ['"', '\''] {
        let inner = text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote));
        if let Some(inner) = inner {
            return inner.into();
        }
    }
    match serde_json::from_str(text) {
        Ok(value @ (Json::Bool(_) | Json::Number(_))) => value,
        _ => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_guides_queries_are_written_as_honeycomb_wants_them() {
        let last = Duration::from_secs(600);
        assert_eq!(
            serde_json::to_value(Query::traces(last)).unwrap(),
            json!({
                "calculations": [{"op": "COUNT"}],
                "filters": [{"column": "app.now", "op": "exists"}],
                "breakdowns": ["trace.trace_id"],
                "orders": [{"op": "COUNT", "order": "descending"}],
                "limit": 100,
                "time_range": 600,
            })
        );
        assert_eq!(
            serde_json::to_value(Query::latency(last)).unwrap(),
            json!({
                "calculations": [
                    {"op": "HEATMAP", "column": "duration_ms"},
                    {"op": "P90", "column": "duration_ms"},
                ],
                "filters": [{"column": "cruddur_ops.test", "op": "does-not-exist"}],
                "breakdowns": [],
                "orders": [],
                "limit": 100,
                "time_range": 600,
            })
        );
    }

    #[test]
    fn filters_are_read_with_their_values() {
        let value = |text| Filter::parse(text).unwrap().value;
        assert_eq!(value("duration_ms >= 100"), Some(json!(100)));
        assert_eq!(value("error = true"), Some(json!(true)));
        assert_eq!(value("name = GET /a b"), Some(json!("GET /a b")));
        assert_eq!(value("http.status = '200'"), Some(json!("200")));
        assert_eq!(value("name in a, 2"), Some(json!(["a", 2])));
        assert_eq!(value("app.now exists"), None);
    }

    #[test]
    fn a_filter_that_says_nothing_is_refused() {
        for wrong in ["", "name", "name ~ x", "name =", "app.now exists 1", "= x"] {
            assert_eq!(Filter::parse(wrong).unwrap_err().code, ErrorCode::FilterInvalid, "{wrong}");
        }
    }
}
