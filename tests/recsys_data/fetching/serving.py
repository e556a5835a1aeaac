"""A local HTTP server that behaves badly on request: for the tests of downloads."""

import http.server
import threading
from contextlib import contextmanager

DATA = bytes(range(256)) * 2000  # 512,000 bytes


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves DATA; the path's first word says how: good, breaks, lies, moved, norange, slow, missing."""

    def log_message(self, *args):
        pass

    def do_GET(self):
        how = self.path.split("/")[1]
        asked = self.headers.get("Range")
        self.server.asked.append((self.path, asked))
        if how == "missing":
            self.send_error(404)
            return
        if how == "moved":
            self.send_response(302)
            self.send_header("Location", "/good/data.bin")
            self.end_headers()
            return
        body = self.server.data.get(self.path, DATA)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and how != "norange" else 0
        if start >= len(body):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(body)}")
            self.end_headers()
            return
        rest = body[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(rest) + (1000 if how == "lies" else 0)))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.end_headers()
        if how == "breaks" or (how == "norange" and len(self.server.asked) == 1):
            rest = rest[:200_000]
        if how == "slow":
            self.server.stall.wait(5)
        self.wfile.write(rest)
        self.wfile.flush()
        self.close_connection = True


@contextmanager
def serving(data=None):
    """A running server; ``asked`` lists what was asked of it, ``address`` is where it is."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.data, server.stall = [], data or {}, threading.Event()
    server.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield server
    finally:
        server.stall.set()
        server.shutdown()
        server.server_close()
