# OpenTelemetry: a span for each request ---------
{{ names[class] }}().instrument_app({{ app }})
