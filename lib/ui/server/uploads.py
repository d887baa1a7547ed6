"""Takes an upload from the network to a file: streamed, hashed on the way, memory flat whatever its size."""

from __future__ import annotations

import errno
import hashlib
import logging
import re
import secrets
import shutil
import time
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import anyio
from anyio import to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from lib.core.errors import PromptreelError, StoreError
from lib.core.formatting import cut_to_bytes, format_bytes

OnUpload = Callable[[Path, str, str], object]
"""Gets the temporary file, its clean name and its SHA-256; may move the file away."""

_LOGGER = logging.getLogger(__name__)
_PART_PREFIX = ".part-"
_BLOCK_BYTES = 1 << 20
_STALE_S = 24 * 3600
_NAME_BYTES = 200
_SPARE_BYTES = 64 << 20  # left free on the disk, for the store's own files
_DRAIN_BYTES, _DRAIN_S = 64 << 20, 2.0
_FULL = (errno.ENOSPC, errno.EDQUOT)
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class _RefusedError(Exception):
    """The upload is refused: a status and one sentence for the user."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class _Part:
    """A file being received; ``write`` and ``close`` run in a worker thread."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / f"{_PART_PREFIX}{secrets.token_hex(8)}"
        self._file = self.path.open("xb")
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, block: bytes | bytearray) -> None:
        self._hash.update(block)
        self._file.write(block)
        self.size += len(block)

    def close(self) -> str:
        self._file.close()
        return self._hash.hexdigest()

    def discard(self) -> None:
        """Remove what is left; harmless when the file was moved away."""
        try:
            self._file.close()
        except OSError as error:  # the last buffer didn't fit either: it is thrown away anyhow
            _LOGGER.debug("closing %s: %s", self.path, error)
        self.path.unlink(missing_ok=True)


def clean_name(raw: str) -> str:
    """Return a file name safe to show and to store: no folders, no control or text-direction characters."""
    name = unicodedata.normalize("NFC", raw.replace("\\", "/").rsplit("/", 1)[-1])
    name = "".join(c for c in name if unicodedata.category(c) not in ("Cc", "Cs", "Cn") and c not in _BIDI)
    name = name.strip(" .")
    if len(name.encode()) > _NAME_BYTES:
        suffix = cut_to_bytes(Path(name).suffix, 16)
        name = cut_to_bytes(name, _NAME_BYTES - len(suffix.encode())).rstrip(" .") + suffix
    return name or "video"


def remove_stale_parts(folder: Path) -> None:
    """Remove what uploads left behind when the server was killed: parts not written to for a day."""
    for path in folder.glob(f"{_PART_PREFIX}*"):
        with suppress(FileNotFoundError):  # another process removes them too
            if time.time() - path.stat().st_mtime > _STALE_S:
                path.unlink()


async def receive(request: Request, *, folder: Path, limit_bytes: int, on_upload: OnUpload) -> Response:
    """Stream the request's body into ``folder``, hand it to ``on_upload`` and answer with JSON.

    200 ``{sha256, name, size}``, else ``{error}`` with one sentence: 400 empty, 413 beyond ``limit_bytes``,
    422 what ``on_upload`` said about the file, 500 unexpected, 507 disk full. A part not moved away is
    removed, also when the client goes away in the middle.
    """
    name = clean_name(request.path_params["name"])
    try:
        part = await to_thread.run_sync(partial(_open_part, folder, name, _declared_size(request), limit_bytes))
        try:
            return await _receive_into(part, request, name, limit_bytes, on_upload)
        finally:
            part.discard()
    except ClientDisconnect:
        return Response(status_code=499)  # nobody reads it
    except _RefusedError as error:
        return await refuse(request, error.status, str(error))


async def refuse(request: Request, status: int, sentence: str) -> Response:
    """Answer ``{error: sentence}``, after reading on for a moment.

    A browser that is cut off while it still sends may report a lost connection instead of the answer.
    """
    read = 0
    with anyio.move_on_after(_DRAIN_S):
        try:
            async for chunk in request.stream():
                read += len(chunk)
                if read > _DRAIN_BYTES:
                    break
        except (ClientDisconnect, RuntimeError) as error:  # RuntimeError: the body was read to its end before
            _LOGGER.debug("refused upload: %s", error)
    return JSONResponse({"error": sentence}, status)


def _declared_size(request: Request) -> int | None:
    length = request.headers.get("content-length", "")
    return int(length) if re.fullmatch("[0-9]{1,18}", length) else None


def _open_part(folder: Path, name: str, declared: int | None, limit: int) -> _Part:
    if declared is not None and declared > limit:
        raise _too_large(name, limit)
    try:
        folder.mkdir(exist_ok=True)
        free = shutil.disk_usage(folder).free - _SPARE_BYTES
        if declared is None or declared <= free:
            return _Part(folder)
    except OSError as error:
        raise _not_written(name, error) from error
    raise _RefusedError(
        507,
        f"“{name}” needs {format_bytes(declared)}, but only {format_bytes(max(0, free))} are free where "
        "Promptreel keeps its videos; free some space and upload it again.",
    )


async def _receive_into(part: _Part, request: Request, name: str, limit: int, on_upload: OnUpload) -> JSONResponse:
    try:
        # Blocks of a megabyte: one hop to a worker thread each, where hashing and writing release the GIL.
        block = bytearray()
        async for chunk in request.stream():
            block += chunk
            if part.size + len(block) > limit:
                raise _too_large(name, limit)
            if len(block) >= _BLOCK_BYTES:
                await to_thread.run_sync(part.write, block)
                block = bytearray()
        await to_thread.run_sync(part.write, block)
        sha256 = await to_thread.run_sync(part.close)
    except OSError as error:
        raise _not_written(name, error) from error
    if part.size == 0:
        raise _RefusedError(400, f"“{name}” is empty; choose a file with a video in it.")
    try:
        await to_thread.run_sync(on_upload, part.path, name, sha256)
    except PromptreelError as error:
        # The sentence is about the file the user chose, not about the part it arrived as.
        sentence = str(error).replace(str(part.path), name).replace(part.path.name, name)
        raise _RefusedError(500 if isinstance(error, StoreError) else 422, sentence) from error
    except OSError as error:
        raise _not_written(name, error) from error
    except Exception as error:
        _LOGGER.exception("an upload arrived but could not be taken in")
        sentence = f"“{name}” arrived but could not be taken in; the server's log says why."
        raise _RefusedError(500, sentence) from error
    return JSONResponse({"sha256": sha256, "name": name, "size": part.size})


def _too_large(name: str, limit: int) -> _RefusedError:
    return _RefusedError(
        413,
        f"“{name}” is larger than the {format_bytes(limit)} allowed here (server.maxUploadSize); shorten it.",
    )


def _not_written(name: str, error: OSError) -> _RefusedError:
    if error.errno in _FULL:
        return _RefusedError(
            507, f"The disk filled up while “{name}” was arriving; free some space and upload it again."
        )
    reason = error.strerror or type(error).__name__
    return _RefusedError(500, f"“{name}” could not be written to disk ({reason}); check Promptreel's folder.")
