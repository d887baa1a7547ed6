"""Running hosted jobs, one small file each in the store's folder, so that they can be resumed after a restart.

A record has the job's id and its subject. It never has the key or a signed URL.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from lib.core.errors import PromptreelError, StoreError
from lib.core.sampling import Sampling
from lib.engines.clip_versions import MODEL_VERSIONS
from lib.engines.engine import PREPROCESSING
from lib.engines.hosted import HOSTED_VERSION, hosted_id
from lib.infra.files import write_atomically
from lib.store.embeddings import EmbeddingKey
from lib.store.home import StorePaths

_FORMAT = 1


@dataclass(frozen=True)
class JobRecord:
    """A job that was started and whose results are not in the store yet."""

    job_id: str
    sha256: str
    """The video."""
    name: str
    """The video's name, for people."""
    sampling_key: str
    started_at: float
    """Seconds since 1970."""

    @property
    def key(self) -> EmbeddingKey:
        """The embedding that it leads to."""
        return hosted_key(self.sha256, Sampling.from_key(self.sampling_key))


def hosted_key(sha256: str, sampling: Sampling) -> EmbeddingKey:
    """Return the key of a video's embedding by the hosted service."""
    return EmbeddingKey(sha256, hosted_id(MODEL_VERSIONS[HOSTED_VERSION]), sampling.key, PREPROCESSING)


def folder(home: Path) -> Path:
    """Return the folder of records and of results being fetched; it is made when missing."""
    path = StorePaths(home).hosted
    try:
        path.mkdir(exist_ok=True)
    except OSError as error:
        raise StoreError(f"{path} can't be made ({error.strerror}); make the store's folder writable.") from error
    return path


def save(home: Path, record: JobRecord) -> None:
    """Write a record whole or not at all, readable by this user only.

    Raises:
        StoreError: it can't be written; the message has the job's id, so that it is not lost.
    """
    path = _path(home, record.key)
    text = json.dumps({"format": _FORMAT, **asdict(record)}, ensure_ascii=False, indent=1)
    try:
        write_atomically(path, text, mode=0o600)
    except OSError as error:
        raise StoreError(
            f"The hosted job {record.job_id} was started but can't be noted ({error.strerror}); free some space."
        ) from error


def find(home: Path, key: EmbeddingKey) -> JobRecord | None:
    """Return the record of the job that leads to ``key``, None when there is none."""
    return _read(_path(home, key))


def pending(home: Path) -> list[JobRecord]:
    """Return all records, oldest first."""
    records = [_read(path) for path in StorePaths(home).hosted.glob("*.job.json")]
    return sorted((record for record in records if record is not None), key=lambda record: record.started_at)


def forget(home: Path, key: EmbeddingKey) -> None:
    """Remove a record; harmless when there is none."""
    _path(home, key).unlink(missing_ok=True)


def _path(home: Path, key: EmbeddingKey) -> Path:
    return folder(home) / f"{key.id}.job.json"


def _read(path: Path) -> JobRecord | None:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data.pop("format") != _FORMAT:
            return None
        record = JobRecord(**data)
        Sampling.from_key(record.sampling_key)
        return record
    except (OSError, ValueError, TypeError, KeyError, AttributeError, PromptreelError):
        return None
