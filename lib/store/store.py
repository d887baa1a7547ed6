"""Videos, embeddings and text vectors on disk (LanceDB), content-addressed.

The format, version 1
---------------------
::

    PROMPTREEL_HOME (default ~/.promptreel)
    ├── format.json           {"format": 1, …}; another version is refused, not converted
    ├── lance/                LanceDB tables: columnar, one commit per write
    │   ├── videos            sha256, name, path, owned, size_bytes, mtime_ns, duration_s (the end), rate, …
    │   ├── hashes            path, size_bytes, mtime_ns -> sha256: an unchanged file is not hashed again
    │   ├── embeddings        id, sha256, engine_id, sampling_key, preprocessing, engine_name, dim, complete,
    │   │                     samples, duration_s (the end), damage, size_bytes, created_at,
    │   │                     start_s, damage_after_s
    │   ├── samples-<id>      one table per embedding, one row per sample, in order of time: frame int64,
    │   │                     time_s float64, vector float16[dim], thumbnail JPEG (long side <= 256) or null
    │   ├── gaps              id, start_s, end_s, missing: stretches of an embedding without vectors
    │   ├── arriving-<id>     an embedding on its way in that comes whole; renamed when it is all there
    │   ├── texts-<engine>    key (SHA-256 of the text), text, vector float32[dim]
    │   ├── pictures-<engine> the same of picture examples, by the SHA-256 of their files
    │   └── search-<engine>-<n>   derived: pack, first, count int32, vector float16[dim] (``search_index``)
    ├── videos/<sha256>.mp4   uploads, kept by hash; a video opened by path stays there and is never deleted
    ├── proxies/<sha256>.mp4  playable copies
    ├── truth/<sha256>.json   ground truth that was edited or imported; <sha256>.json.damaged-<time> could not be read
    │                         categories.json: the true category of each video (``services.categories``)
    ├── damaged/              tables without a manifest that still held data
    ├── search/               derived: <id>.pack (``search_vectors``), <id>.spread (``search_spreads``), <engine>.npz
    │                         (``search_index_file``)
    ├── archive/              derived: <id>.parquet, what a prompt set finds in all videos (``services.archive``)
    ├── categories/           <id>.json, prompt sets saved as an archive's categories (``services.categories``)
    ├── incoming/             uploads on their way in
    ├── hosted/               jobs of the hosted service under way (no key, no signed URL), results on their way in
    ├── servers.json          derived: servers with other weights under a name (``services.server_identity``)
    ├── folders/              <id>.json, folders kept with the library and their files (``services.folders``)
    ├── queue.json            what is to be embedded, in order (``services.queue_file``); no key
    ├── speeds.json           derived: samples per second of each engine's last run (``ingest.speed``)
    ├── experiments/          <id>.json (``services.experiments``), <id>.matrix.json (``ui.matrix.settings``);
    │                         trash/: deleted ones (``services.documents``)
    ├── versions/             <id>.json, what an experiment was at a time; never changed (``services.versions``)
    ├── searches/             <experiment>.json and query pictures (``ui.search``)
    ├── pictures/             <SHA-256>.jpg, picture examples of prompts
    ├── remote/               <sha256>.json, where a video's file is that stays elsewhere (``remote.videos``)
    ├── exports/              clips: annotated, and segments cut out
    ├── models/               embedded models that were downloaded
    └── locks/                store.lock (each write), <id>.lock (one ingest per embedding)

* ``id``: the first 32 hex digits of SHA-256 over sha256, engine_id, sampling_key and preprocessing, one
  per line. Another file, model, stride or preprocessing is another embedding and can never show these vectors.
* Vectors are unit rows in float16, normalised again on loading: a cosine is at most 1e-4 off the float32 one
  (5e-5 seen at 512 numbers, 9e-5 at 128), and half the bytes are read.
* An embedding that is not ``complete`` holds a contiguous prefix of its samples; ingest goes on after it.
* One table per embedding rather than per engine: deleting is removing a folder (8 ms; 2.3 s in a table of
  200,000 samples), finishing rewrites this video only (not 850 MB), writers of two videos never meet; loading
  10,000 samples (30 ms) and searching 200,000 (0.2 to 0.4 s) take as long either way.
* Times are seconds, sizes bytes; nothing is pickled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lib.core.errors import NotStoredError, StoreError
from lib.store import staging
from lib.store.embeddings import EmbeddingInfo, EmbeddingKey, Embeddings
from lib.store.gaps import Gap
from lib.store.ground_truth import GroundTruthFiles, Truth
from lib.store.home import StoreFolder, StorePaths
from lib.store.litter import sweep_files
from lib.store.search_index import Indexes
from lib.store.search_spreads import SpreadFiles
from lib.store.search_vectors import VectorFiles
from lib.store.staging import Batch
from lib.store.text_vectors import TextVectors
from lib.store.videos import Video, Videos

if TYPE_CHECKING:
    import filelock

    from lib.core.labelled_intervals import TrueSegment
    from lib.core.samples import Samples
    from lib.engines.engine import Engine


CATALOGUES = ("videos", "embeddings", "gaps")


@dataclass(frozen=True, eq=False)
class Listing:
    """What there is to search."""

    embeddings: tuple[EmbeddingInfo, ...]
    """Oldest first; incomplete ones too."""
    names: Mapping[str, str]
    """SHA-256 of a video -> its name."""


class Store:
    """Everything kept on disk. Thread-safe; several processes may share one folder.

    Args:
        home: the folder; default ``PROMPTREEL_HOME``, else ``~/.promptreel``.

    Raises:
        StoreVersionError: the folder was written by another format version.
        StoreError: the folder can't be used.
    """

    def __init__(self, home: Path | None = None) -> None:
        self._folder = StoreFolder(home)
        self._videos = Videos(self._folder)
        self._embeddings = Embeddings(self._folder)
        self._text_vectors = TextVectors(self._folder)
        self._picture_vectors = TextVectors(self._folder, "pictures")
        self._ground_truth = GroundTruthFiles(self._folder)
        self._listing: tuple[object, Listing] | None = None
        self.vector_files = VectorFiles(self._folder, self._embeddings)
        self.spread_files = SpreadFiles(self._folder, self._embeddings)
        self.indexes = Indexes(self._folder, self.vector_files)
        self._clear_litter()

    def _clear_litter(self) -> None:
        """Remove what killed processes left, as far as nobody writes just now and anything may be written."""
        sweep_files(self.paths)
        if self._folder.has_trash() or staging.has_litter(self._folder):
            with suppress(StoreError), self._folder.writing(timeout_s=0):
                self._folder.empty_trash()
                staging.sweep(self._folder)
        if self._videos.has_half_deleted():
            with suppress(StoreError), self._folder.writing(timeout_s=0):
                self._videos.finish_deletions()

    @property
    def home(self) -> Path:
        """The store's folder."""
        return self._folder.paths.home

    @property
    def paths(self) -> StorePaths:
        """Where things lie in that folder."""
        return self._folder.paths

    # Videos

    def add_file(
        self,
        path: str | Path,
        *,
        name: str | None = None,
        sha256: str | None = None,
        move: bool = False,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> Video:
        """Add a video, or return the one with the same bytes.

        Args:
            path: the file. It is referenced where it lies, and read again whenever frames are needed.
            name: name for people; default the file's. A video that is known keeps its first name.
            sha256: hash of the bytes, where the caller has it already (an upload hashed on its way).
            move: take the file into the store (an upload). It is gone from ``path`` afterwards, also when the
                store had the bytes already; on an error it stays.
            on_progress: called with bytes hashed and bytes in all.

        Raises:
            VideoUnreadableError: missing, empty or not a video, or it changed while it was read.
            NoVideoStreamError: a media file without pictures.
        """
        return self._videos.add(Path(path), name=name, sha256=sha256, move=move, on_progress=on_progress)

    def videos(self) -> list[Video]:
        """Return all videos, oldest first."""
        return self._videos.all()

    def video(self, sha256: str) -> Video:
        """Return one video; ``NotStoredError`` when it is not there."""
        return self._videos.get(sha256)

    def file_path(self, sha256: str) -> Path:
        """Return the path of a video's bytes, checked: ``NotStoredError`` when they were moved or changed."""
        return self._videos.file_path(sha256)

    def proxy_path(self, sha256: str) -> Path:
        """Return where the playable copy of a video belongs; it need not be there yet."""
        return self._videos.proxy_path(sha256)

    def delete_video(self, sha256: str) -> int:
        """Delete a video with its embeddings, thumbnails, playable copy and saved truth; return the bytes freed.

        A referenced file stays where it is, with what lies beside it; an upload is deleted. A running ingest of
        it ends with ``NotStoredError``.
        """
        with self._folder.writing():
            self._videos.get(sha256)
            freed = self._embeddings.delete_of(sha256)
            freed += self._videos.delete(sha256)
            freed += self._ground_truth.forget_all(sha256)
            freed += self._folder.remove(self.paths.remote_video(sha256))
            with suppress(StoreError):  # what is left is swept after the next deletion
                self._sweep()
            return freed

    # Ground truth

    def saved_truth(self, sha256: str) -> Truth | None:
        """Return the saved truth of a video, in order of time; None while what lies beside its file counts.

        Raises:
            StoreDamagedError: what was saved can't be read; ``change_truth`` keeps it aside and begins anew.
        """
        return self._ground_truth.saved(sha256)

    def truth_version(self, video: Video) -> str:
        """Return a text that changes whenever the truth of ``video`` may have changed; costs one look at the disk."""
        return self._ground_truth.version(video.sha256, video.path)

    def change_truth(
        self,
        video: Video,
        change: Callable[[Truth], Sequence[TrueSegment]],
        beside: Callable[[], Truth] = tuple,
    ) -> Truth:
        """Save ``change`` of what was saved, while nothing else changes it, and return it in order of time.

        Args:
            video: a stored video.
            change: gets the present truth and returns the new one.
            beside: called where nothing was saved, for what lies beside the video.

        Raises:
            NotStoredError: the store has no such video (any more).
            StoreError: it can't be written.
        """
        with self._folder.writing():
            self._videos.get(video.sha256)
            return self._ground_truth.change(video.sha256, change, beside)

    def forget_truth(self, sha256: str, *, only: Truth | None = None) -> bool:
        """Delete the saved ground truth of a video, so that what lies beside its file counts again; return whether.

        With ``only``, it is deleted only while it is still that. A damaged file is kept, renamed.
        """
        return self._ground_truth.forget(sha256, only=only) > 0

    # Embeddings

    def embeddings(self, sha256: str | None = None) -> list[EmbeddingInfo]:
        """Return all embeddings, or those of one video, oldest first; incomplete ones too."""
        return self._embeddings.infos(sha256)

    def listing(self) -> Listing:
        """Return all embeddings and the names of all videos; costs next to nothing while they don't change."""
        there = [table for table in CATALOGUES if self._folder.exists(table)]
        version = tuple((table, self._folder.commits(table)) for table in there)
        if self._listing is None or None in dict(version).values() or self._listing[0] != version:
            infos = tuple(self.embeddings())
            listing = Listing(infos, {video.sha256: video.name for video in self.videos()})
            if not all(info.complete for info in infos):  # they grow without anything being written here
                return listing
            self._listing = version, listing
        return self._listing[1]

    def find_embedding(self, key: EmbeddingKey) -> EmbeddingInfo | None:
        """Return one embedding, or None when it is not there."""
        return self._embeddings.find(key)

    def embedding(self, key: EmbeddingKey) -> EmbeddingInfo:
        """Return one embedding; ``NotStoredError`` when it is not there."""
        info = self._embeddings.find(key)
        if info is None:
            raise NotStoredError("The video is not embedded with this engine and sampling; embed it first.")
        return info

    def load(self, key: EmbeddingKey) -> Samples:
        """Return the samples of an embedding, vectors float32 of unit length; thumbnails are not read.

        Of an incomplete embedding: what is there, ending one step after the last sample.

        Raises:
            NotStoredError: it is not there, or was deleted meanwhile.
        """
        return self._embeddings.load(key)

    def thumbnails(self, key: EmbeddingKey, frames: Iterable[int]) -> dict[int, bytes]:
        """Return JPEG thumbnails by frame index; frames that are no samples are left out."""
        return self._embeddings.thumbnails(key, frames)

    def delete_embedding(self, key: EmbeddingKey) -> int:
        """Delete one embedding; return the bytes freed."""
        freed = self._embeddings.delete(key)
        with suppress(StoreError):
            self._sweep()
        return freed

    def _sweep(self) -> None:
        """Remove what belongs to nothing any more."""
        with self._folder.writing():
            self._embeddings.sweep()
            self.vector_files.sweep()
            self.spread_files.sweep()
            self.indexes.sweep({info.key.engine_id for info in self._embeddings.infos()})

    # Writing an embedding (ingest)

    def ingest_lock(self, key: EmbeddingKey) -> filelock.BaseFileLock:
        """Return a new lock that one ingest of ``key`` holds at a time, over threads and processes."""
        return self._folder.lock_of(key.id)

    def begin(self, key: EmbeddingKey, *, engine_name: str, dim: int) -> EmbeddingInfo:
        """Return the embedding, made empty when it is not there.

        Raises:
            NotStoredError: the store has no such video.
            StoreError: it is there with vectors of another length.
        """
        with self._folder.writing():
            self._videos.get(key.sha256)
            return self._embeddings.begin(key, engine_name=engine_name, dim=dim)

    def append(
        self,
        key: EmbeddingKey,
        *,
        frames: Sequence[int] | NDArray[np.int64],
        times_s: Sequence[float] | NDArray[np.float64],
        vectors: NDArray[np.float32],
        thumbnails: Sequence[bytes],
    ) -> None:
        """Add samples that follow those stored, in one commit: all of them are kept, or none.

        Args:
            key: an embedding that was begun and is not complete.
            frames: frame indices ``(n,)``, increasing.
            times_s: presentation times in seconds ``(n,)``, increasing.
            vectors: unit rows ``(n, dim)``.
            thumbnails: ``n`` JPEGs.

        Raises:
            NotStoredError: the embedding was deleted meanwhile.
            StoreError: shapes or order are wrong, or the disk is full.
        """
        self._embeddings.append(key, frames=frames, times_s=times_s, vectors=vectors, thumbnails=thumbnails)

    def last_sample(self, key: EmbeddingKey) -> tuple[int, float] | None:
        """Return frame index and time in seconds of the last sample stored; None when there is none."""
        return self._embeddings.last_sample(key)

    def note_gaps(self, key: EmbeddingKey, gaps: Sequence[Gap], *, since_s: float = 0.0) -> None:
        """Replace the gaps of an embedding that begin at ``since_s`` seconds or later by those of ``gaps`` that do.

        Gaps are noted before the samples behind them are stored, so that whatever stops an ingest loses none.
        """
        self._embeddings.note_gaps(key, gaps, since_s=since_s)

    def gaps(self, key: EmbeddingKey) -> list[Gap]:
        """Return the stretches of an embedding without vectors, in order of time."""
        return self._embeddings.gaps(key)

    def finish(
        self, key: EmbeddingKey, *, end_s: float, damage: str | None = None, damage_after_s: float | None = None
    ) -> EmbeddingInfo:
        """Mark an embedding complete and compact its files. Its time line starts with its first sample or gap.

        Args:
            key: an embedding that was begun.
            end_s: end of the video in seconds, after the last sample.
            damage: what is lost of the video, for people, without its name; None when it was read whole.
            damage_after_s: time in seconds up to which it is whole.
        """
        return self._embeddings.finish(key, end_s=end_s, damage=damage, damage_after_s=damage_after_s)

    def put(
        self,
        key: EmbeddingKey,
        batches: Iterable[Batch],
        *,
        engine_name: str,
        dim: int,
        end_s: float | None,
        gaps: Sequence[Gap] = (),
        damage: tuple[str, float | None] | None = None,
        without_file: tuple[str, int] | tuple[str, int, float] | None = None,
    ) -> EmbeddingInfo:
        """Store an embedding that was computed elsewhere: none of it is visible before all of it is stored.

        Whatever stops it, an error of ``batches`` or a killed process, leaves nothing behind that shows.

        Args:
            key: not stored yet; what is there of it so far, incomplete, is replaced.
            batches: the samples, one commit per batch, in order.
            engine_name: for people.
            dim: length of the vectors.
            end_s: end of the video in seconds, after the last sample; None where samples are to follow (``append``).
            gaps: stretches without vectors, in order.
            damage: what is lost of the video, and up to which second it is whole; see ``finish``.
            without_file: name, size in bytes and start in seconds (0 by default), where the store has no such video: it
                then gets one without a file, of which ``key.sha256`` is the name only (``Video.has_file`` is False).

        Raises:
            StoreError: it is there already, or the disk is full.
        """

        def add_video() -> object:
            if without_file is None:
                return self._videos.get(key.sha256)
            name, size, start_s = (*without_file, 0.0)[:3]
            span_s = start_s, end_s or 0.0
            return self._videos.add_without_file(key.sha256, name=name, span_s=span_s, size_bytes=size)

        row = {"engine_name": engine_name, "dim": dim, "complete": end_s is not None, "duration_s": end_s or 0.0}
        row |= dict(zip(("damage", "damage_after_s"), damage or (None, None), strict=True))
        return self._embeddings.put(key, batches, row=row, gaps=gaps, first=add_video)

    def sample_index(self, key: EmbeddingKey) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return frame indices and times in seconds of the samples stored, ``(n,)``, in order."""
        return self._embeddings.index(key)

    def batches(self, key: EmbeddingKey, frames: Sequence[int]) -> Iterator[Batch]:
        """Yield the stored samples of ``frames``, increasing, in bounded parts; their vectors are those of the disk."""
        return self._embeddings.batches(key, frames)

    # Text vectors

    def text_vectors(self, engine_id: str, texts: Iterable[str]) -> dict[str, NDArray[np.float32]]:
        """Return the vectors of those texts that are stored, float32 ``(dim,)``, read-only."""
        return self._text_vectors.get(engine_id, texts)

    def some_text_vectors(self, engine_id: str, limit: int, *, but: str = "") -> dict[str, NDArray[np.float32]]:
        """Return up to ``limit`` texts of those stored, any but ``but``, with their vectors."""
        return self._text_vectors.some(engine_id, limit, but=but)

    def put_text_vectors(
        self, engine_id: str, vectors: Mapping[str, NDArray[np.float32]]
    ) -> dict[str, NDArray[np.float32]]:
        """Store text vectors and return those that count, read-only; a text that is there keeps its vector.

        Where they can't be stored they are kept in memory, and the log says so once: they can be computed again.
        """
        return self._text_vectors.put(engine_id, vectors)

    def picture_vectors(self, engine_id: str, pictures: Iterable[str]) -> dict[str, NDArray[np.float32]]:
        """Return stored vectors of picture examples by their SHA-256; see ``text_vectors``."""
        return self._picture_vectors.get(engine_id, pictures)

    def put_picture_vectors(
        self, engine_id: str, vectors: Mapping[str, NDArray[np.float32]]
    ) -> dict[str, NDArray[np.float32]]:
        """Store vectors of picture examples by their SHA-256; see ``put_text_vectors``."""
        return self._picture_vectors.put(engine_id, vectors)


def embed_texts_cached(store: Store, engine: Engine, texts: Iterable[str]) -> dict[str, NDArray[np.float32]]:
    """Return the unit vector of each text, float32 ``(dim,)``; only texts not stored reach the engine.

    Raises:
        EngineError: from the engine, for the texts that are missing.
    """
    wanted = list(dict.fromkeys(texts))
    vectors = store.text_vectors(engine.id, wanted)
    missing = [text for text in wanted if text not in vectors]
    if missing:
        new = dict(zip(missing, engine.embed_texts(missing), strict=True))
        vectors |= store.put_text_vectors(engine.id, new)
    return {text: vectors[text] for text in wanted}
