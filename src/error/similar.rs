//! Finds the name that a misspelt one was probably meant to be.

/// Minimum Jaro-Winkler similarity of a name for it to be suggested.
const MIN_SIMILARITY: f64 = 0.8;

/// Returns the known name that is most similar to `word`, if it is similar enough to suggest.
pub fn find_similar_name<'n>(
    known: impl IntoIterator<Item = &'n str>,
    word: &str,
) -> Option<&'n str> {
    let rated = known.into_iter().map(|name| (strsim::jaro_winkler(name, word), name));
    let similar = rated.filter(|(similarity, _)| *similarity >= MIN_SIMILARITY);
    similar.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, name)| name)
}
