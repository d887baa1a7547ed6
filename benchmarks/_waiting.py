"""A server that only waits: ``python -m benchmarks._waiting SECONDS``, a process of its own.

It prints its port, answers ``/clip/embed_image`` with ready-made vectors after so many seconds, however many
requests come at once, and ends when its standard input does.
"""

from __future__ import annotations

import json
import random
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_DIM = 512


def main(delay_s: float) -> None:
    """Serve until standard input ends."""
    rng = random.Random(0)
    rows = [[rng.gauss(0, 1) for _ in range(_DIM)] for _ in range(64)]
    replies = {n: json.dumps({"embeddings": rows[:n], "time": delay_s}).encode() for n in range(1, len(rows) + 1)}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            time.sleep(delay_s)
            data = replies[body.count(b'"value"')]
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
            self.wfile.write(head.encode() + data)  # in one piece, or the network waits on its own

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()
    server.shutdown()


if __name__ == "__main__":
    main(float(sys.argv[1]))
