"""Sends one span with the Python SDK; the exporter's own result says whether it was accepted."""

import sys

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult, SpanProcessor

results = []


class Export(SpanProcessor):
    def on_end(self, span):
        results.append(exporter.export([span]))


exporter = OTLPSpanExporter()
provider = TracerProvider()
provider.add_span_processor(Export())
with provider.get_tracer("bench").start_as_current_span("test"):
    pass
sys.exit(results != [SpanExportResult.SUCCESS])
