"""Checked results into the store, with thumbnails where there is a video: all of it, or nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from lib.core.errors import Cancelled, ResultsError, StoreError
from lib.core.formatting import format_duration, megabytes_done, plural
from lib.engines.clip_versions import ModelVersion
from lib.engines.engine import PREPROCESSING
from lib.engines.hosted import check_dim, hosted_id, hosted_name
from lib.hosted.results import Results, read_results
from lib.infra.files import sha256_of
from lib.ingest.pipeline import make_thumbnail
from lib.ingest.progress import Meter, Progress
from lib.media.frames import Frame, FrameReader
from lib.store.embeddings import EmbeddingInfo, EmbeddingKey
from lib.store.staging import Batch
from lib.store.store import Store
from lib.store.videos import Video

_BATCH = 500
_PICTURE_SIDE = 144


@dataclass(frozen=True)
class ImportOutcome:
    """The result of an import."""

    video: Video
    info: EmbeddingInfo
    new: bool
    """False where the store had it already."""

    @property
    def note(self) -> str:
        """One sentence on what is missing; empty when nothing is."""
        return missing_note(self.info)


def missing_note(info: EmbeddingInfo) -> str:
    """Return one sentence on the samples without a vector; empty when there are none."""
    if not info.missing:
        return ""
    count, total = info.missing, info.missing + info.samples
    return f"{plural(count, 'sample')} failed at the hosted service, of {total:,}: gaps, in which nothing is found."


def import_results(
    store: Store,
    path: Path,
    *,
    video: Video | None = None,
    name: str | None = None,
    version: str | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    cancel: threading.Event | None = None,
) -> ImportOutcome:
    """Import a ``results.json`` made elsewhere.

    Args:
        store: where it goes.
        path: the file; it is read and left where it is.
        video: what it is of, a video of the store; None imports timelines without a video (``Video.has_file``).
        name: for people, of a video without a file; default the file's name.
        version: CLIP version of its vectors; None takes those of 512 numbers for the hosted service's own.
        on_progress: called from this thread.
        cancel: set it to stop; nothing is kept then.

    Raises:
        ResultsError: the file makes no sense, or is of another video.
        UnknownModelError: the model is not known, or its vectors have another length.
        NotStoredError: the video's file is gone.
        VideoError: the video can't be decoded.
        StoreError: the disk is full or the store can't be used.
        Cancelled: ``cancel`` was set; nothing of it is kept.
    """
    cancel = cancel or threading.Event()
    name = name or path.name
    size = _size_of(path)

    def on_bytes(done: int) -> None:
        if cancel.is_set():
            raise Cancelled("Cancelled; nothing was imported.")
        if on_progress is not None:
            words = f"reading {megabytes_done(done, size)}"
            on_progress(Progress(done, max(size, done), 0.0, None, words))

    results = read_results(path, name=name, on_bytes=on_bytes)
    model = check_dim(version, results.dim, name=name)
    sha256 = sha256_of(path) if video is None else video.sha256
    key = EmbeddingKey(sha256, hosted_id(model), results.sampling.key, PREPROCESSING)
    return store_results(
        store, results, key, model, video=video, name=name, size=size, on_progress=on_progress, cancel=cancel
    )


def store_results(
    store: Store,
    results: Results,
    key: EmbeddingKey,
    model: ModelVersion,
    *,
    video: Video | None,
    name: str,
    size: int,
    on_progress: Callable[[Progress], None] | None,
    cancel: threading.Event,
) -> ImportOutcome:
    """Store checked results under ``key``; where the store has them already, that is what is returned.

    Raises: as ``import_results``.
    """
    info = store.find_embedding(key)
    if info is not None and info.complete:
        return ImportOutcome(store.video(key.sha256), info, new=False)
    end_s = _end(results, video, name)
    meter = Meter(len(results.frames), on_progress)
    batches = _batches(results, _pictures_of(store, video, results), meter, cancel)
    try:
        info = store.put(
            key,
            batches,
            engine_name=hosted_name(model),
            dim=results.dim,
            end_s=end_s,
            gaps=[replace(gap, end_s=min(gap.end_s, end_s)) for gap in results.gaps],
            without_file=(name, size) if video is None else None,
        )
    except StoreError:
        info = store.find_embedding(key)
        if info is None or not info.complete:
            raise
        return ImportOutcome(store.video(key.sha256), info, new=False)  # another process was faster
    meter.finish(info.samples)
    return ImportOutcome(store.video(key.sha256), info, new=True)


def _end(results: Results, video: Video | None, name: str) -> float:
    """Return the end of the video; refuse results that reach beyond it: they are of another video."""
    if video is None or video.end_s is None:
        return results.end_s
    last = float(results.times_s[-1])
    if last > video.end_s + results.step_s + 1.0:
        raise ResultsError(
            f"{name} goes on to {format_duration(last)}, but {video.name} ends at {format_duration(video.end_s)}; "
            "choose the video that it was made of."
        )
    latest = max([last, *(gap.start_s for gap in results.gaps)])
    return video.end_s if video.end_s > latest else results.end_s


def _batches(
    results: Results, pictures: Iterator[bytes | None], meter: Meter, cancel: threading.Event
) -> Iterator[Batch]:
    for start in range(0, len(results.frames), _BATCH):
        part = slice(start, start + _BATCH)
        frames = results.frames[part]
        thumbnails: list[bytes | None] = []
        for thumbnail in islice(pictures, len(frames)):
            if cancel.is_set():
                raise Cancelled("Cancelled; nothing was imported.")
            thumbnails.append(thumbnail)
            meter.update(start + len(thumbnails))
        yield Batch(frames, results.times_s[part], results.vectors[part], thumbnails)


def _pictures_of(store: Store, video: Video | None, results: Results) -> Iterator[bytes | None]:
    """Yield one picture per sample: the sampled frame nearest to its time."""
    if video is None:
        yield from (None for _ in results.frames)
        return
    path = store.file_path(video.sha256)
    with FrameReader(path, results.sampling, short_side=_PICTURE_SIDE) as reader:
        yield from nearest_pictures(reader, results.times_s.tolist(), farthest_s=2 * results.step_s)


def nearest_pictures(frames: Iterable[Frame], times_s: Iterable[float], *, farthest_s: float) -> Iterator[bytes | None]:
    """Yield for each time the JPEG of the frame nearest to it; None where none is as near as ``farthest_s``."""
    coming = iter(frames)
    before: Frame | None = None
    after = next(coming, None)
    made: tuple[float, bytes] | None = None
    for time_s in times_s:
        while after is not None and after.time_s <= time_s:
            before, after = after, next(coming, None)
        near = [frame for frame in (before, after) if frame is not None]
        frame = min(near, key=lambda frame: abs(frame.time_s - time_s), default=None)
        if frame is None or abs(frame.time_s - time_s) > farthest_s:
            yield None
            continue
        if made is None or made[0] != frame.time_s:
            made = frame.time_s, make_thumbnail(frame.image)
        yield made[1]


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise ResultsError(f"{path.name} can't be read ({error.strerror}); check its path.") from error
