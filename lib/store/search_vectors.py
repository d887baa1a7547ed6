"""The vectors of one embedding as one flat file, for searching. Derived: it is made again whenever it is missing.

::

    "PRPACK 1", n int64, dim int64; then arrays: frames int64, times_s float64, ends_s float64, factors float32,
    vectors float16 (n, dim)

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
from lib.store.faults import mapped_errors
from lib.store.home import StoreFolder

SUFFIX = ".pack"
_HEAD = struct.Struct("<8sqq")
_MAGIC = b"PRPACK 1"
_ARRAYS: tuple[Any, ...] = (np.int64, np.float64, np.float64, np.float32, np.float16)
_BLOCK = 1 << 17  # numbers converted at a time: both copies fit into a core's second-level cache
_SIGN_AND_NUMBER = np.int32(np.uint32(0x8FFFE000).astype(np.int32))
_HALF_SCALE = np.float32(2.0**56)

_Float16 = NDArray[np.float16]
_Float32 = NDArray[np.float32]


def scaled_float32(rows: _Float16) -> _Float32:
    """Return float16 numbers as float32, each divided by 2**112.

    A float16 whose bits are moved to the places of a float32's differs from it by the bias of the exponents only.
    That is ten times as fast as NumPy's conversion, which takes 3 s for 1,000,000 x 512.
    """
    bits = rows.view(np.int16).astype(np.int32)
    np.left_shift(bits, 13, out=bits)
    np.bitwise_and(bits, _SIGN_AND_NUMBER, out=bits)  # the sign was spread over the exponent
    return bits.view(np.float32)


def cosines(rows: _Float16, factors: _Float32, vector: _Float32) -> _Float32:
    """Return the cosine of each row ``(n, dim)``, made a unit row by its factor ``(n,)``, with a unit vector."""
    # Not "@": BLAS would share the work among its threads, and wait for them where other work has the cores.
    products: _Float32 = np.vecdot(scaled_float32(rows), vector * _HALF_SCALE)
    products *= factors
    products *= _HALF_SCALE
    return products


class VectorFile:
    """The samples of one embedding, ready to be scored. Thread-safe; vectors are read when they are needed."""

    def __init__(
        self,
        path: Path | None,
        frames: NDArray[np.int64],
        times_s: NDArray[np.float64],
        ends_s: NDArray[np.float64],
        factors: _Float32,
        *,
        dim: int,
        offset: int = 0,
        vectors: _Float16 | None = None,
    ) -> None:
        """Describe a file, whose vectors begin at ``offset``, or hold ``vectors`` in memory."""
        self.path = path
        self.frames = frames
        self.times_s = times_s
        self.ends_s = ends_s
        self.factors = factors
        self.dim = dim
        self.offset = offset
        self._vectors = vectors
        breaks = times_s[1:] - ends_s[:-1] > TIME_TOLERANCE_S
        self.breaks = breaks if breaks.any() else None
        """Whether there is a gap between a sample and the next, bool ``(n - 1,)``; None where there is no gap."""

    def __len__(self) -> int:
        return len(self.frames)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Reader]:
        """Open the file once for several reads.

        Raises:
            FileNotFoundError: the embedding was deleted meanwhile.
        """
        if self.path is None:
            yield Reader(self, None, self._vectors)
            return
        with open(self.path, "rb", buffering=0) as file:
            yield Reader(self, file, None)

    def scores(self, vector: _Float32) -> _Float32:
        """Return the cosine of every sample with a unit vector, float32 ``(n,)``."""
        scores = np.empty(len(self), np.float32)
        step = max(1, _BLOCK // self.dim)
        with self.reading() as reader:
            for first in range(0, len(self), step):
                stop = min(first + step, len(self))
                scores[first:stop] = cosines(reader.rows(first, stop), self.factors[first:stop], vector)
        return scores

    def vectors(self, first: int, stop: int) -> _Float32:
        """Return unit rows, float32 ``(stop - first, dim)``."""
        with self.reading() as reader:
            return reader.unit_rows(first, stop)


class Reader:
    """Reads rows of a vector file."""

    def __init__(self, vector_file: VectorFile, file: IO[bytes] | None, vectors: _Float16 | None) -> None:
        self._vector_file = vector_file
        self._file = file
        self._vectors = vectors

    def rows(self, first: int, stop: int) -> _Float16:
        """Return rows as they are stored, float16 ``(stop - first, dim)``."""
        if self._vectors is not None:
            return self._vectors[first:stop]
        assert self._file is not None  # noqa: S101 - one of both is there
        rows = np.empty((stop - first, self._vector_file.dim), np.float16)
        self._file.seek(self._vector_file.offset + first * rows.strides[0])
        if rows.size and self._file.readinto(rows.data.cast("B")) != rows.nbytes:  # type: ignore[attr-defined]
            raise StoreError(f"{self._vector_file.path} is cut off; delete it, the next search makes it again.")
        return rows

    def unit_rows(self, first: int, stop: int) -> _Float32:
        """Return unit rows, float32 ``(stop - first, dim)``."""
        rows = scaled_float32(self.rows(first, stop))
        rows *= _HALF_SCALE
        rows *= (self._vector_file.factors[first:stop] * _HALF_SCALE)[:, None]
        return rows


class VectorFiles:
    """The vector files of a store."""

    def __init__(self, folder: StoreFolder, embeddings: Embeddings) -> None:
        self._folder = folder
        self._embeddings = embeddings
        self._mutex = threading.Lock()
        self._open: dict[str, tuple[EmbeddingInfo, VectorFile]] = {}

    def get(self, info: EmbeddingInfo) -> VectorFile:
        """Return the vector file of an embedding, made where it is missing.

        That of an incomplete embedding is in memory only, and made again whenever more samples are stored.

        Raises:
            NotStoredError: the embedding was deleted meanwhile.
        """
        key_id = info.key.id
        with self._mutex:
            open_info, vector_file = self._open.get(key_id, (None, None))
        if vector_file is None or open_info != info:
            vector_file = self._read(info) or self._make(info)
            with self._mutex:
                self._open[key_id] = info, vector_file
        return vector_file

    def is_written(self, info: EmbeddingInfo) -> bool:
        """Return whether ``get`` need not make it."""
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
        names = {self._path(info).name for info in infos}
        for path in self._folder.paths.search.glob(f"*{SUFFIX}*"):
            if path.name not in names:
                self._folder.remove(path)
        self.forget(infos)

    def _path(self, info: EmbeddingInfo) -> Path:
        return self._folder.paths.search / f"{info.key.id}{SUFFIX}"

    def _read(self, info: EmbeddingInfo) -> VectorFile | None:
        if not info.complete:
            return None
        try:
            with open(self._path(info), "rb") as file:
                if _HEAD.unpack(file.read(_HEAD.size)) != (_MAGIC, info.samples, info.dim):
                    return None
                frames, times_s, ends_s, factors = (
                    np.frombuffer(file.read(info.samples * np.dtype(kind).itemsize), kind) for kind in _ARRAYS[:-1]
                )
                offset, size = file.tell(), os.fstat(file.fileno()).st_size
        except (OSError, ValueError, struct.error):  # not there, or damaged: it is made again
            return None
        if size - offset != 2 * info.samples * info.dim:
            return None
        return VectorFile(self._path(info), frames, times_s, ends_s, factors, dim=info.dim, offset=offset)

    def _make(self, info: EmbeddingInfo) -> VectorFile:
        samples = self._embeddings.load(info.key)
        vectors = samples.vectors.astype(np.float16)
        factors = 1 / np.linalg.norm(scaled_float32(vectors) * _HALF_SCALE * _HALF_SCALE, axis=1)
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
            self._folder.paths.search.mkdir(exist_ok=True)
            with temporary_file(path) as temporary:
                with open(temporary, "wb") as file:
                    file.write(_HEAD.pack(_MAGIC, len(samples), info.dim))
                    for array, kind in zip(arrays, _ARRAYS, strict=True):
                        file.write(np.ascontiguousarray(array, kind).data)
                with self._folder.writing():  # a deletion comes before this or finds the file
                    if self._embeddings.find(info.key) == info:
                        replace_durably(temporary, path)
