# Rollbar: an item for each exception of a request ---------
{{ names.got_request_exception }}.connect({{ names.report_exception }}, {{ app }})
