//! Finds the HTTP address of a service from its files: a published port, and a path that is safe to GET.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::compose::{PublishedPorts, ServiceCommand, ServiceModel, port_purpose};
use crate::edit::python::bindings::list_imports;
use crate::edit::python::flask::{FlaskNames, list_apps};
use crate::edit::python::routes::{
    BlueprintPrefix, RouteEffect, is_harmful_path, list_blueprints, list_get_routes,
    list_registrations,
};
use crate::edit::python::source::PythonSource;
use crate::plan::instrument::modules::is_test;
use crate::session::context::ProjectContext;

/// The port of PHP's FastCGI.
const FASTCGI: u16 = 9000;

/// The address of a service on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AppAddress {
    scheme: &'static str,
    /// A host name, or the address its port is published on.
    host: String,
    port: u16,
    /// A path that is safe to GET; `None` if the files name none.
    pub(crate) path: Option<String>,
}

impl AppAddress {
    /// Returns the URL, with the root if no path is known.
    pub(crate) fn url(&self) -> String {
        let Self { scheme, host, port, .. } = self;
        format!("{scheme}://{host}:{port}{}", self.path.as_deref().unwrap_or("/"))
    }
}

/// Returns a service's address; `None` if it publishes no HTTP port.
pub(crate) fn find_address(context: &ProjectContext, service: &ServiceModel) -> Option<AppAddress> {
    let mut ports = service.ports.iter().filter(|port| port.host.is_some());
    let port = ports.find(|port| speaks_http(context, service, port))?;
    Some(AppAddress {
        scheme: scheme_of(*port.container.start()),
        host: host_name(port.host_ip.as_deref().and_then(|ip| ip.parse().ok())),
        port: *port.host.as_ref()?.start(),
        path: find_path(context, service),
    })
}

/// Returns the address of a service whose containers' ports are published at `published`, each with the container's
/// port.
pub(crate) fn find_live_address(
    context: &ProjectContext,
    service: &ServiceModel,
    published: &[(u16, SocketAddr)],
) -> Option<AppAddress> {
    let mut ports = service.ports.iter().filter(|port| speaks_http(context, service, port));
    let (inside, address) = ports
        .find_map(|port| published.iter().find(|(inside, _)| port.container.contains(inside)))?;
    Some(AppAddress {
        scheme: scheme_of(*inside),
        host: host_name(Some(address.ip())),
        port: address.port(),
        path: find_path(context, service),
    })
}

fn scheme_of(container_port: u16) -> &'static str {
    match container_port {
        443 | 8443 => "https",
        _ => "http",
    }
}

/// Returns the host under which an address of this machine is requested.
fn host_name(ip: Option<IpAddr>) -> String {
    match ip.filter(|ip| !ip.is_unspecified() && *ip != Ipv4Addr::LOCALHOST) {
        Some(IpAddr::V6(ip)) => format!("[{ip}]"),
        Some(IpAddr::V4(ip)) => ip.to_string(),
        None => "localhost".to_owned(),
    }
}

fn speaks_http(context: &ProjectContext, service: &ServiceModel, port: &PublishedPorts) -> bool {
    let fastcgi = || {
        let build = service.build.as_ref();
        let dockerfile = build.and_then(|build| build.dockerfile_text(context.project.sources()));
        let command = match &service.command {
            Some(ServiceCommand::Line(line)) => line.clone(),
            Some(ServiceCommand::Words(words)) => words.join(" "),
            None => String::new(),
        };
        let texts =
            [dockerfile.unwrap_or_default(), service.image.clone().unwrap_or_default(), command];
        texts.iter().any(|text| text.contains("fpm"))
    };
    port.protocol == "tcp"
        && port_purpose(*port.container.start()).is_none()
        && !(*port.container.start() == FASTCGI && fastcgi())
}

/// Returns the path of the service's health check, else its first route that is safe to GET.
fn find_path(context: &ProjectContext, service: &ServiceModel) -> Option<String> {
    health_path(context, service).or_else(|| {
        let build = service.build.as_ref()?;
        let files = context.project.python_files(&build.context);
        first_path(files.iter().filter(|file| !is_test(&file.path)).map(|file| &*file.text))
    })
}

fn makes_an_application(source: &PythonSource<'_>) -> bool {
    !list_apps(source, &list_imports(source), &FlaskNames::default()).is_empty()
}

/// Returns the path of a URL in `healthcheck` or `HEALTHCHECK`.
fn health_path(context: &ProjectContext, service: &ServiceModel) -> Option<String> {
    let model = context.project.model().ok()?;
    let definitions = service.defined_in.iter().filter_map(|span| {
        let text = model.file(span).text.get(span.range.clone())?;
        Some(text[text.find("healthcheck:")?..].lines().take(8).collect::<Vec<_>>().join(" "))
    });
    let build = service.build.as_ref();
    let dockerfile = build.and_then(|build| build.dockerfile_text(context.project.sources()));
    let checked = dockerfile.and_then(|text| Some(text[text.find("HEALTHCHECK")?..].to_owned()));
    definitions.chain(checked).find_map(|text| local_path(&text))
}

/// Returns the path of the first local URL in a text.
fn local_path(text: &str) -> Option<String> {
    let mut addresses = text.split("http://").skip(1);
    addresses.find_map(|rest| {
        let end = rest.find([' ', '"', '\'', ')', ']', '|', ';', '\n']).unwrap_or(rest.len());
        let (host, path) = rest[..end].split_once('/')?;
        let local_host = ["localhost", "127.0.0.1", "0.0.0.0"]
            .iter()
            .any(|local_host| host.starts_with(local_host));
        let path = format!("/{path}");
        (local_host && !path.contains(['$', '{']) && !is_harmful_path(&path)).then_some(path)
    })
}

/// Returns the first route of these modules that is safe to GET, with the prefix of its blueprint. Modules with an
/// application come first.
fn first_path<'t>(texts: impl Iterator<Item = &'t str>) -> Option<String> {
    let mut read: Vec<PythonSource<'_>> =
        texts.filter_map(|text| PythonSource::parse(text).ok()).collect();
    read.sort_by_cached_key(|source| !makes_an_application(source));
    let registered: HashMap<String, Option<String>> = read
        .iter()
        .flat_map(list_registrations)
        .map(|BlueprintPrefix { name, prefix }| (name, prefix))
        .collect();
    read.iter().find_map(|source| {
        let made: HashMap<String, Option<String>> =
            list_blueprints(source).into_iter().map(|made| (made.name, made.prefix)).collect();
        list_get_routes(source)
            .into_iter()
            .filter(|route| route.effect == RouteEffect::Reads)
            .find_map(|route| {
                let prefix = match made.get(&route.on) {
                    None => None,
                    Some(prefix) => registered.get(&route.on)?.clone().or_else(|| prefix.clone()),
                };
                let path =
                    format!("{}{}", prefix.unwrap_or_default().trim_end_matches('/'), route.path);
                (!path.contains('<') && !is_harmful_path(&path)).then_some(path)
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(texts: &[&str]) -> Option<String> {
        first_path(texts.iter().copied())
    }

    #[test]
    fn the_first_route_that_is_safe_to_get_is_used() {
        let guide = "@app.route('/rollbar/test')\ndef a(): pass\n@app.route('/api/x', methods=['POST'])\ndef b(): pass\n\
                     @app.route('/api/@<handle>')\ndef c(h): pass\n@app.route('/api/home', methods=['GET'])\ndef d(): pass\n";
        assert_eq!(first(&[guide]).as_deref(), Some("/api/home"));
        let loaded = "def load(app):\n  @app.route('/api/messages')\n  def a(): pass\n";
        assert_eq!(first(&["load(app)\n", loaded]).as_deref(), Some("/api/messages"));
        assert_eq!(first(&["app.get('/')"]), None);
    }

    #[test]
    fn a_blueprints_route_has_the_prefix_it_is_registered_with() {
        let users = "users = Blueprint('users', __name__, url_prefix='/users')\n@users.route('/all')\ndef a(): pass\n";
        let own = "app.register_blueprint(users)\n";
        assert_eq!(first(&[own, users]).as_deref(), Some("/users/all"));
        let other = "app.register_blueprint(users, url_prefix='/v1/')\n";
        assert_eq!(first(&[other, users]).as_deref(), Some("/v1/all"));
        assert_eq!(first(&[users]), None);
    }

    #[test]
    fn a_health_check_names_a_path_of_this_machine() {
        let path = |text: &str| local_path(text);
        assert_eq!(
            path("test: [\"CMD\", \"curl\", \"-f\", \"http://localhost:80/health\"]").as_deref(),
            Some("/health")
        );
        assert_eq!(
            path("test: wget -q http://127.0.0.1:4567/api/health || exit 1").as_deref(),
            Some("/api/health")
        );
        assert_eq!(path("curl http://db:80/x"), None);
        assert_eq!(path("curl http://localhost:80/reset"), None);
    }

    #[test]
    fn an_address_has_the_scheme_and_the_host_of_its_port() {
        for (ip, host) in [
            (None, "localhost"),
            (Some("127.0.0.1"), "localhost"),
            (Some("0.0.0.0"), "localhost"),
            (Some("::"), "localhost"),
            (Some("127.0.0.2"), "127.0.0.2"),
            (Some("::1"), "[::1]"),
            (Some("10.0.0.5"), "10.0.0.5"),
        ] {
            assert_eq!(host_name(ip.map(|ip| ip.parse().unwrap())), host);
        }
        let address = |inside, path: Option<&str>| {
            let (scheme, path) = (scheme_of(inside), path.map(str::to_owned));
            AppAddress { scheme, host: host_name(None), port: 8000, path }.url()
        };
        assert_eq!(address(443, None), "https://localhost:8000/");
        assert_eq!(address(8443, Some("/a")), "https://localhost:8000/a");
        assert_eq!(address(80, Some("/a")), "http://localhost:8000/a");
    }
}
