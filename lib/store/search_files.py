"""Files in the store's folder ``search`` that are derived from one embedding each: named, kept in memory, removed."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Generic, TypeVar

from lib.infra.files import temporary_file
from lib.store.embeddings import EmbeddingInfo, Embeddings
from lib.store.faults import mapped_errors
from lib.store.home import StoreFolder

T = TypeVar("T")


class SearchFiles(Generic[T]):
    """Files of one suffix, and what was read of them. Thread-safe."""

    def __init__(self, folder: StoreFolder, embeddings: Embeddings, suffix: str) -> None:
        self._folder = folder
        self._embeddings = embeddings
        self._suffix = suffix
        self._mutex = threading.Lock()
        self._open: dict[str, tuple[EmbeddingInfo, T]] = {}

    def path(self, info: EmbeddingInfo) -> Path:
        """Return the path of an embedding's file."""
        return self._folder.paths.search / f"{info.key.id}{self._suffix}"

    def opened(self, info: EmbeddingInfo) -> T | None:
        """Return what is kept of an embedding; None where there is nothing, or only of an earlier state of it."""
        with self._mutex:
            open_info, content = self._open.get(info.key.id, (None, None))
        return content if open_info == info else None

    def keep(self, info: EmbeddingInfo, content: T) -> None:
        """Keep in memory what is in an embedding's file."""
        with self._mutex:
            self._open[info.key.id] = info, content

    def write(self, info: EmbeddingInfo, parts: Iterable[bytes | memoryview]) -> None:
        """Write an embedding's file, unless the embedding was deleted meanwhile.

        A reader sees all of it or none, but nothing waits for the disk, which costs more than all the rest: what a
        power cut leaves of it has another checksum, and is made again.

        Raises:
            StoreError: the disk is full or the store can't be used.
        """
        path = self.path(info)
        with mapped_errors("preparing the search"):
            path.parent.mkdir(exist_ok=True)
            with temporary_file(path) as temporary:
                with open(temporary, "wb") as file:
                    file.writelines(parts)
                with self._folder.writing():  # a deletion comes before this or finds the file
                    if self._embeddings.find(info.key) == info:
                        os.replace(temporary, path)

    def forget(self, infos: Iterable[EmbeddingInfo]) -> None:
        """Let go what is kept of others than ``infos``."""
        ids = {info.key.id for info in infos}
        with self._mutex:
            for key_id in self._open.keys() - ids:
                del self._open[key_id]

    def sweep(self) -> None:
        """Remove the files of embeddings that are gone. Call it under ``writing()``."""
        infos = self._embeddings.infos()
        names = {self.path(info).name for info in infos}
        for path in self._folder.paths.search.glob(f"*{self._suffix}*"):
            if path.name not in names:
                self._folder.remove(path)
        self.forget(infos)
