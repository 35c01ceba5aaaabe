'use strict';
// Starts OpenTelemetry's agent for CommonJS and ES modules; if it fails, the application runs untraced.
const Module = require('module');
const path = require('path');
const url = require('url');
const { isMainThread, receiveMessageOnPort } = require('worker_threads');

function start(agent) {
  const copy = Module.createRequire(agent.resolve('@opentelemetry/instrumentation')).resolve('import-in-the-middle');
  const { addHookMessagePort: port } = agent(copy).createAddHookMessageChannel();
  const before = process.listeners('SIGTERM');
  agent('./autoinstrumentation.js');
  // Only what the agent patches goes through the hooks for `import`.
  const include = [];
  for (let next; (next = receiveMessageOnPort(port)); ) include.push(...next.message);
  port.close();
  const { noDeprecation } = process;
  process.noDeprecation = true;
  Module.register(url.pathToFileURL(path.join(path.dirname(copy), 'hook.mjs')), { data: { include } });
  process.noDeprecation = noDeprecation;
  // The agent listens to SIGTERM: without this, a process that does not would no longer end at it.
  for (const flush of process.listeners('SIGTERM').filter((listener) => !before.includes(listener))) {
    process.removeListener('SIGTERM', flush);
    process.on('SIGTERM', async function stop() {
      const alone = process.listenerCount('SIGTERM') === 1;
      await Promise.race([flush(), new Promise((over) => setTimeout(over, 3000))]);
      if (alone) process.kill(process.removeListener('SIGTERM', stop).pid, 'SIGTERM');
    });
  }
}

const program = path.basename(process.argv[1] || '').replace(/(-cli)?\.[cm]?js$/, '');
const tools = ['npm', 'npx', 'yarn', 'yarnpkg', 'pnpm', 'pnpx', 'corepack', 'nodemon'];
try {
  if (!Module.register) throw new Error('the agent needs Node.js 18.19, 20.6 or later, this is ' + process.version);
  if (isMainThread && !tools.includes(program)) start(Module.createRequire(path.join(__dirname, '../')));
} catch (error) {
  console.error('opentelemetry agent: this process is not traced: ' + String(error && error.message).split('\n')[0]);
}
