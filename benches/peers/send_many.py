"""Sends 8,000 spans with the Python SDK in batches, and prints the seconds until all of them were accepted."""

import time

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(), max_queue_size=10_000, max_export_batch_size=512))
tracer = provider.get_tracer("bench")
started = time.perf_counter()
for number in range(400):
    with tracer.start_as_current_span("root", attributes={"number": number}):
        for _ in range(19):
            with tracer.start_as_current_span("child"):
                pass
provider.shutdown()
print(time.perf_counter() - started)
