//! The only writer of the user's files, and the journal that takes a change back.
//!
//! All files of a plan or none: the journal is written first, each file is old or new at every instant, and a run that
//! was killed can be finished or taken back. Decides nothing and shows nothing.

mod hunk;
mod journal;
mod write;

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::plan::{Change, Plan, Writing};
use crate::project::{Boundary, read};
use crate::secret::Redactor;
use crate::shell::Shell;

use write::Pending;

pub use journal::{Entry, FileEntry, Phase, PortEntry};
pub(crate) use write::commit;

/// What the last command on one project did, in the user's state folder.
#[derive(Debug, Clone)]
pub struct Journal {
    folder: PathBuf,
    project: PathBuf,
    boundary: Boundary,
    redactor: Redactor,
}

/// Which way an interrupted or finished entry goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To what the command planned.
    Forward,
    /// To what was there before.
    Back,
}

/// What a file of an entry looks like now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// As before the command.
    Old,
    /// As the command left it.
    New,
    /// Overwritten in place and cut short.
    Torn,
    /// Neither: somebody else wrote it.
    Edited,
}

/// The folder journals lie in: `$XDG_STATE_HOME`, else `~/.local/state`; the local data folder on Windows.
///
/// # Errors
/// `no-home` when the shell names no home folder.
pub fn state_folder(shell: &Shell) -> Result<PathBuf> {
    if let Some(folder) =
        shell.var("XDG_STATE_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute())
    {
        return Ok(folder.join("cruddur-ops"));
    }
    if let Some(folder) = shell.var("LOCALAPPDATA").filter(|_| cfg!(windows)) {
        return Ok(PathBuf::from(folder).join("cruddur-ops"));
    }
    let home = shell.home().ok_or_else(|| {
        Error::new("no-home", "no home folder to keep the undo journal in")
            .hint("`export HOME=/path/to/home`")
    })?;
    Ok(home.join(".local/state/cruddur-ops"))
}

impl Journal {
    /// The journal of the project at `project` (absolute), which reaches as far as `boundary`, kept below `state`.
    pub fn open(state: &Path, project: &Path, boundary: &Boundary, redactor: &Redactor) -> Self {
        let name: String =
            digest(project.as_os_str().as_encoded_bytes()).chars().take(24).collect();
        Self {
            folder: state.join(name),
            project: project.to_owned(),
            boundary: boundary.clone(),
            redactor: redactor.clone(),
        }
    }

    /// Writes every change of `plan`, or none, and remembers it as the last thing `command` did.
    ///
    /// # Errors
    /// `changed-since-read`, and as [`Journal::check`], before anything is written; `write-failed` after what was
    /// written is taken back.
    pub fn apply(&self, plan: &Plan, command: &str) -> Result<()> {
        if plan.is_empty() {
            return Ok(());
        }
        let _lock = self.lock()?;
        let mut files = Vec::new();
        for change in &plan.changes {
            files.push(self.prepare(change)?);
        }
        let targets = files.iter().zip(&plan.changes);
        let targets = targets.map(|(file, change)| (file.path.as_path(), change, file.writing));
        let pending =
            staged(targets).map_err(|error| error.hint("every file is as it was before"))?;
        // An entry that cannot be read has nothing to be taken back to.
        let earlier = self.last().unwrap_or_default();
        let mut entry = Entry::new(command, &self.project, files.clone());
        self.save(&entry)?;
        for write in pending {
            if let Err(error) = write.finish() {
                return Err(error.hint(match self.restore(&entry, plan, earlier) {
                    true => "every file is as it was before",
                    false => "`cruddur-ops undo` takes back what was written",
                }));
            }
        }
        entry.finish();
        self.save(&entry).map_err(|error| {
            error.hint("every file was written; `cruddur-ops undo` takes them back")
        })
    }

    /// Says what can be said against a plan without looking at the texts: whose files they are, and who may write them.
    ///
    /// # Errors
    /// `outside-project`, `read-only`, `unreadable-file`, `write-failed`.
    pub fn check(&self, plan: &Plan) -> Result<()> {
        for change in &plan.changes {
            let target = write::target(&change.path, &self.boundary)?;
            write::writable(&target, change.writing)?;
        }
        Ok(())
    }

    /// Everything that can be said against a change before the first byte is written.
    fn prepare(&self, change: &Change) -> Result<FileEntry> {
        let path = write::target(&change.path, &self.boundary)?;
        if read(&path)?.as_deref() != change.before.as_deref() {
            return Err(Error::new(
                "changed-since-read",
                format!("{} changed while you were looking at the diff", change.path.display()),
            )
            .hint("run the same command again to plan from what is there now"));
        }
        write::writable(&path, change.writing)?;
        // A file that is overwritten in place can be cut short, so both its texts are kept until it is whole; one
        // that holds a secret is replaced instead, since the journal must not hold it.
        let secret =
            |text: Option<&str>| text.is_some_and(|text| self.redactor.redact(text) != text);
        let writing = match change.writing {
            Writing::InPlace
                if secret(change.before.as_deref()) || secret(change.after.as_deref()) =>
            {
                Writing::Replace
            }
            writing => writing,
        };
        Ok(FileEntry::new(path, change, writing, &self.redactor))
    }

    /// Takes everything back after a write went wrong, the journal to the `earlier` entry too; whether that worked.
    fn restore(&self, entry: &Entry, plan: &Plan, earlier: Option<Entry>) -> bool {
        let mut whole = true;
        for (file, change) in entry.files.iter().zip(&plan.changes) {
            let untouched =
                read(&file.path).is_ok_and(|now| now.as_deref() == change.before.as_deref());
            let back = || {
                let before = change.before.as_deref();
                Pending::new(&file.path, before, file.writing).and_then(Pending::finish)
            };
            whole &= untouched || back().is_ok();
        }
        if whole {
            // The journal of a change that did not happen only costs a question at the next run.
            let _ = match earlier {
                Some(earlier) => self.save(&earlier),
                None => self.forget(),
            };
        }
        whole
    }

    /// The last thing a command did here, finished or not.
    ///
    /// # Errors
    /// `journal-unreadable`.
    pub fn last(&self) -> Result<Option<Entry>> {
        journal::load(&self.file())
    }

    /// The last entry, if the run that wrote it was cut short.
    ///
    /// # Errors
    /// `journal-unreadable`.
    pub fn interrupted(&self) -> Result<Option<Entry>> {
        Ok(self.last()?.filter(|entry| entry.phase == Phase::Applying))
    }

    /// What each file of `entry` looks like now.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn standing(&self, entry: &Entry) -> Result<Vec<Standing>> {
        entry.files.iter().map(|file| Ok(file.standing(read(&file.path)?.as_deref()))).collect()
    }

    /// What it takes to bring every file of `entry` to one side, as a plan that can be shown.
    ///
    /// # Errors
    /// `edited-since` when somebody else wrote one of the files; `secret-not-kept` when a replaced line held a secret
    /// that is known nowhere any more.
    pub fn settle(&self, entry: &Entry, direction: Direction) -> Result<Plan> {
        let mut plan = Plan::default();
        for file in &entry.files {
            let now = read(&file.path)?;
            let text = file.text(now.as_deref(), direction, &self.redactor)?;
            plan.change(Change {
                path: file.path.clone(),
                before: now.map(Into::into),
                after: text.map(Into::into),
                writing: file.writing,
            });
        }
        Ok(plan)
    }

    /// Writes a plan made by [`Journal::settle`]; afterwards `entry` is finished, or forgotten if it was taken back.
    ///
    /// The entry on disk stays as it is until the last file is written, so that this can be cut short too.
    ///
    /// # Errors
    /// As [`Journal::apply`].
    pub fn settled(&self, entry: &Entry, plan: &Plan, direction: Direction) -> Result<()> {
        let _lock = self.lock()?;
        for change in &plan.changes {
            self.prepare(change)?;
        }
        let changes = plan.changes.iter();
        let targets = changes.map(|change| (change.path.as_path(), change, change.writing));
        let pending =
            staged(targets).map_err(|error| error.hint("every file is as it was before"))?;
        let mut entry = entry.clone();
        entry.phase = Phase::Applying;
        entry.keep_whole(plan, direction);
        self.save(&entry)?;
        for write in pending {
            write.finish().map_err(|error| {
                error.hint("the same command goes on from here once that is mended")
            })?;
        }
        match direction {
            Direction::Back => self.forget(),
            Direction::Forward => {
                entry.finish();
                self.save(&entry)
            }
        }
    }

    /// Adds what the ports of the last command, which wrote files too, were before it changed them live.
    ///
    /// # Errors
    /// `journal-unreadable`, `journal-unwritable`.
    pub fn remember_ports(&self, command: &str, ports: Vec<PortEntry>) -> Result<()> {
        let entry = self.last()?.filter(|entry| entry.command == command);
        let mut entry = entry.unwrap_or_else(|| Entry::new(command, &self.project, Vec::new()));
        entry.finish();
        entry.add_ports(ports);
        self.save(&entry)
    }

    /// Remembers live ports alone, of a command that wrote no file or whose files were taken back.
    ///
    /// # Errors
    /// `journal-unwritable`.
    pub fn keep_ports(&self, command: &str, ports: Vec<PortEntry>) -> Result<()> {
        let mut entry = Entry::new(command, &self.project, Vec::new());
        entry.finish();
        entry.add_ports(ports);
        self.save(&entry)
    }

    /// Forgets the last entry.
    ///
    /// # Errors
    /// `journal-unwritable`.
    pub fn forget(&self) -> Result<()> {
        journal::remove(&self.file())
    }

    fn save(&self, entry: &Entry) -> Result<()> {
        journal::save(&self.file(), entry)
    }

    fn file(&self) -> PathBuf {
        self.folder.join("last.json")
    }

    fn lock(&self) -> Result<journal::Lock> {
        journal::lock(&self.folder)
    }
}

/// Every write as far along as it can be; first what is overwritten in place, which can still run out of room.
fn staged<'p>(
    targets: impl Iterator<Item = (&'p Path, &'p Change, Writing)>,
) -> Result<Vec<Pending<'p>>> {
    let writes =
        targets.map(|(path, change, writing)| Pending::new(path, change.after.as_deref(), writing));
    let mut pending: Vec<Pending<'p>> = writes.collect::<Result<_>>()?;
    pending.sort_by_key(|write| !write.is_overwriting());
    Ok(pending)
}

/// SHA-256 in lower-case hex.
fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut out, byte| {
        out.push_str(&format!("{byte:02x}"));
        out
    })
}
