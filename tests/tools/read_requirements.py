"""Reads requirements files with pip's own parser.

Takes a JSON list of texts on stdin; prints a JSON list with, for each, the names of its packages, or the error.
"""

import json
import os
import sys
import tempfile

from pip._internal.network.session import PipSession
from pip._internal.req.constructors import install_req_from_parsed_requirement
from pip._internal.req.req_file import parse_requirements
from pip._vendor.packaging.utils import canonicalize_name


def names(text):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "requirements.txt")
        with open(path, "w", newline="") as file:
            file.write(text)
        try:
            read = parse_requirements(path, session=PipSession())
            return [canonicalize_name(install_req_from_parsed_requirement(line).name or "") for line in read]
        except Exception as error:
            return str(error)


json.dump([names(text) for text in json.load(sys.stdin)], sys.stdout)
