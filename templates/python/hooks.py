# OpenTelemetry: a span for each request ---------
{{ names.FlaskInstrumentor }}().instrument_app({{ app }})
