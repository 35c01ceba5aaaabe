{{ span }}.set_attribute({{ key | quoted }}, {{ expression }})
