//! Validates files against the Compose Specification's JSON Schema.
//!
//! Supports the subset of JSON Schema that this schema uses, and walks the original YAML tree, so that every problem
//! has a position. Accepts values that docker compose converts before validation.

mod rule;

use std::borrow::Cow;

use foldhash::{HashSet, HashSetExt};

use crate::edit::yaml::tree::NodeId;

use super::conversions::ValueConversion;
use super::interpolate::InterpolationError;
use super::read::ComposeFault;
use super::source::WarningWeight;
use super::view::{NodeShape, NodeView, OverrideTag};
use crate::error::find_similar_name;

use rule::{AdditionalProperties, ComposeSchema, SPECIFICATION, SchemaRule, TypeName};

/// Returns the schema faults of a compose file whose root is `view`; `interpolate` replaces the variables of a scalar.
pub(super) fn check_file<'t>(
    view: NodeView<'t>,
    interpolate: ScalarInterpolation<'_>,
) -> Vec<ComposeFault> {
    check_schema(view, None, interpolate, |specification| Some(&specification.root))
}

/// The schema faults of a service's mapping.
#[derive(Debug, Default)]
pub(super) struct ServiceFaults {
    /// Faults that no other file can correct.
    pub(super) lasting: Vec<ComposeFault>,
    /// Keys without a value, which another file may set.
    pub(super) bare: Vec<(String, ComposeFault)>,
}

/// Returns the schema faults in the mapping of the service `name`.
pub(super) fn check_service<'t>(
    name: &str,
    view: NodeView<'t>,
    interpolate: ScalarInterpolation<'_>,
) -> ServiceFaults {
    let found = check_schema(view, Some(name), interpolate, |specification| {
        specification.root.definitions.get("service")
    });
    if found.is_empty() {
        return ServiceFaults::default();
    }
    let nulls: Vec<_> =
        view.entries().into_iter().filter(|(.., value)| value.shape() == NodeShape::Null).collect();
    let mut faults = ServiceFaults::default();
    for fault in found {
        match nulls.iter().find(|(.., value)| value.span() == fault.span) {
            Some((key, ..)) => faults.bare.push((key.to_string(), fault)),
            None => faults.lasting.push(fault),
        }
    }
    faults
}

/// Replaces the variables of a scalar.
pub(super) type ScalarInterpolation<'a> = &'a dyn Fn(&str) -> Result<String, InterpolationError>;

fn check_schema<'t>(
    view: NodeView<'t>,
    service: Option<&str>,
    interpolate: ScalarInterpolation<'_>,
    rule: impl Fn(&ComposeSchema) -> Option<&SchemaRule>,
) -> Vec<ComposeFault> {
    let Some(specification) = SPECIFICATION.as_ref() else { return Vec::new() };
    let Some(rule) = rule(specification) else { return Vec::new() };
    let mut checker = SchemaChecker {
        specification,
        service,
        interpolate,
        path: String::new(),
        problems: Vec::new(),
        judged: view.has_aliases().then(HashSet::new),
    };
    checker.judge(rule, view);
    let mut seen = HashSet::new();
    let problems = checker.problems.into_iter();
    problems.filter(|fault| seen.insert((fault.span.range.start, fault.text.clone()))).collect()
}

/// The rule for a key of a mapping.
enum KeyRule<'s> {
    Rule(&'s SchemaRule),
    /// The key is allowed with any value.
    AnyValue,
    /// The key is not allowed.
    Unknown,
}

struct SchemaChecker<'s> {
    specification: &'s ComposeSchema,
    /// The service that paths are relative to; `None` if they start at the top of the file.
    service: Option<&'s str>,
    interpolate: ScalarInterpolation<'s>,
    /// The path of the value being checked: `ports[].target`.
    path: String,
    problems: Vec<ComposeFault>,
    /// Collections checked so far and their schemas, because aliases may recur without end. `None` if there are no
    /// aliases.
    judged: Option<HashSet<(NodeId, *const SchemaRule)>>,
}

impl<'s> SchemaChecker<'s> {
    fn judge(&mut self, rule: &'s SchemaRule, view: NodeView<'_>) {
        let rule = self.specification.resolve(rule);
        let shape = view.shape();
        let is_collection = match shape {
            NodeShape::Scalar if self.refuses_conversion(view) => return,
            NodeShape::Scalar | NodeShape::Null => false,
            NodeShape::Mapping | NodeShape::Sequence => true,
        };
        if let Some(judged) = self.judged.as_mut().filter(|_| is_collection)
            && !judged.insert((view.node(), std::ptr::from_ref(rule)))
        {
            return;
        }
        // The effect of `!reset` and `!override` is decided when files are merged.
        if view.mark() != OverrideTag::None {
            return;
        }
        if !rule.one_of.is_empty() {
            self.judge_alternatives(&rule.one_of, view);
            return;
        }
        if !self.fits(rule, view) {
            self.report(
                view,
                format!("{} must be {}", self.shown(), join_type_names(rule.types())),
            );
            return;
        }
        match shape {
            NodeShape::Mapping => self.judge_mapping(rule, view),
            NodeShape::Sequence => {
                if let Some(rule) = &rule.items {
                    self.below("", "[]", |checker| {
                        view.items().for_each(|item| checker.judge(rule, item));
                    });
                }
            }
            NodeShape::Scalar => self.judge_scalar(rule, view),
            NodeShape::Null => {}
        }
    }

    /// Checks a value below the current one.
    fn below(&mut self, separator: &str, name: &str, judge: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        if length > 0 {
            self.path.push_str(separator);
        }
        self.path.push_str(name);
        judge(self);
        self.path.truncate(length);
    }

    /// Returns whether docker compose cannot convert the value, after reporting that.
    fn refuses_conversion(&mut self, view: NodeView<'_>) -> bool {
        let conversion = self.service.and_then(|_| ValueConversion::of_service_value(&self.path));
        let Some(conversion) = conversion else { return false };
        if self.converts(view, |text| conversion.accepts(text)) {
            return false;
        }
        self.report(view, format!("{} must be {}", self.shown(), conversion.word()));
        true
    }

    /// Checks that one of `rules` matches; otherwise reports the faults for the rule of the right type.
    fn judge_alternatives(&mut self, rules: &'s [SchemaRule], view: NodeView<'_>) {
        let before = self.problems.len();
        let specification = self.specification;
        let mut has_fitting = false;
        for rule in rules {
            if !self.fits(specification.resolve(rule), view) {
                continue;
            }
            has_fitting = true;
            self.problems.truncate(before);
            self.judge(rule, view);
            if self.problems.len() == before {
                return;
            }
        }
        if !has_fitting {
            let types: Vec<TypeName> = rules
                .iter()
                .flat_map(|rule| specification.resolve(rule).types())
                .copied()
                .collect();
            self.report(view, format!("{} must be {}", self.shown(), join_type_names(&types)));
        }
    }

    fn judge_mapping(&mut self, rule: &'s SchemaRule, view: NodeView<'_>) {
        let entries = view.entries();
        for (key, name, value) in &entries {
            match self.find_rule(rule, key) {
                KeyRule::Rule(rule) => self.below(".", key, |checker| checker.judge(rule, *value)),
                KeyRule::AnyValue => {}
                KeyRule::Unknown => self.report_unknown(rule, *name, key),
            }
        }
        let missing = |key: &&String| entries.iter().all(|(name, ..)| name != key.as_str());
        for key in rule.required.iter().filter(missing) {
            self.report(view, format!("{} needs `{key}`", self.shown()));
        }
    }

    /// Returns the rule for a key.
    fn find_rule(&self, rule: &'s SchemaRule, key: &str) -> KeyRule<'s> {
        if let Some(found) = rule.properties.get(key) {
            return KeyRule::Rule(found);
        }
        for part in &rule.all_of {
            if let found @ KeyRule::Rule(_) = self.find_rule(self.specification.resolve(part), key)
            {
                return found;
            }
        }
        let mut patterns = rule.pattern_properties.iter();
        if let Some((_, found)) = patterns.find(|(pattern, _)| pattern.matches(key)) {
            return KeyRule::Rule(found);
        }
        match &rule.additional_properties {
            Some(AdditionalProperties::Rule(found)) => KeyRule::Rule(found),
            Some(AdditionalProperties::Allowed(false)) => KeyRule::Unknown,
            _ if rule.unevaluated_properties == Some(false) => KeyRule::Unknown,
            _ => KeyRule::AnyValue,
        }
    }

    fn judge_scalar(&mut self, rule: &'s SchemaRule, view: NodeView<'_>) {
        if !rule.limits_text() {
            return;
        }
        let Some(Ok(text)) = view.text().map(|text| self.interpolated(text)) else { return };
        if !rule.r#enum.is_empty() && !rule.r#enum.iter().any(|allowed| *allowed == text) {
            let all = rule.r#enum.join(", ");
            self.report(view, format!("{} must be one of {all}", self.shown()));
        }
        if rule.pattern.as_ref().is_some_and(|pattern| !pattern.matches(&text)) {
            self.report(view, format!("{} is not valid here", self.shown()));
        }
        let Ok(number) = text.parse::<f64>() else { return };
        if rule.minimum.is_some_and(|least| number < least)
            || rule.maximum.is_some_and(|most| number > most)
        {
            self.report(view, format!("{} is out of range", self.shown()));
        }
    }

    /// Replaces the variables of a value; the error is reported elsewhere.
    fn interpolated<'t>(&self, text: Cow<'t, str>) -> Result<Cow<'t, str>, InterpolationError> {
        if text.contains('$') { (self.interpolate)(&text).map(Cow::Owned) } else { Ok(text) }
    }

    /// Returns whether the value has one of the rule's types.
    fn fits(&self, rule: &SchemaRule, view: NodeView<'_>) -> bool {
        rule.types().is_empty() || rule.types().iter().any(|name| self.is(*name, view))
    }

    /// Returns whether the value has this type, possibly after docker compose converts it.
    fn is(&self, name: TypeName, view: NodeView<'_>) -> bool {
        match (name, view.shape()) {
            (TypeName::Null, NodeShape::Null)
            | (TypeName::Object, NodeShape::Mapping)
            | (TypeName::Array, NodeShape::Sequence) => true,
            (TypeName::String, NodeShape::Scalar) => !view.is_typed(),
            (TypeName::Number | TypeName::Integer, NodeShape::Scalar) => {
                self.converts(view, |text| text.parse::<f64>().is_ok())
            }
            (TypeName::Boolean, NodeShape::Scalar) => {
                self.converts(view, |text| ValueConversion::Boolean.accepts(text))
            }
            _ => false,
        }
    }

    fn converts(&self, view: NodeView<'_>, fits: impl Fn(&str) -> bool) -> bool {
        view.text().is_some_and(|text| match self.interpolated(text) {
            Ok(text) => fits(&text),
            Err(_) => true,
        })
    }

    /// Returns the path in words: `services.api.ports[]`.
    fn shown(&self) -> String {
        match (self.service, self.path.as_str()) {
            (None, "") => "a compose file".to_owned(),
            (None, path) => format!("`{path}`"),
            (Some(name), "") => format!("the service `{name}`"),
            (Some(name), path) => format!("`{path}` of the service `{name}`"),
        }
    }

    fn report(&mut self, view: NodeView<'_>, text: String) {
        self.problems.push(ComposeFault {
            span: view.span(),
            text,
            weight: WarningWeight::Refused,
        });
    }

    fn report_unknown(&mut self, rule: &'s SchemaRule, name: NodeView<'_>, key: &str) {
        let mut known: Vec<&String> = rule.properties.keys().collect();
        for part in &rule.all_of {
            known.extend(self.specification.resolve(part).properties.keys());
        }
        known.sort();
        let meant = find_similar_name(known.into_iter().map(String::as_str), key)
            .map(|meant| format!("; did you mean `{meant}`?"))
            .unwrap_or_default();
        let place = self.shown();
        self.report(name, format!("{place} does not allow the key `{key}`{meant}"));
    }
}

fn join_type_names(types: &[TypeName]) -> String {
    let mut words: Vec<&str> = Vec::new();
    for name in types {
        let word = match name {
            TypeName::Object => "a mapping",
            TypeName::Array => "a list",
            TypeName::String => "a string",
            TypeName::Number | TypeName::Integer => "a number",
            TypeName::Boolean => "true or false",
            TypeName::Null => continue,
        };
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words.join(" or ")
}
