//! Arguments that name stores.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::stores::StoreKind;

/// The store in which `init` keeps the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreName {
    /// In this store.
    Store(StoreKind),
    /// None: the key is provided from elsewhere.
    None,
}

impl StoreName {
    /// Returns the store, unless `none` was given.
    pub fn kind(self) -> Option<StoreKind> {
        match self {
            Self::Store(kind) => Some(kind),
            Self::None => None,
        }
    }
}

/// The name for no store.
const NO_STORE: (&str, &str) = ("none", "Not kept: you set the variable yourself");

/// Returns the parser of a store's name.
pub(super) fn store() -> impl TypedValueParser<Value = StoreKind> {
    PossibleValuesParser::new(possible_stores()).try_map(|name| store_by_name(&name))
}

/// Returns the parser of a store's name or `none`.
pub(super) fn store_or_none() -> impl TypedValueParser<Value = StoreName> {
    let nowhere = PossibleValue::new(NO_STORE.0).help(NO_STORE.1);
    PossibleValuesParser::new(possible_stores().chain([nowhere])).try_map(|name| {
        if name == NO_STORE.0 {
            Ok(StoreName::None)
        } else {
            store_by_name(&name).map(StoreName::Store)
        }
    })
}

fn possible_stores() -> impl Iterator<Item = PossibleValue> {
    StoreKind::ALL.iter().map(|kind| PossibleValue::new(kind.name()).help(kind.profile().summary))
}

fn store_by_name(name: &str) -> Result<StoreKind, String> {
    let mut kinds = StoreKind::ALL.iter().copied();
    kinds.find(|kind| kind.name() == name).ok_or_else(|| format!("there is no store {name}"))
}
