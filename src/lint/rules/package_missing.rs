//! `package-missing`: a script that imports a tracing package missing from every package.json.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

use crate::compose::ProjectTextFile;
use crate::instrumentation::list_node_packages;
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "package-missing",
    severity: Severity::Error,
    why: "the package is not installed, so the page does not build or the program stops at the import",
    explanation: "A script imports a package of OpenTelemetry or Honeycomb that is not in the package.json of its \
        folder or of a folder above, and that no package there depends on. Each package is reported once for a folder.",
    failing: &[
        ("compose.yaml", "services:\n  web: {build: ./web}\n"),
        (
            "web/package.json",
            "{\"dependencies\": {\"react\": \"18\", \"@opentelemetry/api\": \"1\"}}\n",
        ),
        (
            "web/src/tracing.js",
            "import { trace } from '@opentelemetry/api'\nimport { WebTracerProvider } from '@opentelemetry/sdk-trace-web' // # <-\nconst fetch = require(\"@opentelemetry/instrumentation-fetch/build\") // # <-\n",
        ),
        ("web/src/zone.js", "import { WebTracerProvider } from '@opentelemetry/sdk-trace-web'\n"),
    ],
    passing: &[
        ("compose.yaml", "services:\n  web: {build: ./web}\n"),
        ("package.json", "{\"devDependencies\": {\"@opentelemetry/sdk-trace-web\": \"1\"}}\n"),
        ("web/package.json", "{\"dependencies\": {\"@opentelemetry/api\": \"1\"}}\n"),
        (
            "web/src/tracing.js",
            "import { trace } from '@opentelemetry/api'\nimport { WebTracerProvider } from '@opentelemetry/sdk-trace-web'\nimport { Resource } from '@opentelemetry/resources'\n// import { x } from '@opentelemetry/instrumentation-fetch'\nimport './own'\n",
        ),
        (
            "api/package.json",
            "{\"dependencies\": {\"@opentelemetry/sdk-node\": \"0.57.1\", \"@opentelemetry/auto-instrumentations-node\": \"0.56.0\"}}\n",
        ),
        (
            "api/tracing.js",
            "const { trace } = require('@opentelemetry/api')\nrequire('@opentelemetry/sdk-trace-base')\nrequire('@opentelemetry/exporter-trace-otlp-http')\nrequire('@opentelemetry/instrumentation-http')\n",
        ),
    ],
    check,
};

/// Scopes of the packages that the rule checks.
const SCOPES: [&str; 2] = ["@opentelemetry/", "@honeycombio/"];

/// Packages and the packages they depend on, below `@opentelemetry/`; a name that ends in `-` stands for all that begin
/// with it.
const DEPENDENCIES: [(&str, &[&str]); 8] = [
    (
        "sdk-node",
        &[
            "api-logs",
            "context-async-hooks",
            "core",
            "exporter-",
            "instrumentation",
            "propagator-",
            "resources",
            "sdk-logs",
            "sdk-metrics",
            "sdk-trace-base",
            "sdk-trace-node",
            "semantic-conventions",
        ],
    ),
    (
        "auto-instrumentations-node",
        &[
            "instrumentation",
            "instrumentation-",
            "propagator-",
            "resource-detector-",
            "resources",
            "sdk-node",
        ],
    ),
    ("auto-instrumentations-web", &["instrumentation", "instrumentation-", "sdk-trace-web"]),
    ("sdk-trace-node", &["context-async-hooks", "core", "sdk-trace-base"]),
    ("sdk-trace-web", &["core", "sdk-trace-base"]),
    ("sdk-", &["core", "resources", "semantic-conventions"]),
    ("exporter-", &["core", "otlp-", "resources", "sdk-trace-base"]),
    ("instrumentation-", &["core", "instrumentation", "semantic-conventions"]),
];

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let manifests = inspection.manifests.iter();
    let manifests: HashMap<&Path, NodeManifest<'_>> = manifests
        .filter_map(|file| {
            let packages = list_node_packages(&file.text);
            Some((file.path.parent()?, NodeManifest { file, packages }))
        })
        .collect();
    let mut hits = Vec::new();
    let mut reported = HashSet::new();
    for file in inspection.texts.iter().filter(|file| is_script(file)) {
        let folders = file.path.ancestors().skip(1);
        let above: Vec<&NodeManifest<'_>> =
            folders.filter_map(|folder| manifests.get(folder)).collect();
        let Some(nearest) = above.first().map(|manifest| manifest.file) else { continue };
        for (at, package) in list_imported_packages(file) {
            if above.iter().any(|manifest| manifest.installs(&package))
                || !reported.insert((&nearest.path, package.clone()))
            {
                continue;
            }
            let manifest = inspection.shown(&nearest.path).display();
            hits.push(RuleHit::new(
                file,
                at,
                format!("{manifest} does not name {package}"),
                format!("`npm install {package}` in its folder"),
            ));
        }
    }
    hits
}

/// A package.json, and the packages that it lists; `None` if it is not valid.
struct NodeManifest<'i> {
    file: &'i ProjectTextFile,
    packages: Option<BTreeSet<String>>,
}

impl NodeManifest<'_> {
    /// Returns whether it lists a package, or one that depends on it; true if that is unknown.
    fn installs(&self, package: &str) -> bool {
        let Some(listed) = &self.packages else { return true };
        if listed.contains(package) {
            return true;
        }
        let scope = SCOPES[0];
        let Some(wanted) = package.strip_prefix(scope) else { return false };
        let mut names: Vec<&str> =
            listed.iter().filter_map(|name| name.strip_prefix(scope)).collect();
        // The API is a peer dependency of the others, which npm installs.
        if wanted == "api" && !names.is_empty() {
            return true;
        }
        let mut at = 0;
        while let Some(name) = names.get(at).copied() {
            let depending = DEPENDENCIES.iter().filter(|(pattern, _)| stands_for(pattern, name));
            for dependency in depending.flat_map(|(_, dependencies)| dependencies.iter().copied()) {
                if stands_for(dependency, wanted) {
                    return true;
                }
                if !names.contains(&dependency) {
                    names.push(dependency);
                }
            }
            at += 1;
        }
        false
    }
}

/// Returns whether a name in [`DEPENDENCIES`] stands for a package.
fn stands_for(pattern: &str, name: &str) -> bool {
    pattern == name || pattern.ends_with('-') && name.starts_with(pattern)
}

fn is_script(file: &ProjectTextFile) -> bool {
    let end = file.path.extension().and_then(|end| end.to_str()).unwrap_or_default();
    ["js", "jsx", "mjs", "cjs", "ts", "tsx", "vue", "svelte"].contains(&end)
}

/// Returns the packages that a script imports, each with the byte of its line's text.
fn list_imported_packages(file: &ProjectTextFile) -> impl Iterator<Item = (usize, String)> {
    file.lines().filter_map(|(at, line)| {
        let code = line.trim_start();
        let imports = code.contains("import ")
            || code.starts_with("import(")
            || code.contains("} from ")
            || code.contains("require(");
        if code.starts_with("//") || code.starts_with('*') || !imports {
            return None;
        }
        let (_, behind) = SCOPES.iter().find_map(|scope| {
            let found = code.find(scope)?;
            code[..found].ends_with(['"', '\'']).then(|| code.split_at(found))
        })?;
        let end = behind.find(['"', '\'']).unwrap_or(behind.len());
        let mut parts = behind[..end].split('/');
        let package = format!("{}/{}", parts.next()?, parts.next()?);
        Some((at + line.len() - code.len(), package))
    })
}
