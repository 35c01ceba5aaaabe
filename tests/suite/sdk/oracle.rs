//! A process with a real SDK that prints its settings in an environment.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use cruddur_ops::instrumentation::{Language, OtlpProtocol, SdkSetup};
use serde_json::{Value, json};

use super::Environment;
use crate::python::python;
use crate::sandbox::tool;

/// A process with a real SDK.
pub(super) struct Oracle {
    process: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Oracle {
    /// Starts the SDK of this language; `None`, with a message, if it is not installed.
    pub(super) fn start(language: Language) -> Option<Self> {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/sdk");
        let mut command = match language {
            Language::Python => {
                let mut command = Command::new(python()?);
                command.arg("-W").arg("ignore").arg(scripts.join("python_oracle.py"));
                command
            }
            _ => {
                let mut command = Command::new("node");
                command.arg(scripts.join("node_oracle.js")).arg(node_sdk()?);
                command
            }
        };
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("OTEL_")) {
            command.env_remove(name);
        }
        let mut process = command
            .env_remove("HTTP_PROXY")
            .env_remove("HTTPS_PROXY")
            .env_remove("http_proxy")
            .env_remove("https_proxy")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let questions = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().unwrap());
        Some(Self { process, questions, answers })
    }

    /// Returns the SDK's settings in an environment. Only traces are exported by default.
    pub(super) fn ask(&mut self, setup: &SdkSetup, environment: &Environment) -> Value {
        let (setup, endpoint) = match setup {
            SdkSetup::Code { protocol: OtlpProtocol::Grpc, endpoint } => {
                ("grpc", endpoint.as_ref())
            }
            SdkSetup::Code { endpoint, .. } => ("http", endpoint.as_ref()),
            _ => ("variables", None),
        };
        let question = json!({ "setup": setup, "endpoint": endpoint, "environment": environment });
        let questions = self.questions.as_mut().unwrap();
        writeln!(questions, "{question}").unwrap();
        questions.flush().unwrap();
        // What exporters and warnings print is no answer.
        loop {
            let mut line = String::new();
            assert_ne!(self.answers.read_line(&mut line).unwrap(), 0, "no answer to {question}");
            if let Ok(answer @ Value::Object(_)) = serde_json::from_str::<Value>(&line)
                && answer.get("error").is_some()
            {
                return answer;
            }
        }
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        self.questions.take();
        if self.process.wait().is_err() {
            let _ = self.process.kill();
        }
    }
}

/// Returns the folder where `tests/tools/node-sdk.sh` installs the SDK, or the reason to skip.
fn node_sdk() -> Option<PathBuf> {
    let wanted = tool("node-sdk/wanted", "node-sdk.sh")?;
    wanted.parent().map(Path::to_owned)
}
