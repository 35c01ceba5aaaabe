//! Stores: what can be typed.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::stores::StoreKind;

/// Where `init` keeps the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreName {
    /// In this store.
    Store(StoreKind),
    /// Nowhere: somebody else provides it.
    None,
}

impl StoreName {
    /// The store, where one is named.
    pub fn kind(self) -> Option<StoreKind> {
        match self {
            Self::Store(kind) => Some(kind),
            Self::None => None,
        }
    }
}

/// What names no store.
const NOWHERE: (&str, &str) = ("none", "Not kept: you set the variable yourself");

/// Takes the name of a store.
pub(super) fn store() -> impl TypedValueParser<Value = StoreKind> {
    PossibleValuesParser::new(possible()).try_map(|name| named(&name))
}

/// Takes the name of a store, or `none`.
pub(super) fn store_or_none() -> impl TypedValueParser<Value = StoreName> {
    let nowhere = PossibleValue::new(NOWHERE.0).help(NOWHERE.1);
    PossibleValuesParser::new(possible().chain([nowhere])).try_map(|name| match name == NOWHERE.0 {
        true => Ok(StoreName::None),
        false => named(&name).map(StoreName::Store),
    })
}

fn possible() -> impl Iterator<Item = PossibleValue> {
    StoreKind::ALL.iter().map(|kind| PossibleValue::new(kind.name()).help(kind.profile().summary))
}

fn named(name: &str) -> Result<StoreKind, String> {
    let mut kinds = StoreKind::ALL.iter().copied();
    kinds.find(|kind| kind.name() == name).ok_or_else(|| format!("there is no store {name}"))
}
