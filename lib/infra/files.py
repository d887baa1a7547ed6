"""Files that appear whole or not at all, also after a crash, and their hashes."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lib.core.formatting import encodable

_HASH_BLOCK = 1 << 20
_NAME_BYTES = 200
"""Most bytes of a file's name that its temporary file repeats: with what is added, 255 are allowed."""


def expanded(path: Path | str) -> Path:
    """Return ``path`` with a leading ``~`` replaced; that of a user who doesn't exist stays, as a shell leaves it."""
    return Path(os.path.expanduser(path))  # Path.expanduser raises there


def resolved(path: Path | str) -> Path:
    """Return where ``path`` leads when links are followed; where these lead in a circle, the circle's first."""
    return Path(os.path.realpath(expanded(path)))  # Path.resolve raises there before Python 3.13


def is_text(path: Path) -> bool:
    """Return whether a path's bytes are UTF-8, so that a page can show it and FFmpeg can open it."""
    return encodable(str(path)) == str(path)


def write_atomically(path: Path, content: bytes | str, *, mode: int = 0o666) -> None:
    """Write ``content`` (text as UTF-8) to ``path`` in one step; its folder is made, but none above it.

    Raises:
        OSError: it can't be written; a file that was there is unchanged.
    """
    path.parent.mkdir(exist_ok=True)  # not its parents: a deleted store stays deleted
    with atomic_file(path, mode=mode) as temporary:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)


@contextmanager
def atomic_file(path: Path, *, mode: int = 0o666) -> Iterator[Path]:
    """Give an empty file beside ``path`` to write to; when the block ends without an error, it replaces ``path``.

    Raises: as ``write_atomically``; the folder has to be there.
    """
    with temporary_file(path, mode=mode) as temporary:
        yield temporary
        replace_durably(temporary, path)


@contextmanager
def temporary_file(path: Path, *, suffix: str = ".tmp", mode: int = 0o666) -> Iterator[Path]:
    """Give an empty file of a unique name, ``<name of path>.….tmp``, beside ``path``; it is removed after the block."""
    if not path.name:  # of / or an empty path
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    name = os.fsencode(path.name)[:_NAME_BYTES].decode("utf-8", "ignore")
    temporary = path.with_name(f"{name}.{os.getpid()}.{secrets.token_hex(4)}{suffix}")
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode))
    try:
        yield temporary
    finally:
        with contextlib.suppress(OSError):  # an error of the block says more
            temporary.unlink(missing_ok=True)


def replace_durably(source: Path, target: Path) -> None:
    """Rename ``source`` to ``target``, with its bytes on the disk before the name and the name before returning."""
    with open(source, "rb+") as file:
        os.fsync(file.fileno())
    os.replace(source, target)
    with contextlib.suppress(OSError):  # not every platform can open a folder, nor every file system sync one
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def sha256_of(path: Path, on_progress: Callable[[int], object] | None = None) -> str:
    """Return the SHA-256 of a file as hex digits; ``on_progress`` is called with the bytes read so far.

    Raises:
        OSError: it can't be read.
    """
    digest, done, buffer = hashlib.sha256(), 0, memoryview(bytearray(_HASH_BLOCK))
    with open(path, "rb", buffering=0) as file:
        while count := file.readinto(buffer):
            digest.update(buffer[:count])
            done += count
            if on_progress is not None:
                on_progress(done)
    return digest.hexdigest()
