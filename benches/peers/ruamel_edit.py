"""Gives each service of the compose file IN a name of its own, into OUT."""

import sys

from ruamel.yaml import YAML

yaml = YAML()
yaml.preserve_quotes = True
with open(sys.argv[1]) as file:
    document = yaml.load(file)
for name, service in document["services"].items():
    service["environment"]["OTEL_SERVICE_NAME"] = name
with open(sys.argv[2], "w") as file:
    yaml.dump(document, file)
