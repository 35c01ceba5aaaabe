// Sends 40,000 spans with the Node.js SDK in batches, and prints the seconds until all of them were accepted.
"use strict";

const { BasicTracerProvider, BatchSpanProcessor } = require("@opentelemetry/sdk-trace-base");
const { OTLPTraceExporter } = require("@opentelemetry/exporter-trace-otlp-proto");

const batches = new BatchSpanProcessor(new OTLPTraceExporter(), { maxQueueSize: 20000, maxExportBatchSize: 512 });
const provider = new BasicTracerProvider({ spanProcessors: [batches] });
const tracer = provider.getTracer("bench");

async function sendAll() {
  const started = performance.now();
  // The exporter refuses more than 30 exports at a time.
  for (let round = 0; round < 4; round++) {
    for (let number = 0; number < 500; number++) {
      const root = tracer.startSpan("root", { attributes: { number } });
      for (let child = 0; child < 19; child++) tracer.startSpan("child").end();
      root.end();
    }
    await provider.forceFlush();
  }
  await provider.shutdown();
  console.log((performance.now() - started) / 1000);
}

sendAll();
