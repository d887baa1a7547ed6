"""Folders for work that is over soon, on a machine that need not live so long."""

from __future__ import annotations

import errno
import json
import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import filelock

from lib.core.errors import StoreError
from lib.infra.files import expanded

SCRATCH_VARIABLE = "PROMPTREEL_SCRATCH"
"""Names the folder; by default it is one of the system's own for temporary files."""
STARTED = "started.json"
"""In a scratch folder: what is worked on, since when and by which process."""
_UNLOCKED_S = 60.0
_OWN = re.compile(r"[0-9a-f]{16}\.lock")


def scratch_root() -> Path:
    """Return the folder that holds what this machine works on."""
    own = Path(tempfile.gettempdir()) / f"promptreel-scratch-{os.getuid() if hasattr(os, 'getuid') else 'user'}"
    return expanded(os.environ.get(SCRATCH_VARIABLE) or own)


@contextmanager
def scratch_folder(what: str) -> Iterator[Path]:
    """Give a folder for work on ``what``, removed afterwards; those of killed processes are removed before."""
    root = scratch_root()
    with ExitStack() as leaving:
        try:
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            _check_owner(root)
            _sweep(root)
            folder = root / secrets.token_hex(8)
            leaving.enter_context(filelock.FileLock(f"{folder}.lock"))  # free as soon as this process is dead
            leaving.callback(_remove, folder)
            folder.mkdir()
            started = {"source": what, "pid": os.getpid(), "at": time.time()}
            (folder / STARTED).write_text(json.dumps(started), encoding="utf-8")
        except OSError as error:
            raise StoreError(
                f"The folder {root} can't be written ({error.strerror or error}); check its disk and its rights, "
                f"or set {SCRATCH_VARIABLE} to another."
            ) from error
        yield folder


def _check_owner(root: Path) -> None:
    """Refuse a folder for all that another user made first under the name of ours; one that is named is the user's."""
    if os.environ.get(SCRATCH_VARIABLE) or not hasattr(os, "getuid"):
        return
    stat = root.lstat()
    if root.is_symlink() or stat.st_uid != os.getuid():
        raise PermissionError(errno.EPERM, "it is another user's")


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):
        os.unlink(f"{folder}.lock")


def _sweep(root: Path) -> None:
    """Remove what killed processes left, and nothing else that lies there."""
    for lock_file in root.glob("*.lock"):
        if not _OWN.fullmatch(lock_file.name):
            continue
        with suppress(OSError):
            if time.time() - lock_file.stat().st_mtime < _UNLOCKED_S:
                continue  # it may be on its way to being locked
            with suppress(filelock.Timeout), filelock.FileLock(lock_file).acquire(timeout=0):
                _remove(lock_file.with_suffix(""))
