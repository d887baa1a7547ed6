"""What killed processes left: temporary files of writers that are no more."""

from __future__ import annotations

import contextlib
import os
import re
import time
from pathlib import Path

from lib.store.home import StorePaths

_STARTED = time.time()
_DAY_S = 86_400.0
_TEMPORARY = re.compile(r"\.(?P<pid>\d{1,10})\.[0-9a-f]{8}\.[A-Za-z0-9]{1,8}$")  # as ``lib.infra.files`` names them
_SUFFIXES = (".tmp", ".partial")


def sweep_files(paths: StorePaths) -> None:
    """Remove the temporary files whose writer has ended; what can't be removed stays."""
    folders = (paths.home, paths.videos, paths.proxies, paths.ground_truth, paths.search, paths.incoming)
    for folder in (*folders, paths.hosted, paths.experiments, paths.searches, paths.exports):
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_file(follow_symlinks=False) and _is_litter(entry):
                    with contextlib.suppress(OSError):
                        os.unlink(entry.path)


def _is_litter(entry: os.DirEntry[str]) -> bool:
    named = _TEMPORARY.search(entry.name)
    if named is None and Path(entry.name).suffix not in _SUFFIXES:
        return False
    changed = entry.stat(follow_symlinks=False).st_mtime
    if changed < time.time() - _DAY_S:
        return True
    pid = int(named["pid"]) if named else os.getpid()  # without a number: whatever is older than this process
    return changed < _STARTED if pid == os.getpid() else not _runs(pid)


def _runs(pid: int) -> bool:
    if os.name != "posix":  # elsewhere the call below would end the process
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
