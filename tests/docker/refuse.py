"""A receiver that refuses everything. Usage: refuse.py PORT STATUS"""

import http.server
import sys


class Refusing(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(int(sys.argv[2]))
        self.end_headers()

    do_GET = do_POST

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("0.0.0.0", int(sys.argv[1])), Refusing).serve_forever()
