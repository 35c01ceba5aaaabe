// Says what the real Node.js SDK makes of environments: one JSON line in, one out.
//
// A line is {"setup": "variables" | "http" | "grpc", "endpoint": null, "environment": {...}}: set up by variables alone, or by code that
// builds the exporter of that protocol, with that endpoint if there is one. Each connection is led to a receiver in this process, whatever address it is for, so that a span is
// really sent; gRPC exporters are only looked at.
'use strict';

const http = require('http');
const https = require('https');
const net = require('net');
const path = require('path');
const readline = require('readline');
const { createRequire } = require('module');

const from = createRequire(path.join(process.argv[2], 'package.json'));
const api = from('@opentelemetry/api');
const { NodeSDK } = from('@opentelemetry/sdk-node');
const exporters = {
  http: from('@opentelemetry/exporter-trace-otlp-proto').OTLPTraceExporter,
  grpc: from('@opentelemetry/exporter-trace-otlp-grpc').OTLPTraceExporter,
};

function configuration({ setup, endpoint }) {
  if (setup === 'variables') return {};
  return { traceExporter: new exporters[setup](endpoint === null ? {} : { url: endpoint }) };
}

const arrived = [];
const server = http.createServer((request, response) => {
  request.resume();
  request.on('end', () => {
    arrived.push({ path: request.url, headers: request.rawHeaders });
    response.end();
  });
});

function pairs(raw) {
  const found = [];
  for (let at = 0; at < raw.length; at += 2) found.push([raw[at], raw[at + 1]]);
  return found;
}

function described(processor) {
  const exporter = processor._exporter;
  const transport = exporter?._delegate?._transport?._transport ?? exporter?._delegate?._transport;
  const parameters = transport?._parameters;
  if (parameters?.metadata) {
    return {
      kind: 'grpc',
      target: parameters.address,
      insecure: !parameters.credentials()._isSecure(),
      headers: Object.entries(parameters.metadata().getMap()),
      compression: parameters.compression,
      timeout: exporter._delegate._timeout,
    };
  }
  if (parameters?.url) {
    return {
      kind: exporter.constructor.name === 'OTLPTraceExporter' && exporter._delegate._serializer ? serialized(exporter) : 'otlp',
      url: parameters.url,
      compression: parameters.compression,
      timeout: exporter._delegate._timeout,
    };
  }
  return { kind: exporter.constructor.name };
}

function serialized(exporter) {
  const body = exporter._delegate._serializer.serializeRequest([]);
  return Buffer.from(body).toString().startsWith('{') ? 'http/json' : 'http/protobuf';
}

async function answer(line) {
  const kept = {};
  for (const name of Object.keys(process.env)) {
    if (name.startsWith('OTEL_')) delete process.env[name];
    else kept[name] = process.env[name];
  }
  Object.assign(process.env, line.environment);
  arrived.length = 0;
  for (const one of [api.trace, api.propagation, api.context, api.metrics, api.diag]) one.disable();
  let sdk;
  try {
    sdk = new NodeSDK(configuration(line));
    sdk.start();
    const provider = sdk._tracerProvider;
    const processors = provider?._activeSpanProcessor?._spanProcessors ?? [];
    const built = processors.map(described);
    // A request that is given up may still arrive, when the next environment is looked at.
    if (built.length > 0 && built.every(one => one.kind.startsWith('http/') && one.timeout >= 100)) {
      await sdk._resource.waitForAsyncAttributes?.();
      api.trace.getTracer('oracle').startSpan('one', { root: true }).end();
      await provider.forceFlush().catch(() => undefined);
      await Promise.all(processors.map(one => one._exporter.forceFlush().catch(() => undefined)));
    }
    return {
      error: null,
      disabled: sdk._disabled === true,
      exporters: built,
      resource: sdk._resource.attributes,
      sampler: provider?._tracerOptions?.sampler?.toString() ?? null,
      fields: api.propagation.fields().sort(),
      attributes: provider?._tracerOptions?.spanLimits?.attributeCountLimit ?? null,
      requests: arrived.map(one => ({ path: one.path, headers: pairs(one.headers) })),
    };
  } catch (error) {
    return { error: String(error) };
  } finally {
    await sdk?.shutdown().catch(() => undefined);
  }
}

server.listen(0, '127.0.0.1', async () => {
  const { port } = server.address();
  const connect = () => net.connect(port, '127.0.0.1');
  http.Agent.prototype.createConnection = connect;
  https.Agent.prototype.createConnection = connect;
  for await (const line of readline.createInterface({ input: process.stdin })) {
    process.stdout.write(JSON.stringify(await answer(JSON.parse(line))) + '\n');
  }
  server.closeAllConnections();
  server.close();
  process.exit(0);
});
