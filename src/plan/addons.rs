//! Plans addons in the compose files: the variables of services that report, and X-Ray's daemon.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use minijinja::context;

use super::ports::PublishedTcpPort;
use super::telemetry::file_of;
use super::{Note, Plan};
use crate::compose::{
    ComposeModel, EnvironmentVariable, ProjectVariables, ServiceModel, ServiceRole, VariableSource,
    VariableValue,
};
use crate::edit::yaml::additions::{self, Addition};
use crate::edit::yaml::environment::{self, Wanted};
use crate::error::Result;
use crate::provider::{self, Addon, AddonDaemon, AddonProfile, Variable};

/// The requested addons, the services that report, and the daemon's settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct AddonRequest {
    /// The addons, each once.
    pub addons: Vec<Addon>,
    /// The services whose code reports to an addon.
    pub services: Vec<String>,
    /// How a browser addresses the services.
    pub hosts: HostNaming,
    /// The AWS region of a daemon to be added.
    pub region: Option<String>,
}

/// The naming scheme for the services' hosts, after which segments are named.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum HostNaming {
    /// A Gitpod workspace's URLs.
    Gitpod,
    /// A codespace's URLs.
    Codespaces,
    /// `localhost`.
    #[default]
    Local,
}

impl HostNaming {
    fn name(self) -> &'static str {
        match self {
            Self::Gitpod => "gitpod",
            Self::Codespaces => "codespaces",
            Self::Local => "local",
        }
    }
}

/// Returns the daemon that the project already has.
pub(crate) fn find_daemon(model: &ComposeModel, addon: Addon) -> Option<&ServiceModel> {
    let daemon = addon.profile()?.daemon.as_ref()?;
    let mut services = model.services.iter();
    services.find(|service| {
        let image = service.image.as_deref();
        image.is_some_and(|image| addon.runs(image))
            || (service.build.is_some() && service.name == daemon.service)
    })
}

/// Returns the daemon that `request` adds to the project, if any, and the template for it.
fn daemon_to_add(
    model: &ComposeModel,
    request: &AddonRequest,
) -> Option<(&'static AddonDaemon, &'static str)> {
    let mut wanted = request.addons.iter().filter(|addon| find_daemon(model, **addon).is_none());
    let added = wanted
        .find_map(|addon| Some((addon.profile()?.daemon.as_ref()?, addon.templates().daemon?)));
    added.filter(|_| !request.services.is_empty())
}

/// Returns the ports that `request` publishes.
pub(crate) fn published(model: &ComposeModel, request: &AddonRequest) -> Option<PublishedTcpPort> {
    daemon_to_add(model, request).map(|(daemon, _)| {
        PublishedTcpPort::new(daemon.port, &daemon.service, ServiceRole::TracingDaemon)
    })
}

/// Adds to `plan` whatever the compose files lack for `request`. Services in `last` are written to the last file that
/// names them.
///
/// # Errors
/// `unsafe-edit` when a compose file cannot be edited without changing its other contents.
pub(crate) fn extend(
    plan: &mut Plan,
    model: &ComposeModel,
    request: &AddonRequest,
    variables: &ProjectVariables,
    last: &BTreeSet<String>,
) -> Result<()> {
    let mut wanted: BTreeMap<&Path, Vec<Wanted>> = BTreeMap::new();
    for service in request.services.iter().filter_map(|name| model.service(name)) {
        let settings = service.intended(variables);
        for (addon, variable) in variables_of(model, request, service)? {
            let setting = settings.get(&variable.name);
            if setting.is_some_and(|setting| is_kept(setting, addon)) {
                continue;
            }
            let Some(file) = file_of(model, service, setting, last) else {
                continue;
            };
            let services = wanted.entry(&file.path).or_default();
            let pair = (variable.name, variable.value);
            match services.iter_mut().find(|wanted| wanted.service == service.name) {
                Some(wanted_service) => wanted_service.set.push(pair),
                None => services.push(Wanted {
                    service: service.name.clone(),
                    set: vec![pair],
                    unset: Vec::new(),
                }),
            }
        }
    }
    for (path, wanted) in wanted {
        plan.amend(model, path, |text| environment::set(text, &wanted))?;
        wanted.iter().for_each(|wanted| plan.compose.want(wanted));
    }
    match daemon_to_add(model, request) {
        Some(daemon) => add_daemon(plan, model, request, daemon, (variables, last)),
        None => Ok(()),
    }
}

/// Returns whether `service` refers to the secret `variable`, or will with the variables `with`.
pub(crate) fn refers_to_secret(
    model: &ComposeModel,
    service: &str,
    addon: Addon,
    variable: &str,
    with: &ProjectVariables,
) -> bool {
    let Some(service) = model.service(service) else {
        return false;
    };
    let settings = service.intended(with);
    settings.get(variable).is_none_or(|setting| {
        let named = setting.uses.iter().any(|variable_use| variable_use.name == variable);
        named || addon.profile().is_some_and(|profile| !is_kept(setting, profile))
    })
}

/// Returns the variables a service needs in its environment, from `templates/`.
pub(super) fn variables_of(
    model: &ComposeModel,
    request: &AddonRequest,
    service: &ServiceModel,
) -> Result<Vec<(&'static AddonProfile, Variable)>> {
    let mut variables = Vec::new();
    for addon in &request.addons {
        let Some(profile) = addon.profile() else {
            continue;
        };
        let mut ports = service.ports.iter().filter(|port| port.protocol == "tcp");
        let port = ports.find_map(|port| Some(*port.host.as_ref()?.start()));
        let text = provider::render_template(
            addon.templates().environment,
            context! {
                address => daemon_address(model, profile, service),
                port => port,
                workspace => request.hosts.name(),
            },
        )?;
        variables.extend(
            provider::parse_variables(&text)?.into_iter().map(|variable| (profile, variable)),
        );
    }
    Ok(variables)
}

/// Returns the daemon's address as seen from `service`.
fn daemon_address(model: &ComposeModel, profile: &AddonProfile, service: &ServiceModel) -> String {
    let existing = find_daemon(model, profile.name).map(|daemon| daemon.name.as_str());
    let Some(daemon) = &profile.daemon else {
        return String::new();
    };
    let host = match service.network_mode.as_deref() {
        Some("host") => "127.0.0.1",
        _ => existing.unwrap_or(&daemon.service),
    };
    format!("{host}:{}", daemon.port)
}

/// Returns whether the setting has a value that stays; a secret in plain text does not count.
fn is_kept(setting: &EnvironmentVariable, profile: &AddonProfile) -> bool {
    if !setting.uses.is_empty() {
        return true;
    }
    match &setting.value {
        VariableValue::Known(value) if value.expose().trim().is_empty() => false,
        VariableValue::Known(_) => {
            let written_out = matches!(setting.source, VariableSource::Environment(_));
            !(written_out && profile.secrets.contains(&setting.name))
        }
        VariableValue::Unknown(_) => true,
        VariableValue::Absent => false,
    }
}

/// The validity of AWS keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AwsKeyLifetime {
    /// Valid until they are revoked.
    Permanent,
    /// Refused without their session token, and after some hours.
    Temporary,
}

fn aws_key_lifetime(variables: &ProjectVariables) -> AwsKeyLifetime {
    let value_of = |name: &str| variables.get(name).unwrap_or_default().trim();
    if value_of("AWS_ACCESS_KEY_ID").starts_with("ASIA")
        || !value_of("AWS_SESSION_TOKEN").is_empty()
    {
        AwsKeyLifetime::Temporary
    } else {
        AwsKeyLifetime::Permanent
    }
}

/// Returns the service of X-Ray's daemon, as YAML.
pub(super) fn render_daemon(
    region: &str,
    networks: &[String],
    keys: AwsKeyLifetime,
) -> Result<String> {
    let template = Addon::Xray.templates().daemon.unwrap_or_default();
    render_daemon_template(template, region, networks, keys)
}

fn render_daemon_template(
    template: &str,
    region: &str,
    networks: &[String],
    keys: AwsKeyLifetime,
) -> Result<String> {
    let temporary = keys == AwsKeyLifetime::Temporary;
    provider::render_template(
        template,
        context! { region => region, networks => networks.to_vec(), temporary => temporary },
    )
}

/// Adds the daemon next to the first service that reports, and makes the services start it.
fn add_daemon(
    plan: &mut Plan,
    model: &ComposeModel,
    request: &AddonRequest,
    (daemon, template): (&AddonDaemon, &str),
    (variables, last): (&ProjectVariables, &BTreeSet<String>),
) -> Result<()> {
    let reporting: Vec<&ServiceModel> =
        request.services.iter().filter_map(|name| model.service(name)).collect();
    let mut networks: Vec<String> =
        reporting.iter().flat_map(|service| service.networks.iter().cloned()).collect();
    networks.sort_unstable();
    networks.dedup();
    let Some(file) = reporting.first().and_then(|service| file_of(model, service, None, last))
    else {
        return Ok(());
    };
    let region = request.region.as_deref().unwrap_or_default();
    let body = render_daemon_template(template, region, &networks, aws_key_lifetime(variables))?;
    let service =
        Addition::Entry { path: vec!["services".to_owned()], key: daemon.service.clone(), body };
    plan.amend(model, &file.path, |text| additions::add(text, std::slice::from_ref(&service)))?;
    plan.compose.add(&service);
    for service in reporting {
        let Some(file) = file_of(model, service, None, last) else {
            continue;
        };
        let waits = Addition::Item {
            path: ["services", &service.name, "depends_on"].map(str::to_owned).into(),
            item: daemon.service.clone(),
            entry: (daemon.service.clone(), "{condition: service_started}".to_owned()),
        };
        let added = plan
            .amend(model, &file.path, |text| additions::add(text, std::slice::from_ref(&waits)));
        if added.is_ok() {
            plan.compose.add(&waits);
        } else {
            let text = format!(
                "{} does not start {} by itself: its `depends_on` is shared with other services",
                service.name, daemon.service
            );
            plan.notes.push(Note::fact(text));
        }
    }
    Ok(())
}
