//! Requirements files and Python modules, each with its file.

use crate::compose::ProjectTextFile;
use crate::edit::requirements::{PastedCommand, Requirements};
use crate::plan::instrument::modules::PythonModule;

/// A requirements file.
#[derive(Debug, Clone)]
pub struct RequirementsFile {
    /// The file.
    pub file: ProjectTextFile,
    /// The content as pip reads it.
    pub read: Requirements,
}

/// A Python module.
#[derive(Debug, Clone)]
pub struct PythonFile {
    /// The file.
    pub file: ProjectTextFile,
    /// Its imports, calls and applications.
    pub module: PythonModule,
}

impl RequirementsFile {
    /// Parses a file, including lines that pip rejects.
    pub fn read(file: ProjectTextFile) -> Self {
        Self { read: Requirements::parse(&file.text), file }
    }

    /// Returns the byte at which a line's text begins.
    pub fn offset(&self, line: usize) -> usize {
        self.file.text_start(line)
    }

    /// Returns the text of a line, without its comment.
    pub fn line(&self, line: usize) -> &str {
        let found = self.file.line(line);
        found.map_or("", |(_, text)| text.split(" #").next().unwrap_or(text).trim())
    }

    /// Returns whether the pasted text includes the command, not only package names.
    pub fn is_command(&self, pasted: &PastedCommand) -> bool {
        self.line(pasted.line).split_whitespace().any(|word| word == "install")
    }
}

impl PythonFile {
    /// Parses a module; `None` if it is not Python.
    pub fn read(file: ProjectTextFile) -> Option<Self> {
        let module = PythonModule::read(&file.path, &file.text).ok()?;
        Some(Self { file, module })
    }

    /// Returns the byte at which the text of a line begins.
    pub fn offset(&self, line: usize) -> usize {
        self.file.text_start(line)
    }

    /// Returns whether it contains a name in quotes, as code does that reads a variable.
    pub fn quotes(&self, name: &str) -> bool {
        let text = &self.file.text;
        [format!("'{name}'"), format!("\"{name}\"")].iter().any(|quoted| text.contains(quoted))
    }
}
