"""Gives a recording a pace to read at: one line after the other, and time to look at the end.

Usage: pace.py CAST COMMAND FOLDER; writes the new recording to stdout. COMMAND is typed first; FOLDER, where the recording
was made, becomes /tmp, so that two recordings differ only where the program's answers do.
"""

import json
import sys

KEY = 0.05
LINE = 0.1
PART = 1.2
LOOK = 6.0


def main():
    path, command, folder = sys.argv[1:]
    with open(path, encoding="utf-8") as cast:
        header, *events = map(json.loads, cast)
    shown = "".join(text for _, kind, text in events if kind == "o").replace(folder, "/tmp")

    at = 0.0
    paced = []

    def show(text, pause):
        nonlocal at
        paced.append([round(at, 3), "o", text])
        at += pause

    for character in command:
        show(character, KEY)
    show("\r\n", 0.4)
    for line in shown.splitlines(keepends=True):
        show(line, LINE if line.strip() else PART)
    at += LOOK
    show("", 0)

    keep = {name: header[name] for name in ("version", "width", "height")}
    for row in [keep, *paced]:
        print(json.dumps(row))


main()
