"""A stand-in for the model hub on 127.0.0.1: what the hub's own client needs to download a repository."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tests.helpers.loopback import LoopbackHandler, LoopbackServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class FakeHub:
    """Serves folders as repositories, entered with ``with``; counts the files it hands out."""

    def __init__(self, repos: dict[str, Path]) -> None:
        self.repos = repos
        self.sent: list[str] = []
        self.commit = COMMIT
        self.pretended: dict[str, int] = {}
        """Names and sizes that are listed and not there."""
        self.about: dict[str, object] = {}
        """Told of a repository in place of what is so."""

    def __enter__(self) -> FakeHub:
        self._server = LoopbackServer(_Handler, self)
        self.url = self._server.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._server.stop()


class _Handler(LoopbackHandler):
    owner: FakeHub

    def do_HEAD(self) -> None:
        self._file(with_body=False)

    def do_GET(self) -> None:
        parts = unquote(urlsplit(self.path).path).strip("/").split("/")
        if parts[:2] != ["api", "models"]:
            self._file(with_body=True)
            return
        folder = self.owner.repos.get("/".join(parts[2:4]))
        if folder is None:
            self.answer(404, b"{}", {"X-Error-Code": "RepoNotFound"})
        elif parts[4:5] == ["tree"]:
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
            self.answer(200, json.dumps(listing).encode())
        else:
            names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
            files = [{"rfilename": name, "size": (folder / name).stat().st_size} for name in names]
            files += [{"rfilename": name, "size": size} for name, size in self.owner.pretended.items()]
            about = {"id": "/".join(parts[2:4]), "sha": self.owner.commit, "siblings": files} | self.owner.about
            self.answer(200, json.dumps(about).encode())

    def _file(self, *, with_body: bool) -> None:
        owner, repo, _, commit, *name = unquote(urlsplit(self.path).path).strip("/").split("/")
        folder = self.owner.repos.get(f"{owner}/{repo}")
        path = folder / Path(*name) if folder else None
        if path is None or not path.is_file():
            self.answer(404, b"", {"X-Error-Code": "EntryNotFound"})
            return
        data = path.read_bytes()
        if with_body:
            self.owner.sent.append("/".join(name))
        headers = {"ETag": f'"{_etag(path)}"', "X-Repo-Commit": commit, "Accept-Ranges": "bytes"}
        self.answer(200, data, headers, with_body=with_body)


def _etag(path: Path) -> str:
    data = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
