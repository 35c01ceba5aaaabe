@{{ tracer }}.start_as_current_span({{ name | quoted }})
