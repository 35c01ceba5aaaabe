//! The architecture of this crate.
//!
//! `cruddur-ops` wires every backend service of a docker-compose project to an OpenTelemetry provider and proves
//! that telemetry arrives. Data flows one way:
//!
//! ```text
//! Project::discover -> ask -> plan -> diff -> confirm -> apply -> report
//! ```
//!
//! Each line below names a module, its contents, and the modules it may use. A test reads this table and fails on a
//! dependency that is not in it, and on files, variables, sockets or printing outside the modules that own them.
//!
//! ```text
//! cli         clap types only                                        -> provider stores plan
//! commands    one file per command: ask, plan, show, apply, report   -> all
//! prove       the ladder: test traces, --app, --local, causes        -> error limits secret shell compose provider plan otlp consent addon lint project stores workspace net ui session instrumentation
//! session     state of one run: project, stores, consent, code       -> error limits secret shell edit compose provider plan otlp consent lint project apply stores workspace docker net ui instrumentation
//!
//!   pure: text in, text out; no files, network, variables, terminal
//! error       the one error type: code, cause, place, hint           ->
//! limits      every limit, with its unit and its reason              ->
//! parallel    runs two computations at the same time                 ->
//! secret      Secret, the redactor, secret shapes, known secrets     ->
//! shell       variables and folder of the process                    -> secret
//! edit        yaml, jsonc, requirements, pyproject, python          -> error limits parallel
//! compose     typed view of a compose project                        -> error limits parallel secret edit
//! provider    catalogue of providers and addons, from templates/     -> error
//! instrumentation  a service's instrumentation, how its SDK acts     -> error limits secret edit compose provider
//! plan        Plan, Change, the unified diff                         -> error secret edit compose provider instrumentation
//! otlp        test trace, requests, responses, verdicts              -> error limits secret provider instrumentation
//! consent     decides whether a request may be sent                  -> error secret provider otlp
//! addon       X-Ray segment, Rollbar item, their responses           -> error secret provider otlp
//! lint        doctor's rules: one file per rule                      -> error limits secret edit compose provider instrumentation plan otlp
//!
//!   I/O: one module per kind
//! project     finds the project, reads its files once                -> error limits shell compose edit
//! apply       the only writer of the user's files; journal for undo  -> error secret shell plan project
//! stores      stores for secrets: env, dotenv, keyring, clouds       -> error secret shell edit compose plan workspace project apply
//! workspace   cloud dev environments; live port visibility           -> error secret shell
//! docker      containers: logs, restarts, second containers          -> error secret shell workspace
//! net         HTTP and gRPC clients, UDP, receiver and relay         -> error limits secret otlp consent
//! ui          prompts, colour, tables, waterfall, heatmap            -> error secret plan otlp
//! ```
//!
//! Where to look first:
//!
//! * How a command works: its file in `commands/`; the steps that all writing commands share are in `commands/flow.rs`.
//! * Why `verify` reports something: `otlp/verdict.rs` lists the rungs and codes, `prove/ladder.rs` tries one rung after
//!   the other, `prove/causes.rs` explains why an application sent nothing.
//! * Where a key is written: `commands/init/key.rs` and `commands/key/set.rs` choose the store, `stores/` writes it.
//! * Where a line in the user's files comes from: `plan/` decides on it, `edit/` puts it into the text, `apply/` writes
//!   the file; longer texts are in `templates/`.
//! * Where a secret is hidden or withheld: `secret/` redacts all output, `consent/` decides what may be sent, and
//!   `session/trust.rs` asks whether a value may go to another host.
//! * Where a diff comes from: `plan/diff.rs` computes it, `ui/mod.rs` draws it.
//! * Where the words of a rule are: its file in `lint/rules/`.
//! * What `init`, `doctor` and `verify` know about a service: `compose/service.rs` and `instrumentation/service.rs`.
//! * How to add a provider, a rule or a store: the table in `CONTRIBUTING.md`.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod cli;
pub mod commands;
mod prove;
mod session;

mod addon;
pub mod compose;
pub mod consent;
pub mod edit;
pub mod error;
pub mod instrumentation;
pub mod limits;
pub mod lint;
pub mod otlp;
mod parallel;
pub mod plan;
pub mod provider;
pub mod secret;
pub mod shell;

pub mod apply;
pub mod docker;
pub mod net;
pub mod project;
pub mod stores;
pub mod ui;
pub mod workspace;
