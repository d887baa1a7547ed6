"""What is published: ``done/<id>.json`` says of one embedding where its table is, and what has to be in it.

::

    <address>
    ├── promptreel.json         the format; made once, which also proves that the storage can write conditionally
    ├── done/<id>.json          one published embedding (``Published``), made once and not changed while its table is
    │                           whole: only what a document here names counts
    ├── lance/samples-<id>…     its table of samples, as ``lib.store`` has it; made whole in one step
    ├── videos/<sha256>         the bytes of a video, where they are published too
    ├── parts/<id>/             what is embedded of a long video so far (``remote.parts``)
    └── sources/<hash>/<sha256> empty: a source (address, size, ETag) had these bytes (``services.remote_embedding``)
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lib.core.errors import RemoteError, RemoteMissingError
from lib.core.formatting import encodable
from lib.core.samples import Samples
from lib.core.sampling import Sampling
from lib.infra.documents import UNREADABLE, fields, flag, listed, optional, real, text, whole_within
from lib.remote.storage import Remote
from lib.store.embeddings import SAMPLES_PREFIX, EmbeddingKey
from lib.store.gaps import Gap
from lib.store.staging import Batch
from lib.store.videos import clean_name

DONE = "done"
VIDEOS = "videos"
LANCE = "lance"
MAX_SAMPLES = 50_000_000
"""Most samples of one embedding: 240 a second for more than two days."""
MAX_DIM = 16_384
MAX_SIZE = 1 << 50
MAX_PIXELS = 1 << 16
_MAX_GAPS = 100_000
_MAX_S = 1e9
_HEX = re.compile(r"[0-9a-f]{64}")
_TABLE = re.compile(rf"{SAMPLES_PREFIX}[0-9a-f]{{32}}(-[0-9a-f]{{8}})?")
_DOCUMENT = re.compile(rf"{DONE}/([0-9a-f]{{32}})\.json")


@dataclass(frozen=True)
class Published:
    """One published embedding."""

    key: EmbeddingKey
    engine_name: str
    dim: int
    samples: int
    start_s: float
    """Start of the video in seconds."""
    end_s: float
    """End of the video in seconds."""
    damage: str | None
    """What is lost of the video; None when it was read whole."""
    damage_after_s: float | None
    gaps: tuple[Gap, ...]
    name: str
    """Of the video, for people."""
    size_bytes: int
    """Of the video's file."""
    width: int
    """Displayed width of the video in pixels; 0 where unknown."""
    height: int
    """Displayed height in pixels; 0 where unknown."""
    browser_playable: bool
    """Whether browsers play the video's file as it is."""
    table: str
    """Name of the table of samples below ``lance/``."""
    content: str
    """SHA-256 of the samples (``Content``) as hex digits."""

    @property
    def id(self) -> str:
        """32 hex digits that stand for the embedding here and in a store."""
        return self.key.id

    @property
    def path(self) -> str:
        """Where its document is."""
        return done_path(self.id)

    @property
    def missing(self) -> int:
        """Samples that should be there and have no vector."""
        return sum(gap.missing for gap in self.gaps)

    def to_json(self) -> bytes:
        """Return its document."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1).encode()

    @classmethod
    def from_document(cls, data: dict[str, Any]) -> Published:
        """Return what a document says, checked; one of ``UNREADABLE`` is raised where it makes no sense."""
        published = cls(**fields(data, _READERS))
        in_order = all(gap.start_s < gap.end_s for gap in published.gaps)
        if not published.start_s <= published.end_s or not in_order or not _TABLE.fullmatch(published.table):
            raise ValueError("makes no sense")
        return published


def done_path(embedding_id: str) -> str:
    """Return where the document of an embedding is."""
    return f"{DONE}/{embedding_id}.json"


def video_path(sha256: str) -> str:
    """Return where the bytes of a video are, if they are published."""
    return f"{VIDEOS}/{sha256}"


def find(remote: Remote, embedding_id: str) -> Published | None:
    """Return one published embedding; None when it isn't there.

    Raises:
        RemoteError: its document makes no sense, or the storage can't be read.
    """
    if not remote.check_format():
        return None
    try:
        data = remote.document(done_path(embedding_id))
    except RemoteMissingError:
        return None
    try:
        published = Published.from_document(data)
        if published.id != embedding_id:
            raise ValueError("of another embedding")
    except UNREADABLE as error:
        raise RemoteError(
            f"What {remote} says of the embedding {embedding_id[:8]}… makes no sense; delete its document there "
            f"({done_path(embedding_id)}), then publish it again."
        ) from error
    return published


def published_ids(remote: Remote) -> list[str]:
    """Return the ids of all published embeddings, in order.

    Raises:
        RemoteError: the storage can't be read, or was written by another version.
    """
    if not remote.check_format():
        return []
    names = (_DOCUMENT.fullmatch(file.path) for file in remote.files(f"{DONE}/*.json"))
    return sorted(name[1] for name in names if name is not None)


class Content:
    """The hash of samples, the same however they come in batches."""

    def __init__(self) -> None:
        self.samples = 0
        self._parts = tuple(hashlib.sha256() for _ in range(4))

    def add(self, batch: Batch) -> None:
        """Take in samples that follow those so far."""
        frames, times, vectors, thumbnails = self._parts
        self.samples += len(batch.frames)
        frames.update(np.ascontiguousarray(batch.frames, "<i8").tobytes())
        times.update(np.ascontiguousarray(batch.times_s, "<f8").tobytes())
        vectors.update(np.ascontiguousarray(batch.vectors, "<f2").tobytes())
        for thumbnail in batch.thumbnails:
            thumbnails.update(b"-" if thumbnail is None else len(thumbnail).to_bytes(8, "little") + thumbnail)

    def hexdigest(self) -> str:
        """Return the hash as 64 hex digits."""
        return hashlib.sha256(b"".join(part.digest() for part in self._parts)).hexdigest()


def batch_of(rows: pa.RecordBatch) -> Batch:
    """Return rows of a table of samples."""
    vectors = rows["vector"].flatten().to_numpy(zero_copy_only=False)
    return Batch(
        rows["frame"].to_numpy(zero_copy_only=False),
        rows["time_s"].to_numpy(zero_copy_only=False),
        vectors.reshape(rows.num_rows, -1).astype(np.float32),
        rows["thumbnail"].to_pylist(),
    )


def check_fit(times_s: NDArray[np.float64], gaps: Sequence[Gap], start_s: float, end_s: float) -> None:
    """Raise ``ValueError`` unless times of samples and gaps fit each other, start and end, as loading them requires."""
    n, gaps_s = len(times_s), np.array([(gap.start_s, gap.end_s) for gap in gaps]).reshape(-1, 2)
    Samples(np.arange(n), times_s, np.empty((n, 0), np.float32), end_s, gaps_s, start_s)


def _hex(value: object) -> str:
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        raise ValueError("no SHA-256")
    return value


def _short(value: object) -> str:
    if len(text(value)) > 2000:
        raise ValueError("too long a text")
    return text(value)


def _name(value: object) -> str:
    return clean_name(encodable(_short(value)))


def _seconds(value: object) -> float:
    if not -_MAX_S <= real(value) <= _MAX_S:
        raise ValueError("no time")
    return real(value)


def _key(value: object) -> EmbeddingKey:
    key = EmbeddingKey(**fields(_object(value), _KEY_READERS))
    if Sampling.from_key(key.sampling_key).key != key.sampling_key:
        raise ValueError("written in another way")
    return key


def gaps_of(value: object) -> tuple[Gap, ...]:
    """Return the gaps in a document, checked; one of ``UNREADABLE`` is raised where they make no sense."""
    return tuple(Gap(**fields(_object(one), _GAP_READERS)) for one in listed(value, most=_MAX_GAPS))


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("no object")
    return value


_KEY_READERS: dict[str, Callable[[Any], Any]] = {
    "sha256": _hex,
    "engine_id": _short,
    "sampling_key": _short,
    "preprocessing": _short,
}
_GAP_READERS: dict[str, Callable[[Any], Any]] = {
    "start_s": _seconds,
    "end_s": _seconds,
    "missing": whole_within(0, MAX_SAMPLES),
}
_READERS: dict[str, Callable[[Any], Any]] = {
    "key": _key,
    "engine_name": _short,
    "dim": whole_within(1, MAX_DIM),
    "samples": whole_within(0, MAX_SAMPLES),
    "start_s": _seconds,
    "end_s": _seconds,
    "damage": optional(_short),
    "damage_after_s": optional(_seconds),
    "gaps": gaps_of,
    "name": _name,
    "size_bytes": whole_within(0, MAX_SIZE),
    "width": whole_within(0, MAX_PIXELS),
    "height": whole_within(0, MAX_PIXELS),
    "browser_playable": flag,
    "table": _short,
    "content": _hex,
}
