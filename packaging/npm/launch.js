#!/usr/bin/env node
// Starts the program for this machine, which is in a package of its own that npm chooses by `os` and `cpu`.
"use strict";

const { spawn } = require("node:child_process");

const name = `@cruddur-ops/${process.platform}-${process.arch}`;

function locateProgram() {
  try {
    return require.resolve(`${name}/cruddur-ops`);
  } catch {
    console.error(`error: ${name}, which holds the program for this machine, is not installed`);
    console.error("  hint: install again without `--omit=optional`; not every system has a build");
    process.exit(2);
  }
}

// The program decides what an interrupt does, and this process ends the same way.
const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
for (const signal of signals) process.on(signal, () => child.kill(signal));

const child = spawn(locateProgram(), process.argv.slice(2), { stdio: "inherit" });
child.on("error", (error) => {
  console.error(`error: cannot start ${name}: ${error.message}`);
  process.exit(2);
});
child.on("exit", (code, signal) => {
  if (signal === null) process.exit(code);
  for (const each of signals) process.removeAllListeners(each);
  process.kill(process.pid, signal);
});
