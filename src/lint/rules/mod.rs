//! The rules, one file each, and their list.

use super::rule::LintRule;

mod names;
pub(super) mod outside;
mod sdk;
pub(super) mod telemetry;

mod before_first_request;
mod collector_config;
mod compose_refused;
mod console_exporter;
mod context_at_import;
mod cors_argument_unknown;
mod cors_traceparent;
mod curly_quotes;
pub(super) mod debug_in_production;
mod devcontainer_syntax;
pub(super) mod dotenv_not_ignored;
mod dotenv_unread;
mod endpoint_path;
mod endpoint_unreachable;
mod env_near_miss;
mod env_overrides_env_file;
mod exporter_protocol;
mod header_colon;
mod header_unencoded;
mod init_incomplete;
mod init_missing;
mod init_order;
mod init_twice;
mod key_in_hook;
mod key_stale;
mod key_unencrypted;
mod key_unset;
mod localhost_in_container;
mod name_contradicts;
mod name_duplicate;
mod name_from_variable;
pub(super) mod name_in_shell;
mod name_missing;
mod name_undefined;
mod no_span_source;
mod package_missing;
mod port_database_public;
mod port_not_configured;
mod port_not_published;
mod port_page_public;
mod port_xray_public;
mod protocol_port;
mod provider_mismatch;
mod region_mismatch;
mod reloader;
mod requirement_glued;
mod requirement_missing;
mod requirement_near_miss;
mod requirement_pip_line;
mod requirement_twice;
mod requirement_versions;
mod rollbar_no_token;
mod rollbar_not_started;
mod sdk_leaves_out;
mod sdk_sends_nothing;
mod sdk_value_ignored;
mod secret_in_build_arg;
pub(super) mod secret_in_frontend;
pub(super) mod secret_literal;
mod task_in_ports;
pub(super) mod task_path_missing;
mod traces_endpoint_path;
mod value_expanded;
mod value_quoted;
mod variable_unstored;
mod xray_address;
mod xray_command;
mod xray_region;
mod xray_segments;
pub(super) mod xray_session_token;
mod yaml_duplicate_key;
mod yaml_syntax;

/// Every rule.
pub static RULES: &[&LintRule] = &[
    &before_first_request::RULE,
    &collector_config::RULE,
    &compose_refused::RULE,
    &console_exporter::RULE,
    &context_at_import::RULE,
    &cors_argument_unknown::RULE,
    &cors_traceparent::RULE,
    &curly_quotes::RULE,
    &debug_in_production::RULE,
    &devcontainer_syntax::RULE,
    &dotenv_not_ignored::RULE,
    &dotenv_unread::RULE,
    &endpoint_path::RULE,
    &endpoint_unreachable::RULE,
    &env_near_miss::RULE,
    &env_overrides_env_file::RULE,
    &exporter_protocol::RULE,
    &header_colon::RULE,
    &header_unencoded::RULE,
    &init_incomplete::RULE,
    &init_missing::RULE,
    &init_order::RULE,
    &init_twice::RULE,
    &key_in_hook::RULE,
    &key_stale::RULE,
    &key_unencrypted::RULE,
    &key_unset::RULE,
    &localhost_in_container::RULE,
    &name_contradicts::RULE,
    &name_duplicate::RULE,
    &name_from_variable::RULE,
    &name_in_shell::RULE,
    &name_missing::RULE,
    &name_undefined::RULE,
    &no_span_source::RULE,
    &package_missing::RULE,
    &port_database_public::RULE,
    &port_not_configured::RULE,
    &port_not_published::RULE,
    &port_page_public::RULE,
    &port_xray_public::RULE,
    &protocol_port::RULE,
    &provider_mismatch::RULE,
    &region_mismatch::RULE,
    &reloader::RULE,
    &requirement_glued::RULE,
    &requirement_missing::RULE,
    &requirement_near_miss::RULE,
    &requirement_pip_line::RULE,
    &requirement_twice::RULE,
    &requirement_versions::RULE,
    &rollbar_no_token::RULE,
    &rollbar_not_started::RULE,
    &sdk_leaves_out::RULE,
    &sdk_sends_nothing::RULE,
    &sdk_value_ignored::RULE,
    &secret_in_build_arg::RULE,
    &secret_in_frontend::RULE,
    &secret_literal::RULE,
    &task_in_ports::RULE,
    &task_path_missing::RULE,
    &traces_endpoint_path::RULE,
    &value_expanded::RULE,
    &value_quoted::RULE,
    &variable_unstored::RULE,
    &xray_address::RULE,
    &xray_command::RULE,
    &xray_region::RULE,
    &xray_segments::RULE,
    &xray_session_token::RULE,
    &yaml_duplicate_key::RULE,
    &yaml_syntax::RULE,
];
