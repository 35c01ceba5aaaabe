//! Reads the effect of one command on the installed Python packages.

/// The effect of a command on the packages of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CommandEffect {
    /// pip, or a program used like it, installs.
    Pip(PipInstall),
    /// A tool installs its project, or the lock next to it.
    Sync(SyncCommand),
    /// conda creates an environment from this file.
    Environment(String),
    /// Packages of the distribution or of conda, by their names in Python's index.
    System(SystemPackages),
    /// A shell runs this script.
    Script(String),
    /// The following commands run in this folder.
    Folder(String),
}

/// The arguments of a pip install.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PipInstall {
    /// Requirements files, as written.
    pub(super) lists: Vec<String>,
    /// Constraints files, as written.
    pub(super) constraints: Vec<String>,
    /// Requirements, as written.
    pub(super) names: Vec<String>,
    /// Folders with a project.
    pub(super) projects: Vec<String>,
    /// Whether dependencies are installed too.
    pub(super) dependencies: DependencyInstall,
    /// The command without the names of packages.
    pub(super) program: Vec<String>,
}

/// Whether an installer resolves dependencies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum DependencyInstall {
    /// It does.
    #[default]
    Resolved,
    /// Every dependency must be listed: `pip-sync`, `--no-deps`.
    Listed,
}

/// A tool that installs its project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SyncCommand {
    /// The tool.
    pub(super) tool: LockTool,
    /// The project's folder, if named.
    pub(super) folder: Option<String>,
    /// The workspace member that is installed.
    pub(super) member: Option<String>,
}

/// A tool that keeps a lock file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockTool {
    /// uv
    Uv,
    /// Poetry
    Poetry,
    /// pipenv
    Pipenv,
    /// PDM
    Pdm,
}

/// System packages, by their names in Python's index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SystemPackages {
    /// `apt-get`, `apk`, `conda`, …
    pub(super) program: String,
    /// Their names, without `python3-`.
    pub(super) names: Vec<String>,
}

/// Packages that install other packages and that no application imports.
const TOOLS: [&str; 12] = [
    "pip",
    "setuptools",
    "wheel",
    "poetry",
    "uv",
    "pipenv",
    "pdm",
    "pip-tools",
    "poetry-core",
    "poetry-plugin-export",
    "virtualenv",
    "hatch",
];

/// Options of pip, uv, Poetry and pipenv that take a value.
const OPTIONS_WITH_VALUE: [&str; 37] = [
    "-t",
    "--target",
    "--prefix",
    "--root",
    "-i",
    "--index-url",
    "--extra-index-url",
    "--index",
    "-f",
    "--find-links",
    "--python",
    "-p",
    "--platform",
    "--python-version",
    "--no-binary",
    "--only-binary",
    "--upgrade-strategy",
    "--src",
    "--timeout",
    "--retries",
    "--proxy",
    "--cert",
    "--progress-bar",
    "-d",
    "--dest",
    "-w",
    "--wheel-dir",
    "--trusted-host",
    "--cache-dir",
    "--root-user-action",
    "--report",
    "--group",
    "--extra",
    "-E",
    "--with",
    "--without",
    "-n",
];

impl LockTool {
    /// Returns the tool with this program name.
    fn named(program: &str) -> Option<Self> {
        match program {
            "uv" => Some(Self::Uv),
            "poetry" => Some(Self::Poetry),
            "pipenv" => Some(Self::Pipenv),
            "pdm" => Some(Self::Pdm),
            _ => None,
        }
    }

    /// Returns the name of the project file, which people write.
    pub fn project_file(self) -> &'static str {
        match self {
            Self::Pipenv => "Pipfile",
            Self::Uv | Self::Poetry | Self::Pdm => "pyproject.toml",
        }
    }

    /// Returns the name of the lock file, which the tool writes.
    pub fn lock_file(self) -> &'static str {
        match self {
            Self::Uv => "uv.lock",
            Self::Poetry => "poetry.lock",
            Self::Pipenv => "Pipfile.lock",
            Self::Pdm => "pdm.lock",
        }
    }

    /// All tools.
    pub const ALL: [Self; 4] = [Self::Uv, Self::Poetry, Self::Pipenv, Self::Pdm];
}

/// Returns the last component of a path.
pub(super) fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Returns a command's effect on the packages of an image; most commands have none.
pub(super) fn read_effect(words: &[String]) -> Option<CommandEffect> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if let Some(install) = read_pip(&words) {
        return Some(CommandEffect::Pip(install));
    }
    let program = base_name(words.first()?);
    let rest = &words[1..];
    match program {
        "cd" => rest.first().map(|folder| CommandEffect::Folder((*folder).to_owned())),
        "sudo" | "env" => {
            let rest: Vec<String> = rest.iter().map(|word| (*word).to_owned()).collect();
            read_effect(&rest)
        }
        "pip-sync" => Some(CommandEffect::Pip(read_pip_sync(rest))),
        "uv" | "poetry" | "pipenv" | "pdm" => {
            LockTool::named(program).and_then(|tool| read_tool(tool, &words))
        }
        "conda" | "mamba" | "micromamba" => read_conda(program, rest),
        "apt" | "apt-get" | "apk" | "dnf" | "yum" | "microdnf" => read_system(program, rest),
        "sh" | "bash" | "ash" | "dash" | "source" | "." => {
            let script = rest.iter().find(|word| !word.starts_with('-'))?;
            Some(CommandEffect::Script((*script).to_owned()))
        }
        _ if words[0].contains('/') && words[0].ends_with(".sh") => {
            Some(CommandEffect::Script(words[0].to_owned()))
        }
        _ => None,
    }
}

/// Parses `pip install`, however pip is started.
fn read_pip(words: &[&str]) -> Option<PipInstall> {
    let is_pip = |word: &&str| {
        let version = base_name(word).strip_prefix("pip");
        version.is_some_and(|version| version.chars().all(|c| c.is_ascii_digit() || c == '.'))
    };
    let pip = words.iter().position(is_pip)?;
    let verb = pip + 1 + words[pip + 1..].iter().position(|word| !word.starts_with('-'))?;
    let dependencies = match words[verb] {
        "install" | "wheel" | "download" => DependencyInstall::Resolved,
        "sync" => DependencyInstall::Listed,
        _ => return None,
    };
    let mut install = read_arguments(&words[..=verb], &words[verb + 1..]);
    if dependencies == DependencyInstall::Listed {
        install.lists.append(&mut install.names);
        install.dependencies = dependencies;
    }
    Some(install)
}

/// Sorts the arguments of `pip install` into files, names and options.
fn read_arguments(program: &[&str], arguments: &[&str]) -> PipInstall {
    let owned = |word: &&str| (*word).to_owned();
    let mut install =
        PipInstall { program: program.iter().map(owned).collect(), ..PipInstall::default() };
    let mut words = arguments.iter().copied();
    while let Some(word) = words.next() {
        let (option, value) = match word.split_once('=') {
            Some((option, value)) if option.starts_with("--") => (option, Some(value)),
            _ if is_combined(word) => ("-r", None),
            _ if word.starts_with("-r") && word.len() > 2 => ("-r", Some(&word[2..])),
            _ if word.starts_with("-c") && word.len() > 2 => ("-c", Some(&word[2..])),
            _ => (word, None),
        };
        let mut value = || value.or_else(|| words.next()).map(str::to_owned);
        match option {
            "-r" | "--requirement" | "--requirements" => install.lists.extend(value()),
            "-c" | "--constraint" | "--constraints" => {
                if let Some(value) = value() {
                    install.program.extend(["-c".to_owned(), value.clone()]);
                    install.constraints.push(value);
                }
            }
            "-e" | "--editable" => install.projects.extend(value().map(|path| folder_of(&path))),
            "--no-deps" => install.dependencies = DependencyInstall::Listed,
            _ if option.starts_with('-') => {
                let value = if OPTIONS_WITH_VALUE.contains(&option) { value() } else { None };
                // A URL may contain a password.
                if value.as_ref().is_none_or(|value| !value.contains("://"))
                    && !word.contains("://")
                {
                    install.program.push(if value.is_some() { option } else { word }.to_owned());
                    install.program.extend(value);
                }
            }
            _ if is_folder(word) => install.projects.push(folder_of(word)),
            _ => install.names.push(word.to_owned()),
        }
    }
    let is_tool = |name: &String| {
        let end = name.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.'));
        TOOLS.contains(&&*name[..end.unwrap_or(name.len())].to_ascii_lowercase())
    };
    install.names.retain(|name| !is_tool(name));
    install
}

/// Returns whether an argument is a group of short options of which the last takes a file: `-qr`.
fn is_combined(word: &str) -> bool {
    let letters = word.strip_prefix('-').and_then(|word| word.strip_suffix('r'));
    letters.is_some_and(|letters| letters.chars().all(|c| matches!(c, 'q' | 'U' | 'v' | 'I')))
}

/// Returns whether an argument is a folder rather than a name or a wheel: `.`, `./api`, `.[prod]`, `/app`.
fn is_folder(word: &str) -> bool {
    (word.starts_with('.') || word.starts_with('/'))
        && !word.ends_with(".whl")
        && !word.contains('*')
}

fn folder_of(word: &str) -> String {
    word.split('[').next().unwrap_or(word).to_owned()
}

fn read_pip_sync(arguments: &[&str]) -> PipInstall {
    let mut install = read_arguments(&["pip-sync"], arguments);
    install.lists.append(&mut install.names);
    if install.lists.is_empty() {
        install.lists.push("requirements.txt".to_owned());
    }
    install.dependencies = DependencyInstall::Listed;
    install
}

/// Returns the value of one of these options.
fn option_value(words: &[&str], names: &[&str]) -> Option<String> {
    let mut pairs = words.iter().enumerate().filter_map(|(at, word)| {
        if names.contains(word) {
            return words.get(at + 1).copied();
        }
        let (name, value) = word.split_once('=')?;
        names.contains(&name).then_some(value)
    });
    pairs.next().map(str::to_owned)
}

fn read_tool(tool: LockTool, words: &[&str]) -> Option<CommandEffect> {
    let folders: &[&str] = match tool {
        LockTool::Uv => &["--project", "--directory"],
        LockTool::Poetry => &["-C", "--directory", "-P", "--project"],
        LockTool::Pdm => &["-p", "--project"],
        LockTool::Pipenv => &[],
    };
    let folder = option_value(words, folders);
    let is_verb = |at: &usize| {
        let word = words[*at];
        !word.starts_with('-') && Some(word) != folder.as_deref()
    };
    let verb = (1..words.len()).find(is_verb)?;
    let arguments = &words[verb + 1..];
    match words[verb] {
        "add" => Some(CommandEffect::Pip(read_arguments(&words[..=verb], arguments))),
        "run" if tool == LockTool::Uv && !words.contains(&"--no-sync") => {
            Some(CommandEffect::Sync(SyncCommand { tool, folder, member: None }))
        }
        "install" | "sync" => {
            if tool == LockTool::Pipenv {
                let named = read_arguments(&words[..=verb], arguments);
                if !named.names.is_empty() || !named.lists.is_empty() {
                    return Some(CommandEffect::Pip(named));
                }
            }
            let member = option_value(words, &["--package"]).filter(|_| tool == LockTool::Uv);
            Some(CommandEffect::Sync(SyncCommand { tool, folder, member }))
        }
        _ => None,
    }
}

/// Returns the tool whose lock a command exports as a list, and its folder.
pub(super) fn read_export(words: &[String]) -> Option<SyncCommand> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let tool = LockTool::named(base_name(words.first()?))?;
    let exports =
        words.contains(&"export") || words.contains(&"requirements") || words.contains(&"lock");
    let folder = option_value(&words, &["--project", "--directory", "-C", "-P"]);
    exports.then_some(SyncCommand { tool, folder, member: None })
}

/// Returns the file a command names as its output.
pub(super) fn read_output(words: &[String]) -> Option<String> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    option_value(&words, &["-o", "--output", "--output-file"])
}

fn read_conda(program: &str, rest: &[&str]) -> Option<CommandEffect> {
    let file = option_value(rest, &["-f", "--file"]);
    let verbs: Vec<&&str> = rest.iter().filter(|word| !word.starts_with('-')).take(2).collect();
    match verbs.as_slice() {
        [first, second] if **first == "env" && matches!(**second, "create" | "update") => {
            Some(CommandEffect::Environment(file.unwrap_or_else(|| "environment.yml".to_owned())))
        }
        [first, ..] if matches!(**first, "create" | "install" | "update") => {
            if let Some(file) = file.filter(|file| file.ends_with("ml")) {
                return Some(CommandEffect::Environment(file));
            }
            let arguments = read_arguments(&[], rest).names.into_iter();
            let packages = arguments.filter(|name| name.as_str() != **first).map(|name| {
                let name = name.rsplit("::").next().unwrap_or_default();
                name.split(['=', '<', '>']).next().unwrap_or_default().to_ascii_lowercase()
            });
            let names = packages.filter(|name| name != "python" && !name.is_empty()).collect();
            Some(CommandEffect::System(SystemPackages { program: program.to_owned(), names }))
        }
        _ => None,
    }
}

fn read_system(program: &str, rest: &[&str]) -> Option<CommandEffect> {
    let packages = rest.iter().filter_map(|word| {
        let package =
            ["python3-", "python-", "py3-"].into_iter().find_map(|p| word.strip_prefix(p))?;
        let name = package.split(['=', '<', '>', '~']).next().unwrap_or(package);
        (!["dev", "venv", "minimal", "full", "distutils"].contains(&name)).then_some(name)
    });
    let names: Vec<String> =
        packages.filter(|name| !TOOLS.contains(name)).map(str::to_owned).collect();
    let found = SystemPackages { program: program.to_owned(), names };
    (!found.names.is_empty()).then_some(CommandEffect::System(found))
}
