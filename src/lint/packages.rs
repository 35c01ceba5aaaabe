//! Requirements files and Python modules, each with its file.

use crate::compose::File;
use crate::edit::requirements::{Pasted, Requirements};
use crate::plan::instrument::modules::Module;

/// A requirements file.
#[derive(Debug, Clone)]
pub struct RequirementsFile {
    /// The file.
    pub file: File,
    /// As pip reads it.
    pub read: Requirements,
}

/// A Python module.
#[derive(Debug, Clone)]
pub struct PythonFile {
    /// The file.
    pub file: File,
    /// What it imports, calls and creates.
    pub module: Module,
}

impl RequirementsFile {
    /// Reads a file; lines nobody can read are part of what is read.
    pub fn read(file: File) -> Self {
        Self { read: Requirements::parse(&file.text), file }
    }

    /// Whether `other` is the same file.
    pub fn is(&self, other: &Self) -> bool {
        self.file.path == other.file.path
    }

    /// The byte at which a line's text begins.
    pub fn offset(&self, line: usize) -> usize {
        self.file.text_start(line)
    }

    /// A line's own text, without its comment.
    pub fn line(&self, line: usize) -> &str {
        let found = self.file.line(line);
        found.map_or("", |(_, text)| text.split(" #").next().unwrap_or(text).trim())
    }

    /// What was pasted is a command, not only its names.
    pub fn is_command(&self, pasted: &Pasted) -> bool {
        self.line(pasted.line).split_whitespace().any(|word| word == "install")
    }
}

impl PythonFile {
    /// Reads a module; one that is no Python is left out.
    pub fn read(file: File) -> Option<Self> {
        let module = Module::read(&file.path, &file.text).ok()?;
        Some(Self { file, module })
    }

    /// The byte at which the text of a line begins.
    pub fn offset(&self, line: usize) -> usize {
        self.file.text_start(line)
    }
}
