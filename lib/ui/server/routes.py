"""The dashboard's own HTTP routes: videos with ranges, thumbnails, uploads straight to disk.

Page script and routes share one process, so a token the script hands out is known to the routes. Tokens can't
be guessed and are only given for files and embeddings the app chose; nobody turns a URL into a path.

=========================================  =================================================================
``GET|HEAD /promptreel/video/<token>``     a video from disk; 206, 416 and multipart ranges by Starlette
``GET|HEAD /promptreel/remote/<token>``    a video from object storage, passed on piece by piece; 206 and 416
``GET /promptreel/thumb/<token>/<frame>``  the JPEG thumbnail of one sample
``GET /promptreel/pack/<token>``           arrays for the player's lanes, as ``player_arrays.encode_arrays`` writes them
``GET /promptreel/module/<hash>/<file>``   the JavaScript modules of our own components
``PUT /promptreel/upload/<name>``          a video from the browser; ``lib.ui.server.uploads`` has the answers
``GET /library``                           the front page, under the name its title suggests
=========================================  =================================================================
"""

from __future__ import annotations

import hashlib
import mimetypes
import os
import re
import secrets
import stat
import sys
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import wraps
from itertools import chain
from pathlib import Path
from types import ModuleType
from urllib.parse import quote

import streamlit as st
from anyio import to_thread
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from lib.core.errors import NotStoredError, PromptreelError, VideoUnreadableError
from lib.remote.storage import Remote, RemoteFile
from lib.ui.server.security import SecurityHeaders, refused_host, refused_origin, refused_token
from lib.ui.server.uploads import OnUpload, receive, refuse, remove_stale_parts

PREFIX = "/promptreel"
ThumbnailLoader = Callable[[int], bytes | None]
"""Frame index -> JPEG bytes; None when the store has no such sample."""
PACKS_KEPT = 24
"""Packs that can be fetched at a time, over all sessions; each holds on to the arrays that it is made of."""

_Endpoint = Callable[[Request], Awaitable[Response]]
_HEAD_BYTES = 64
_REMOTE_BYTES = 1 << 20
_PLACE = "[0-9]{1,18}"  # fits into 64 bits
_SPAN = rf"({_PLACE}-({_PLACE})?|-{_PLACE})"
_RANGE = re.compile(rf"bytes=\s*{_SPAN}(\s*,\s*{_SPAN})*\s*", re.IGNORECASE)
_COMMON_HEADERS = {"X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin"}
_MEDIA_TYPES = {
    ".mkv": "video/x-matroska",
    ".avi": "video/x-msvideo",
    ".ts": "video/mp2t",
    ".m4v": "video/mp4",
}


@dataclass(frozen=True)
class _File:
    path: Path
    media_type: str
    name: str | None = None
    """The name that it is downloaded under; None is for what plays."""


@dataclass(frozen=True)
class _RemoteFile:
    remote: Remote
    file: RemoteFile
    name: str


@dataclass
class _State:
    """What script and routes share."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    files: dict[str, _File] = field(default_factory=dict)
    file_tokens: dict[tuple[str, int, int, str | None], str] = field(default_factory=dict)
    remote_files: dict[str, _RemoteFile] = field(default_factory=dict)
    remote_tokens: dict[tuple[str, str, str], str] = field(default_factory=dict)
    loaders: dict[str, ThumbnailLoader] = field(default_factory=dict)
    loader_tokens: dict[str, str] = field(default_factory=dict)
    packs: dict[str, Callable[[], bytes]] = field(default_factory=dict)
    pack_tokens: dict[str, str] = field(default_factory=dict)
    modules: dict[tuple[str, str], bytes] = field(default_factory=dict)
    incoming: Path | None = None
    on_upload: OnUpload | None = None


def _state() -> _State:
    # Streamlit drops and re-imports this module when a source file changes while it runs; the server's routes
    # stay the old ones. So the state hangs on a module that no source file stands for.
    holder = sys.modules.setdefault("_promptreel_routes_state", ModuleType("_promptreel_routes_state"))
    state: _State = holder.__dict__.setdefault("state", _State())
    return state


def routes() -> list[Route]:
    """Return the routes for ``st.App(routes=…)``, below ``server.baseUrlPath`` when there is one."""
    base = _base()
    return [
        Route(f"{base}/video/{{token}}", _guarded(_video), methods=["GET"]),  # Starlette adds HEAD
        Route(f"{base}/remote/{{token}}", _guarded(_remote_video), methods=["GET"]),
        Route(f"{base}/thumb/{{token}}/{{frame}}", _guarded(_thumbnail), methods=["GET"]),
        Route(f"{base}/pack/{{token}}", _guarded(_pack), methods=["GET"]),
        Route(f"{base}/module/{{version}}/{{name}}", _guarded(_module), methods=["GET"]),
        Route(f"{base}/upload/{{name}}", _guarded(_upload), methods=["PUT"]),
        Route(f"{base.removesuffix(PREFIX)}/library", _to_front_page, methods=["GET"]),
    ]


def middleware() -> list[Middleware]:
    """Return the middleware for ``st.App(middleware=…)``: security headers on every answer."""
    return [Middleware(SecurityHeaders)]


def accept_uploads(folder: Path, on_upload: OnUpload) -> None:
    """Say where uploads are written and who takes them; cheap enough to call on every run.

    Args:
        folder: where parts are written; on the store's own disk, so that taking a file in is a rename.
        on_upload: called in a worker thread with the temporary file, its clean name and its SHA-256. What a
            ``PromptreelError`` says is shown to the user beside the file.
    """
    state = _state()
    with state.lock:
        first = state.incoming != folder
        state.incoming, state.on_upload = folder, on_upload
    if first:
        remove_stale_parts(folder)


def max_upload_bytes() -> int:
    """Return the largest upload allowed: Streamlit's ``server.maxUploadSize``, in bytes."""
    return int(st.get_option("server.maxUploadSize")) * (1 << 20)


def url_for_upload() -> str:
    """Return the URL that the upload component puts files under, followed by their name."""
    return f"{_base()}/upload/"


def url_for_video(path: Path, *, download_as: str | None = None) -> str:
    """Return a URL that plays ``path``; the same file has the same URL, a replaced file another one.

    With ``download_as`` browsers save the file, of any kind, under that name.

    Raises:
        VideoUnreadableError: there is no such file.
    """
    path = Path(path).resolve()
    try:
        status = path.stat()
        media_type = _media_type(path)
    except OSError as error:
        raise VideoUnreadableError(
            f"“{path.name}” can't be read any more ({error.strerror}); check that it is still where it was."
        ) from error
    identity = (str(path), status.st_size, status.st_mtime_ns, download_as)
    state = _state()
    with state.lock:
        token = state.file_tokens.setdefault(identity, secrets.token_urlsafe(18))
        state.files[token] = _File(path, media_type, download_as)
    return f"{_base()}/video/{token}"


def url_for_remote(remote: Remote, file: RemoteFile, name: str) -> str:
    """Return a URL that plays a file of object storage, ``name`` for people; the storage is asked when it is fetched.

    It goes through this server, so that no browser needs to reach the storage, nor sees a signed address.
    """
    identity = (remote.url, file.path, file.etag)
    state = _state()
    with state.lock:
        token = state.remote_tokens.setdefault(identity, secrets.token_urlsafe(18))
        state.remote_files.setdefault(token, _RemoteFile(remote, file, name))
    return f"{_base()}/remote/{token}"


def url_for_thumbnails(key: str, loader: ThumbnailLoader) -> str:
    """Return the base URL of one embedding's thumbnails: ``f"{base}/{frame}"`` is one JPEG.

    The same ``key`` keeps the same URL, so that the browser's cache holds; ``loader`` is called in a worker thread.
    """
    state = _state()
    with state.lock:
        token = state.loader_tokens.setdefault(key, secrets.token_urlsafe(18))
        state.loaders[token] = loader
    return f"{_base()}/thumb/{token}"


def url_for_pack(key: str, make: Callable[[], bytes]) -> str:
    """Return the URL of bytes that ``make`` gives when the browser asks for them; the same key keeps the same URL.

    Args:
        key: names the content: other bytes need another key, since browsers keep what they got.
        make: called in a worker thread, at most once a fetch. Only the last ``PACKS_KEPT`` keys are answered.
    """
    state = _state()
    with state.lock:
        token = state.pack_tokens.pop(key, None) or secrets.token_urlsafe(18)
        state.pack_tokens[key] = token  # last in the order of use
        state.packs[token] = make
        while len(state.pack_tokens) > PACKS_KEPT:
            state.packs.pop(state.pack_tokens.pop(next(iter(state.pack_tokens))))
    return f"{_base()}/pack/{token}"


def url_for_modules(*folders: Path) -> str:
    """Return the base URL of the JavaScript modules in ``folders``, ``f"{base}/{name}.js"``; it changes with them."""
    files = {path.name: path.read_bytes() for folder in folders for path in sorted(folder.glob("*.js"))}
    digest = hashlib.sha256()
    for name, text in files.items():
        digest.update(f"{name}\n{len(text)}\n".encode() + text)
    version = digest.hexdigest()[:24]
    state = _state()
    with state.lock:
        state.modules |= {(version, name): text for name, text in files.items()}
    return f"{_base()}/module/{version}"


def _base() -> str:
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{quote(base)}{PREFIX}" if base else PREFIX


async def _to_front_page(request: Request) -> Response:
    """Send ``/library`` to the front page: the default page of ``st.navigation`` has no address of its own."""
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"{_base().removesuffix(PREFIX)}/{query}", status_code=307)


def _guarded(endpoint: _Endpoint) -> _Endpoint:
    @wraps(endpoint)
    async def guarded(request: Request) -> Response:
        if refused_host(request):
            return PlainTextResponse("This host name is not allowed here.", 403)
        return await endpoint(request)

    return guarded


def _media_type(path: Path) -> str:
    """Return the MIME type by the file's first bytes (uploads are stored by hash), else by its name."""
    with path.open("rb") as file:
        return _media_type_of(file.read(_HEAD_BYTES), path.name)


def _media_type_of(head: bytes, name: str) -> str:
    if head[4:8] == b"ftyp":
        return "video/quicktime" if head[8:12] == b"qt  " else "video/mp4"
    if head.startswith(b"\x1aE\xdf\xa3"):
        return "video/webm" if b"webm" in head else "video/x-matroska"
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return "video/x-msvideo"
    guess = _MEDIA_TYPES.get(Path(name).suffix.lower()) or mimetypes.guess_type(name)[0] or ""
    # Anything else is never served as something a browser would run.
    return guess if guess.startswith(("video/", "audio/")) else "application/octet-stream"


class _VideoResponse(FileResponse):
    chunk_size = 256 * 1024


def _regular_file(path: Path) -> os.stat_result | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status if stat.S_ISREG(status.st_mode) else None


async def _video(request: Request) -> Response:
    file = _state().files.get(request.path_params["token"])
    status = await to_thread.run_sync(_regular_file, file.path) if file else None
    if file is None or status is None:
        return PlainTextResponse("This video is not here any more.", 404)
    headers = request.headers.get("range")
    if headers is not None and not _RANGE.fullmatch(headers):
        # RFC 9110, 14.2: a Range header that can't be understood is ignored, and so is one with numbers beyond
        # any file; Starlette would answer 400.
        request.scope["headers"] = [item for item in request.scope["headers"] if item[0] != b"range"]
    return _VideoResponse(
        file.path,
        media_type=file.media_type,
        stat_result=status,
        filename=file.name,  # as an attachment
        headers={**_COMMON_HEADERS, "Cache-Control": "private, max-age=86400"},
    )


async def _remote_video(request: Request) -> Response:
    there = _state().remote_files.get(request.path_params["token"])
    if there is None:
        return PlainTextResponse("This video is not here any more.", 404)
    size = there.file.size_bytes
    asked = request.headers.get("range") or ""
    in_part = bool(_RANGE.fullmatch(asked)) and "," not in asked  # several ranges at once are ignored, as is nonsense
    span = _span(asked, size) if in_part else (0, size)
    if span is None:
        return PlainTextResponse("The video is shorter.", 416, {"Content-Range": f"bytes */{size}"})
    pieces = there.remote.pieces(there.file, *span, most_bytes=_REMOTE_BYTES)
    try:
        head = await to_thread.run_sync(lambda: there.remote.read_range(there.file.path, 0, _HEAD_BYTES))
        first = b"" if request.method == "HEAD" else await to_thread.run_sync(lambda: next(pieces, b""))
    except PromptreelError as error:
        return PlainTextResponse(str(error), 502)
    headers = {
        **_COMMON_HEADERS,
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, max-age=86400",
        "Content-Length": str(span[1] - span[0]),
    }
    if in_part:
        headers["Content-Range"] = f"bytes {span[0]}-{span[1] - 1}/{size}"
    status, media_type = 206 if in_part else 200, _media_type_of(head, there.name)
    if request.method == "HEAD":
        return Response(b"", status, headers, media_type)
    return StreamingResponse(chain([first], pieces), status, headers, media_type)


def _span(asked: str, size: int) -> tuple[int, int] | None:
    """Return the bytes ``[start, end)`` that one valid range asks for; None where there are none."""
    first, _, last = asked.partition("=")[2].strip().partition("-")
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1) if last else size
    return (start, end) if start < end else None


async def _thumbnail(request: Request) -> Response:
    loader = _state().loaders.get(request.path_params["token"])
    frame = request.path_params["frame"]
    if loader is None or not re.fullmatch(_PLACE, frame):
        return PlainTextResponse("This thumbnail is not here any more.", 404)
    try:
        picture = await to_thread.run_sync(loader, int(frame))
    except NotStoredError:
        picture = None
    except PromptreelError as error:
        return PlainTextResponse(str(error), 500)
    if picture is None:
        return PlainTextResponse("This thumbnail is not here any more.", 404)
    headers = {**_COMMON_HEADERS, "Cache-Control": "private, max-age=31536000, immutable"}
    return Response(picture, media_type="image/jpeg", headers=headers)


async def _pack(request: Request) -> Response:
    make = _state().packs.get(request.path_params["token"])
    if make is None:
        return PlainTextResponse("These lanes are not here any more.", 404)
    data = await to_thread.run_sync(make)
    headers = {**_COMMON_HEADERS, "Cache-Control": "private, max-age=86400, immutable"}
    return Response(data, media_type="application/octet-stream", headers=headers)


async def _module(request: Request) -> Response:
    text = _state().modules.get((request.path_params["version"], request.path_params["name"]))
    if text is None:
        return PlainTextResponse("There is no such module; reload the page.", 404)
    headers = {**_COMMON_HEADERS, "Cache-Control": "private, max-age=31536000, immutable"}
    return Response(text, media_type="text/javascript", headers=headers)


async def _upload(request: Request) -> Response:
    state = _state()
    if refused_origin(request) or refused_token(request):
        return await refuse(request, 403, "This upload didn't come from the dashboard's own page; reload the page.")
    if state.incoming is None or state.on_upload is None:
        return await refuse(request, 503, "The dashboard is still starting; try again in a moment.")
    return await receive(request, folder=state.incoming, limit_bytes=max_upload_bytes(), on_upload=state.on_upload)
