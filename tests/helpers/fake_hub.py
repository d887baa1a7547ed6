"""A stand-in for the model hub on 127.0.0.1: what the hub's own client needs to download a repository."""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class FakeHub:
    """Serves folders as repositories, entered with ``with``; counts the files it hands out."""

    def __init__(self, repos: dict[str, Path]) -> None:
        self.repos = repos
        self.sent: list[str] = []

    def __enter__(self) -> FakeHub:
        outer = self

        class Handler(_Handler):
            hub = outer

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class _Handler(BaseHTTPRequestHandler):
    hub: FakeHub

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._file(with_body=False)

    def do_GET(self) -> None:
        parts = unquote(urlsplit(self.path).path).strip("/").split("/")
        if parts[:2] != ["api", "models"]:
            self._file(with_body=True)
            return
        folder = self.hub.repos.get("/".join(parts[2:4]))
        if folder is None:
            self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"})
        elif parts[4] == "tree":
            files = sorted(path for path in folder.rglob("*") if path.is_file())
            listing = [
                {
                    "type": "file",
                    "path": path.relative_to(folder).as_posix(),
                    "size": path.stat().st_size,
                    "oid": _etag(path),
                }
                for path in files
            ]
            self._send(200, json.dumps(listing).encode())
        else:
            about = {"id": "/".join(parts[2:4]), "sha": COMMIT, "siblings": []}
            self._send(200, json.dumps(about).encode())

    def _file(self, *, with_body: bool) -> None:
        owner, repo, _, commit, *name = unquote(urlsplit(self.path).path).strip("/").split("/")
        folder = self.hub.repos.get(f"{owner}/{repo}")
        path = folder / Path(*name) if folder else None
        if path is None or not path.is_file():
            self._send(404, b"", {"X-Error-Code": "EntryNotFound"})
            return
        data = path.read_bytes()
        if with_body:
            self.hub.sent.append("/".join(name))
        headers = {"ETag": f'"{_etag(path)}"', "X-Repo-Commit": commit, "Accept-Ranges": "bytes"}
        self._send(200, data, headers, with_body=with_body)

    def _send(
        self, status: int, data: bytes, headers: dict[str, str] | None = None, *, with_body: bool = True
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            self.wfile.write(data)


def _etag(path: Path) -> str:
    data = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
