//! Converts a list of names into a mapping with the same names.

use super::super::EditRefusal;
use super::super::fresh::{NewYamlValue, entry_lines, flow_entry};
use super::super::tree::{CollectionLayout, NodeId, ScalarQuoting, YamlKind};
use super::{PlannedEdit, YamlDraft};
use crate::edit::patch::TextPatch;

impl YamlDraft<'_> {
    /// Converts the list of an entry into a mapping: each name gets a `condition`, and `added` follows them. Comments
    /// keep their place.
    pub(in crate::edit::yaml) fn list_to_mapping(
        &mut self,
        (key, list): (NodeId, NodeId),
        condition: &str,
        added: &(String, NewYamlValue),
    ) -> PlannedEdit {
        let tree = self.tree;
        let items = tree.items(list);
        let Some(last) = items.last() else {
            return Err(self.refuse_node(list, "this list has no items"));
        };
        self.refuse_other_than_names(items)?;
        let end = tree.end(*last);
        let value = format!(": {{condition: {condition}}}");
        match self.layout(list) {
            CollectionLayout::Flow => {
                let range = tree.node(list).range.clone();
                self.patches.push(TextPatch::replace(range.start..range.start + 1, "{"));
                self.patches.push(TextPatch::replace(range.end - 1..range.end, "}"));
                self.append_to_each(items, &value);
                self.patches.push(TextPatch::insert(end, format!(", {}", flow_entry(added))));
            }
            CollectionLayout::Block => {
                let indent = self.replace_dashes(key, items)?;
                self.append_to_each(items, &value);
                self.insert_lines_after(end, &entry_lines(added, indent, 2));
            }
        }
        Ok(())
    }

    /// Turns a mapping of names into a list of the same names, its dashes `indent` further right than `key`: what
    /// [`Self::list_to_mapping`] does, backwards.
    pub(in crate::edit::yaml) fn mapping_to_list(
        &mut self,
        key: NodeId,
        mapping: NodeId,
        indent: usize,
    ) {
        let tree = self.tree;
        let range = tree.node(mapping).range.clone();
        let is_block = self.layout(mapping) == CollectionLayout::Block;
        if !is_block {
            self.patches.push(TextPatch::replace(range.start..range.start + 1, "["));
            self.patches.push(TextPatch::replace(range.end - 1..range.end, "]"));
        }
        let column = self.lines.column(tree.start(key)) + indent;
        for (name, value) in tree.entries(mapping) {
            if is_block {
                let start = tree.start(*name);
                let dash = format!("{:column$}- ", "");
                self.patches.push(TextPatch::replace(self.lines.start(start)..start, dash));
            }
            self.patches.push(TextPatch::replace(tree.end(*name)..tree.end(*value), ""));
        }
    }

    /// Fails if an item is not a name, or repeats.
    fn refuse_other_than_names(&self, items: &[NodeId]) -> PlannedEdit {
        let tree = self.tree;
        for (at, item) in items.iter().enumerate() {
            let node = tree.node(*item);
            let is_name = matches!(
                node.kind,
                YamlKind::Scalar(
                    _,
                    ScalarQuoting::Plain | ScalarQuoting::Single | ScalarQuoting::Double
                )
            ) && node.tag.is_none()
                && node.anchor.is_none();
            let name = tree.scalar(*item).filter(|name| is_name && !name.contains('$'));
            let again = items[..at].iter().any(|other| tree.scalar(*other) == name);
            if name.is_none() || again {
                let hint = "write `depends_on` as a mapping of services and conditions, then run the same command again";
                return Err(self.refuse_node(*item, "this item cannot become a key").hint(hint));
            }
        }
        Ok(())
    }

    fn append_to_each(&mut self, items: &[NodeId], text: &str) {
        let tree = self.tree;
        self.patches.extend(items.iter().map(|item| TextPatch::insert(tree.end(*item), text)));
    }

    /// Removes the dashes of a block list, and returns the new indentation of its items, which is deeper than that of
    /// `key`.
    fn replace_dashes(&mut self, key: NodeId, items: &[NodeId]) -> Result<usize, EditRefusal> {
        let tree = self.tree;
        let mut indent = 0;
        for item in items {
            let start = tree.start(*item);
            let dash = self
                .dash(*item)
                .filter(|dash| self.lines.number(*dash) == self.lines.number(start));
            let Some(dash) = dash else {
                return Err(self.refuse_node(*item, "the dash of an item is not found"));
            };
            // A list may have the same indentation as its key, a mapping may not.
            let column = self.lines.column(dash);
            let apart = if column > self.lines.column(tree.start(key)) { "" } else { "  " };
            indent = column + apart.len();
            self.patches.push(TextPatch::replace(dash..start, apart));
        }
        Ok(indent)
    }
}
