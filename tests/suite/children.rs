//! Every program that this one can start, and why none acts for a project. A start that is not in the table fails, as
//! does an unused row.

use std::collections::BTreeSet;
use std::path::Path;

/// The expressions that start a program, in code without tests and comments.
const STARTS: [&str; 5] =
    ["Command::new(", "Command::from(", "program::capture", "program::feed", ".exec()"];

/// A file that starts a program or returns a command for one.
struct Child {
    file: &'static str,
    program: &'static str,
    arguments: &'static str,
    environment: &'static str,
    folder: &'static str,
}

const USERS: &str = "the user's, with a PATH that leads into no project and no relative folder";
const NEUTRAL: &str = "the root of the file system";

const CHILDREN: [Child; 10] = [
    Child {
        file: "commands/browser.rs",
        program: "the user's BROWSER, xdg-open, wslview, open",
        arguments: "one https address of a provider, made by the catalogue and percent-encoded",
        environment: USERS,
        folder: NEUTRAL,
    },
    Child {
        file: "commands/run.rs",
        program: "the command that the user typed after `--`",
        arguments: "the user's",
        environment: "the user's and the stored secrets that the compose files refer to",
        folder: "the user's: the command is what they would have typed there",
    },
    Child {
        file: "prove/addons/aws.rs",
        program: "aws",
        arguments: "fixed words, a trace id of our own, a region of letters, digits and dashes",
        environment: USERS,
        folder: NEUTRAL,
    },
    Child {
        file: "docker/compose.rs",
        program: "docker compose config, docker compose up",
        arguments: "fixed words and names of services that have containers of this project",
        environment: "as USERS; engine, context and COMPOSE_* are not the project's, remote resources are off",
        folder: "the project's, which is what it is about; never where it would fetch or run something",
    },
    Child {
        file: "docker/copy.rs",
        program: "docker compose config, docker compose run; docker ps, inspect, rm",
        arguments: "fixed words, the name of a service that has a container of this project behind --, a port number, an id of \
                    our own; containers found by its label",
        environment: "as docker/compose.rs, with the project's compose files and one of ours, which holds no secret",
        folder: "as docker/compose.rs; docker itself in the root of the file system",
    },
    Child {
        file: "docker/mod.rs",
        program: "docker ps, inspect, logs; what docker/compose.rs set up",
        arguments: "fixed words, a folder's label, ids that docker listed",
        environment: USERS,
        folder: NEUTRAL,
    },
    Child {
        file: "stores/codespaces.rs",
        program: "gh secret",
        arguments: "fixed words, a variable's name, owner/name of a remote at github.com",
        environment: USERS,
        folder: NEUTRAL,
    },
    Child {
        file: "stores/gp.rs",
        program: "gp env",
        arguments: "a variable's name, and its secret after a notice: gp has no other way",
        environment: USERS,
        folder: NEUTRAL,
    },
    Child {
        file: "workspace/mod.rs",
        program: "gp ports, gh codespace ports, gitpod environment port",
        arguments: "fixed words, port numbers, the codespace's name, a port's name after --name",
        environment: USERS,
        folder: NEUTRAL,
    },
    Child {
        file: "workspace/program.rs",
        program: "none of its own: it starts what the others name, by an absolute path",
        arguments: "the others'",
        environment: USERS,
        folder: NEUTRAL,
    },
];

/// Programs that execute instructions from a project's files. The code starts none of them.
const NEVER: [&str; 14] = [
    "git", "npm", "yarn", "pnpm", "node", "pip", "pip3", "poetry", "uv", "python", "python3",
    "make", "sh", "bash",
];

#[test]
fn every_program_that_is_started_is_in_the_table() {
    let mut starting = BTreeSet::new();
    let mut named = Vec::new();
    for (file, code) in sources() {
        if STARTS.iter().any(|start| code.contains(start)) {
            starting.insert(file.clone());
        }
        for name in NEVER {
            if [format!("which(\"{name}\")"), format!("Command::new(\"{name}\")")]
                .iter()
                .any(|start| code.contains(start))
            {
                named.push(format!("{file}: {name}"));
            }
        }
    }
    let listed: BTreeSet<String> = CHILDREN.iter().map(|child| child.file.to_owned()).collect();
    assert_eq!(starting, listed);
    assert!(named.is_empty(), "{named:?}");
    for child in &CHILDREN {
        let Child { file, program, arguments, environment, folder } = child;
        let said = [program, arguments, environment, folder];
        assert!(said.iter().all(|text| !text.is_empty()), "{file}: the row does not say why");
    }
}

/// Every start sets the environment and the folder; `run` passes on the user's.
#[test]
fn no_program_inherits_by_accident() {
    for (file, code) in sources() {
        let made = code.matches("Command::new(").count();
        if made == 0 || file == "commands/run.rs" {
            continue;
        }
        for part in [".env_clear()", ".current_dir("] {
            assert_eq!(code.matches(part).count(), made, "{file}: {part}");
        }
    }
}

/// Returns each file in `src` with its code, without tests and comments.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut found, mut folders) = (Vec::new(), vec![root.clone()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests").next().unwrap().lines();
            let code = code.filter(|line| !line.trim_start().starts_with("//"));
            let file = path.strip_prefix(&root).unwrap().display().to_string();
            if !file.ends_with("tests.rs") {
                found.push((file, code.collect::<Vec<_>>().join("\n")));
            }
        }
    }
    assert!(found.len() > 100);
    found
}
