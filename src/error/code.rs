//! Every error code and its meaning.

/// Declares an enum of stable codes from one table, so that a code, its text and its meaning cannot diverge.
macro_rules! stable_codes {
    (
        $(#[$about:meta])*
        pub enum $name:ident {
            $($(#[doc = $meaning:literal])+ $code:ident = $text:literal,)+
        }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[doc = $meaning])+ $code,)+
        }

        impl $name {
            /// Every code, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$code),+];

            /// Returns the code as printed and in JSON: lowercase words joined by dashes.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$code => $text,)+
                }
            }

            /// Returns one sentence that explains the error.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$code => concat!($($meaning),+).trim_start(),)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

pub(crate) use stable_codes;

stable_codes! {
    /// The stable code of an error: the same failure has the same code in every version.
    pub enum ErrorCode {
        /// Several functions of the file have the name that was given.
        AmbiguousFunction = "ambiguous-function",
        /// A question needs an answer, but no flag gives it and there is no terminal.
        AnswerMissing = "answer-missing",
        /// The program cannot listen on the address.
        BindFailed = "bind-failed",
        /// Another run of cruddur-ops is writing to this project.
        Busy = "busy",
        /// A file was changed by someone else after it was read, so it was not overwritten.
        ChangedSinceRead = "changed-since-read",
        /// The command given to `run` exists, but cannot be executed.
        CommandNotExecutable = "command-not-executable",
        /// The command given to `run` was not found.
        CommandNotStarted = "command-not-started",
        /// Compose files include or extend each other in a circle.
        ComposeCycle = "compose-cycle",
        /// Docker Compose would refuse this project.
        ComposeRefused = "compose-refused",
        /// `.cruddur-ops.toml` has an unknown key or a wrong value.
        ConfigInvalid = "config-invalid",
        /// A docker command failed.
        DockerFailed = "docker-failed",
        /// A file was edited after the change that should be undone.
        EditedSince = "edited-since",
        /// The endpoint is not an http or https address.
        EndpointInvalid = "endpoint-invalid",
        /// The provider needs an endpoint and none was given.
        EndpointMissing = "endpoint-missing",
        /// A file of the project is larger than the program reads.
        FileTooLarge = "file-too-large",
        /// The filter of a query is not valid.
        FilterInvalid = "filter-invalid",
        /// The requirements are locked by hashes, so no package can be added to them.
        HashLocked = "hash-locked",
        /// A header is not written as NAME=VARIABLE.
        HeaderInvalid = "header-invalid",
        /// A bug in cruddur-ops.
        Internal = "internal",
        /// Ctrl-C, or the end of the input at a prompt, ended the command.
        Interrupted = "interrupted",
        /// An earlier run was interrupted while it wrote to this project.
        InterruptedRun = "interrupted-run",
        /// The value of an attribute is not one Python expression.
        InvalidExpression = "invalid-expression",
        /// A file is not valid YAML.
        InvalidYaml = "invalid-yaml",
        /// The undo journal cannot be read.
        JournalUnreadable = "journal-unreadable",
        /// The undo journal cannot be written.
        JournalUnwritable = "journal-unwritable",
        /// No store and no variable holds the key.
        KeyMissing = "key-missing",
        /// The provider does not know the key.
        KeyRejected = "key-rejected",
        /// The text that was given cannot be a key of this provider.
        KeyShape = "key-shape",
        /// Two services would be traced under one name.
        NameTaken = "name-taken",
        /// The network cannot be used from here.
        Network = "network",
        /// The server did not give a usable answer.
        NoAnswer = "no-answer",
        /// Docker has no bridge on this machine to listen on.
        NoBridge = "no-bridge",
        /// No browser could be opened.
        NoBrowser = "no-browser",
        /// No compose file was found.
        NoComposeFile = "no-compose-file",
        /// There is no home folder to keep the undo journal in.
        NoHome = "no-home",
        /// Ports cannot be listed or opened in this environment.
        NoLivePorts = "no-live-ports",
        /// The file that was named does not exist in the project.
        NoSuchFile = "no-such-file",
        /// The function that was named is not in the file, or has no body.
        NoSuchFunction = "no-such-function",
        /// No set of OpenTelemetry releases fits this version of Python or of the pinned packages.
        NoVersionSet = "no-version-set",
        /// No `listen` is running, and there is no link to open instead.
        NobodyAnswers = "nobody-answers",
        /// No service of the project sends traces yet.
        NotConfigured = "not-configured",
        /// The key belongs to another provider, which cannot be asked about it.
        NotHoneycombs = "not-honeycombs",
        /// An expression uses a name that is not in scope at that place.
        NotInScope = "not-in-scope",
        /// The workspace's program, such as `gh`, is not signed in.
        NotSignedIn = "not-signed-in",
        /// A file is not UTF-8 text.
        NotUtf8 = "not-utf8",
        /// A path leads out of the project's folder.
        OutsideProject = "outside-project",
        /// Another program listens on the port.
        PortInUse = "port-in-use",
        /// A port is not written as PORT[=public|private][:NAME].
        PortInvalid = "port-invalid",
        /// The codespace does not forward the port, because nothing listens on it.
        PortNotForwarded = "port-not-forwarded",
        /// Telemetry cannot be sent to this provider directly.
        ProviderRefused = "provider-refused",
        /// A file that should be changed is read-only.
        ReadOnly = "read-only",
        /// AWS has no region of that name.
        RegionInvalid = "region-invalid",
        /// The project would make docker compose fetch or run something from elsewhere.
        RemoteResource = "remote-resource",
        /// A line that was replaced held a secret, and no store has it any more.
        SecretNotKept = "secret-not-kept",
        /// The value of a provider's setting has characters that are not allowed.
        SettingInvalid = "setting-invalid",
        /// The provider needs a setting that was not given.
        SettingMissing = "setting-missing",
        /// The provider has no setting of that name.
        SettingUnknown = "setting-unknown",
        /// A store failed to read, keep or remove a secret.
        StoreFailed = "store-failed",
        /// The store is locked.
        StoreLocked = "store-locked",
        /// The store would damage or publish the value, so nothing was stored.
        StoreRefused = "store-refused",
        /// The store does not exist here or does not answer.
        StoreUnavailable = "store-unavailable",
        /// The terminal could not be read.
        Terminal = "terminal",
        /// A file is not valid TOML.
        TomlSyntax = "toml-syntax",
        /// The compose project is larger than the program reads.
        TooLarge = "too-large",
        /// The provider has no region of that name.
        UnknownRegion = "unknown-region",
        /// `doctor` has no rule of that name.
        UnknownRule = "unknown-rule",
        /// The project has no service of that name.
        UnknownService = "unknown-service",
        /// A file or folder cannot be read.
        UnreadableFile = "unreadable-file",
        /// No key could be read from standard input.
        UnreadableStdin = "unreadable-stdin",
        /// A file cannot be edited without risk to its meaning, so it was left as it is.
        UnsafeEdit = "unsafe-edit",
        /// The key was not sent, because it is not meant for this host.
        UntrustedHost = "untrusted-host",
        /// The result could not be written to standard output.
        UnwritableStdout = "unwritable-stdout",
        /// The address given to `--app` is not an http or https address.
        UrlInvalid = "url-invalid",
        /// The arguments of the command cannot be used.
        Usage = "usage",
        /// A policy, or the kind of port, forbids the visibility.
        VisibilityRefused = "visibility-refused",
        /// The workspace reported success, and the port still has its old visibility.
        VisibilityUnchanged = "visibility-unchanged",
        /// A port may have its new visibility, but that could not be checked.
        VisibilityUnknown = "visibility-unknown",
        /// The workspace's program, such as `gh`, is missing, failed or printed something unexpected.
        WorkspaceFailed = "workspace-failed",
        /// A file could not be written.
        WriteFailed = "write-failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_dashed_words_in_order_and_each_stands_once() {
        let codes: Vec<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        assert!(codes.is_sorted_by(|one, next| one < next), "{codes:?}");
        for code in ErrorCode::ALL {
            let words = code.as_str().split('-').map(|word| word[..1].to_uppercase() + &word[1..]);
            assert_eq!(format!("{code:?}"), words.collect::<String>());
            let meaning = code.meaning();
            assert!(meaning.len() > 15 && meaning.ends_with('.'), "{code}: {meaning}");
        }
    }
}
