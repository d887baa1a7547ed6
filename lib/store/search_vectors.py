"""The vectors of one embedding as one flat file, for searching: derived, and made again whenever it is missing.

::

    PROMPTREEL_HOME/search/<id>.pack    "PRPACK 1", n int64, dim int64; then arrays: frames int64, times_s float64,
                                        ends_s float64, factors float32, vectors float16 (n, dim)

Not NumPy's own format: its headers are Python that is parsed, and in Python 3.11 two threads that parse at a time can
fail with a SystemError.

Why not straight from the tables of samples: of 1,000,000 samples x 512, scanning one table of them all takes 0.7 s and
LanceDB's own flat search of it 1.5 s, and loading an embedding of 10,000 25 to 60 ms; from these files, all are read
and compared in 0.35 s. Vectors in memory would be faster but take 1 GB, and a command line begins with an empty memory.
"""

from __future__ import annotations

import contextlib
import os
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from lib.core.errors import StoreError
from lib.core.samples import TIME_TOLERANCE_S, Samples
from lib.infra.files import replace_durably, temporary_file
from lib.store.embeddings import EmbeddingInfo, Embeddings
from lib.store.home import StoreFolder, mapped_errors

SUFFIX = ".pack"
_HEAD = struct.Struct("<8sqq")
_MAGIC = b"PRPACK 1"
_ARRAYS: tuple[Any, ...] = (np.int64, np.float64, np.float64, np.float32, np.float16)
_BLOCK = 1 << 17  # numbers converted at once: both copies of them stay in a core's second-level cache
_KEPT = np.int32(np.uint32(0x8FFFE000).astype(np.int32))
_TWO_STEPS = np.float32(2.0**56)

_Half = NDArray[np.float16]
_Single = NDArray[np.float32]


def single(rows: _Half) -> _Single:
    """Return float16 numbers as float32, each divided by 2**112.

    A float16 whose bits are moved to the places of a float32's differs from it by the bias of the exponents only.
    That is ten times as fast as NumPy's conversion, which takes 3 s for 1,000,000 x 512.
    """
    bits = rows.view(np.int16).astype(np.int32)
    np.left_shift(bits, 13, out=bits)
    np.bitwise_and(bits, _KEPT, out=bits)  # the sign was spread over the exponent
    return bits.view(np.float32)


def cosines(rows: _Half, factors: _Single, vector: _Single) -> _Single:
    """Return the cosine of each row with a unit vector, float32 ``(n,)``.

    Args:
        rows: ``(n, dim)``, nearly unit.
        factors: what makes each row's length 1, ``(n,)``.
        vector: ``(dim,)``.
    """
    # Not "@": BLAS would share the work among its threads, and wait for them where other work has the cores.
    found: _Single = np.vecdot(single(rows), vector * _TWO_STEPS)
    found *= factors
    found *= _TWO_STEPS
    return found


class VectorFile:
    """The samples of one embedding, ready to be scored. Thread-safe; vectors are read when they are needed."""

    def __init__(
        self,
        path: Path | None,
        frames: NDArray[np.int64],
        times_s: NDArray[np.float64],
        ends_s: NDArray[np.float64],
        factors: _Single,
        *,
        dim: int,
        offset: int = 0,
        vectors: _Half | None = None,
    ) -> None:
        """Make one: of a file, whose vectors begin at ``offset``, or of ``vectors`` in memory."""
        self.path = path
        self.frames = frames
        self.times_s = times_s
        self.ends_s = ends_s
        self.factors = factors
        self.dim = dim
        self._offset = offset
        self._vectors = vectors
        breaks = times_s[1:] - ends_s[:-1] > TIME_TOLERANCE_S
        self.breaks = breaks if breaks.any() else None
        """Whether there is a gap between a sample and the next, bool ``(n - 1,)``; None where there is no gap."""

    def __len__(self) -> int:
        return len(self.frames)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Reader]:
        """Yield what reads rows; use it for several reads at a time.

        Raises:
            FileNotFoundError: the embedding was deleted meanwhile.
        """
        if self.path is None:
            yield Reader(self, None, self._vectors)
            return
        with open(self.path, "rb", buffering=0) as file:
            yield Reader(self, file, None)

    def scores(self, vector: _Single) -> _Single:
        """Return the cosine of every sample with a unit vector, float32 ``(n,)``."""
        found = np.empty(len(self), np.float32)
        step = max(1, _BLOCK // self.dim)
        with self.reading() as reader:
            for first in range(0, len(self), step):
                stop = min(first + step, len(self))
                found[first:stop] = cosines(reader.rows(first, stop), self.factors[first:stop], vector)
        return found

    def vectors(self, first: int, stop: int) -> _Single:
        """Return unit rows, float32 ``(stop - first, dim)``."""
        with self.reading() as reader:
            return reader.unit(first, stop)


class Reader:
    """Reads rows of a pack."""

    def __init__(self, pack: VectorFile, file: IO[bytes] | None, vectors: _Half | None) -> None:
        self._pack = pack
        self._file = file
        self._vectors = vectors

    def rows(self, first: int, stop: int) -> _Half:
        """Return rows as they are stored, float16 ``(stop - first, dim)``."""
        if self._vectors is not None:
            return self._vectors[first:stop]
        assert self._file is not None  # noqa: S101 - one of both is there
        found = np.empty((stop - first, self._pack.dim), np.float16)
        self._file.seek(self._pack._offset + first * found.strides[0])
        if found.size and self._file.readinto(found.data.cast("B")) != found.nbytes:  # type: ignore[attr-defined]
            raise StoreError(f"{self._pack.path} is cut off; delete it, it is made anew by the next search.")
        return found

    def unit(self, first: int, stop: int) -> _Single:
        """Return unit rows, float32 ``(stop - first, dim)``."""
        rows = single(self.rows(first, stop))
        rows *= _TWO_STEPS
        rows *= (self._pack.factors[first:stop] * _TWO_STEPS)[:, None]
        return rows


class VectorFiles:
    """The packs of a store."""

    def __init__(self, home: StoreFolder, embeddings: Embeddings) -> None:
        self._home = home
        self._embeddings = embeddings
        self._mutex = threading.Lock()
        self._open: dict[str, tuple[EmbeddingInfo, VectorFile]] = {}

    @property
    def folder(self) -> Path:
        """Where they are."""
        return self._home.root / "search"

    def get(self, info: EmbeddingInfo) -> VectorFile:
        """Return the pack of an embedding, made where it is missing.

        Of an incomplete embedding, the pack is made anew in memory each time more samples are stored.

        Raises:
            NotStoredError: the embedding was deleted meanwhile.
        """
        key_id = info.key.id
        with self._mutex:
            known = self._open.get(key_id)
        if known is not None and (known[0] is info or known[0] == info):
            return known[1]
        pack = self._read(info) or self._make(info)
        with self._mutex:
            self._open[key_id] = info, pack
        return pack

    def packed(self, info: EmbeddingInfo) -> bool:
        """Return whether the pack is there already."""
        return info.key.id in self._open or self._path(info).exists()

    def forget(self, infos: list[EmbeddingInfo]) -> None:
        """Close what is none of ``infos`` any more."""
        ids = {info.key.id for info in infos}
        with self._mutex:
            for key_id in self._open.keys() - ids:
                del self._open[key_id]

    def sweep(self) -> None:
        """Remove the files of embeddings that are gone. Call it under ``writing()``."""
        infos = self._embeddings.infos()
        kept = {self._path(info).name for info in infos}
        for path in self.folder.glob(f"*{SUFFIX}*"):
            if path.name not in kept:
                self._home.remove(path)
        self.forget(infos)

    def _path(self, info: EmbeddingInfo) -> Path:
        return self.folder / f"{info.key.id}{SUFFIX}"

    def _read(self, info: EmbeddingInfo) -> VectorFile | None:
        if not info.complete:
            return None
        try:
            with open(self._path(info), "rb") as file:
                if _HEAD.unpack(file.read(_HEAD.size)) != (_MAGIC, info.samples, info.dim):
                    return None
                frames, times_s, ends_s, factors = (
                    np.frombuffer(file.read(info.samples * np.dtype(kind).itemsize), kind)
                    for kind in _ARRAYS[:-1]
                )
                offset, size = file.tell(), os.fstat(file.fileno()).st_size
        except (OSError, ValueError, struct.error):  # not there, or of no use: it is made anew
            return None
        if size - offset != 2 * info.samples * info.dim:
            return None
        return VectorFile(self._path(info), frames, times_s, ends_s, factors, dim=info.dim, offset=offset)

    def _make(self, info: EmbeddingInfo) -> VectorFile:
        samples = self._embeddings.load(info.key)
        vectors = samples.vectors.astype(np.float16)
        factors = 1 / np.linalg.norm(single(vectors) * _TWO_STEPS * _TWO_STEPS, axis=1)
        arrays = (samples.frames, samples.times_s, samples.ends_s, factors.astype(np.float32))
        in_memory = VectorFile(None, *arrays, dim=info.dim, vectors=vectors)
        if not info.complete or len(samples) != info.samples:
            return in_memory
        try:
            self._write(info, samples, (*arrays, vectors))
        except StoreError:  # a full disk: searching goes on from memory
            return in_memory
        return self._read(info) or in_memory

    def _write(self, info: EmbeddingInfo, samples: Samples, arrays: tuple[NDArray[Any], ...]) -> None:
        path = self._path(info)
        with mapped_errors("preparing the search"):
            self.folder.mkdir(exist_ok=True)
            with temporary_file(path) as temporary:
                with open(temporary, "wb") as file:
                    file.write(_HEAD.pack(_MAGIC, len(samples), info.dim))
                    for array, kind in zip(arrays, _ARRAYS, strict=True):
                        file.write(np.ascontiguousarray(array, kind).data)
                with self._home.writing():  # a deletion comes before this or finds the file
                    if self._embeddings.find(info.key) == info:
                        replace_durably(temporary, path)
