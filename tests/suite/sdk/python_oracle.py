"""Says what the real Python SDK makes of environments: one JSON line in, one out.

A line is {"setup": "variables" | "http" | "grpc", "endpoint": null, "environment": {...}}: set up as `opentelemetry-instrument` does
it, or by code that builds the exporter of that protocol, with that endpoint if there is one. Each connection is led to a receiver in this process, whatever address it is for, so that a
span is really sent; gRPC exporters are only looked at.
"""

import base64
import http.server
import json
import logging
import os
import socket
import ssl
import sys
import threading
import traceback

from opentelemetry import metrics, propagate, trace
from opentelemetry.distro import OpenTelemetryConfigurator, OpenTelemetryDistro
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
import opentelemetry._logs._internal
import opentelemetry.metrics._internal
import urllib3.connection
import urllib3.connectionpool
import urllib3.util.connection

logging.disable(logging.CRITICAL)
arrived = []


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        arrived.append((self.path, list(self.headers.items())))
        self.send_response(200)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()


def connect(*_, **__):
    return socket.create_connection(server.server_address)


class Plain(urllib3.connection.HTTPConnection):
    """Stands where a connection over TLS would."""

    def __init__(self, host, port=None, **options):
        kept = {name: options[name] for name in ("timeout", "blocksize") if name in options}
        super().__init__(host, port, **kept)

    def set_cert(self, **_):
        pass


urllib3.util.connection.create_connection = connect
urllib3.connectionpool.HTTPSConnectionPool.ConnectionCls = Plain
ssl.SSLContext.load_default_certs = lambda *_: None

UNTOUCHED = dict(os.environ)


def reset(environment):
    os.environ.clear()
    os.environ.update(UNTOUCHED)
    os.environ.update(environment)
    arrived.clear()
    for module, name in (
        (trace, "_TRACER_PROVIDER"),
        (opentelemetry.metrics._internal, "_METER_PROVIDER"),
        (opentelemetry._logs._internal, "_LOGGER_PROVIDER"),
    ):
        setattr(module, name, None)
        once = getattr(module, name + "_SET_ONCE")
        once._done = False


def start(setup, endpoint):
    if setup == "variables":
        OpenTelemetryDistro()._configure()
        OpenTelemetryConfigurator()._configure(auto_instrumentation_version="0")
        return trace.get_tracer_provider()
    provider = TracerProvider()
    build = HttpExporter if setup == "http" else GrpcExporter
    exporter = build(endpoint=endpoint) if endpoint is not None else build()
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def described(exporter):
    if isinstance(exporter, HttpExporter):
        return {"kind": "http/protobuf", "timeout": exporter._client._timeout, "compression": exporter._compression.value}
    if isinstance(exporter, GrpcExporter):
        return {
            "kind": "grpc",
            "target": exporter._endpoint,
            "insecure": bool(exporter._insecure),
            "headers": [list(pair) for pair in exporter._headers],
            "timeout": exporter._timeout,
        }
    return {"kind": type(exporter).__name__}


def answer(case):
    reset(case["environment"])
    provider = None
    try:
        propagators = propagate._load_propagators()
        provider = start(case["setup"], case.get("endpoint"))
        exporters = [one.span_exporter for one in provider._active_span_processor._span_processors if hasattr(one, "span_exporter")]
        kinds = [described(one) for one in exporters]
        sends = kinds and all(one["kind"] == "http/protobuf" for one in kinds)
        if sends:
            span = provider.get_tracer("oracle").start_span("one")
            span.end()
            provider.force_flush()
        return {
            "error": None,
            "disabled": provider._disabled,
            "exporters": kinds,
            "resource": {name: value for name, value in provider.resource.attributes.items()},
            "sampler": provider.sampler.get_description(),
            "fields": sorted(propagators.fields),
            "attributes": provider._span_limits.max_span_attributes,
            "requests": [{"path": path, "headers": headers} for path, headers in arrived],
        }
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}
    finally:
        if provider is not None and hasattr(provider, "shutdown"):
            provider.shutdown()


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
