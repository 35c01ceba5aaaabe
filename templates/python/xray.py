# AWS X-Ray: segments go where AWS_XRAY_DAEMON_ADDRESS says ---------
{{ names.xray_recorder }}.configure(service={{ service | quoted }}, dynamic_naming={{ names.environ }}.get("AWS_XRAY_URL"))
