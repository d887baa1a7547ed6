"""One run of the pipeline: decode, embed, make thumbnails and store at the same time, in order."""

from __future__ import annotations

import io
import threading
import time
from concurrent.futures import Future, wait
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lib.core.errors import BadReplyError, Cancelled
from lib.core.sampling import Framing
from lib.engines.engine import Engine
from lib.engines.image_payload import framed
from lib.ingest.daemon_workers import Workers, step_back
from lib.ingest.progress import TICK_S, Meter
from lib.media.frames import Frame, FrameReader
from lib.store.embeddings import EmbeddingKey
from lib.store.gaps import Gap
from lib.store.store import Store

THUMBNAIL_SIDE = 256
"""Longest side of a thumbnail in pixels."""
_THUMBNAIL_QUALITY = 80
_BATCH_BYTES = 64 << 20
_BYTES_IN_FLIGHT = 256 << 20
"""Most bytes of pictures in all batches between the decoder and the store; one batch always has room."""
_COMMIT_SAMPLES = 256
COMMIT_INTERVAL_S = (2.0, 10.0)  # the longer it runs, the rarer: each commit is three files until the end
_COMMIT_SHARE = 0.05  # of the time since the start
_STOP_S = 2.0  # how long a decoder gets to notice that it should stop

T = TypeVar("T")


def make_thumbnail(image: NDArray[np.uint8]) -> bytes:
    """Return an RGB picture as a JPEG whose longest side is at most 256 pixels; never enlarged."""
    picture = Image.fromarray(image)
    scale = THUMBNAIL_SIDE / max(picture.size)
    if scale < 1:
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        picture = picture.resize(size, Image.Resampling.BOX)  # area average; a third less work than bilinear
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=_THUMBNAIL_QUALITY)
    return buffer.getvalue()


@dataclass(frozen=True)
class _Batch:
    """Samples on their way, and the promises of their vectors and thumbnails."""

    frames: list[int]
    times_s: list[float]
    size_bytes: int
    vectors: Future[NDArray[np.float32]]
    thumbnails: Future[list[bytes]]


class Room:
    """How many batches, and of how many bytes, may be on their way at the same time."""

    def __init__(self, batches: int, size_bytes: int) -> None:
        self._most_batches, self._most_bytes = batches, size_bytes
        self._batches = self._bytes = 0
        self._changed = threading.Condition()

    def take(self, size_bytes: int, *, timeout_s: float) -> bool:
        """Take room for one batch; False if there is none in time. A batch alone has room whatever its size."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._has_room(size_bytes), timeout_s):
                return False
            self._batches += 1
            self._bytes += size_bytes
            return True

    def give_back(self, size_bytes: int) -> None:
        """Give back the room of one batch."""
        with self._changed:
            self._batches -= 1
            self._bytes -= size_bytes
            self._changed.notify()

    def _has_room(self, size_bytes: int) -> bool:
        fits = self._batches < self._most_batches and self._bytes + size_bytes <= self._most_bytes
        return fits or self._batches == 0


class Run:
    """One run of the pipeline, under the lock of its key."""

    def __init__(
        self,
        store: Store,
        key: EmbeddingKey,
        engine: Engine,
        reader: FrameReader,
        meter: Meter,
        cancel: threading.Event,
        *,
        done: int,
        framing: Framing | None = None,
    ) -> None:
        self._store = store
        self._key = key
        self._engine = engine
        self._reader = reader
        self._meter = meter
        self._cancel = cancel
        self._done = done
        self._framing = framing
        self._buffer = _Buffer(store, key, reader)
        concurrency = max(1, engine.concurrency)
        # Batches ahead of the writer: enough that no commit makes the engine wait, and few enough.
        self._room = Room(2 * concurrency + 2, _BYTES_IN_FLIGHT)
        self._batches: SimpleQueue[_Batch | BaseException | None] = SimpleQueue()
        self._stop = threading.Event()
        self._engine_threads = Workers(concurrency, "embed")
        self._thumbnail_thread = Workers(1, "thumbnails")

    def run(self) -> bool:
        """Embed and store; return whether the video was read to its end (False: cancelled)."""
        self._meter.update(self._done)
        decoder = threading.Thread(target=self._decode, name="decode", daemon=True)
        decoder.start()
        try:
            self._collect()
        except Cancelled:
            return False
        finally:
            self._stop.set()
            self._engine_threads.stop()
            self._thumbnail_thread.stop()
            decoder.join(_STOP_S)
            self._buffer.commit()
        return True

    def _decode(self) -> None:
        """Read frames and hand them to the engine and thumbnail threads, batch by batch (decoding thread)."""
        waiting: list[Frame] = []
        step_back()
        try:
            with self._reader as frames:
                for frame in frames:
                    if self._stop.is_set():
                        return
                    waiting.append(frame)
                    if len(waiting) >= max(1, self._engine.batch_size) or _size(waiting) >= _BATCH_BYTES:
                        if not self._send(waiting):
                            return
                        waiting = []
            self._send(waiting)
            self._batches.put(None)
        except BaseException as error:  # raised again in the calling thread, after what came before is stored
            self._batches.put(error)

    def _send(self, batch: list[Frame]) -> bool:
        """Hand over a batch as soon as there is room; return whether to go on."""
        if not batch:
            return True
        size = _size(batch)
        while not self._room.take(size, timeout_s=TICK_S):
            if self._stop.is_set():
                return False
        images = [frame.image for frame in batch]
        self._batches.put(
            _Batch(
                [frame.index for frame in batch],
                [frame.time_s for frame in batch],
                size,
                self._engine_threads.submit(lambda: self._embed(images)),
                self._thumbnail_thread.submit(lambda: [make_thumbnail(image) for image in images]),
            )
        )
        return True

    def _embed(self, images: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
        if self._framing is not None:
            images = [framed(image, self._framing, self._engine.input_size) for image in images]
        return self._engine.embed_images(images)

    def _collect(self) -> None:
        """Take finished batches in order and store them, until the video or the user ends it."""
        while (batch := self._next()) is not None:
            vectors, thumbnails = self._result(batch.vectors), self._result(batch.thumbnails)
            self._room.give_back(batch.size_bytes)
            if vectors.shape != (len(batch.frames), self._engine.dim):
                raise BadReplyError(
                    f"{self._engine.name} gave {vectors.shape} numbers instead of "
                    f"{(len(batch.frames), self._engine.dim)}. Check that it serves the model you chose."
                )
            self._buffer.add(batch.frames, batch.times_s, vectors, thumbnails)
            self._done += len(batch.frames)
            self._tick()

    def _next(self) -> _Batch | None:
        """Return the next batch; None at the end of the video."""
        while True:
            try:
                item = self._batches.get(not self._stop.is_set(), TICK_S)
            except Empty:
                self._tick()
                if self._stop.is_set():
                    raise Cancelled from None
                continue
            if isinstance(item, BaseException):
                raise item
            return item

    def _result(self, future: Future[T]) -> T:
        while not future.done():
            if self._stop.is_set():
                raise Cancelled
            wait([future], timeout=TICK_S)
            self._tick()
        return future.result()

    def _tick(self) -> None:
        """Report progress, commit when it is due, and notice a cancel: then only finished batches are still stored."""
        self._meter.update(self._done)
        self._buffer.commit_if_due()
        if self._cancel.is_set():
            self._stop.set()


def _size(frames: list[Frame]) -> int:
    return sum(frame.image.nbytes for frame in frames)


def stored_gaps(reader: FrameReader) -> list[Gap]:
    """Return the gaps that a reader has come across so far, as the store keeps them."""
    return [Gap(gap.start_s, gap.end_s, gap.missing) for gap in reader.gaps]


class _Buffer:
    """Samples that wait for the next commit."""

    def __init__(self, store: Store, key: EmbeddingKey, reader: FrameReader) -> None:
        self._store = store
        self._key = key
        self._reader = reader
        last = store.last_sample(key)
        self._since_s = 0.0 if last is None else last[1]
        self._gaps_noted = 0
        self._began = self._committed = time.monotonic()
        self._clear()

    def _clear(self) -> None:
        self._frames: list[int] = []
        self._times_s: list[float] = []
        self._vectors: list[NDArray[np.float32]] = []
        self._thumbnails: list[bytes] = []

    def add(
        self, frames: list[int], times_s: list[float], vectors: NDArray[np.float32], thumbnails: list[bytes]
    ) -> None:
        self._frames += frames
        self._times_s += times_s
        self._vectors.append(vectors)
        self._thumbnails += thumbnails

    def commit_if_due(self) -> None:
        now = time.monotonic()
        shortest, longest = COMMIT_INTERVAL_S
        pause = min(max(shortest, _COMMIT_SHARE * (now - self._began)), longest)
        if len(self._frames) >= _COMMIT_SAMPLES or now - self._committed >= pause:
            self.commit()

    def _note_gaps(self) -> None:
        """Store gaps before the samples behind them: a run that resumes there doesn't come across them again."""
        gaps = stored_gaps(self._reader)
        if len(gaps) > self._gaps_noted:
            self._store.note_gaps(self._key, gaps, since_s=self._since_s)
            self._gaps_noted = len(gaps)

    def commit(self) -> None:
        if self._frames:
            self._note_gaps()
            self._store.append(
                self._key,
                frames=self._frames,
                times_s=self._times_s,
                vectors=np.concatenate(self._vectors),
                thumbnails=self._thumbnails,
            )
            self._clear()
        self._committed = time.monotonic()
