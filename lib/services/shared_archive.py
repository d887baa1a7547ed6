"""The archive that is shared through object storage: what is published there, kept in memory."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from lib.core.errors import Cancelled
from lib.ingest.progress import Progress
from lib.remote.pulling import published
from lib.remote.records import Published
from lib.remote.storage import REMOTE_VARIABLE, Remote


def shared_url() -> str | None:
    """Return the address of the shared archive, from ``PROMPTREEL_REMOTE``; None without one."""
    return os.environ.get(REMOTE_VARIABLE, "").strip() or None


class SharedArchive:
    """What is published at an address, as of the last reading. Its attributes are read from any thread."""

    def __init__(self, url: str) -> None:
        """Read nothing yet.

        Raises:
            InputError: it is no address.
        """
        self.remote = Remote(url)
        self.embeddings: dict[str, Published] | None = None
        """By id, in order of their videos' names; None before the first reading."""
        self.problems: tuple[str, ...] = ()
        """A sentence on each document that makes no sense."""

    def read(self, *, on_progress: Callable[[Progress], None], cancel: threading.Event) -> None:
        """Read what is there: a list, and of what is new its document.

        Raises:
            RemoteError: the storage can't be read.
            Cancelled: ``cancel`` was set.
        """
        found: list[Published] = []
        problems: list[str] = []
        for one in published(self.remote, self.embeddings):
            if cancel.is_set():
                raise Cancelled("Cancelled; the list is as it was.")
            if isinstance(one, Published):
                found.append(one)
            else:
                problems.append(str(one))
            on_progress(Progress(len(found), None, 0.0, None))
        found.sort(key=lambda one: (one.name.casefold(), one.id))
        self.embeddings, self.problems = {one.id: one for one in found}, tuple(problems)
