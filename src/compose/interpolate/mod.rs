//! Interpolates `$NAME`, `${NAME}` and their operators as docker compose does.

mod reference;

use std::ops::Range;

use crate::limits;
use reference::{ClosingBraces, ParsedReference, name_length, read_reference};

/// A template with its variables replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterpolatedText {
    /// The resulting text.
    pub text: String,
    /// Every variable used, in order.
    pub uses: Vec<ReferenceUse>,
}

impl InterpolatedText {
    /// Returns whether every variable was set or had a default.
    pub fn is_whole(&self) -> bool {
        self.uses.iter().all(|reference| reference.outcome != ReferenceOutcome::Unset)
    }
}

/// A variable used in a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceUse {
    /// Its name.
    pub name: String,
    /// How it was resolved.
    pub outcome: ReferenceOutcome,
}

/// How a variable was resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReferenceOutcome {
    /// It is set and its value was used.
    Taken,
    /// It is unset, or empty where that counts as unset, and the template's default was used.
    Default,
    /// It is unset and replaced by nothing; docker compose warns about it.
    Unset,
}

/// The reason why a template has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InterpolationError {
    /// Invalid syntax: `${A B}`.
    Invalid {
        /// The invalid part.
        part: String,
    },
    /// `${NAME:?reason}` with a missing variable.
    Required {
        /// The variable.
        name: String,
        /// The author's message; may be empty.
        reason: String,
    },
    /// The result would exceed [`limits::VALUE_BYTES`].
    ValueTooLarge,
    /// All values together would exceed [`limits::VALUES_BYTES`].
    ValuesTooLarge,
}

impl InterpolationError {
    /// Returns whether the result was discarded because it exceeds a limit.
    pub fn is_too_large(&self) -> bool {
        matches!(self, Self::ValueTooLarge | Self::ValuesTooLarge)
    }
}

impl std::fmt::Display for InterpolationError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Invalid { part } => write!(f, "`{part}` is not a valid variable reference"),
            Self::Required { name, reason } if reason.is_empty() => {
                write!(f, "required variable {name} is missing a value")
            }
            Self::Required { name, reason } => {
                write!(f, "required variable {name} is missing a value: {reason}")
            }
            Self::ValueTooLarge => {
                let most = limits::VALUE_BYTES >> 20;
                write!(f, "the value is larger than {most} MiB once its variables are replaced")
            }
            Self::ValuesTooLarge => {
                let most = limits::VALUES_BYTES >> 20;
                write!(f, "up to this value, the values are larger than {most} MiB in all")
            }
        }
    }
}

/// Looks up a variable; `None` if it is unset.
pub type VariableLookup<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// Replaces the variables of `template`.
///
/// # Errors
/// Anything that docker compose would reject.
pub fn interpolate_template(
    template: &str,
    lookup: &VariableLookup<'_>,
) -> Result<InterpolatedText, InterpolationError> {
    let mut out =
        InterpolatedText { text: String::with_capacity(template.len()), uses: Vec::new() };
    replace_variables(template, lookup, 0, &mut out)?;
    Ok(out)
}

/// A variable reference in a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateReference<'t> {
    /// Its name.
    pub name: &'t str,
    /// The text after the name inside the braces, including the operator: `:-default`, or empty.
    pub rest: &'t str,
    /// Byte range of the whole reference.
    pub range: Range<usize>,
}

/// Finds every `$NAME` and `${NAME…}` of a template, including those in defaults, but not `$$` or invalid references.
pub fn find_references(template: &str) -> Vec<TemplateReference<'_>> {
    let mut found = Vec::new();
    let mut lines = ClosingBraces::new(template);
    let mut at = 0;
    while let Some(next) = template[at..].find('$') {
        let start = at + next;
        let after = &template[start + 1..];
        let (name, range) = if after.starts_with('$') {
            at = start + 2;
            continue;
        } else if after.starts_with('{') {
            match read_reference(template, start, &mut lines) {
                Ok(reference) => (reference.name, reference.whole),
                Err(_) => {
                    at = start + 2;
                    continue;
                }
            }
        } else {
            let end = start + 1 + name_length(after);
            (start + 1..end, start..end)
        };
        at = name.end;
        if !name.is_empty() {
            let inside = range.end - usize::from(after.starts_with('{'));
            let rest = &template[name.end..inside];
            found.push(TemplateReference { name: &template[name], rest, range });
        }
    }
    found
}

/// Returns the reference if the template consists of nothing else: `${NAME}`, `$NAME`.
pub fn sole_reference(template: &str) -> Option<TemplateReference<'_>> {
    let found = find_references(template).into_iter().next()?;
    (found.range == (0..template.len())).then_some(found)
}

/// Returns whether a `$NAME` without braces follows other text, as in a pasted password: `ab12$cd34ef`.
pub fn has_pasted_dollar(template: &str) -> bool {
    find_references(template).iter().any(|reference| {
        let before = &template[..reference.range.start];
        let is_bare = !template[reference.range.start..].starts_with("${");
        is_bare && before.ends_with(|last: char| last.is_ascii_alphanumeric())
    })
}

fn replace_variables(
    template: &str,
    lookup: &VariableLookup<'_>,
    depth: usize,
    out: &mut InterpolatedText,
) -> Result<(), InterpolationError> {
    if depth > limits::TEMPLATE_DEPTH {
        return Err(invalid_reference_error(template));
    }
    let mut lines = ClosingBraces::new(template);
    let mut rest = 0;
    while let Some(found) = template[rest..].find('$') {
        let at = rest + found;
        append_limited(&template[rest..at], out)?;
        let after = &template[at + 1..];
        rest = if after.starts_with('$') {
            out.text.push('$');
            at + 2
        } else if after.starts_with('{') {
            let reference = read_reference(template, at, &mut lines)?;
            let end = reference.whole.end;
            expand_reference(template, reference, lookup, depth, out)?;
            end
        } else {
            let name = &after[..name_length(after)];
            if name.is_empty() {
                out.text.push('$');
            } else {
                append_variable(name, lookup, out)?;
            }
            at + 1 + name.len()
        };
    }
    append_limited(&template[rest..], out)
}

/// Appends to the result, up to its limit.
fn append_limited(text: &str, out: &mut InterpolatedText) -> Result<(), InterpolationError> {
    if out.text.len() + text.len() > limits::VALUE_BYTES {
        return Err(InterpolationError::ValueTooLarge);
    }
    out.text.push_str(text);
    Ok(())
}

fn expand_reference(
    template: &str,
    reference: ParsedReference,
    lookup: &VariableLookup<'_>,
    depth: usize,
    out: &mut InterpolatedText,
) -> Result<(), InterpolationError> {
    let name = &template[reference.name];
    let Some((operator, argument)) = reference.operator else {
        return append_variable(name, lookup, out);
    };
    let argument = &template[argument];
    let value = lookup(name);
    let present =
        value.as_deref().is_some_and(|value| !(operator.empty_counts_as_unset && value.is_empty()));
    let outcome = if present { ReferenceOutcome::Taken } else { ReferenceOutcome::Default };
    match (operator.sign, present) {
        (b'?', false) => {
            let mut reason = InterpolatedText { text: String::new(), uses: Vec::new() };
            replace_variables(argument, lookup, depth + 1, &mut reason)?;
            return Err(InterpolationError::Required {
                name: name.to_owned(),
                reason: reason.text,
            });
        }
        (b'-', false) | (b'+', true) => {
            record_use(name, outcome, out);
            replace_variables(argument, lookup, depth + 1, out)?;
        }
        _ => {
            record_use(name, outcome, out);
            append_limited(&value.unwrap_or_default(), out)?;
        }
    }
    Ok(())
}

fn append_variable(
    name: &str,
    lookup: &VariableLookup<'_>,
    out: &mut InterpolatedText,
) -> Result<(), InterpolationError> {
    match lookup(name) {
        Some(value) => {
            record_use(name, ReferenceOutcome::Taken, out);
            append_limited(&value, out)
        }
        None => {
            record_use(name, ReferenceOutcome::Unset, out);
            Ok(())
        }
    }
}

fn record_use(name: &str, outcome: ReferenceOutcome, out: &mut InterpolatedText) {
    out.uses.push(ReferenceUse { name: name.to_owned(), outcome });
}

fn invalid_reference_error(part: &str) -> InterpolationError {
    const MAX_SHOWN_CHARS: usize = 60;
    InterpolationError::Invalid { part: part.chars().take(MAX_SHOWN_CHARS).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(name: &str) -> Option<String> {
        match name {
            "SET" | "_a1" => Some("value".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        }
    }

    #[track_caller]
    fn check(template: &str, expected: &str) {
        let got = interpolate_template(template, &lookup).map(|got| got.text);
        assert_eq!(got.as_deref(), Ok(expected), "{template}");
    }

    #[test]
    fn every_operator_tells_unset_from_empty() {
        check("$SET ${SET} $_a1", "value value value");
        check("[$UNSET][${EMPTY}]", "[][]");
        check("${UNSET:-d} ${EMPTY:-d} ${SET:-d}", "d d value");
        check("${UNSET-d}[${EMPTY-d}]${SET-d}", "d[]value");
        check("[${UNSET:+r}][${EMPTY:+r}][${SET:+r}]", "[][][r]");
        check("[${UNSET+r}][${EMPTY+r}][${SET+r}]", "[][r][r]");
        check("${SET:?m}${EMPTY?m}", "value");
    }

    #[test]
    fn defaults_nest_and_dollars_escape() {
        check("${UNSET:-${EMPTY:-${SET}}}!", "value!");
        check("$${SET} $$SET $$$SET", "${SET} $SET $value");
        check("${UNSET:-a}-${UNSET:-b}", "a-b");
        check("${UNSET:-http://x?y=z}", "http://x?y=z");
        check("${UNSET:-{}}", "{}");
        check("5$ and $1", "5$ and $1");
    }

    #[test]
    fn an_invalid_reference_is_refused() {
        for template in ["${HONEY COMB}", "${}", "${A", "${1A}", "${A:x}", "${A/x}", "${A:-${B}"] {
            assert!(
                matches!(
                    interpolate_template(template, &lookup),
                    Err(InterpolationError::Invalid { .. })
                ),
                "{template}"
            );
        }
    }

    #[test]
    fn a_missing_required_variable_says_why() {
        for template in ["${UNSET:?say $SET}", "${EMPTY:?say $SET}", "${UNSET?say $SET}"] {
            let error = interpolate_template(template, &lookup).unwrap_err();
            assert!(error.to_string().ends_with("is missing a value: say value"), "{error}");
        }
    }

    #[test]
    fn uses_report_how_each_variable_was_resolved() {
        let got = interpolate_template("$SET ${UNSET:-x} $GONE", &lookup).unwrap();
        let outcomes: Vec<_> =
            got.uses.iter().map(|reference| (reference.name.as_str(), reference.outcome)).collect();
        assert_eq!(
            outcomes,
            [
                ("SET", ReferenceOutcome::Taken),
                ("UNSET", ReferenceOutcome::Default),
                ("GONE", ReferenceOutcome::Unset)
            ]
        );
    }

    #[test]
    fn references_are_found_in_every_form_with_their_places() {
        let template = "a${B:-$C}$D$$E${F}${G H}$1";
        let found = find_references(template);
        let shown: Vec<_> = found
            .iter()
            .map(|reference| (reference.name, reference.rest, &template[reference.range.clone()]))
            .collect();
        assert_eq!(
            shown,
            [("B", ":-$C", "${B:-$C}"), ("C", "", "$C"), ("D", "", "$D"), ("F", "", "${F}")]
        );
        assert!(sole_reference("${A}").is_some_and(|reference| reference.name == "A"));
        assert!(sole_reference("${A}-b").is_none());
    }

    #[test]
    fn a_result_is_bounded() {
        let long = |name: &str| (name == "LONG").then(|| "x".repeat(limits::VALUE_BYTES / 4));
        let length =
            |template: &str| interpolate_template(template, &long).map(|got| got.text.len());
        assert_eq!(length("$LONG$LONG$LONG$LONG"), Ok(limits::VALUE_BYTES));
        for template in [
            "$LONG$LONG$LONG$LONG.",
            "${Q:-$LONG$LONG}${LONG:+$LONG$LONG}${LONG:?}",
            "${LONG?}${LONG-}$LONG$LONG$$",
        ] {
            assert_eq!(length(template), Err(InterpolationError::ValueTooLarge), "{template}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let deep = format!("{}{}", "${A:-".repeat(5_000), "}".repeat(5_000));
        assert!(interpolate_template(&deep, &lookup).is_err());
    }
}
