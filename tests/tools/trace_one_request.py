"""Imports applications, sends each one request, and prints what their own exporters would have sent.

Reads a JSON list of {"folder": …, "entry": "module:expression" or "module:__main__"} on stdin; prints a JSON list
with, for each, the names of the spans by kind, or the error. Every application runs in a process of its own.
"""

import importlib
import json
import os
import runpy
import sys
import traceback

import flask
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.flask import FlaskInstrumentor  # noqa: F401: imported once for all
from opentelemetry.instrumentation.requests import RequestsInstrumentor  # noqa: F401
from opentelemetry.sdk.trace import TracerProvider  # noqa: F401
from opentelemetry.sdk.trace.export import SpanExportResult

SPANS = []


def export(self, spans):
    SPANS.extend(spans)
    return SpanExportResult.SUCCESS


def visit(app):
    app.test_client().get("/")


def run(case):
    OTLPSpanExporter.export = export
    os.chdir(case["folder"])
    sys.path.insert(0, case["folder"])
    module, expression = case["entry"].split(":", 1)
    if expression == "__main__":
        flask.Flask.run = lambda self, *arguments, **keywords: visit(self)
        runpy.run_path(module + ".py", run_name="__main__")
    else:
        found = eval(expression, vars(importlib.import_module(module)))
        for app in found if isinstance(found, tuple) else (found,):
            visit(app)
    provider = trace.get_tracer_provider()
    if hasattr(provider, "force_flush"):
        provider.force_flush()
    return {
        "server": [span.name for span in SPANS if span.kind is trace.SpanKind.SERVER],
        "other": [
            {"name": span.name, "scope": span.instrumentation_scope.name, "attributes": dict(span.attributes)}
            for span in SPANS
            if span.kind is not trace.SpanKind.SERVER
        ],
    }


def in_a_child(case):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            answer = run(case)
        except BaseException:
            answer = {"error": traceback.format_exc()}
        os.write(writing, json.dumps(answer, default=str).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    return json.loads(answer)


json.dump([in_a_child(case) for case in json.load(sys.stdin)], sys.stdout)
