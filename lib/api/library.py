"""A library: its videos, what is embedded of them, and the search over all of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType

import pyarrow as pa

from lib.api.arguments import all_checked
from lib.api.files import file_path, read_prompts, warn
from lib.api.results import Moments, Result
from lib.core.errors import Cancelled, InputError
from lib.core.labelled_intervals import TrueSegment
from lib.core.samples import Samples
from lib.core.sampling import Framing, Sampling
from lib.core.validation import number
from lib.engines.clip_versions import DEFAULT_VERSION
from lib.engines.engine import Engine
from lib.engines.registry import api_key_from_environment, default_engine, is_embedded
from lib.ingest.ingest import embedding_key, ingest
from lib.ingest.progress import Progress
from lib.prompts.model import WIDEST_THRESHOLDS, PromptSet
from lib.search.options import MAX_MOMENTS, SearchOptions
from lib.search.query import parse_query
from lib.search.relative import SearchScore
from lib.services import input_files
from lib.services.find_videos import find_videos
from lib.services.ground_truth import video_truth
from lib.services.open_engine import open_engine
from lib.services.picture_examples import add as add_picture
from lib.services.picture_examples import missing_pictures, picture_vectors
from lib.services.search import engines_in_library, search
from lib.services.stored_analysis import analyse_stored
from lib.services.tables import embedding_table
from lib.store.embeddings import EmbeddingInfo
from lib.store.home import default_home
from lib.store.store import Store
from lib.store.videos import Video

Report = bool | Callable[[Progress], None]


@all_checked
class Library:
    """The videos, vectors and texts under one folder, with one engine; the same as the dashboard's.

    It is also a context manager that closes the engine.

    Args:
        home: the folder; by default ``PROMPTREEL_HOME``, else ``~/.promptreel``. It is made where it is missing.
        engine: ``demo``, ``tinyclip``, ``clip``, ``siglip``, ``hub:OWNER/NAME``, ``folder:PATH`` or the address of an
            inference server; by default ``PROMPTREEL_ENGINE``, else ``demo``. Nothing is loaded or sent yet.
        model: of an inference server, such as ``ViT-B-16``.
        api_key: of an inference server; by default ``ROBOFLOW_API_KEY``. It is kept in memory alone.

    Raises:
        InputError, UnknownModelError: there is no such engine or model.
        StoreError: the folder can't be used, or another version has written it.
    """

    def __init__(
        self,
        home: str | Path | None = None,
        *,
        engine: str | None = None,
        model: str | None = None,
        api_key: str | None = None,
    ) -> None:
        spec = engine or default_engine()
        if model and is_embedded(spec):
            raise InputError(f"A model is chosen among those of an inference server, but the engine is {spec}.")
        self.home: Path = default_home() if home is None else file_path(home)
        self.store = Store(self.home)
        """What the rest of ``lib`` works with; ``lib.store.store.Store`` has its methods."""
        self.engine: Engine = open_engine(
            self.home, spec, model_version=model or DEFAULT_VERSION, api_key=api_key or api_key_from_environment()
        )
        """What turns frames and texts into vectors; ``lib.engines.engine.Engine`` has its attributes."""

    def __repr__(self) -> str:
        return f"Library({str(self.home)!r}, engine={self.engine.id!r})"

    def __enter__(self) -> Library:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the engine's model or connections."""
        self.engine.close()

    # Videos

    def videos(self) -> list[Video]:
        """Return all videos, oldest first."""
        return self.store.videos()

    def video(self, words: str | Path) -> Video:
        """Return the video of this name, path, or beginning of its SHA-256 (6 digits or more).

        Raises:
            InputError: there is none.
        """
        return self.store.video(find_videos(self.videos(), [str(words)])[0])

    def add(self, path: str | Path, *, name: str | None = None) -> Video:
        """Add a video file, which stays where it is, or return the video with the same bytes.

        Args:
            path: the file; its SHA-256 is taken, about 1 s per GB.
            name: name for people; default the file's.

        Raises:
            VideoError: missing, or not a video.
        """
        return self.store.add_file(file_path(path), name=name)

    # Embeddings

    def embed(
        self,
        video: Video | str | Path,
        *,
        stride: int | None = None,
        fps: float | str | None = None,
        framing: Framing | None = None,
        progress: Report = True,
        cancel: threading.Event | None = None,
    ) -> Embedding:
        """Embed what is missing of a video with the library's engine, and return its embedding.

        What is embedded is kept, whatever stops this; the next call goes on there. An embedding that is whole is
        returned at once.

        Args:
            video: of this library, or the path of a file, which is added.
            stride: every so many frames; default 10.
            fps: so many frames per second instead.
            framing: what of a frame the model sees, ``centre`` or ``whole``; default what it does by itself.
            progress: True draws a bar on stderr, False nothing; or a function that is called in this thread about ten
                times a second, with samples ``done``, ``total`` (maybe None), ``rate`` per second and ``eta_s``.
            cancel: set it from another thread to stop within about a second.

        Raises:
            InputError: the sampling makes no sense.
            VideoError: nothing of the file can be decoded. Damage raises nothing: ``Embedding.info`` has it, and it is
                a ``PromptreelWarning``.
            EngineError: the engine can't embed.
            StoreError: the disk is full, the file was moved, or the store can't be used.
            Cancelled: cancelled before the end.
        """
        sampling = _sampling(stride, fps, framing)
        stored = video if isinstance(video, Video) else self.add(video)
        with _reporting(stored.name, progress) as report:
            info = ingest(self.store, stored, self.engine, sampling, on_progress=report, cancel=cancel)
        if not info.complete:
            raise Cancelled(f"{stored.name}: cancelled after {info.samples:,} samples, which are kept.")
        if info.damage:
            warn([f"{stored.name}: {info.damage}"])
        return Embedding(self, stored, info)

    def embedding(
        self,
        video: Video | str | Path,
        *,
        stride: int | None = None,
        fps: float | str | None = None,
        framing: Framing | None = None,
    ) -> Embedding:
        """Return a stored embedding with the library's engine; nothing is decoded or embedded.

        Raises:
            InputError: there is no such video.
            NotStoredError: the video is not embedded so.
        """
        stored = video if isinstance(video, Video) else self.video(video)
        key = embedding_key(stored, self.engine, _sampling(stride, fps, framing))
        return Embedding(self, stored, self.store.embedding(key))

    def embeddings(self, video: Video | None = None) -> list[Embedding]:
        """Return all embeddings, or those of one video, oldest first, of all engines; incomplete ones too."""
        videos = {one.sha256: one for one in self.videos()}
        infos = self.store.embeddings(None if video is None else video.sha256)
        return [Embedding(self, videos[info.key.sha256], info) for info in infos if info.key.sha256 in videos]

    # Search

    def search(
        self,
        text: str = "",
        *,
        images: Sequence[str | Path] = (),
        videos: Sequence[Video | str | Path] | None = None,
        top: int = 20,
        per_video: int | None = None,
        threshold: float | None = None,
        score: SearchScore = "relative",
    ) -> Moments:
        """Return the moments of all embedded videos that match a query, best first.

        Args:
            text: what to look for; ``red car - night`` excludes night. May be empty where there are images.
            images: files of pictures to look for; ranked by cosine.
            videos: search these alone.
            top: moments at most, 1 to 1,000,000.
            per_video: moments of one video at most.
            threshold: score that a hit needs, -1 to 1 for cosines, else -1,000 to 1,000; None cuts by how scores are
                distributed.
            score: ``relative`` to everyday phrases, or ``cosine`` (-1 to 1).

        Raises:
            InputError: nothing to look for, a number is out of its range, a picture can't be read, or there is no such
                video.
            NotStoredError: nothing is embedded with the library's engine.
            EngineError: the words can't be embedded.
        """
        bounds = (-1.0, 1.0) if score == "cosine" else WIDEST_THRESHOLDS
        if threshold is not None:
            threshold = number(threshold, "The threshold is", *bounds, InputError, unit=score)
        for name, most in {"top": top, "per_video": per_video}.items():
            if most is not None:
                number(most, f"{name} is", 1, MAX_MOMENTS, InputError)
        pictures = [input_files.read_query_picture(file_path(path), self.engine.input_size) for path in images]
        query = parse_query(text, pictures)
        warn(self._unknown([*query.texts, *query.avoid]))
        chosen = None
        if videos is not None:
            chosen = tuple((one if isinstance(one, Video) else self.video(one)).sha256 for one in videos)
        options = SearchOptions(videos=chosen, threshold=threshold, top=top, per_video=per_video)
        return Moments(search(self.store, self.engine, query, options, score=score), self.store)

    def engines(self) -> list[str]:
        """Return the ids of the engines whose vectors are stored, the one with most samples first."""
        return [one.engine_id for one in engines_in_library(self.store)]

    # Words and pictures

    def add_picture(self, path: str | Path) -> str:
        """Keep a picture as an example for ``Prompt(pictures=…)``; return the SHA-256 that names it.

        Raises:
            InputError: it can't be read, or is no picture.
        """
        file = file_path(path)
        return add_picture(self.store, input_files.read_bytes(file, "picture", InputError), file.name)

    def _unknown(self, texts: Sequence[str]) -> Iterator[str]:
        words = self.engine.unknown_words(texts)
        if words:
            listed = ", ".join(repr(word) for word in words)
            yield f"{self.engine.name} has never seen {listed}: scores of these words mean nothing."


@all_checked
@dataclass(frozen=True, eq=False)
class Embedding:
    """The samples of one video with one engine and sampling."""

    library: Library
    video: Video
    """Name, size, rate, duration and path of the file."""
    info: EmbeddingInfo
    """Samples, engine, start and end in seconds, and what is damaged."""

    def __repr__(self) -> str:
        made = f"{self.info.samples:,} samples ({self.sampling.description}), {self.info.engine_name}"
        return f"Embedding({self.video.name!r}: {made})"

    @property
    def sampling(self) -> Sampling:
        """Which frames are embedded."""
        return Sampling.from_key(self.info.key.sampling_key)

    @cached_property
    def samples(self) -> Samples:
        """Frames int64 ``(n,)``, times in seconds float64 ``(n,)``, unit vectors float32 ``(n, d)``.

        Raises:
            NotStoredError: deleted meanwhile.
        """
        return self.library.store.load(self.info.key)

    def table(self, *, vectors: bool = True) -> pa.Table:
        """Return one row per sample as an Arrow table: frame, time_s, end_s and the unit vector (float32).

        Its metadata say what it is of; see ``lib.services.tables.embedding_table``.

        Raises:
            NotStoredError: deleted meanwhile.
        """
        return embedding_table(self.library.store, self.info.key, vectors=vectors)

    def thumbnail(self, frame: int) -> bytes | None:
        """Return the JPEG of a sample's frame, at most 256 pixels on its long side; None where there is none."""
        return self.library.store.thumbnails(self.info.key, [frame]).get(frame)

    @property
    def truth(self) -> tuple[TrueSegment, ...]:
        """The video's ground truth: what was saved in the dashboard, else what the file beside the video says.

        Raises:
            StoreDamagedError: what was saved can't be read.
        """
        return video_truth(self.library.store, self.video).segments

    def read_truth(self, path: str | Path) -> tuple[TrueSegment, ...]:
        """Return the ground truth of the video in a file of any format that the dashboard reads, in order of time.

        Lines that had to be left out are ``PromptreelWarning``.

        Raises:
            InputError: the file can't be read, or nothing in it.
        """
        file = file_path(path)
        parsed = input_files.read_truth(file, self.video, self.info.end_s)
        warn(f"{file.name}: {problem}" for problem in parsed.problems)
        return parsed.segments

    def analyse(self, prompts: PromptSet | str | Path) -> Result:
        """Return what a prompt set, or the one in a file, finds; texts that are not stored are embedded first.

        Raises:
            PromptSetError, SettingsError: the prompt set can't be read or scored.
            InputError: the embedding is of another engine than the library's.
            EngineError: a text can't be embedded.
        """
        library, engine = self.library, self.library.engine
        if engine.id != self.info.key.engine_id:
            raise InputError(
                f"{self.video.name} is embedded here with {self.info.engine_name} ({self.info.key.engine_id}), and the "
                f"library's engine is {engine.name}; open the library with the engine of the embedding."
            )
        prompt_set = prompts if isinstance(prompts, PromptSet) else read_prompts(prompts)
        warn(library._unknown(prompt_set.texts))
        if prompt_set.pictures:
            vectors = picture_vectors(library.store, engine, prompt_set.pictures)
            warn(missing_pictures(prompt_set, vectors))
        analysis = analyse_stored(library.store, self.video, engine, self.sampling, prompt_set)
        return Result(library.store, engine, self.video, self.info, analysis)


def _sampling(stride: int | None, fps: float | str | None, framing: Framing | None) -> Sampling:
    if stride is not None and fps is not None:
        raise InputError("Frames are sampled by stride or by fps; give one of both.")
    sampling = Sampling.per_second(fps) if fps is not None else Sampling.every(*(() if stride is None else (stride,)))
    return sampling.framed(framing)


@contextmanager
def _reporting(name: str, progress: Report) -> Iterator[Callable[[Progress], None] | None]:
    """Yield what is told of progress: a bar that is gone in the end, a function that was given, or nothing."""
    if not isinstance(progress, bool):
        yield progress
        return
    if not progress:
        yield None
        return
    from tqdm import tqdm

    with tqdm(desc=name, unit=" samples", leave=False) as bar:

        def show(now: Progress) -> None:
            bar.total = now.total
            bar.set_postfix_str(now.words, refresh=False)
            bar.update(now.done - bar.n)

        yield show
