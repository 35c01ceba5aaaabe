#!/usr/bin/env python3
"""init --instrument agent on every compose file below a folder, docker compose as the judge.

  corpus_agents.py BINARY DIR [--compose DOCKER_COMPOSE] [--max N]

Each file stands in a project of its own, in which every service that is built from a folder of it gets a Dockerfile and a manifest of
Python, Node.js, Java, .NET or PHP. For each file one of two things must hold:
  edited   exit 0; docker compose accepts it where it did before, and what it resolves differs by the planned variables, volumes,
           dependencies and services alone; --check then exits 0; undo gives the first bytes back
  refused  exit 2 with `error[CODE]`; not one byte changed
Prints the violations, then the counts. Exits 1 on any violation, when nothing got an agent, or when more than 2 % of the files that
init edits without agents are refused. Needs PyYAML.
"""
import difflib
import json
import os
import re
import subprocess
import sys

from corpus_projects import SECRET, arguments, judge_files, project_of, read, run

JOINED = {"PYTHONPATH", "NODE_OPTIONS", "JAVA_TOOL_OPTIONS", "PHP_INI_SCAN_DIR", "DOTNET_STARTUP_HOOKS", "DOTNET_ADDITIONAL_DEPS", "DOTNET_SHARED_STORE"}
SET = {"CORECLR_ENABLE_PROFILING", "CORECLR_PROFILER", "CORECLR_PROFILER_PATH"}


def resolve(compose, project):
    """What docker compose makes of the project; nothing where it refuses it."""
    environment = {"PATH": os.environ["PATH"], "HOME": project, "HONEYCOMB_API_KEY": SECRET}
    command = [compose, "--profile", "*", "config", "--format", "json"]
    done = subprocess.run(command, capture_output=True, timeout=60, stdin=subprocess.DEVNULL, env=environment, cwd=project)
    return json.loads(done.stdout) if done.returncode == 0 else None


def is_ours(name):
    return str(name).startswith("otel-agent-")


def without_ours(service, old):
    """A service without what the plan adds to it."""
    kept = dict(service)
    environment = dict(kept.pop("environment", None) or {})
    was = dict(old.get("environment") or {})
    for name in list(environment):
        value, before = environment[name], was.get(name)
        if name.startswith("OTEL_") or name in SET:
            environment.pop(name)
        elif name in JOINED and "/otel-auto-instrumentation-" in str(value):
            if before and str(before) not in value:
                return None
            environment.pop(name)
            was.pop(name, None)
    kept["environment"] = environment
    kept["volumes"] = [one for one in kept.get("volumes") or [] if not is_ours(one.get("source"))]
    kept["depends_on"] = {name: one for name, one in (kept.get("depends_on") or {}).items() if not is_ours(name)}
    return kept


def compare(old, new):
    """What docker compose resolves otherwise, besides what is planned."""
    problems = []
    for name, service in new["services"].items():
        was = old["services"].get(name)
        if was is None:
            if not is_ours(name):
                problems.append(f"{name}: a new service")
            continue
        now = without_ours(service, was)
        before = dict(was)
        before["environment"] = {k: v for k, v in (was.get("environment") or {}).items() if not k.startswith("OTEL_") and k not in SET and k not in JOINED}
        before["volumes"] = was.get("volumes") or []
        before["depends_on"] = was.get("depends_on") or {}
        if now is None:
            problems.append(f"{name}: lost a value")
            continue
        now["environment"] = {k: v for k, v in now["environment"].items() if k not in JOINED}
        for key in sorted(set(now) | set(before)):
            if now.get(key) != before.get(key):
                problems.append(f"{name}.{key}: {before.get(key)!r} became {now.get(key)!r}"[:300])
        agent = [one for one in service.get("depends_on") or {} if is_ours(one)]
        volumes = [one for one in service.get("volumes") or [] if is_ours(one.get("source"))]
        if len(agent) != len(volumes) or len(agent) > 1:
            problems.append(f"{name}: {agent} and {volumes}")
        for one in agent:
            if service["depends_on"][one]["condition"] != "service_healthy" or not volumes[0].get("read_only"):
                problems.append(f"{name}: {service['depends_on'][one]} {volumes}")
    if lost := set(old["services"]) - set(new["services"]):
        problems.append(f"lost {lost}")
    for key in sorted(set(old) | set(new) - {"services"}):
        if key == "volumes":
            was, now = old.get(key) or {}, {name: one for name, one in (new.get(key) or {}).items() if not is_ours(name)}
        else:
            was, now = old.get(key), new.get(key)
        if key != "services" and was != now:
            problems.append(f"{key} changed")
    return problems


def lost_lines(before, after):
    a, b = before.splitlines(True), after.splitlines(True)
    lost = []
    for tag, i, j, _, _ in difflib.SequenceMatcher(None, a, b, False).get_opcodes():
        if tag in ("replace", "delete"):
            lost += a[i:j]
    may_go = rb"OTEL_|_OPTIONS|PYTHONPATH|_DIR|DOTNET_|CORECLR_|(environment|volumes|depends_on)['\"]?\s*:|[\[{].*[\]}]|^\s*-\s|\*"
    last = a[-1] if a else b""
    return [line for line in lost if not re.search(may_go, line) and not (line == last and not line.endswith(b"\n"))]


def judge(options, path, count):
    with project_of(path) as (folder, target, before):
        project = os.path.dirname(target)
        plain = ["init", "--yes", "--provider", "honeycomb", "--store", "env", "--all-services", "--no-ports", "--no-verify"]
        without = run(options.binary, folder, *[one for one in plain if one != "--yes"], "--instrument", "none", "--dry-run").returncode
        old = resolve(options.compose, project)
        args = [*plain, "--instrument", "agent"]
        done = run(options.binary, folder, *args)
        after = read(target)
        problems = []
        if SECRET.encode() in done.stdout + done.stderr + after:
            problems.append("THE KEY LEAKED")
        if done.returncode == 0:
            count["edited"] += 1
            count["with_agents"] += b"otel-agent-" in after and b"otel-agent-" not in before
            if old is not None:
                new = resolve(options.compose, project)
                count["compared"] += 1
                problems += ["docker compose refuses it now"] if new is None else compare(old, new)
            problems += [f"line lost: {line!r}" for line in lost_lines(before, after)]
            check = run(options.binary, folder, *[one for one in args if one != "--yes"], "--check")
            if check.returncode != 0:
                problems.append(f"second run: exit {check.returncode}: {(check.stdout + check.stderr)[-300:]!r}")
            undo = run(options.binary, folder, "undo", "--yes")
            if after != before and (undo.returncode != 0 or read(target) != before):
                problems.append(f"undo: exit {undo.returncode}: {undo.stderr[-200:]!r}")
        elif done.returncode == 2:
            count["refused"] += 1
            code = re.search(rb"error\[([a-z-]+)\]", done.stderr)
            name = code.group(1).decode() if code else None
            count["codes"][name] = count["codes"].get(name, 0) + 1
            if not code:
                problems.append(f"exit 2 without error[CODE]: {done.stderr[-300:]!r}")
            if after != before:
                problems.append("refused, but the file changed")
            if without == 0:
                count["refused_for_agents"] += 1
                lines = done.stderr.decode(errors="replace").strip().splitlines()
                print(f"refused {path}: {[line for line in lines if 'error[' in line or '-->' in line][:2]}")
        else:
            problems.append(f"exit {done.returncode}: {done.stderr[-300:]!r}")
    return problems


def main():
    parser = arguments()
    parser.add_argument("--compose", type=os.path.abspath, default=os.path.abspath("target/tools/docker-compose"))
    options = parser.parse_args()
    count = dict(edited=0, with_agents=0, compared=0, refused=0, refused_for_agents=0, codes={})
    judge_files(options, judge, count)
    bad = count["violations"] or not count["with_agents"] or count["refused_for_agents"] > 0.02 * count["edited"]
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
