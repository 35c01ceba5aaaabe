with {{ tracer }}.start_as_current_span({{ name | quoted }}){% if span %} as {{ span }}{% endif %}:
