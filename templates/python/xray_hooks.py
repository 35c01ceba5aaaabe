# AWS X-Ray: a segment for each request ---------
{{ names.XRayMiddleware }}({{ app }}, {{ names.xray_recorder }})
