# OpenTelemetry: the tracer of this module ---------
{%- if import %}
from {{ import.module }} import {{ import.name }}{% if import.alias %} as {{ import.alias }}{% endif %}
{% endif %}
{{ tracer }} = {{ trace }}.get_tracer({{ module | quoted }})
