//! Determines the language of a service's program by its start command, the files of its code, or its image.

use super::Language;
use crate::compose::{ProjectSources, Startup};

/// Programs and the language of what they start.
const PROGRAMS: [(&str, Language); 48] = [
    ("python", Language::Python),
    ("pypy", Language::Python),
    ("flask", Language::Python),
    ("gunicorn", Language::Python),
    ("uvicorn", Language::Python),
    ("hypercorn", Language::Python),
    ("waitress-serve", Language::Python),
    ("uwsgi", Language::Python),
    ("daphne", Language::Python),
    ("granian", Language::Python),
    ("fastapi", Language::Python),
    ("celery", Language::Python),
    ("opentelemetry-instrument", Language::Python),
    ("node", Language::Node),
    ("nodejs", Language::Node),
    ("npm", Language::Node),
    ("yarn", Language::Node),
    ("pnpm", Language::Node),
    ("npx", Language::Node),
    ("nodemon", Language::Node),
    ("ts-node", Language::Node),
    ("ts-node-dev", Language::Node),
    ("tsx", Language::Node),
    ("nest", Language::Node),
    ("next", Language::Node),
    ("nuxt", Language::Node),
    ("pm2-runtime", Language::Node),
    ("java", Language::Java),
    ("mvn", Language::Java),
    ("mvnw", Language::Java),
    ("gradle", Language::Java),
    ("gradlew", Language::Java),
    ("dotnet", Language::Dotnet),
    ("ruby", Language::Ruby),
    ("bundle", Language::Ruby),
    ("rails", Language::Ruby),
    ("rackup", Language::Ruby),
    ("puma", Language::Ruby),
    ("unicorn", Language::Ruby),
    ("sidekiq", Language::Ruby),
    ("php", Language::Php),
    ("php-fpm", Language::Php),
    ("artisan", Language::Php),
    ("go", Language::Go),
    ("air", Language::Go),
    ("cargo", Language::Rust),
    ("mix", Language::Elixir),
    ("elixir", Language::Elixir),
];

/// Files that accompany programs of a language.
const MANIFESTS: [(&str, Language); 14] = [
    ("requirements.txt", Language::Python),
    ("pyproject.toml", Language::Python),
    ("Pipfile", Language::Python),
    ("setup.py", Language::Python),
    ("manage.py", Language::Python),
    ("go.mod", Language::Go),
    ("Cargo.toml", Language::Rust),
    ("mix.exs", Language::Elixir),
    ("pom.xml", Language::Java),
    ("build.gradle", Language::Java),
    ("build.gradle.kts", Language::Java),
    ("Gemfile", Language::Ruby),
    ("composer.json", Language::Php),
    ("package.json", Language::Node),
];

/// Words in the names of images for a language.
const IMAGES: [(&str, Language); 16] = [
    ("python", Language::Python),
    ("uvicorn", Language::Python),
    ("node", Language::Node),
    ("bun", Language::Node),
    ("php", Language::Php),
    ("ruby", Language::Ruby),
    ("golang", Language::Go),
    ("rust", Language::Rust),
    ("elixir", Language::Elixir),
    ("openjdk", Language::Java),
    ("temurin", Language::Java),
    ("corretto", Language::Java),
    ("amazoncorretto", Language::Java),
    ("maven", Language::Java),
    ("dotnet", Language::Dotnet),
    ("aspnet", Language::Dotnet),
];

/// Returns the language of a container's program; `None` if neither its start command, its files nor its image show it.
pub(super) fn find_language(startup: &Startup, sources: &dyn ProjectSources) -> Option<Language> {
    by_command(startup).or_else(|| by_files(startup, sources)).or_else(|| by_image(startup))
}

fn by_command(startup: &Startup) -> Option<Language> {
    startup.commands.iter().rev().find_map(|command| {
        let file_name = command.program()?;
        let name = match file_name.strip_prefix("python") {
            Some(version) if version.chars().all(|c| c.is_ascii_digit() || c == '.') => "python",
            _ => file_name,
        };
        lookup_language(&PROGRAMS, name)
    })
}

fn by_files(startup: &Startup, sources: &dyn ProjectSources) -> Option<Language> {
    let folders = startup.code_folders(sources);
    let mut existing = folders.iter().filter(|(folder, _)| sources.exists(folder));
    existing.find_map(|(folder, _)| {
        let mut manifests = MANIFESTS.iter();
        manifests
            .find(|(file, _)| sources.exists(&folder.join(file)))
            .map(|(_, language)| *language)
    })
}

fn by_image(startup: &Startup) -> Option<Language> {
    let base = startup.base.as_deref()?.split('@').next()?;
    let mut words = base.split(['/', ':', '-', '_']);
    words.find_map(|word| lookup_language(&IMAGES, word))
}

fn lookup_language(table: &[(&str, Language)], name: &str) -> Option<Language> {
    table.iter().find(|(known, _)| *known == name).map(|(_, language)| *language)
}
