//! Classification of services by the evidence of whole projects.

use super::*;
use crate::compose::texts::{TestSources, load_texts};

#[track_caller]
fn assert_classification(service: &str, files: &[(&str, &str)], role: ServiceRole, evidence: &str) {
    let compose = format!("services:\n  {service}\n");
    let mut all = vec![("compose.yaml", compose.as_str())];
    all.extend_from_slice(files);
    let model = load_texts(&all, &[]).unwrap();
    let got = classify_service(&model.services[0], &TestSources::new(&all));
    assert_eq!((got.role, got.evidence.as_str()), (role, evidence));
    assert_eq!(got.traced, matches!(role, ServiceRole::Backend | ServiceRole::Rendered));
}

#[test]
fn services_built_here_are_judged_by_their_files() {
    assert_classification(
        "backend-flask: {build: ./backend-flask}",
        &[("backend-flask/requirements.txt", "flask\nflask-cors")],
        ServiceRole::Backend,
        "built here from ./backend-flask, Flask in requirements.txt",
    );
    assert_classification(
        "web: {build: ./web}",
        &[("web/package.json", r#"{"dependencies":{"react":"18"}}"#)],
        ServiceRole::Frontend,
        "built here from ./web, a browser frontend: react in package.json",
    );
    assert_classification(
        "api: {build: .}",
        &[("go.mod", ""), ("Dockerfile", "FROM golang\n")],
        ServiceRole::Backend,
        "built here from this folder, Go: go.mod",
    );
}

#[test]
fn a_program_on_a_known_image_is_that_image() {
    assert_classification(
        "db: {build: db}",
        &[("db/Dockerfile", "FROM postgres:16\nCOPY init.sql /\n")],
        ServiceRole::Database,
        "built here on postgres, a database",
    );
    assert_classification(
        "db: {build: {context: db, target: data, args: {BASE: 'redis:7'}}}",
        &[("db/Dockerfile", "ARG BASE=python\nFROM ${BASE} AS data\nFROM node\n")],
        ServiceRole::Database,
        "built here on redis, a database",
    );
    assert_classification(
        "db: {build: db}",
        &[("db/Dockerfile", "FROM --platform=linux/amd64 \\\n  postgres:16\n")],
        ServiceRole::Database,
        "built here on postgres, a database",
    );
    assert_classification(
        "db: {build: {dockerfile_inline: \"FROM \\\\\\n# the queue\\n  rabbitmq:3\\n\"}}",
        &[],
        ServiceRole::Queue,
        "built here on rabbitmq, a queue",
    );
    assert_classification(
        "site: {build: site}",
        &[("site/Dockerfile", "FROM node AS b\nFROM nginx\nCOPY --from=b /a /b\n")],
        ServiceRole::Frontend,
        "built here on nginx, which serves pages to browsers",
    );
    assert_classification(
        "site: {build: site}",
        &[("site/Dockerfile", "FROM nginx\nCOPY html /usr/share/nginx/html\n")],
        ServiceRole::Frontend,
        "built here on nginx, which serves pages to browsers",
    );
}

#[test]
fn a_proxy_built_with_its_configuration_is_still_one() {
    for steps in ["COPY nginx.conf /etc/nginx/nginx.conf\n", "RUN rm /etc/nginx/x\n", ""] {
        let file = format!("FROM nginx\n{steps}");
        assert_eq!(
            classify_first_service("x: {build: x}", &[("x/Dockerfile", &file)]),
            ServiceRole::Proxy,
            "{steps}"
        );
    }
}

#[test]
fn without_a_context_variables_and_names_are_left() {
    assert_classification(
        "web: {build: ./gone, environment: {REACT_APP_BACKEND_URL: x}}",
        &[],
        ServiceRole::Frontend,
        "built here from ./gone, a browser frontend: it has REACT_APP_ variables",
    );
    for (variable, prefix) in [
        ("EXPO_PUBLIC_API", "EXPO_PUBLIC_"),
        ("NG_APP_API", "NG_APP_"),
        ("STORYBOOK_API", "STORYBOOK_"),
    ] {
        let evidence =
            format!("built here from ./gone, a browser frontend: it has {prefix} variables");
        let service = format!("app: {{build: ./gone, environment: {{{variable}: x}}}}");
        assert_classification(&service, &[], ServiceRole::Frontend, &evidence);
    }
    assert_classification(
        "api: {build: ./gone, environment: {PUBLIC_URL: x}}",
        &[],
        ServiceRole::Backend,
        "built here from ./gone",
    );
    assert_classification(
        "frontend-react-js: {build: ./gone}",
        &[],
        ServiceRole::Frontend,
        "built here from ./gone, a browser frontend by its name",
    );
    assert_classification(
        "my-redis: {build: ./gone}",
        &[],
        ServiceRole::Database,
        "built here from ./gone, a database by its name `redis`",
    );
    assert_classification(
        "api: {build: ./gone}",
        &[],
        ServiceRole::Backend,
        "built here from ./gone",
    );
}

#[test]
fn pulled_images_are_not_traced() {
    assert_classification(
        "xray-daemon: {image: amazon/aws-xray-daemon}",
        &[],
        ServiceRole::TracingDaemon,
        "aws-xray-daemon is a telemetry daemon",
    );
    assert_classification(
        "app: {image: 'me/app:1'}",
        &[],
        ServiceRole::Other,
        "the image me/app is not built here",
    );
}

/// Returns the role of a project's first service.
fn classify_first_service(service: &str, files: &[(&str, &str)]) -> ServiceRole {
    let compose = format!("services:\n  {service}\n");
    let mut all = vec![("compose.yaml", compose.as_str())];
    all.extend_from_slice(files);
    let model = load_texts(&all, &[]).unwrap();
    classify_service(&model.services[0], &TestSources::new(&all)).role
}

#[test]
fn mounted_code_counts_like_built_code() {
    for (service, files) in [
        (
            "api: {image: 'python:3.12-slim', volumes: ['./api:/app'], working_dir: /app, command: flask run}",
            &[("api/app.py", "")][..],
        ),
        (
            "api: {image: 'node:20', volumes: ['.:/usr/src/app'], working_dir: /usr/src/app, command: npm start}",
            &[("package.json", r#"{"scripts":{"start":"node server.js"}}"#), ("server.js", "")],
        ),
        (
            "php: {image: 'php:8-fpm', volumes: ['./src:/var/www/html:ro']}",
            &[("src/composer.json", "{}")],
        ),
        (
            "api: {image: 'me/api:dev', volumes: ['./api:/app'], command: python main.py, working_dir: /app}",
            &[("api/main.py", "")],
        ),
        (
            "worker: {image: 'golang:1.22', volumes: ['./w:/w'], working_dir: /w, command: ['sh', '-c', 'go mod download && go run .']}",
            &[("w/go.mod", "")],
        ),
    ] {
        assert_eq!(classify_first_service(service, files), ServiceRole::Backend, "{service}");
    }
    let page = [(
        "web/package.json",
        r#"{"dependencies":{"react":"18"},"scripts":{"dev":"vite --host"}}"#,
    )];
    assert_eq!(
        classify_first_service(
            "web: {image: 'node:20', volumes: ['./web:/app'], working_dir: /app, command: npm run dev}",
            &page
        ),
        ServiceRole::Frontend
    );
    // A folder that a third-party program only reads.
    let source = [("api/requirements.txt", "flask")];
    for mount in ["/app", "/srv/app", "/var/www/html", "/own, working_dir: /own"] {
        let (target, folder) = mount.split_once(", ").unwrap_or((mount, "tty: true"));
        let service = format!("x: {{image: acme/tool, volumes: ['./api:{target}'], {folder}}}");
        assert_eq!(classify_first_service(&service, &source), ServiceRole::Backend, "{service}");
    }
    for service in [
        "scan: {image: sonarsource/sonar-scanner-cli, volumes: ['./api:/usr/src']}",
        "docs: {image: swaggerapi/swagger-ui, volumes: ['./api:/docs']}",
        "site: {image: nginx, volumes: ['./api:/usr/share/nginx/html']}",
    ] {
        assert!(
            !matches!(
                classify_first_service(service, &source),
                ServiceRole::Backend | ServiceRole::Rendered
            ),
            "{service}"
        );
    }
}

#[test]
fn in_a_monorepo_the_dockerfile_decides() {
    let root = ("package.json", r#"{"dependencies":{"react":"18"}}"#);
    let api =
        ("api/package.json", r#"{"dependencies":{"express":"4"},"scripts":{"start":"node ."}}"#);
    let web = ("web/package.json", r#"{"dependencies":{"react":"18"}}"#);
    let at = |dockerfile: &str| format!("x: {{build: {{context: ., dockerfile: {dockerfile}}}}}");
    for dockerfile in [
        "FROM node:20\nCOPY api/package.json ./\nCOPY api .\nCMD [\"npm\", \"start\"]\n",
        "FROM node:20\nWORKDIR /app\nCOPY . .\nWORKDIR /app/api\nCMD npm start\n",
        "FROM node:20\nWORKDIR /app\nCOPY . .\nCMD [\"node\", \"api/server.js\"]\n",
        "FROM node:20\nWORKDIR /app\nCOPY . .\nCMD npm --prefix api start\n",
        "FROM node:20 AS b\nCOPY . /src\nFROM node:20\nCOPY --from=b /src/api /app\nCMD node /app/server.js\n",
        "FROM node:20\nWORKDIR /app\nCOPY package.json .\nCOPY . .\nCMD npm start -w api\n",
    ] {
        let files = [root, api, web, ("api/server.js", ""), ("api/Dockerfile", dockerfile)];
        assert_eq!(
            classify_first_service(&at("api/Dockerfile"), &files),
            ServiceRole::Backend,
            "{dockerfile}"
        );
    }
    // Conversely: the files at the root are a server, the files that the Dockerfile copies are pages.
    let server = ("requirements.txt", "flask");
    for dockerfile in [
        "FROM node:20\nCOPY web .\nCMD [\"npm\", \"start\"]\n",
        "FROM node:20\nWORKDIR /app\nCOPY ./web/package*.json ./\nRUN npm ci\nCOPY ./web ./\n",
        "FROM node:20\nCOPY . .\nWORKDIR /web\nCMD npm start\n",
    ] {
        let files = [server, web, ("web/Dockerfile", dockerfile)];
        assert_eq!(
            classify_first_service(&at("web/Dockerfile"), &files),
            ServiceRole::Frontend,
            "{dockerfile}"
        );
    }
}

#[test]
fn a_wrapped_third_party_program_stays_one() {
    for (dockerfile, files) in [
        ("FROM metabase/metabase\nCOPY metabase.conf /etc/m.conf\n", &[][..]),
        (
            "FROM unleashorg/unleash-server\nENV A=b\n",
            &[("package.json", r#"{"dependencies":{"express":"4"}}"#)],
        ),
        (
            "FROM node:20\nRUN npm install -g maildev\nCMD [\"maildev\"]\n",
            &[("package.json", "{}")],
        ),
        (
            "FROM golang AS b\nRUN go install github.com/mailhog/MailHog@latest\nFROM alpine\nCOPY --from=b /go/bin/MailHog /bin/\nENTRYPOINT [\"MailHog\"]\n",
            &[],
        ),
        ("FROM alpine\nRUN apk add redis\nCMD [\"redis-server\"]\n", &[]),
        (
            "FROM getmeili/meilisearch\nCOPY start.sh /start.sh\nCMD [\"/start.sh\"]\n",
            &[("start.sh", "meilisearch\n")],
        ),
        (
            "FROM hasura/graphql-engine\nCOPY start.sh /start.sh\nENTRYPOINT [\"/start.sh\"]\n",
            &[("start.sh", "exec graphql-engine serve\n")],
        ),
    ] {
        let files = [files, &[("Dockerfile", dockerfile)]].concat();
        let role = classify_first_service("x: {build: .}", &files);
        assert!(
            !matches!(role, ServiceRole::Backend | ServiceRole::Rendered | ServiceRole::Frontend),
            "{dockerfile}: {role:?}"
        );
    }
    // A program added to an unknown image is the user's own.
    let own = [("Dockerfile", "FROM corp/base:1\nCOPY . /app\n"), ("requirements.txt", "flask")];
    assert_eq!(classify_first_service("x: {build: .}", &own), ServiceRole::Backend);
    let own = [
        ("Dockerfile", "FROM corp/base:1\nCOPY run.py /\nCMD [\"python\", \"/run.py\"]\n"),
        ("run.py", ""),
    ];
    assert_eq!(classify_first_service("x: {build: .}", &own), ServiceRole::Backend);
}

#[test]
fn tasks_tests_and_watchers_are_not_traced() {
    let scripts = r#"{"dependencies":{"express":"4"},"scripts":{"watch":"webpack --watch","css":"tailwindcss -i a -o b --watch","test":"jest","e2e":"cypress run","build":"webpack","seed":"node db/seed.js","start":"node .","dev":"nodemon src","setup":"npm run build && npm run seed"}}"#;
    let files = [
        ("package.json", scripts),
        ("Dockerfile", "FROM node:20\nCOPY . .\nCMD [\"npm\", \"start\"]\n"),
    ];
    for command in [
        "npm run watch",
        "yarn css",
        "npm run css",
        "npm test",
        "pnpm e2e",
        "npm run build",
        "npm run seed",
        "yarn seed",
        "npm install",
        "npx prisma migrate deploy",
        "sh -c 'npm ci && npm run setup'",
        "npx webpack --watch",
    ] {
        assert_eq!(
            classify_first_service(&format!("x: {{build: ., command: \"{command}\"}}"), &files),
            ServiceRole::Task,
            "{command}"
        );
    }
    for command in [
        "npm start",
        "npm run dev",
        "sh -c 'npm run build && npm start'",
        "sh -c 'npm run seed; exec npm start'",
    ] {
        assert_eq!(
            classify_first_service(&format!("x: {{build: ., command: \"{command}\"}}"), &files),
            ServiceRole::Backend,
            "{command}"
        );
    }
    let python = [
        ("requirements.txt", "django"),
        ("Dockerfile", "FROM python:3.12\nCOPY . .\nCMD gunicorn shop.wsgi\n"),
    ];
    for command in [
        "python manage.py migrate",
        "python manage.py test",
        "pytest -x",
        "python -m pytest",
        "flask db upgrade",
        "alembic upgrade head",
        "python scripts/seed.py",
        "python seed_db.py",
        "python -W ignore seed_db.py",
        "python -X dev -u scripts/seed.py",
        "python -m app.migrate",
    ] {
        assert_eq!(
            classify_first_service(&format!("x: {{build: ., command: \"{command}\"}}"), &python),
            ServiceRole::Task,
            "{command}"
        );
    }
    for command in [
        "celery -A shop worker",
        "python manage.py runserver",
        "python worker.py",
        "python manage.py run_bot",
    ] {
        assert_eq!(
            classify_first_service(&format!("x: {{build: ., command: \"{command}\"}}"), &python),
            ServiceRole::Backend,
            "{command}"
        );
    }
    let php = [
        ("src/composer.json", "{}"),
        ("src/artisan", ""),
        ("php.dockerfile", "FROM php:8-fpm\nCOPY src /var/www/html\n"),
    ];
    let build = "build: {context: ., dockerfile: php.dockerfile}";
    for service in [
        "composer: {image: 'composer:2', volumes: ['./src:/app']}",
        &format!("composer: {{{build}, entrypoint: [composer, --ignore-platform-reqs]}}"),
        &format!("artisan: {{{build}, entrypoint: ['php', '/var/www/html/artisan']}}"),
        &format!("seed: {{{build}, command: php artisan db:seed}}"),
        "npm: {image: 'node:20', volumes: ['./src:/app'], entrypoint: [npm]}",
    ] {
        assert_eq!(classify_first_service(service, &php), ServiceRole::Task, "{service}");
    }
    for service in [
        &format!("app: {{{build}}}"),
        &format!("queue: {{{build}, command: php artisan queue:work}}"),
    ] {
        assert_eq!(classify_first_service(service, &php), ServiceRole::Backend, "{service}");
    }
}

#[test]
fn a_profile_for_tools_and_a_stage_for_tests_count() {
    let files = [
        ("requirements.txt", "flask"),
        (
            "Dockerfile",
            "FROM python:3.12 AS base\nCOPY . .\nFROM base AS test\nCMD pytest\nFROM base\nCMD flask run\n",
        ),
        ("shell/Dockerfile", "FROM python:3.12\nCOPY . .\n"),
        ("shell/requirements.txt", "flask"),
    ];
    assert_eq!(
        classify_first_service("t: {build: {context: ., target: test}}", &files),
        ServiceRole::Task
    );
    assert_eq!(classify_first_service("t: {build: .}", &files), ServiceRole::Backend);
    assert_eq!(
        classify_first_service("t: {build: ./shell, profiles: [tools]}", &files),
        ServiceRole::Other
    );
    assert_eq!(
        classify_first_service("t: {build: ./shell, profiles: [seed]}", &files),
        ServiceRole::Other
    );
    assert_eq!(
        classify_first_service("t: {build: ./shell, profiles: [backend]}", &files),
        ServiceRole::Backend
    );
    assert_eq!(
        classify_first_service("t: {build: ., profiles: [tools]}", &files),
        ServiceRole::Backend
    );
}

#[test]
fn frameworks_that_render_on_the_server_are_servers() {
    let dockerfile = ("Dockerfile", "FROM node:20\nCOPY . .\nCMD npm run dev\n");
    let rendered = |package: &str| {
        classify_first_service("web: {build: .}", &[dockerfile, ("package.json", package)])
    };
    for package in [
        r#"{"dependencies":{"next":"14","react":"18"},"scripts":{"dev":"next dev"}}"#,
        r#"{"devDependencies":{"nuxt":"3"},"scripts":{"dev":"nuxt dev"}}"#,
        r#"{"devDependencies":{"@sveltejs/kit":"2","@sveltejs/adapter-node":"5","vite":"5"},"scripts":{"dev":"vite dev"}}"#,
        r#"{"dependencies":{"@remix-run/node":"2","react":"18"},"scripts":{"dev":"remix vite:dev"}}"#,
        r#"{"dependencies":{"@react-router/node":"7","react":"18"}}"#,
    ] {
        assert_eq!(rendered(package), ServiceRole::Rendered, "{package}");
    }
    for package in [
        r#"{"dependencies":{"react":"18"},"scripts":{"dev":"vite"}}"#,
        r#"{"devDependencies":{"@sveltejs/kit":"2","@sveltejs/adapter-static":"3"},"scripts":{"dev":"vite dev"}}"#,
        r#"{"dependencies":{"gatsby":"5"},"scripts":{"dev":"gatsby develop"}}"#,
    ] {
        assert_eq!(rendered(package), ServiceRole::Frontend, "{package}");
    }
    let exported = [
        (
            "Dockerfile",
            "FROM node:20 AS b\nCOPY . .\nRUN npm run build\nFROM nginx\nCOPY --from=b /out /usr/share/nginx/html\n",
        ),
        ("package.json", r#"{"dependencies":{"next":"14"}}"#),
    ];
    assert_eq!(classify_first_service("web: {build: .}", &exported), ServiceRole::Frontend);
    let config = ("next.config.js", "module.exports = { output: 'export' }");
    let package = ("package.json", r#"{"dependencies":{"next":"14"}}"#);
    assert_eq!(
        classify_first_service("web: {build: .}", &[package, config]),
        ServiceRole::Frontend
    );
}

/// Ten realistic services, with roles assigned by hand.
#[test]
fn ten_services_are_judged_as_a_person_would() {
    let compose = r#"
services:
  gateway:
    build: {context: ., dockerfile: deploy/gateway.Dockerfile}
    ports: ["8080:8080"]
  ledger:
    image: python:3.12-slim
    working_dir: /srv
    volumes: ["./ledger:/srv"]
    command: sh -c "pip install -r requirements.txt && gunicorn ledger.wsgi:application"
  shopfront:
    build: ./shopfront
    command: npm run dev
  styles:
    build: ./shopfront
    command: npm run styles
  mailbox:
    build: ./mailbox
  worker:
    build: ./ledger
    command: celery -A ledger worker
  importer:
    build: ./ledger
    command: python import_prices.py
    profiles: [setup]
  checks:
    build: {context: ./ledger, target: checks}
  search:
    build: ./search
  admin:
    build: ./admin
"#;
    let files = [
        ("compose.yaml", compose),
        ("go.work", "use ./gateway\n"),
        ("package.json", r#"{"devDependencies":{"vite":"5"}}"#),
        ("gateway/go.mod", "module gateway\n"),
        (
            "deploy/gateway.Dockerfile",
            "FROM golang:1.22 AS build\nWORKDIR /src\nCOPY gateway .\nRUN go build -o /out/gateway\nFROM gcr.io/distroless/static\nCOPY --from=build /out/gateway /gateway\nENTRYPOINT [\"/gateway\"]\n",
        ),
        ("ledger/requirements.txt", "django\ncelery\n"),
        (
            "ledger/Dockerfile",
            "FROM python:3.12 AS base\nCOPY . /srv\nWORKDIR /srv\nFROM base AS checks\nENTRYPOINT [\"tox\"]\nFROM base\nCMD [\"gunicorn\", \"ledger.wsgi\"]\n",
        ),
        ("ledger/import_prices.py", ""),
        (
            "shopfront/package.json",
            r#"{"dependencies":{"next":"15"},"scripts":{"dev":"next dev","styles":"sass --watch in:out"}}"#,
        ),
        ("shopfront/Dockerfile", "FROM node:22\nWORKDIR /app\nCOPY . .\n"),
        ("mailbox/Dockerfile", "FROM axllent/mailpit:v1\nENV MP_MAX_MESSAGES=50\n"),
        (
            "search/Dockerfile",
            "FROM opensearchproject/opensearch:2\nRUN bin/opensearch-plugin install analysis-icu\n",
        ),
        ("admin/Dockerfile", "FROM directus/directus:10\nCOPY snapshot.yaml /directus/\n"),
        ("admin/snapshot.yaml", ""),
    ];
    let model = load_texts(&files, &[]).unwrap();
    let texts = TestSources::new(&files);
    let judged: Vec<(&str, ServiceRole)> = model
        .services
        .iter()
        .map(|service| (service.name.as_str(), classify_service(service, &texts).role))
        .collect();
    assert_eq!(
        judged,
        [
            ("gateway", ServiceRole::Backend),
            ("ledger", ServiceRole::Backend),
            ("shopfront", ServiceRole::Rendered),
            ("styles", ServiceRole::Task),
            ("mailbox", ServiceRole::Other),
            ("worker", ServiceRole::Backend),
            ("importer", ServiceRole::Other),
            ("checks", ServiceRole::Task),
            ("search", ServiceRole::Database),
            ("admin", ServiceRole::Other),
        ]
    );
}
