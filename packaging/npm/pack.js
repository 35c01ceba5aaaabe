#!/usr/bin/env node
// Packs the npm packages of the program: one for each platform, which holds the program, and one that starts it.
//
//   pack.js OUT                   cruddur-ops, which asks for the package of the machine that it is installed on
//   pack.js OUT PROGRAM TARGET    the package with the program that was built for TARGET
//
// OUT is the folder for the package. None of them has a script that runs when it is installed.
"use strict";

const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const root = path.join(__dirname, "../..");

// The targets of a release, as Node.js names their systems and processors.
const platforms = {
  "x86_64-unknown-linux-musl": { os: "linux", cpu: "x64" },
  "aarch64-unknown-linux-musl": { os: "linux", cpu: "arm64" },
  "x86_64-apple-darwin": { os: "darwin", cpu: "x64" },
  "aarch64-apple-darwin": { os: "darwin", cpu: "arm64" },
};

// A value of the first table of Cargo.toml, `[package]`.
function readManifest(key) {
  const text = fs.readFileSync(path.join(root, "Cargo.toml"), "utf8");
  return text.match(new RegExp(`^${key} = "(.*)"$`, "m"))[1];
}

const nameOf = ({ os, cpu }) => `@cruddur-ops/${os}-${cpu}`;
const version = readManifest("version");
const shared = { version, description: readManifest("description"), license: readManifest("license") };
// A registry compares it with what the attestation of the workflow says.
const { GITHUB_SERVER_URL, GITHUB_REPOSITORY } = process.env;
if (GITHUB_REPOSITORY) shared.repository = { type: "git", url: `git+${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}.git` };

function describeLauncher() {
  const names = Object.values(platforms).map(nameOf);
  return {
    name: "cruddur-ops",
    ...shared,
    keywords: ["opentelemetry", "honeycomb", "docker-compose", "gitpod"],
    bin: { "cruddur-ops": "launch.js" },
    engines: { node: ">=18" },
    optionalDependencies: Object.fromEntries(names.map((name) => [name, version])),
  };
}

function describePlatform(target) {
  const platform = platforms[target];
  if (!platform) throw new Error(`no package for ${target}: one of ${Object.keys(platforms).join(", ")}`);
  return { name: nameOf(platform), ...shared, os: [platform.os], cpu: [platform.cpu], preferUnplugged: true };
}

function pack(manifest, files, out) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "cruddur-ops-npm-"));
  try {
    for (const name of ["LICENSE-MIT", "LICENSE-APACHE"]) fs.copyFileSync(path.join(root, name), path.join(folder, name));
    for (const [name, from, mode] of files) {
      fs.copyFileSync(from, path.join(folder, name));
      fs.chmodSync(path.join(folder, name), mode);
    }
    fs.writeFileSync(path.join(folder, "package.json"), JSON.stringify(manifest, null, 2) + "\n");
    fs.mkdirSync(out, { recursive: true });
    execFileSync("npm", ["pack", "--silent", "--pack-destination", path.resolve(out)], { cwd: folder, stdio: "inherit" });
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

const [out, program, target] = process.argv.slice(2);
if (program) {
  pack(describePlatform(target), [["cruddur-ops", program, 0o755]], out);
} else {
  const files = [["launch.js", path.join(__dirname, "launch.js"), 0o755], ["README.md", path.join(root, "README.md"), 0o644]];
  pack(describeLauncher(), files, out);
}
