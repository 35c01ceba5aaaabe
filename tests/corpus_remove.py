#!/usr/bin/env python3
"""init, an edit elsewhere, remove on every compose file below a folder: the edit alone is left.

  corpus_remove.py BINARY DIR [--instrument none|agent] [--forget] [--show] [--max N] [--only TEXT]

Each file stands in a project of its own, as corpus_projects.py makes it. After `init --yes` lines of comment are added, and `remove --yes` takes the
setup out. With --forget the journal is deleted before, as in a fresh clone: then what docker compose would make of the file counts, and
files that are not byte for byte the edit alone are counted. A second `remove --check` has nothing to do, and `undo` brings the removed
lines back. --show prints the differences. Prints the violations, then the counts; exits 1 on any violation or when nothing was wired. Needs PyYAML.
"""
import difflib
import os
import re
import shutil
import sys

from corpus_projects import SECRET, arguments, judge_files, load, project_of, read, run


def edited(text):
    """The text with a line of comment in front of its content and one below `services:`."""
    mark = b"\xef\xbb\xbf" if text.startswith(b"\xef\xbb\xbf") else b""
    ending = b"\r\n" if b"\r\n" in text else b"\n"
    rest = text[len(mark):]
    if not rest.startswith(b"%"):
        rest = b"# mine" + ending + rest
    return mark + re.sub(rb"(?m)^(services:[ \t]*)(\r?\n)", rb"\1\2# mine, too\2", rest, count=1)


def meaning(text):
    """What the text says, as far as one document can be read; empty values and a list of services as docker compose takes them."""
    document = load(text)
    if not document:
        return None
    for service in (document.get("services") or {}).values():
        if not isinstance(service, dict):
            continue
        waits = service.get("depends_on")
        if isinstance(waits, list):
            service["depends_on"] = {name: {"condition": "service_started"} for name in waits}
        for key in ("environment", "volumes", "depends_on", "extra_hosts"):
            if not service.get(key):
                service.pop(key, None)
    if not document.get("volumes"):
        document.pop("volumes", None)
    return document


def judge(options, path, count):
    with project_of(path) as (folder, target, before):
        init = ["init", "--yes", "--provider", "honeycomb", "--store", "env", "--all-services", "--no-ports", "--no-verify", "--instrument", options.instrument]
        done = run(options.binary, folder, *init)
        wired = read(target)
        if done.returncode != 0 or wired == before:
            count["not_wired"] += 1
            return []
        count["wired"] += 1
        now, goal = edited(wired), edited(before)
        with open(target, "wb") as file:
            file.write(now)
        if options.forget:
            shutil.rmtree(os.path.join(folder, "home", ".local", "state"))
        done = run(options.binary, folder, "remove", "--yes")
        after = read(target)
        said = (done.stdout + done.stderr)[-400:]
        problems = []
        if SECRET.encode() in done.stdout + done.stderr + after:
            problems.append("THE KEY LEAKED")
        if done.returncode != 0:
            if options.forget and done.returncode == 2 and b"error[" in done.stderr and after == now:
                count["refused"] += 1
                print(f"refused {path}: {said!r}")
                return problems
            return [*problems, f"remove: exit {done.returncode}: {said!r}"]
        if after == goal:
            count["byte_for_byte"] += 1
        elif not options.forget:
            problems.append("not the edit alone")
        elif b"OTEL_" in before:
            # What init replaced or kept cannot be told from what it wrote.
            count["had_variables"] += 1
        elif meaning(after) == meaning(goal):
            count["same_meaning"] += 1
            if options.show:
                show(path, goal, after)
        else:
            problems.append("it means something else than the edit alone")
        if problems and options.show:
            show(path, goal, after)
        check = run(options.binary, folder, "remove", "--check")
        if check.returncode != 0:
            problems.append(f"a second run: exit {check.returncode}: {(check.stdout + check.stderr)[-300:]!r}")
        undo = run(options.binary, folder, "undo", "--yes")
        if after != now and (undo.returncode != 0 or read(target) != now):
            problems.append(f"undo: exit {undo.returncode}: {undo.stderr[-200:]!r}")
        return problems


def show(path, goal, after):
    lines = difflib.unified_diff(goal.decode(errors="replace").splitlines(True), after.decode(errors="replace").splitlines(True), "goal", "after", n=2)
    print(path)
    print("".join(list(lines)[:40]))


def main():
    parser = arguments()
    parser.add_argument("--instrument", default="none")
    parser.add_argument("--forget", action="store_true")
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    count = dict(wired=0, not_wired=0, byte_for_byte=0, same_meaning=0, had_variables=0, refused=0)
    judge_files(options, judge, count)
    sys.exit(1 if count["violations"] or not count["wired"] else 0)


if __name__ == "__main__":
    main()
