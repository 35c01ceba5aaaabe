//! Arguments that name addons.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::provider::Addon;

/// Returns the parser of an addon's name.
pub(super) fn addon() -> impl TypedValueParser<Value = Addon> {
    let known =
        Addon::ALL.iter().map(|addon| PossibleValue::new(addon.as_str()).help(addon.title()));
    PossibleValuesParser::new(known).try_map(|name| {
        let mut addons = Addon::ALL.iter().copied();
        addons
            .find(|addon| addon.as_str() == name)
            .ok_or_else(|| format!("there is no addon {name}"))
    })
}
