"""Two numbers a sample beside the search vectors of one embedding, for relative scores: ``<id>.spread``. Derived.

::

    "PRSPRD 1", n int64, what they were derived from (SHA-256), CRC-32 of the numbers as int64; float32 (n, 2)

What they mean is the caller's matter: median and scale of the reference phrases' cosines. They are made anew where the
file is missing, damaged, or derived from something else, such as other phrases. A million samples take 8 MB.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lib.core.errors import StoreError
from lib.store.embeddings import EmbeddingInfo, Embeddings
from lib.store.home import StoreFolder
from lib.store.search_files import SearchFiles

_HEAD = struct.Struct("<8sq32sq")
_MAGIC = b"PRSPRD 1"

Spread = NDArray[np.float32]


class SpreadFiles(SearchFiles[tuple[bytes, Spread]]):
    """The spread files of a store."""

    def __init__(self, folder: StoreFolder, embeddings: Embeddings) -> None:
        super().__init__(folder, embeddings, ".spread")

    def get(self, info: EmbeddingInfo, source: bytes, derive: Callable[[], Spread]) -> Spread:
        """Return the numbers of an embedding, float32 ``(n, 2)``, made where they are missing.

        Those of an incomplete embedding are in memory only, and made again whenever more samples are stored.

        Args:
            info: the embedding.
            source: SHA-256 of what they are derived from, beside the embedding.
            derive: returns the numbers; it may raise, and nothing is kept then.
        """
        found = self.opened(info)
        if found is None or found[0] != source:
            spread = self._read(info, source)
            if spread is None:
                spread = np.ascontiguousarray(derive(), np.float32)
                self._write(info, source, spread)
            self.keep(info, (source, spread))
            return spread
        return found[1]

    def is_written(self, info: EmbeddingInfo, source: bytes) -> bool:
        """Return whether ``get`` need not derive them."""
        found = self.opened(info)
        if found is not None and found[0] == source:
            return True
        spread = self._read(info, source)
        if spread is not None:
            self.keep(info, (source, spread))
        return spread is not None

    def _read(self, info: EmbeddingInfo, source: bytes) -> Spread | None:
        if not info.complete:
            return None
        try:
            with open(self.path(info), "rb") as file:
                magic, n, made_from, checksum = _HEAD.unpack(file.read(_HEAD.size))
                if (magic, n, made_from) != (_MAGIC, info.samples, source):
                    return None
                if os.fstat(file.fileno()).st_size != _HEAD.size + 8 * n:
                    return None
                content = file.read()
        except (OSError, struct.error):  # not there, or damaged: it is made again
            return None
        return np.frombuffer(content, np.float32).reshape(-1, 2) if zlib.crc32(content) == checksum else None

    def _write(self, info: EmbeddingInfo, source: bytes, spread: Spread) -> None:
        if not info.complete or len(spread) != info.samples:
            return
        head = _HEAD.pack(_MAGIC, len(spread), source, zlib.crc32(spread.data))
        try:
            self.write(info, [head, spread.data])
        except StoreError:  # a full disk: searching goes on from memory
            return
