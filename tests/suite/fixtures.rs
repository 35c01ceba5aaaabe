//! Projects that several tests use.

/// The bootcamp's compose file with these lines at the end of the backend's environment.
macro_rules! compose_file {
    ($added:literal) => {
        concat!(
            "version: \"3.8\"
services:
  backend-flask:
    environment:
      FRONTEND_URL: \"https://3000-${GITPOD_WORKSPACE_ID}.${GITPOD_WORKSPACE_CLUSTER_HOST}\"
      # where the frontend finds us
      BACKEND_URL: 'http://localhost:4567'
",
            $added,
            "    build: ./backend-flask
    ports:
      - \"4567:4567\"
  frontend-react-js:
    environment:
      REACT_APP_BACKEND_URL: \"http://localhost:4567\"
    build: ./frontend-react-js
    ports:
      - \"3000:3000\"
  db:
    image: postgres:13-alpine
    ports:
      - '5432:5432'
networks: 
  internal-network:
    driver: bridge"
        )
    };
}

/// A backend, a frontend and a database, as in the bootcamp's file: mixed quoting, a space after `networks:`, no
/// newline at the end.
pub const COMPOSE: &str = compose_file!("");

/// [`COMPOSE`] after `init`.
pub const COMPOSE_WIRED: &str = compose_file!(
    "      OTEL_SERVICE_NAME: \"backend-flask\"
      OTEL_EXPORTER_OTLP_ENDPOINT: \"https://api.honeycomb.io\"
      OTEL_EXPORTER_OTLP_HEADERS: \"x-honeycomb-team=${HONEYCOMB_API_KEY}\"
"
);

/// A `.gitpod.yml` with tasks and no ports.
pub const GITPOD: &str = "tasks:
  - name: react-js
    command: |
      cd frontend-react-js
      npm i
";

/// [`GITPOD`] after `ports --public`.
pub const GITPOD_PUBLIC: &str = "tasks:
  - name: react-js
    command: |
      cd frontend-react-js
      npm i
ports:
  - name: backend
    port: 4567
    visibility: public
  - name: frontend
    port: 3000
    onOpen: open-browser
    visibility: public
  - name: db
    port: 5432
    visibility: private
";

/// Creates the bootcamp's project: compose file, `.gitpod.yml`, and the files that identify backend and frontend.
pub fn cruddur() -> Vec<(&'static str, &'static str)> {
    vec![
        ("docker-compose.yml", COMPOSE),
        (".gitpod.yml", GITPOD),
        ("backend-flask/requirements.txt", "flask\nflask-cors\n"),
        (
            "backend-flask/Dockerfile",
            "FROM python:3.10-slim-buster\nCOPY requirements.txt .\nRUN pip3 install -r requirements.txt\n",
        ),
        ("frontend-react-js/package.json", "{\"dependencies\": {\"react\": \"^18.2.0\"}}"),
    ]
}
