# OpenTelemetry: spans go where the OTEL_* variables say ---------
{%- if provider %}
{{ provider }} = {{ names.TracerProvider }}()
{{ provider }}.add_span_processor({{ names.BatchSpanProcessor }}({{ names.OTLPSpanExporter }}()))
{{ names.trace }}.set_tracer_provider({{ provider }})
{%- endif %}
{%- for class in instrumentors %}
{{ names[class] }}().instrument()
{%- endfor %}
