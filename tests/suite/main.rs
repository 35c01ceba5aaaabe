//! The whole program, from outside: one test binary, so that it links once.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

#[cfg(unix)]
mod action;
#[cfg(unix)]
mod agent_boot;
#[cfg(unix)]
mod attestation;
#[cfg(unix)]
mod bombs;
mod certificates;
mod children;
mod closed;
mod codes;
mod codespaces;
mod codespaces_secrets;
mod collector;
mod completions;
mod compose_generated;
mod compose_oracle;
mod compose_reading;
mod compose_schema;
#[cfg(unix)]
mod containers;
#[cfg(unix)]
mod crash;
#[cfg(unix)]
mod crash_key;
#[cfg(unix)]
mod databases;
mod detours;
mod devcontainers;
mod dialogue;
mod doctor;
mod doctor_keys;
mod doctor_kinds;
mod doctor_reads;
mod doctor_repairs;
mod doctor_reports;
mod doctor_services;
mod doctor_trees;
mod documents;
mod exit_codes;
mod fake_cloud;
mod fake_gp;
mod fake_grpc;
mod fake_honeycomb;
mod fake_rollbar;
mod fake_xray;
#[cfg(unix)]
mod faults;
mod findings;
mod fixtures;
mod forget;
#[cfg(unix)]
mod git_standing;
mod gp;
mod help_topics;
mod hints;
#[cfg(unix)]
mod hostile;
#[cfg(unix)]
mod hostile_repositories;
mod init;
mod init_addons;
mod init_agents;
mod init_strangers;
mod install;
mod instrument;
mod journal_folder;
#[cfg(unix)]
mod journeys;
mod judged_services;
mod kept_collectors;
mod key;
mod keyring;
mod listen;
#[cfg(target_os = "linux")]
mod listen_load;
mod listening;
mod log_commands;
mod manual;
mod ona;
mod open;
#[cfg(unix)]
mod packages;
#[cfg(unix)]
mod pictures;
mod ports;
mod project_proof;
mod prompt;
mod properties;
mod provider_match;
mod providers;
mod python;
mod query;
mod questions;
mod quoted_lines;
mod reachability;
mod real_repositories;
mod regions;
mod relay;
mod remove;
mod rude;
mod run;
mod sandbox;
mod sdk;
mod served;
#[cfg(unix)]
mod shown;
mod start;
mod status;
#[cfg(unix)]
mod tasks;
mod templates;
mod tidy;
mod unused_keys;
mod unwritable;
mod verbosity;
mod verify;
mod verify_addons;
mod verify_app;
mod verify_beyond;
mod verify_flask;
mod verify_grpc;
mod verify_local;
mod verify_project;
mod verify_real_apps;
mod verify_settings;
mod verify_tap;
mod verify_tap_workers;
mod verify_tls;
mod verify_trust;
mod verify_witnesses;
mod waiting;
mod web;
mod whoami;
