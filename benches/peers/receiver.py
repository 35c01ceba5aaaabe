"""A receiver for measurements: takes every trace, knows every key, and may stand as far away as it is told.

Usage: receiver.py PORT_FILE [RTT_MILLISECONDS]

Writes the port it was given to PORT_FILE. With a round trip it answers as over a line of that length: opening a connection
takes one, each answer another.
"""

import asyncio
import pathlib
import sys

AUTH = (
    b'{"id":"bench","type":"ingest","team":{"name":"Bench","slug":"bench"},'
    b'"environment":{"name":"Bench","slug":"bench"},"api_key_access":{"events":true}}'
)
JSON = b"application/json"
PROTOBUF = b"application/x-protobuf"


class Connection(asyncio.Protocol):
    """Reads requests with a Content-Length, one after the other, and answers each."""

    def __init__(self, rtt):
        self.rtt = rtt

    def connection_made(self, transport):
        self.transport = transport
        self.received = b""
        # Our side sees a connection when the line is still empty: the handshake takes its time before the first byte.
        self.open = asyncio.get_running_loop().time() + self.rtt

    def data_received(self, data):
        self.received += data
        while True:
            head, end, rest = self.received.partition(b"\r\n\r\n")
            if not end:
                return
            fields = dict(
                (name.strip().lower(), value.strip())
                for name, _, value in (line.partition(b":") for line in head.split(b"\r\n")[1:])
            )
            length = int(fields.get(b"content-length", 0))
            if len(rest) < length:
                return
            self.received = rest[length:]
            self.answer(head, fields)

    def answer(self, head, fields):
        kind = fields.get(b"content-type", PROTOBUF)
        if head.startswith(b"GET "):
            kind, body = JSON, AUTH
        else:
            body = b"{}" if kind == JSON else b""
        text = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s" % (kind, len(body), body)
        if not self.rtt:
            self.transport.write(text)
            return
        loop = asyncio.get_running_loop()
        loop.call_at(max(loop.time(), self.open) + self.rtt, self.transport.write, text)


async def main(port_file, rtt):
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(rtt), "127.0.0.1", 0, backlog=1024)
    port_file.write_text(str(server.sockets[0].getsockname()[1]))
    await server.serve_forever()


asyncio.run(main(pathlib.Path(sys.argv[1]), float((sys.argv + ["0"])[2]) / 1000))
