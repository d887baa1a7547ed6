"""What is embedded of a long video so far, kept beside an archive: whoever tries it again goes on there.

``parts/<id>/`` is a small archive of its own: tables of consecutive samples, and a document per table that says where
it begins. Several attempts may add to it at once. It goes when the embedding is published.
"""

from __future__ import annotations

import json
import math
import re
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lib.core.errors import RemoteError
from lib.infra.documents import UNREADABLE
from lib.remote import tables
from lib.remote.records import MAX_SAMPLES, check_fit, gaps_of
from lib.remote.storage import Remote
from lib.store.embeddings import EmbeddingKey
from lib.store.gaps import Gap
from lib.store.staging import Batch
from lib.store.store import Store

PARTS = "parts"
_MOST = 10_000
_TABLE = re.compile(r"part-[0-9a-f]{16}")


@dataclass(frozen=True)
class _Part:
    table: str
    first: int
    samples: int
    gaps: tuple[Gap, ...]

    @classmethod
    def read(cls, data: dict[str, Any]) -> _Part:
        first, samples, table = int(data["first"]), int(data["samples"]), str(data["table"])
        if not (0 <= first <= MAX_SAMPLES and 0 < samples <= MAX_SAMPLES and _TABLE.fullmatch(table)):
            raise ValueError("makes no sense")
        return cls(table, first, samples, gaps_of(data["gaps"]))


class Parts:
    """The parts of one embedding in an archive."""

    def __init__(self, remote: Remote, key: EmbeddingKey) -> None:
        self._remote = remote
        self._key = key
        self._folder = f"{PARTS}/{key.id}"
        self._saved = 0

    @property
    def _place(self) -> Remote:
        if self._remote.is_folder:
            Path(self._remote.url.removeprefix("file://"), self._folder).mkdir(parents=True, exist_ok=True)
        return Remote(self._remote.uri(self._folder))

    def restore(self, store: Store, *, engine_name: str, dim: int) -> int:
        """Store the samples of the parts that follow one another from the first sample on; return how many.

        Raises:
            StoreError: the disk is full or the store can't be used.
        """
        chain: list[_Part] = []
        with suppress(RemoteError):  # then it begins at the beginning
            chain = self._chain()
            if chain:
                store.put(
                    self._key,
                    self._batches(chain, dim),
                    engine_name=engine_name,
                    dim=dim,
                    end_s=None,
                    gaps=chain[-1].gaps,
                )
                self._saved = sum(part.samples for part in chain)
        return self._saved

    def _chain(self) -> list[_Part]:
        found: dict[int, _Part] = {}
        for number, file in enumerate(self._remote.files(f"{self._folder}/*.json")):
            if number >= _MOST:
                break
            with suppress(RemoteError, *UNREADABLE):  # the marker too
                part = _Part.read(self._remote.document(file.path))
                if part.first not in found or found[part.first].samples < part.samples:
                    found[part.first] = part
        chain: list[_Part] = []
        while (following := found.get(sum(one.samples for one in chain))) is not None:
            chain.append(following)
        return chain

    def _batches(self, chain: list[_Part], dim: int) -> Iterator[Batch]:
        place, times = self._place, [np.empty(0)]
        for part in chain:
            for batch in tables.read(place, part.table, dim, part.samples):
                times.append(batch.times_s)
                yield batch
        try:
            check_fit(np.concatenate(times), chain[-1].gaps, -math.inf, math.inf)
        except ValueError as error:
            raise RemoteError(f"What is saved of {self._folder} in {self._remote} makes no sense.") from error

    def save(self, store: Store) -> None:
        """Save the samples that were stored since; what can't be saved is saved with the next part."""
        frames, times_s = store.sample_index(self._key)
        new = frames[self._saved :].tolist()
        if not new:
            return
        gaps = [asdict(gap) for gap in store.gaps(self._key) if gap.end_s <= times_s[-1]]
        table = f"part-{secrets.token_hex(8)}"
        document = {"table": table, "first": self._saved, "samples": len(new), "gaps": gaps}
        with suppress(RemoteError, OSError):  # the second of a folder
            place = self._place
            if tables.create(place, table, store.embedding(self._key).dim, store.batches(self._key, new)) is not None:
                place.create(f"{table}.json", json.dumps(document).encode())
                self._saved += len(new)

    def remove(self) -> None:
        """Remove all parts; what can't be removed stays until the embedding is asked for again."""
        with suppress(RemoteError):
            self._remote.delete_folder(self._folder)
