"""Prints what is missing for one trace over all services of the sample, and exits 1 while something is. Usage: agents_trace.py SPANS"""

import collections
import json
import sys

WANTED = {
    ("gateway", "server", "GET /basket/:id"),
    ("orders", "server", "GET /orders/:id"),
    ("menu", "server", "GET /menu/:id"),
    ("prices", "server", "GET /prices/{item}"),
    ("prices-reloading", "server", "GET /prices/{item}"),
    ("shop", "server", "GET items/<int:item_id>"),
    ("packer", "consumer", "run/shop.tasks.pack"),
    ("stock", "server", "GET /stock/{id}"),
}

traces = collections.defaultdict(set)
with open(sys.argv[1]) as spans:
    for line in spans:
        if line.endswith("\n"):
            span = json.loads(line)
            traces[span["trace_id"]].add((span["service"], span["kind"], span["name"]))
fullest = max(traces.values(), key=lambda trace: len(trace & WANTED), default=set())
missing = WANTED - fullest
if missing:
    print("missing:", sorted(missing))
    print("arrived:", sorted(fullest))
    sys.exit(1)
