# OpenTelemetry: imports ---------
{%- for import in imports %}
from {{ import.module }} import {{ import.name }}{% if import.alias %} as {{ import.alias }}{% endif %}
{%- endfor %}
