"""A file as the body of a request: read block by block, of a length known before."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType

from lib.core.errors import Cancelled, InputError
from lib.infra.http import BLOCK_BYTES

ProgressCallback = Callable[[int, int], object]
"""Called with bytes done and bytes in all (0 when unknown)."""


class UploadBody:
    """A readable file with a length, which requests streams; ``on_progress`` is called after each block.

    Raises:
        InputError: the file can't be read, or is cut short meanwhile.
        Cancelled: ``cancel`` was set, at the next block.
    """

    def __init__(self, path: Path, name: str, on_progress: ProgressCallback, cancel: threading.Event) -> None:
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise InputError(f"{name} can't be read ({error.strerror}); check that it is still there.") from error
        self._size = path.stat().st_size
        self._name = name
        self._on_progress = on_progress
        self._cancel = cancel
        self._sent = 0

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        while block := self.read():
            yield block

    def read(self, count: int = BLOCK_BYTES) -> bytes:
        """Return the next bytes, empty at the end."""
        if self._cancel.is_set():
            raise Cancelled
        left = self._size - self._sent
        try:
            block = self._file.read(min(count if count > 0 else BLOCK_BYTES, left))
        except OSError as error:
            raise InputError(f"{self._name} can't be read to its end ({error.strerror}); copy it again.") from error
        if left and not block:
            raise InputError(f"{self._name} became shorter while it was uploaded; try again when it is complete.")
        self._sent += len(block)
        self._on_progress(self._sent, self._size)
        return block

    def __enter__(self) -> UploadBody:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
