"""A prompt set over a whole library: what it finds in every video, kept, and computed anew only for what changed.

Results lie in ``<home>/archive/<id>.parquet``, one file per engine and prompt set. They are derived: deleting them
loses nothing. Per video they name the state of the embedding that they are of, so a video that is embedded anew is
computed anew, and one that is deleted is left out.
"""

from __future__ import annotations

import hashlib
import io
import json
import threading
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lib.analysis.analysis import analyse
from lib.analysis.pictures import prompt_rows
from lib.analysis.reference import Reference, reference_of
from lib.analysis.scoring import cosine_scores
from lib.comparison.categories import NUMBERS, LabelInVideo, VideoCategories, categories_of
from lib.core.errors import Cancelled, NotStoredError
from lib.core.labelled_intervals import label_key
from lib.core.samples import TIME_TOLERANCE_S, Samples
from lib.engines.engine import Engine
from lib.infra.cores import one_core_each
from lib.infra.files import write_atomically
from lib.prompts.model import ROLES, PromptSet
from lib.search.relative import ReferenceRows
from lib.services.categories import SavedCategories
from lib.services.picture_examples import vectors_of
from lib.services.search import densest, reference_rows
from lib.services.search_backends import THREADS, opened
from lib.store.embeddings import EmbeddingInfo
from lib.store.faults import mapped_errors
from lib.store.search_vectors import VectorFile
from lib.store.store import Store

MAX_KEPT = 20
"""Prompt sets whose results are kept; the one that was written longest ago goes first."""
_FORMAT = b"promptreel archive 1"
_MAX_BYTES = 256 << 20
_SCHEMA = pa.schema(
    [
        ("video", pa.string()),
        ("state", pa.string()),  # EmbeddingInfo.version
        ("poster_frame", pa.int64()),
        ("label", pa.string()),
        ("role", pa.string()),
        ("present", pa.bool_()),
        *((name, pa.float64()) for name in NUMBERS),
        ("times_s", pa.list_(pa.float64())),  # start and end of each segment of a restricted label
    ],
    metadata={"format": _FORMAT},
)


@dataclass(frozen=True)
class ClassifiedVideo:
    """What a prompt set finds in one embedding of a video."""

    state: str
    """``EmbeddingInfo.version`` of the embedding it was computed from."""
    categories: VideoCategories
    poster_frame: int | None
    """Frame index of the sample that shows its category best; None without samples."""


@dataclass(frozen=True)
class Classification:
    """What a prompt set finds in the videos of a library."""

    videos: Mapping[str, ClassifiedVideo]
    """By SHA-256, in the order of the embeddings asked for."""
    computed: int
    """How many of them were computed now; the others were known."""

    @cached_property
    def categories(self) -> dict[str, VideoCategories]:
        """The same without what it was computed from."""
        return {sha256: video.categories for sha256, video in self.videos.items()}


def embeddings_to_classify(store: Store, engine_id: str, videos: Sequence[str] | None = None) -> list[EmbeddingInfo]:
    """Return the embedding of each video with this engine: a complete one before others, then the densest.

    ``videos`` are the SHA-256 of those asked for, None for all. Embeddings without a sample are left out.
    """
    return [info for info in densest(store.listing().embeddings, engine_id, videos) if info.samples]


def missing(known: Mapping[str, ClassifiedVideo], infos: Sequence[EmbeddingInfo]) -> list[EmbeddingInfo]:
    """Return the embeddings of which ``known`` has nothing, or only of an earlier state."""
    return [info for info in infos if (found := known.get(info.key.sha256)) is None or found.state != info.version]


def classify(
    store: Store,
    engine: Engine,
    prompt_set: PromptSet,
    infos: Sequence[EmbeddingInfo],
    *,
    on_progress: Callable[[int, int], None] | None = None,
    cancel: threading.Event | None = None,
) -> Classification:
    """Return what ``prompt_set`` finds in each embedding; what is known already is not computed again.

    The numbers are those of ``lib.services.stored_analysis.analyse_stored``, but for what rounding does in the seventh
    digit. Embeddings that are deleted meanwhile are left out.

    Args:
        store: the library.
        engine: that of the embeddings; only texts and pictures new to the store are sent to it.
        prompt_set: at least one prompt is enabled.
        infos: one embedding per video, all of ``engine``.
        on_progress: called in this thread with videos done and videos in all, of those that are computed.
        cancel: when set, what is done by then is kept.

    Raises:
        Cancelled: ``cancel`` was set.
        EngineError: a text can't be embedded.
        PromptSetError, SettingsError: the prompt set can't be scored; see ``lib.analysis.analysis.analyse``.
    """
    path = _path(store, engine.id, prompt_set)
    known = _read(path)
    waiting = missing(known, infos)
    report, cancel = on_progress or (lambda done, total: None), cancel or threading.Event()
    new: dict[str, ClassifiedVideo] = {}
    try:
        with closing(_scored(store, engine, prompt_set, waiting)) as scored:
            for number, found in enumerate(scored):
                new |= found
                report(number, len(waiting))
                if cancel.is_set():
                    raise Cancelled("Stopped; the videos that are done are kept.")
    finally:
        if new:
            _write(path, known | new, {video.sha256 for video in store.videos()})
    outdated = {info.key.sha256 for info in waiting}
    found = {sha256: video for sha256, video in known.items() if sha256 not in outdated} | new
    return Classification({key: found[key] for info in infos if (key := info.key.sha256) in found}, len(new))


def known_classification(
    store: Store, engine_id: str, prompt_set: PromptSet, infos: Sequence[EmbeddingInfo]
) -> Classification:
    """Return what is known already of these embeddings; cheap, and no engine is needed."""
    known = _read(_path(store, engine_id, prompt_set))
    outdated = {info.key.sha256 for info in missing(known, infos)}
    return Classification({key: known[key] for info in infos if (key := info.key.sha256) not in outdated}, 0)


@dataclass(frozen=True)
class CategoryVideos:
    """The videos of some categories."""

    videos: frozenset[str]
    """SHA-256."""
    unknown: int
    """How many videos that are embedded with the categories' engine aren't classified yet, or not as they are now."""


def videos_of(store: Store, chosen: Mapping[SavedCategories, Iterable[str]]) -> CategoryVideos:
    """Return the videos of the labels chosen of each set, as far as that is known; cheap, and needs no engine.

    Of one set a video's category by share has to be any of the labels chosen, of several sets one of each.
    """
    found: list[frozenset[str]] = []
    unknown = 0
    for saved, labels in chosen.items():
        infos = embeddings_to_classify(store, saved.engine_id)
        known = known_classification(store, saved.engine_id, saved.prompt_set, infos).categories
        wanted = {label_key(label) for label in labels}
        bests = ((key, video.by_share) for key, video in known.items())
        found.append(frozenset(key for key, best in bests if best and label_key(best.label) in wanted))
        unknown += len(infos) - len(known)
    return CategoryVideos(frozenset.intersection(*found) if found else frozenset(), unknown)


def _scored(
    store: Store, engine: Engine, prompt_set: PromptSet, infos: Sequence[EmbeddingInfo]
) -> Generator[dict[str, ClassifiedVideo], None, None]:
    """Yield an empty result before the first video, then one with each; an empty one for a video that was deleted."""
    yield {}
    if not infos:
        return
    scorer = _Scorer(store, engine, prompt_set)

    def found(info: EmbeddingInfo) -> dict[str, ClassifiedVideo]:
        try:
            return {info.key.sha256: scorer.video(info)}
        except (NotStoredError, FileNotFoundError):
            return {}

    with one_core_each(), ThreadPoolExecutor(THREADS, thread_name_prefix="archive") as threads:
        yield from threads.map(found, infos)


class _Scorer:
    """Scores one video after another; what all of them need is computed once."""

    def __init__(self, store: Store, engine: Engine, prompt_set: PromptSet) -> None:
        self._store = store
        self._engine_id = engine.id
        self._prompt_set = prompt_set
        is_relative = prompt_set.settings.score == "relative"
        self._reference: ReferenceRows | None = reference_rows(store, engine) if is_relative else None
        self._rows = prompt_rows(prompt_set, vectors_of(store, engine, prompt_set), engine.id)

    def video(self, info: EmbeddingInfo) -> ClassifiedVideo:
        """Return what is found in one embedding.

        Raises:
            NotStoredError, FileNotFoundError: it was deleted meanwhile.
        """
        if info.complete:
            file, spread = opened(self._store, info, self._reference)
            samples, reference = _samples(info, file), _reference(spread)
        else:  # it may grow at any time
            samples = self._store.load(info.key)
            phrases = self._reference
            reference = None if phrases is None else reference_of(samples, phrases.vectors)
        analysis = analyse(
            samples,
            self._prompt_set,
            {},
            engine_id=self._engine_id,
            cosine=cosine_scores(samples.vectors, self._rows),
            change=None if self._prompt_set.settings.stop_at_cuts else np.zeros(len(samples)),
            reference=reference,
        )
        categories = categories_of(analysis)
        return ClassifiedVideo(info.version, categories, _poster_frame(categories, samples))


def _samples(info: EmbeddingInfo, file: VectorFile) -> Samples:
    """Return all samples of a complete embedding; its gaps follow from their times, and aren't looked up."""
    edges = np.stack([np.append(info.start_s, file.ends_s), np.append(file.times_s, info.end_s)], axis=1)
    gaps_s = edges[edges[:, 1] - edges[:, 0] > TIME_TOLERANCE_S]
    return Samples(file.frames, file.times_s, file.vectors(0, len(file)), info.end_s, gaps_s, info.start_s)


def _reference(spread: NDArray[np.float32] | None) -> Reference | None:
    """Return what a relative score needs of a reference."""
    if spread is None:
        return None
    median, scale = spread.T.astype(np.float64)
    return Reference(median, scale, low=np.nan, high=np.nan, low_relative=np.nan, peaks=())


def _poster_frame(categories: VideoCategories, samples: Samples) -> int | None:
    best = categories.by_share or categories.by_mean
    if best is None or best.peak_s is None:
        return int(samples.frames[len(samples) // 2]) if len(samples) else None
    return int(samples.frames[np.searchsorted(samples.times_s, best.peak_s)])


# --- kept results ---------------------------------------------------------------------------------------------------


def _path(store: Store, engine_id: str, prompt_set: PromptSet) -> Path:
    content = prompt_set.to_dict() | {"name": ""}  # the name changes no number
    text = json.dumps([engine_id, content], sort_keys=True)
    return store.paths.archive / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.parquet"


def _read(path: Path) -> dict[str, ClassifiedVideo]:
    """Return what is kept; nothing where there is no such file, or none that this version has written.

    It is read once for each state of the file, as a page asks in every run.
    """
    try:
        stat = path.stat()
    except OSError:
        return {}
    return _parsed(path, stat.st_size, (stat.st_ino, stat.st_mtime_ns))


@lru_cache(maxsize=4)
def _parsed(path: Path, size: int, _state: tuple[int, int]) -> dict[str, ClassifiedVideo]:
    if size > _MAX_BYTES:
        return {}
    try:
        table = pq.read_table(io.BytesIO(path.read_bytes()))
        if not table.schema.equals(_SCHEMA, check_metadata=False) or table.schema.metadata.get(b"format") != _FORMAT:
            return {}
        return _videos(table)
    except (OSError, pa.ArrowException, ValueError, KeyError, AttributeError):
        return {}


def _videos(table: pa.Table) -> dict[str, ClassifiedVideo]:
    columns = [table[name].to_pylist() for name in _SCHEMA.names]
    rows: dict[str, tuple[str, int | None, list[LabelInVideo]]] = {}
    for sha256, state, frame, label, role, present, *numbers, times_s in zip(*columns, strict=True):
        if role not in ROLES:
            raise ValueError("no role")
        pairs = tuple(zip(times_s[::2], times_s[1::2], strict=True))
        named: dict[str, Any] = dict(zip(NUMBERS, numbers, strict=True))
        found = rows.setdefault(sha256, (state, frame, []))
        found[2].append(LabelInVideo(label, role, present, **named, times_s=pairs))
    return {
        sha256: ClassifiedVideo(state, VideoCategories(tuple(labels)), frame)
        for sha256, (state, frame, labels) in rows.items()
    }


def _write(path: Path, videos: Mapping[str, ClassifiedVideo], there: Iterable[str]) -> None:
    """Write the results of the videos that are ``there``; the oldest results of other prompt sets may go."""
    there = set(there)
    columns: list[list[Any]] = [[] for _ in _SCHEMA]
    for sha256, video in videos.items():
        for one in video.categories.labels if sha256 in there else ():
            numbers = (getattr(one, name) for name in NUMBERS)
            times_s = [edge for pair in one.times_s for edge in pair]
            row = (sha256, video.state, video.poster_frame, one.label, one.role, one.present, *numbers, times_s)
            for column, value in zip(columns, row, strict=True):
                column.append(value)
    content = io.BytesIO()
    pq.write_table(
        pa.Table.from_arrays(
            [pa.array(column, field.type) for column, field in zip(columns, _SCHEMA, strict=True)], schema=_SCHEMA
        ),
        content,
    )
    with mapped_errors("keeping the archive's results"):
        path.parent.mkdir(exist_ok=True)
        write_atomically(path, content.getvalue())
        kept = sorted(path.parent.glob("*.parquet"), key=lambda file: file.stat().st_mtime, reverse=True)
        for old in kept[MAX_KEPT:]:
            old.unlink(missing_ok=True)
