"""Makes one still screen of a recording: the command, the plan with its first diff, what was written, the verdict and the trace.

Usage: still.py CAST COMMAND FOLDER; writes a recording to stdout that shows everything at once, with as many rows as there
are lines. A cut is shown as a line of dots. FOLDER, where the recording was made, becomes /tmp.
"""

import json
import re
import sys


def plain(line):
    return re.sub(r"\x1b\[[0-9;]*m|\x1b\][^\x1b]*\x1b\\", "", line).strip()


def main():
    path, command, folder = sys.argv[1:]
    with open(path, encoding="utf-8") as cast:
        header, *events = map(json.loads, cast)
    text = "".join(text for _, kind, text in events if kind == "o").replace(folder, "/tmp")
    lines = [line.rstrip("\r\n") for line in text.splitlines()]
    words = [plain(line) for line in lines]
    diffs = [number for number, line in enumerate(words) if line.startswith("--- a/")]
    written = words.index("written:")
    verdict = next(number for number, line in enumerate(words) if number > written and line.startswith("On a project"))
    shown = [f"$ {command}", *lines[:diffs[1]], "\x1b[2m    ...\x1b[0m", "", *lines[written:verdict]]
    while not plain(shown[-1]):
        shown.pop()
    header = {"version": 2, "width": header["width"], "height": len(shown)}
    print(json.dumps(header))
    print(json.dumps([0.1, "o", "\r\n".join(shown)]))
    print(json.dumps([1.0, "o", ""]))


main()
