# {{ title }}: imports ---------
{%- for import in imports %}
{% if import.module %}from {{ import.module }} {% endif %}import {{ import.name }}{% if import.alias %} as {{ import.alias }}{% endif %}
{%- endfor %}
