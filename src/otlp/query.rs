//! A query for spans in Honeycomb's query specification: <https://docs.honeycomb.io/api/query-specification>.
//!
//! The same value is used for a link into Honeycomb and a request to `listen`, and does not depend on either.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::trace::TEST_ATTRIBUTE;
use crate::error::{Error, ErrorCode, Result};

/// A query.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Query {
    /// The calculations.
    pub calculations: Vec<Calculation>,
    /// The filters on spans.
    #[serde(default)]
    pub filters: Vec<Filter>,
    /// Whether all filters must match, or one.
    #[serde(default, skip_serializing_if = "FilterCombination::is_default")]
    pub filter_combination: FilterCombination,
    /// The columns to group by.
    #[serde(default)]
    pub breakdowns: Vec<String>,
    /// The order of groups.
    #[serde(default)]
    pub orders: Vec<QueryOrder>,
    /// The most groups.
    #[serde(default = "default_query_limit")]
    pub limit: usize,
    /// The time range before now, in seconds.
    pub time_range: u64,
}

fn default_query_limit() -> usize {
    100
}

/// Whether all filters of a query must match, or one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum FilterCombination {
    /// All of them.
    #[default]
    And,
    /// At least one of them.
    Or,
}

impl FilterCombination {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A calculation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Calculation {
    /// The operator.
    pub op: CalculationOp,
    /// The column; `None` for a count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
}

/// The operator of a calculation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum CalculationOp {
    /// The number of spans.
    Count,
    /// The distribution over time.
    Heatmap,
    /// The median.
    P50,
    /// The 90th percentile.
    P90,
    /// The 99th percentile.
    P99,
}

/// The sort order of groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct QueryOrder {
    /// The calculation to sort by.
    pub op: CalculationOp,
    /// Its column; `None` for a count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// `ascending` or `descending`.
    pub order: String,
}

/// A condition on one column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Filter {
    /// The column.
    pub column: String,
    /// The operator.
    pub op: FilterOp,
    /// The value to compare with; `None` if the operator takes none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Json>,
}

/// The operator of a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum FilterOp {
    /// Equal.
    #[serde(rename = "=")]
    Equal,
    /// Not equal, or missing.
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
    /// Exists.
    Exists,
    /// Does not exist.
    DoesNotExist,
    /// Contains the text.
    Contains,
    /// Does not contain the text.
    DoesNotContain,
    /// Is one of a list.
    In,
    /// Is none of a list.
    NotIn,
}

/// Every operator, for the error message.
const OPS: &str = "= != > >= < <= starts-with does-not-start-with ends-with does-not-end-with exists does-not-exist contains does-not-contain in not-in";

impl Query {
    /// Returns COUNT of the spans with `app.now`, by trace.
    pub(crate) fn traces(last: Duration) -> Self {
        let count = Calculation { op: CalculationOp::Count, column: None };
        Self {
            orders: vec![QueryOrder {
                op: CalculationOp::Count,
                column: None,
                order: "descending".to_owned(),
            }],
            calculations: vec![count],
            filters: vec![Filter::existence("app.now", FilterOp::Exists)],
            filter_combination: FilterCombination::And,
            breakdowns: vec!["trace.trace_id".to_owned()],
            limit: default_query_limit(),
            time_range: last.as_secs().max(1),
        }
    }

    /// Returns HEATMAP and P90 of `duration_ms`, without our test spans.
    pub(crate) fn latency(last: Duration) -> Self {
        let of_duration = |op| Calculation { op, column: Some("duration_ms".to_owned()) };
        Self {
            calculations: vec![
                of_duration(CalculationOp::Heatmap),
                of_duration(CalculationOp::P90),
            ],
            filters: vec![Filter::existence(TEST_ATTRIBUTE, FilterOp::DoesNotExist)],
            filter_combination: FilterCombination::And,
            breakdowns: Vec::new(),
            orders: Vec::new(),
            limit: default_query_limit(),
            time_range: last.as_secs().max(1),
        }
    }

    /// Creates the query that counts the traces that begin in these services (in all if `services` is empty), by
    /// service and trace, without our own test spans.
    pub(crate) fn roots(last: Duration, services: Vec<String>) -> Self {
        let mut query = Self::traces(last);
        query.filters = vec![
            Filter::existence(TEST_ATTRIBUTE, FilterOp::DoesNotExist),
            Filter::existence("trace.parent_id", FilterOp::DoesNotExist),
        ];
        if !services.is_empty() {
            let column = "service.name".to_owned();
            query.filters.push(Filter { column, op: FilterOp::In, value: Some(services.into()) });
        }
        query.breakdowns.insert(0, "service.name".to_owned());
        query
    }

    /// Returns whether it excludes our test spans.
    pub(crate) fn hides_tests(&self) -> bool {
        self.filters.contains(&Filter::existence(TEST_ATTRIBUTE, FilterOp::DoesNotExist))
    }

    /// Returns COUNT of the spans of one trace in all datasets.
    pub(crate) fn spans_of(trace_id: &str, last: Duration) -> Self {
        Self {
            calculations: vec![Calculation { op: CalculationOp::Count, column: None }],
            filters: vec![Filter {
                column: "trace.trace_id".to_owned(),
                op: FilterOp::Equal,
                value: Some(Json::from(trace_id)),
            }],
            filter_combination: FilterCombination::And,
            breakdowns: Vec::new(),
            orders: Vec::new(),
            limit: default_query_limit(),
            time_range: last.as_secs().max(1),
        }
    }

    /// Returns whether the query requests this calculation.
    pub(crate) fn asks(&self, figure: CalculationOp) -> bool {
        self.calculations.iter().any(|calculation| calculation.op == figure)
    }
}

impl Filter {
    fn existence(column: &str, op: FilterOp) -> Self {
        Self { column: column.to_owned(), op, value: None }
    }

    /// Parses `COLUMN OP [VALUE]`. A value is a number, `true`, `false` or otherwise text, quoted or not; `in` and
    /// `not-in` take several, separated by commas.
    ///
    /// # Errors
    /// `filter-invalid`.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let wrong = |why: String| {
            Error::new(ErrorCode::FilterInvalid, format!("the filter `{text}` {why}"))
                .hint("for example `--where 'service.name = backend-flask'`")
        };
        let (column, rest) = next_word(text);
        let (op, rest) = next_word(rest);
        if column.is_empty() || op.is_empty() {
            return Err(wrong("is not `COLUMN OP VALUE`".to_owned()));
        }
        let op: FilterOp = serde_json::from_value(Json::from(op))
            .map_err(|_| wrong(format!("has none of these operators: {OPS}")))?;
        let value = match op {
            FilterOp::Exists | FilterOp::DoesNotExist if rest.is_empty() => None,
            FilterOp::Exists | FilterOp::DoesNotExist => {
                return Err(wrong("needs no value".to_owned()));
            }
            _ if rest.is_empty() => return Err(wrong("needs a value".to_owned())),
            FilterOp::In | FilterOp::NotIn => {
                Some(rest.split(',').map(|item| parse_literal(item.trim())).collect())
            }
            _ => Some(parse_literal(rest)),
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

fn parse_literal(text: &str) -> Json {
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
    fn an_invalid_filter_is_refused() {
        for wrong in ["", "name", "name ~ x", "name =", "app.now exists 1", "= x"] {
            assert_eq!(Filter::parse(wrong).unwrap_err().code, ErrorCode::FilterInvalid, "{wrong}");
        }
    }
}
