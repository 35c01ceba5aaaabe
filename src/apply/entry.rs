//! A journal entry: what a command changed, as hunks and digests, without known secrets.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::digest_sha256;
use super::hunk::{self, TextHunk};
use crate::error::{Error, ErrorCode, Result};
use crate::plan::{FileChange, Plan, WriteMethod};
use crate::secret::Redactor;

/// The changes of one command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalEntry {
    version: u32,
    /// The number of the change in the project, in increasing order.
    #[serde(skip)]
    pub(super) number: u32,
    /// The time it was written, if the file system has one.
    #[serde(skip)]
    pub written: Option<SystemTime>,
    /// The name of the command: `init`.
    pub command: String,
    /// The project's folder.
    pub project: PathBuf,
    /// Whether every file was written.
    pub phase: EntryPhase,
    /// The changed files.
    pub files: Vec<FileEntry>,
    /// Ports that the command changed live.
    #[serde(default)]
    pub ports: Vec<PortChangeEntry>,
    /// Variables whose secrets are in a `.env` that the command added to `.gitignore`: that line stays until they are
    /// removed.
    #[serde(default)]
    pub secrets: Vec<String>,
}

/// The progress of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EntryPhase {
    /// Files are being written.
    Applying,
    /// Every file was written.
    Done,
}

/// The direction in which an entry is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryDirection {
    /// To the planned state.
    Forward,
    /// To the state before.
    Back,
}

/// The current state of a file in an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryFileState {
    /// The same as before the command.
    Old,
    /// The same as after the command.
    New,
    /// An interrupted overwrite.
    Torn,
    /// Neither: it was changed by something else.
    Edited,
}

/// A file before and after a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Absolute path, with links resolved.
    pub path: PathBuf,
    #[serde(with = "WritingName")]
    pub(super) writing: WriteMethod,
    /// SHA-256 of the bytes; `None` if the file did not exist.
    before: Option<String>,
    after: Option<String>,
    hunks: Vec<TextHunk>,
    /// Both texts of a file that is overwritten in place, until that is complete.
    whole: Option<WholeFileEntry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct WholeFileEntry {
    before: String,
    after: String,
}

impl WholeFileEntry {
    fn new(before: &str, after: &str) -> Self {
        Self { before: before.to_owned(), after: after.to_owned() }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "WriteMethod", rename_all = "kebab-case")]
enum WritingName {
    Replace,
    InPlace,
}

/// The visibility of a live port before and after a change, as the workspace spells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortChangeEntry {
    /// The port.
    pub port: u16,
    /// The visibility before.
    pub before: String,
    /// The visibility after.
    pub after: String,
}

impl JournalEntry {
    pub(super) fn new(number: u32, command: &str, project: &Path, files: Vec<FileEntry>) -> Self {
        Self {
            version: 1,
            number,
            written: None,
            command: command.to_owned(),
            project: project.to_owned(),
            phase: EntryPhase::Applying,
            files,
            ports: Vec::new(),
            secrets: Vec::new(),
        }
    }

    /// Marks every file as complete and drops what was kept for an interruption.
    pub(super) fn finish(&mut self) {
        self.phase = EntryPhase::Done;
        for file in &mut self.files {
            file.whole = None;
        }
    }

    /// Adds changed live ports; for a port that changed twice, the first `before` is kept.
    pub(super) fn add_ports(&mut self, ports: Vec<PortChangeEntry>) {
        for port in ports {
            match self.ports.iter_mut().find(|recorded| recorded.port == port.port) {
                Some(recorded) => recorded.after = port.after,
                None => self.ports.push(port),
            }
        }
    }

    /// Keeps only files that are still as the command left them, although the plan reverted others.
    pub(super) fn keep_left_out(&mut self, plan: &Plan, states: &[EntryFileState]) {
        let mut states = states.iter();
        self.files.retain(|file| {
            let is_planned = plan.changes.iter().any(|change| change.path == file.path);
            states.next().is_some_and(|state| *state != EntryFileState::Old) && !is_planned
        });
        self.ports.clear();
    }

    /// Keeps both texts of files that will be overwritten in place.
    pub(super) fn keep_whole(&mut self, plan: &Plan, direction: EntryDirection) {
        for file in self.files.iter_mut().filter(|file| file.writing == WriteMethod::InPlace) {
            let change = plan.changes.iter().find(|change| change.path == file.path);
            if let Some((old, new)) = change
                .and_then(|change| Some((change.before.as_deref()?, change.after.as_deref()?)))
            {
                file.whole = Some(match direction {
                    EntryDirection::Forward => WholeFileEntry::new(old, new),
                    EntryDirection::Back => WholeFileEntry::new(new, old),
                });
            }
        }
    }
}

impl FileEntry {
    pub(super) fn new(
        path: PathBuf,
        change: &FileChange,
        writing: WriteMethod,
        redactor: &Redactor,
    ) -> Self {
        let old = change.before.as_deref().unwrap_or_default();
        let new = change.after.as_deref().unwrap_or_default();
        let mut hunks = hunk::between(old, new);
        for hunk in &mut hunks {
            hunk.conceal(redactor);
        }
        let whole = match (writing, &change.before, &change.after) {
            (WriteMethod::InPlace, Some(before), Some(after)) => {
                Some(WholeFileEntry::new(before, after))
            }
            _ => None,
        };
        Self {
            path,
            writing,
            before: change.before.as_deref().map(|text| digest_sha256(text.as_bytes())),
            after: change.after.as_deref().map(|text| digest_sha256(text.as_bytes())),
            hunks,
            whole,
        }
    }

    pub(super) fn state(&self, now: Option<&str>) -> EntryFileState {
        let print = now.map(|text| digest_sha256(text.as_bytes()));
        if print == self.after {
            EntryFileState::New
        } else if print == self.before {
            EntryFileState::Old
        } else if self.whole.as_ref().is_some_and(|whole| whole.is_torn(now.unwrap_or_default())) {
            EntryFileState::Torn
        } else {
            EntryFileState::Edited
        }
    }

    /// Returns the text of the file before or after the change, computed from the current text `now`.
    pub(super) fn text(
        &self,
        now: Option<&str>,
        direction: EntryDirection,
        redactor: &Redactor,
    ) -> Result<Option<String>> {
        let (goal, goal_state) = match direction {
            EntryDirection::Forward => (&self.after, EntryFileState::New),
            EntryDirection::Back => (&self.before, EntryFileState::Old),
        };
        let state = self.state(now);
        if state == goal_state {
            return Ok(now.map(str::to_owned));
        }
        if state == EntryFileState::Edited {
            let edited = now.filter(|_| direction == EntryDirection::Back && self.whole.is_none());
            if let Some(text) = edited.and_then(|now| hunk::take_out(now, &self.hunks, redactor)) {
                let is_gone = self.before.is_none() && text.trim().is_empty();
                return Ok((!is_gone).then_some(text));
            }
            return Err(Error::new(
                ErrorCode::EditedSince,
                format!("{} was edited since", self.path.display()),
            )
            .cause("that edit changed the same lines and would be lost, so nothing was changed")
            .hint("revert the lines by hand, or restore the file with `git checkout` if git tracks it"));
        }
        let Some(goal) = goal else { return Ok(None) };
        let text = match (&self.whole, direction) {
            (Some(whole), EntryDirection::Forward) => Some(whole.after.clone()),
            (Some(whole), EntryDirection::Back) => Some(whole.before.clone()),
            (None, EntryDirection::Forward) => hunk::forward(now.unwrap_or_default(), &self.hunks),
            (None, EntryDirection::Back) => {
                hunk::back(now.unwrap_or_default(), &self.hunks, redactor)
            }
        };
        let text = text.filter(|text| digest_sha256(text.as_bytes()) == *goal);
        text.map(Some).ok_or_else(|| {
            Error::new(
                ErrorCode::SecretNotKept,
                format!("{} held a secret in a line that was replaced", self.path.display()),
            )
            .cause(
                "the journal keeps no secrets, and this one is no longer in any store or variable",
            )
            .hint("set its variable, such as `export HONEYCOMB_API_KEY=…`, and undo again")
        })
    }
}

impl WholeFileEntry {
    /// Returns whether the text is the new one up to some byte and the old one from there: an interrupted overwrite.
    fn is_torn(&self, now: &str) -> bool {
        let (now, before, after) = (now.as_bytes(), self.before.as_bytes(), self.after.as_bytes());
        let new = now.iter().zip(after).take_while(|(recorded, want)| recorded == want).count();
        (0..=new).any(|cut| now.get(cut..) == Some(before.get(cut..).unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupted_overwrite_is_recognised() {
        for (before, after, now, is_torn) in [
            ("old text\n", "new words\n", "old text\n", true),
            ("old text\n", "new words\n", "new text\n", true),
            ("old text\n", "new words\n", "new words", true),
            ("old text\n", "new words\n", "new words\n", true),
            ("a\n", "abc\nd\n", "abc\n", true),
            ("a long old text\n", "new\n", "newong old text\n", true),
            ("a long old text\n", "new\n", "new\nng old text\n", true),
            ("old text\n", "new words\n", "old words\n", false),
            ("old text\n", "new words\n", "new text\nmore\n", false),
            ("old text\n", "new words\n", "new words\nx", false),
            ("old text\n", "new words\n", "new x", false),
            ("old text\n", "new words\n", "x", false),
            ("a long old text\n", "new\n", "new\n", false),
            ("a long old text\n", "new\n", "new\nold text\n", false),
        ] {
            assert_eq!(WholeFileEntry::new(before, after).is_torn(now), is_torn, "{now:?}");
        }
    }
}
