"""Embedding a stored video as a background job."""

from __future__ import annotations

import threading
from collections.abc import Callable

from lib.core.errors import Cancelled
from lib.core.sampling import Sampling
from lib.engines.engine import Engine
from lib.ingest.ingest import embedding_key, ingest
from lib.ingest.progress import Progress
from lib.services.jobs import Job, JobManager
from lib.store.embeddings import EmbeddingInfo
from lib.store.store import Store
from lib.store.videos import Video


def submit_embedding(jobs: JobManager, store: Store, video: Video, engine: Engine, sampling: Sampling) -> Job:
    """Queue the embedding of what is missing of a video, or return the job that does it already.

    These jobs share one queue: side by side they would only compete for the same cores or the same server.
    """

    def work(*, on_progress: Callable[[Progress], None], cancel: threading.Event) -> EmbeddingInfo:
        info = ingest(store, video, engine, sampling, on_progress=on_progress, cancel=cancel)
        if not info.complete:
            raise Cancelled(f"Cancelled; {info.samples:,} samples are kept.")
        return info

    key = embedding_key(video, engine, sampling)
    return jobs.submit(video.name, key, work, queue="embedding", sha256=video.sha256, unit="samples")
