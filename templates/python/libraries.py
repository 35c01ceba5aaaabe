{%- if apart %}
# OpenTelemetry: libraries, before this application connects ---------
{%- endif %}
{%- for class in instrumentors %}
{%- if class in outside_workers %}
# A worker of Celery polls Redis all the time: each poll would be a trace of its own.
if not {{ names.argv }}[0].endswith(("celery", "celery/__main__.py")):
    {{ names[class] }}().instrument()
{%- else %}
{{ names[class] }}().instrument()
{%- endif %}
{%- endfor %}
