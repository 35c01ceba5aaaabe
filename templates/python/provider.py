# OpenTelemetry: spans go where the OTEL_* variables say ---------
{{ provider }} = {{ names.TracerProvider }}()
{{ provider }}.add_span_processor({{ names.BatchSpanProcessor }}({{ names.OTLPSpanExporter }}()))
{{ names.trace }}.set_tracer_provider({{ provider }})
