"""What is known of an index without reading its table, and the file that keeps it."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lib.store.embeddings import EmbeddingInfo

_LOADING = threading.Lock()


@dataclass(frozen=True, eq=False)
class Groups:
    """Groups of neighbouring samples."""

    embeddings: NDArray[np.int32]
    """Which embedding each is of, a number as in ``Index.embeddings``, ``(k,)``."""
    firsts: NDArray[np.int32]
    """First sample of each, ``(k,)``."""
    counts: NDArray[np.int32]
    """Samples in each, ``(k,)``."""

    def __len__(self) -> int:
        return len(self.embeddings)

    def take(self, which: NDArray[np.int64] | slice) -> Groups:
        """Return some of them."""
        return Groups(self.embeddings[which], self.firsts[which], self.counts[which])


@dataclass(frozen=True, eq=False)
class Index:
    """An index, all but its table."""

    table: str
    """Name of the table."""
    mean: NDArray[np.float32]
    """What was subtracted from every vector, ``(dim,)``."""
    index_sample: NDArray[np.float32]
    """Unit vectors of samples from all over the library, ``(r, dim)``: an estimate of how scores are spread."""
    embeddings: dict[str, int]
    """Embedding id -> its number in the table: 0, 1, … in this order."""
    created: dict[str, int]
    """Embedding id -> when that embedding was made, in microseconds: one made again later is another one."""
    samples: int
    groups: Groups
    """One per row of the table."""
    row_ids: NDArray[np.uint64]
    """What the table calls its rows, increasing: reading columns of matching rows would take longer than the search."""
    cells: int
    """Cells of its vector index; 0 where there is none, because its rows are few."""

    def covers(self, info: EmbeddingInfo) -> bool:
        """Return whether the samples of an embedding are in it."""
        return self.created.get(info.key.id) == created_us(info)

    @classmethod
    def read(cls, path: Path) -> Index:
        """Return the index that ``write`` wrote.

        Raises:
            OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile: there is none, or it is damaged.
        """
        # One thread at a time: NumPy parses headers as Python, which two threads can't do at once in Python 3.11.
        with _LOADING, open(path, "rb") as file, np.load(file, allow_pickle=False) as stored:
            ids = stored["ids"].tolist()
            return cls(
                table=str(stored["table"]),
                mean=stored["mean"],
                index_sample=stored["reference"].astype(np.float32),
                embeddings={key_id: number for number, key_id in enumerate(ids)},
                created=dict(zip(ids, stored["created"].tolist(), strict=True)),
                samples=int(stored["samples"]),
                groups=Groups(stored["packs"], stored["firsts"], stored["counts"]),
                row_ids=stored["row_ids"],
                cells=int(stored["cells"]),
            )

    def write(self, path: Path) -> None:
        """Write all but the table to ``path``, as NumPy's ``.npz``."""
        with open(path, "wb") as file:
            np.savez(
                file,
                table=np.array(self.table),
                mean=self.mean,
                reference=self.index_sample.astype(np.float16),
                ids=np.array(list(self.embeddings)),
                created=np.array(list(self.created.values()), np.int64),
                samples=np.array(self.samples),
                packs=self.groups.embeddings,
                firsts=self.groups.firsts,
                counts=self.groups.counts,
                row_ids=self.row_ids,
                cells=np.array(self.cells),
            )


def created_us(info: EmbeddingInfo) -> int:
    """Return when an embedding was made, in microseconds since 1970."""
    return round(info.created_at.timestamp() * 1e6)
