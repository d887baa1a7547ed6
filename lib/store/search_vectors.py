"""The vectors of one embedding as one flat file, for searching. Derived: it is made again whenever it is missing.

::

    "PRPACK 2", n int64, dim int64, CRC-32 of all arrays but the last, as int64; then arrays: frames int64,
    times_s float64, ends_s float64, factors float32, sums uint64, vectors float16 (n, dim)

``sums`` has the sum of each row's bits, as 16-bit numbers: whatever rows are read are checked, at no cost to speak of,
and nothing is read for checking alone. Vectors that are not as written are taken from the embedding again.

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
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from lib.core.errors import StoreError
from lib.core.samples import TIME_TOLERANCE_S, Samples
from lib.store.embeddings import EmbeddingInfo, Embeddings
from lib.store.home import StoreFolder
from lib.store.search_files import SearchFiles

SUFFIX = ".pack"
_HEAD = struct.Struct("<8sqqq")
_MAGIC = b"PRPACK 2"
_ARRAYS: tuple[Any, ...] = (np.int64, np.float64, np.float64, np.float32, np.uint64, np.float16)
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


def dot_products(rows: _Float16, factors: _Float32, vector: _Float32) -> _Float32:
    """Return the dot product of each row ``(n, dim)``, made a unit row by its factor ``(n,)``, with ``vector``."""
    # Not "@": BLAS would share the work among its threads, and wait for them where other work has the cores.
    products: _Float32 = np.vecdot(scaled_float32(rows), vector * _HALF_SCALE)
    products *= factors
    products *= _HALF_SCALE
    return products


def _sums(rows: _Float16) -> NDArray[np.uint64]:
    """Return the sum of each row's bits, ``(n,)``; by 64 at a time, which is five times as fast, where they fit."""
    sums: NDArray[np.uint64] = rows.view(np.uint64 if rows.shape[1] % 4 == 0 else np.uint16).sum(1, np.uint64)
    return sums


def _checksum(arrays: Iterable[NDArray[Any]]) -> int:
    checksum = 0
    for array in arrays:
        checksum = zlib.crc32(array.data, checksum)
    return checksum


@dataclass(frozen=True, eq=False)
class _OnDisk:
    """Vectors in a file."""

    path: Path
    offset: int
    sums: NDArray[np.uint64]
    """``_sums`` of the rows as they were written."""
    load: Callable[[], _Float16]
    """Returns the embedding's vectors, where those in the file are others."""


class VectorFile:
    """The samples of one embedding, ready to be scored. Thread-safe; vectors are read when they are needed."""

    def __init__(
        self,
        frames: NDArray[np.int64],
        times_s: NDArray[np.float64],
        ends_s: NDArray[np.float64],
        factors: _Float32,
        dim: int,
        vectors: _Float16 | _OnDisk,
    ) -> None:
        """Describe samples whose vectors are on disk, or hold them in memory."""
        self.frames = frames
        self.times_s = times_s
        self.ends_s = ends_s
        self.factors = factors
        self.dim = dim
        self.stored = vectors
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
        stored = self.stored
        if isinstance(stored, np.ndarray):
            yield Reader(self, None)
            return
        with open(stored.path, "rb", buffering=0) as file:
            yield Reader(self, file)

    def recover(self) -> _Float16:
        """Return all vectors as the embedding has them, from now on in memory; the damaged file is removed.

        Raises:
            NotStoredError: the embedding was deleted meanwhile.
        """
        stored = self.stored
        if not isinstance(stored, np.ndarray):
            self.stored = stored.load()
            with contextlib.suppress(OSError):  # the next process makes it again
                stored.path.unlink()
            return self.stored
        return stored

    def scores(self, vector: _Float32) -> _Float32:
        """Return the dot product of every sample's unit row with ``vector`` ``(dim,)``, float32 ``(n,)``."""
        scores = np.empty(len(self), np.float32)
        step = max(1, _BLOCK // self.dim)
        with self.reading() as reader:
            for first in range(0, len(self), step):
                stop = min(first + step, len(self))
                scores[first:stop] = dot_products(reader.rows(first, stop), self.factors[first:stop], vector)
        return scores

    def vectors(self, first: int, stop: int) -> _Float32:
        """Return unit rows, float32 ``(stop - first, dim)``."""
        with self.reading() as reader:
            return reader.unit_rows(first, stop)


class Reader:
    """Reads rows of a vector file."""

    def __init__(self, vector_file: VectorFile, file: IO[bytes] | None) -> None:
        self._vector_file = vector_file
        self._file = file

    def rows(self, first: int, stop: int) -> _Float16:
        """Return rows as they are stored, float16 ``(stop - first, dim)``."""
        stored = self._vector_file.stored
        if isinstance(stored, np.ndarray) or self._file is None:
            return self._vector_file.recover()[first:stop]
        rows = np.empty((stop - first, self._vector_file.dim), np.float16)
        self._file.seek(stored.offset + first * rows.strides[0])
        whole = not rows.size or self._file.readinto(rows.data.cast("B")) == rows.nbytes  # type: ignore[attr-defined]
        if whole and np.array_equal(_sums(rows), stored.sums[first:stop]):
            return rows
        return self._vector_file.recover()[first:stop]

    def unit_rows(self, first: int, stop: int) -> _Float32:
        """Return unit rows, float32 ``(stop - first, dim)``."""
        rows = scaled_float32(self.rows(first, stop))
        rows *= _HALF_SCALE
        rows *= (self._vector_file.factors[first:stop] * _HALF_SCALE)[:, None]
        return rows


class VectorFiles(SearchFiles[VectorFile]):
    """The vector files of a store."""

    def __init__(self, folder: StoreFolder, embeddings: Embeddings) -> None:
        super().__init__(folder, embeddings, SUFFIX)

    def get(self, info: EmbeddingInfo) -> VectorFile:
        """Return the vector file of an embedding, made where it is missing.

        That of an incomplete embedding is in memory only, and made again whenever more samples are stored.

        Raises:
            NotStoredError: the embedding was deleted meanwhile.
        """
        vector_file = self.opened(info)
        if vector_file is None:
            vector_file = self._read(info) or self._make(info)
            self.keep(info, vector_file)
        return vector_file

    def is_written(self, info: EmbeddingInfo) -> bool:
        """Return whether ``get`` need not make it."""
        return info.key.id in self._open or self.path(info).exists()

    def _read(self, info: EmbeddingInfo) -> VectorFile | None:
        if not info.complete:
            return None
        try:
            with open(self.path(info), "rb") as file:
                *head, checksum = _HEAD.unpack(file.read(_HEAD.size))
                if head != [_MAGIC, info.samples, info.dim]:
                    return None
                frames, times_s, ends_s, factors, sums = arrays = [
                    np.frombuffer(file.read(info.samples * np.dtype(kind).itemsize), kind) for kind in _ARRAYS[:-1]
                ]
                offset, size = file.tell(), os.fstat(file.fileno()).st_size
        except (OSError, ValueError, struct.error):  # not there, or damaged: it is made again
            return None
        if size - offset != 2 * info.samples * info.dim or _checksum(arrays) != checksum:
            return None
        on_disk = _OnDisk(self.path(info), offset, sums, lambda: self._vectors(info))
        return VectorFile(frames, times_s, ends_s, factors, info.dim, on_disk)

    def _vectors(self, info: EmbeddingInfo) -> _Float16:
        return self._embeddings.load(info.key).vectors.astype(np.float16)

    def _make(self, info: EmbeddingInfo) -> VectorFile:
        samples = self._embeddings.load(info.key)
        vectors = samples.vectors.astype(np.float16)
        factors = 1 / np.linalg.norm(scaled_float32(vectors) * _HALF_SCALE * _HALF_SCALE, axis=1)
        arrays = (samples.frames, samples.times_s, samples.ends_s, factors.astype(np.float32))
        in_memory = VectorFile(*arrays, info.dim, vectors)
        if not info.complete or len(samples) != info.samples:
            return in_memory
        try:
            self._write(info, samples, [*arrays, _sums(vectors), vectors])
        except StoreError:  # a full disk: searching goes on from memory
            return in_memory
        return self._read(info) or in_memory

    def _write(self, info: EmbeddingInfo, samples: Samples, arrays: list[NDArray[Any]]) -> None:
        arrays = [np.ascontiguousarray(array, kind) for array, kind in zip(arrays, _ARRAYS, strict=True)]
        head = _HEAD.pack(_MAGIC, len(samples), info.dim, _checksum(arrays[:-1]))
        self.write(info, [head, *(array.data for array in arrays)])
