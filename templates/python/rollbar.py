# Rollbar: exceptions go to the project of ROLLBAR_ACCESS_TOKEN ---------
{{ names.rollbar }}.init(
    {{ names.environ }}.get("ROLLBAR_ACCESS_TOKEN"),
    {{ names.environ }}.get("ROLLBAR_ENVIRONMENT", "production"),
    endpoint={{ names.environ }}.get("ROLLBAR_ENDPOINT") or {{ names.rollbar }}.DEFAULT_ENDPOINT,
    allow_logging_basic_config=False,
)
