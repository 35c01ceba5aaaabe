//! Edits a text of several documents: each document is edited separately, and the combined result is verified.

use std::sync::Arc;

use super::draft::YamlDraft;
use super::meaning::TreeComparison;
use super::tree::{NodeId, YamlKind, YamlTree};
use super::{EditRefusal, witness};

/// A text split into its documents.
#[derive(Debug)]
pub(super) struct DocumentParts<'t> {
    whole: &'t YamlTree,
    /// The documents, each with its first line in the whole text, counted from 0.
    parts: Vec<(Arc<YamlTree>, usize)>,
}

impl<'t> DocumentParts<'t> {
    /// Splits a text into its documents.
    ///
    /// # Errors
    /// Fails if a document changes its meaning when it is parsed alone.
    pub(super) fn cut(whole: &'t YamlTree) -> Result<Self, EditRefusal> {
        let source = &whole.source;
        let starts: Vec<usize> =
            [0].into_iter().chain(whole.document_starts().iter().skip(1).copied()).collect();
        let ends = starts.iter().skip(1).copied().chain([source.len()]);
        let mut parts: Vec<(Arc<YamlTree>, usize)> = Vec::with_capacity(starts.len());
        let mut line = 0;
        for (number, (start, end)) in starts.iter().zip(ends).enumerate() {
            let part = source
                .get(*start..end)
                .and_then(|text| YamlTree::parse(text).ok())
                .filter(|part| is_document(whole, number, part))
                .ok_or_else(|| {
                    YamlDraft::of(whole)
                        .refuse(*start, "this document cannot be distinguished from the others")
                })?;
            let lines = part.source.bytes().filter(|byte| *byte == b'\n').count();
            parts.push((Arc::new(part), line));
            line += lines;
        }
        Ok(Self { whole, parts })
    }

    /// Returns the documents, each as a separate text.
    pub(super) fn trees(&self) -> impl ExactSizeIterator<Item = &YamlTree> {
        self.parts.iter().map(|(part, _)| &**part)
    }

    /// Returns the indexes of the documents that have a mapping for a service.
    pub(super) fn with_service(&self, service: &str) -> impl Iterator<Item = usize> {
        let is_described = move |tree: &YamlTree| {
            let services = tree.root().and_then(|root| tree.get(root, "services"));
            let id = services.and_then(|services| tree.get(services, service));
            id.is_some_and(|id| matches!(tree.node(tree.resolve(id)).kind, YamlKind::Mapping(..)))
        };
        let numbered = self.trees().enumerate();
        numbered.filter(move |(_, tree)| is_described(tree)).map(|(number, _)| number)
    }

    /// Returns the index of the last document with a mapping for a service; docker compose merges later documents over
    /// earlier ones.
    ///
    /// # Errors
    /// Fails if no document has one.
    pub(super) fn last_with(&self, service: &str) -> Result<usize, EditRefusal> {
        let reason = || format!("no document describes the service `{service}`");
        let last = self.with_service(service).last();
        last.ok_or_else(|| YamlDraft::of(self.whole).refuse(0, reason()))
    }

    /// Edits each document. `edit` gets the document's index from 0 and its tree, and returns the tree of the new text,
    /// or `None` to keep it. Returns the tree of the whole new text, `None` if every document is kept.
    ///
    /// # Errors
    /// The first refusal, with its position in the whole text; or a refusal if a document's meaning in the whole text
    /// differs from its meaning alone.
    pub(super) fn edit(
        &self,
        mut edit: impl FnMut(usize, &YamlTree) -> Result<Option<Arc<YamlTree>>, EditRefusal>,
    ) -> Result<Option<Arc<YamlTree>>, EditRefusal> {
        let mut after = Vec::with_capacity(self.parts.len());
        let mut is_changed = false;
        for (number, (part, line)) in self.parts.iter().enumerate() {
            let edited = edit(number, part).map_err(|refusal| refusal.moved_down(*line))?;
            is_changed |= edited.is_some();
            after.push(edited.unwrap_or_else(|| Arc::clone(part)));
        }
        if is_changed { self.join(&after).map(Some) } else { Ok(None) }
    }

    fn join(&self, parts: &[Arc<YamlTree>]) -> Result<Arc<YamlTree>, EditRefusal> {
        let text: Arc<str> = parts.iter().map(|part| &*part.source).collect::<String>().into();
        let refuse = |reason: String| YamlDraft::of(self.whole).refuse(0, reason);
        let (after, witness) =
            witness::parse_twice(&text, parts.len(), || YamlTree::parse(Arc::clone(&text)));
        let after = after
            .map_err(|error| refuse(format!("the edit would break the file: {}", error.message)))?;
        let is_kept = |(number, part): (usize, &Arc<YamlTree>)| is_document(&after, number, part);
        if after.documents() != parts.len() || !parts.iter().enumerate().all(is_kept) {
            return Err(refuse("the edit would change more than one document".to_owned()));
        }
        witness
            .agrees(&after)
            .map_err(|words| refuse(format!("two parsers read this file differently: {words}")))?;
        Ok(Arc::new(after))
    }
}

/// Returns whether the document `number` of `whole` has the same meaning as the single document `part`.
fn is_document(whole: &YamlTree, number: usize, part: &YamlTree) -> bool {
    let roots: Option<(NodeId, NodeId)> = part.root().zip(whole.roots().get(number).copied());
    part.documents() == 1
        && roots.is_some_and(|roots| TreeComparison::new(part, whole).same(roots).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Replaces `from` with `to` in the document with this index.
    fn replaced(
        text: &str,
        number: usize,
        from: &str,
        to: &str,
    ) -> Result<Arc<YamlTree>, EditRefusal> {
        let whole = YamlTree::parse(text).unwrap();
        let edited = DocumentParts::cut(&whole)?.edit(|at, part| {
            let text = part.source.replace(from, to);
            Ok((at == number).then(|| Arc::new(YamlTree::parse(text).unwrap())))
        });
        edited.map(Option::unwrap)
    }

    #[test]
    fn one_document_changes_and_the_others_keep_their_bytes() {
        for text in [
            "a: 1\n---\na: 1\n---\na: 1\n",
            "\u{feff}# one\n---\na: 1 # x\n...\n---  # two\na: 1\n# between\n--- \n# three\n\na: 1",
            "a: 1\r\n---\r\nb: &x 3\r\na: 1\r\nc: *x\r\n---\r\na: 1\r\n",
        ] {
            for number in 0..3 {
                let after = replaced(text, number, "a: 1", "a: 2").unwrap();
                assert_eq!(after.documents(), 3);
                let mut kept = text.split("a: 1");
                let first = kept.next().unwrap().to_owned();
                let expected = kept.enumerate().fold(first, |out, (at, rest)| {
                    format!("{out}a: {}{rest}", if at == number { 2 } else { 1 })
                });
                assert_eq!(&*after.source, expected);
            }
        }
    }

    #[test]
    fn an_edit_that_makes_another_document_is_refused() {
        let text = "a: 1\n---\nb: 1\n---\nc: 1\n";
        for more in ["a: 1\n---\nd: 1", "a: |\n  x", "a: 1"] {
            let after = replaced(text, 0, "a: 1\n", more);
            assert!(after.is_err(), "{more}: {after:?}");
        }
    }

    #[test]
    fn a_refusal_points_at_the_line_of_the_whole_text() {
        let whole = YamlTree::parse("a: 1\n\n---\n\nb: 1\n").unwrap();
        let documents = DocumentParts::cut(&whole).unwrap();
        let refused = documents.edit(|number, part| match number {
            0 => Ok(None),
            _ => Err(YamlDraft::of(part).refuse_node(part.root().unwrap(), "no")),
        });
        assert_eq!(refused.unwrap_err().line, 5);
    }

    #[test]
    fn a_directive_stays_with_the_document_behind_it() {
        let whole = YamlTree::parse("a: 1\n...\n%YAML 1.2\n---\nb: 1\n").unwrap();
        match DocumentParts::cut(&whole) {
            Ok(documents) => assert!(documents.parts[1].0.source.starts_with('%')),
            Err(refusal) => assert_eq!(refusal.line, 1),
        }
    }
}
