//! Span sources of programs whose code is not read, by their lists of packages.

use std::path::{Path, PathBuf};

use super::Language;
use super::packages::{find_manifest, read_text};
use super::service::SpanSource;
use crate::compose::{BuildAction, ProjectSources, Startup, clean_path};

/// The package lists of one language, and the libraries in them that send spans.
struct PackageManifest {
    language: Language,
    /// The names of the files.
    files: &'static [&'static str],
    /// Parts of a line that names a library which sets up OpenTelemetry's SDK.
    sdks: &'static [&'static str],
    /// Parts of a line that names another vendor's tracer, and the vendor. Quotes are single ones.
    vendors: &'static [(&'static str, &'static str)],
}

const MANIFESTS: [PackageManifest; 7] = [
    PackageManifest {
        language: Language::Go,
        files: &["go.mod"],
        sdks: &["go.opentelemetry.io/otel/sdk ", "go.opentelemetry.io/otel ", "autoexport "],
        vendors: &[
            ("github.com/honeycombio/beeline-go ", "Honeycomb Beeline"),
            ("DataDog/dd-trace-go", "Datadog"),
            ("github.com/newrelic/go-agent", "New Relic"),
            ("go.elastic.co/apm", "Elastic APM"),
        ],
    },
    PackageManifest {
        language: Language::Rust,
        files: &["Cargo.toml"],
        sdks: &["opentelemetry"],
        vendors: &[],
    },
    PackageManifest {
        language: Language::Ruby,
        files: &["Gemfile"],
        sdks: &["opentelemetry-sdk", "opentelemetry-instrumentation-all"],
        vendors: &[
            ("'honeycomb-beeline'", "Honeycomb Beeline"),
            ("'ddtrace'", "Datadog"),
            ("'datadog'", "Datadog"),
            ("'newrelic_rpm'", "New Relic"),
            ("'elastic-apm'", "Elastic APM"),
        ],
    },
    PackageManifest {
        language: Language::Php,
        files: &["composer.json"],
        sdks: &["open-telemetry/sdk"],
        vendors: &[],
    },
    PackageManifest {
        language: Language::Java,
        files: &["pom.xml", "build.gradle", "build.gradle.kts"],
        sdks: &[
            "opentelemetry-spring-boot-starter",
            "opentelemetry-sdk",
            "micrometer-tracing-bridge-otel",
            "quarkus-opentelemetry",
        ],
        vendors: &[],
    },
    PackageManifest {
        language: Language::Dotnet,
        files: &[],
        sdks: &["OpenTelemetry"],
        vendors: &[
            ("Datadog.Trace", "Datadog"),
            ("NewRelic.Agent", "New Relic"),
            ("Elastic.Apm", "Elastic APM"),
        ],
    },
    PackageManifest {
        language: Language::Elixir,
        files: &["mix.exs"],
        sdks: &["{:opentelemetry,"],
        vendors: &[("{:new_relic_agent,", "New Relic"), ("{:spandex_datadog,", "Datadog")],
    },
];

/// Returns what sends spans in a program, by its list of packages.
pub(super) fn read_manifest(
    language: Language,
    startup: &Startup,
    sources: &dyn ProjectSources,
) -> SpanSource {
    let Some(manifest) = MANIFESTS.iter().find(|manifest| manifest.language == language) else {
        return SpanSource::Unknown;
    };
    let found = match language {
        Language::Dotnet => find_dotnet_project(startup, sources),
        _ => find_manifest(manifest.files, startup, sources),
    };
    let Some((path, text)) = found else { return SpanSource::Unknown };
    let mut texts = vec![text];
    texts.extend(read_shared(language, &path, &texts[0], startup, sources));
    let lines: Vec<String> = texts
        .iter()
        .flat_map(|text| text.lines())
        .filter(|line| {
            let line = line.trim_start();
            !line.starts_with("//") && !line.starts_with('#') && !line.contains("// indirect")
        })
        .map(|line| line.replace('"', "'"))
        .collect();
    let has = |name: &&str| lines.iter().any(|line| line.contains(*name));
    if manifest.sdks.iter().any(has) {
        return SpanSource::Code;
    }
    let vendor = manifest.vendors.iter().find(|(name, _)| has(name));
    vendor.map_or(SpanSource::Nothing, |(_, vendor)| SpanSource::Vendor((*vendor).to_owned()))
}

/// The endings of the project files of .NET.
const DOTNET_PROJECTS: [&str; 3] = ["csproj", "fsproj", "vbproj"];

/// Maximum number of lists that a list of packages leads to; real programs have fewer.
const MAX_SHARED_LISTS: usize = 32;

/// Returns the texts of the lists that the list at `path` takes packages from: those of local libraries that it refers to,
/// and those that apply to all folders below their own.
fn read_shared(
    language: Language,
    path: &Path,
    text: &str,
    startup: &Startup,
    sources: &dyn ProjectSources,
) -> Vec<String> {
    let above: &[&str] = match language {
        Language::Dotnet => &["Directory.Build.props", "Directory.Packages.props"],
        Language::Java => &["pom.xml", "build.gradle", "build.gradle.kts"],
        Language::Rust => &[],
        _ => return Vec::new(),
    };
    let mut paths = vec![path.to_owned()];
    let mut texts = Vec::new();
    let mut open = list_local_references(language, path, text);
    while let Some(next) = open.pop() {
        if paths.len() > MAX_SHARED_LISTS || paths.contains(&next) {
            continue;
        }
        if let Some(text) = read_text(&next, sources) {
            open.extend(list_local_references(language, &next, &text));
            texts.push(text);
        }
        paths.push(next);
    }
    let context = startup.context();
    let mut seen: Vec<&Path> = Vec::new();
    for folder in paths.iter().flat_map(|path| path.ancestors().skip(1)) {
        if !context.is_some_and(|context| folder.starts_with(context)) || seen.contains(&folder) {
            continue;
        }
        seen.push(folder);
        let shared =
            above.iter().map(|name| folder.join(name)).filter(|path| !paths.contains(path));
        texts.extend(shared.filter_map(|path| read_text(&path, sources)));
    }
    texts
}

/// Returns the lists of packages of the local libraries that one names: `<ProjectReference Include="../A/A.csproj" />`,
/// `shared = { path = "../shared" }`.
fn list_local_references(language: Language, path: &Path, text: &str) -> Vec<PathBuf> {
    let (mark, file) = match language {
        Language::Dotnet => ("<ProjectReference Include=", ""),
        Language::Rust => ("path = ", "Cargo.toml"),
        _ => return Vec::new(),
    };
    let folder = path.parent().unwrap_or(path);
    let named = text.split(mark).skip(1).filter_map(|rest| rest.split('"').nth(1));
    named.map(|named| clean_path(&folder.join(named.replace('\\', "/")).join(file))).collect()
}

/// Returns the .NET project file that a Dockerfile names, else the one named as the library that is started.
fn find_dotnet_project(
    startup: &Startup,
    sources: &dyn ProjectSources,
) -> Option<(PathBuf, String)> {
    let named = list_dotnet_projects(startup);
    find_manifest(&named, startup, sources).or_else(|| {
        let words = startup.commands.iter().flat_map(|command| &command.words);
        let libraries: Vec<&str> = words
            .filter_map(|word| Path::new(word).file_name()?.to_str())
            .filter_map(|name| name.strip_suffix(".dll"))
            .collect();
        let folders = startup.code_folders(sources);
        let mut paths = folders.iter().flat_map(|(folder, _)| {
            libraries.iter().flat_map(move |name| {
                DOTNET_PROJECTS.map(|ending| folder.join(format!("{name}.{ending}")))
            })
        });
        paths.find_map(|path| read_text(&path, sources).map(|text| (path, text)))
    })
}

/// Returns the .NET project files that a Dockerfile copies or builds, as written there.
fn list_dotnet_projects(startup: &Startup) -> Vec<&str> {
    let stages = startup.dockerfile.iter().flat_map(|file| &file.stages);
    let words = stages.flat_map(|stage| &stage.steps).flat_map(|step| match &step.action {
        BuildAction::Copy(paths) => paths.iter().map(|path| path.source.as_str()).collect(),
        BuildAction::Run { commands, .. } => {
            commands.iter().flat_map(|command| &command.words).map(String::as_str).collect()
        }
        BuildAction::Entrypoint(_) | BuildAction::Command(_) => Vec::new(),
    });
    let is_project = |word: &&str| {
        let ending = Path::new(word).extension().and_then(|ending| ending.to_str());
        ending.is_some_and(|ending| DOTNET_PROJECTS.contains(&ending)) && !word.contains('*')
    };
    words.map(|word| word.trim_start_matches("./")).filter(is_project).collect()
}
