"""Samples as Arrow tables: of a stored embedding, and with what a prompt set finds in them; as Parquet."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lib.analysis.analysis import Analysis
from lib.core.samples import Samples
from lib.core.sampling import Sampling
from lib.engines.engine import Engine
from lib.services.stored_analysis import report, sampling_document, video_document
from lib.store.embeddings import EmbeddingInfo, EmbeddingKey
from lib.store.store import Store
from lib.store.videos import Video

ABOUT = b"promptreel"
"""Key of the table's metadata that holds a JSON document: what the numbers are of, and how to get them again."""


def embedding_table(store: Store, key: EmbeddingKey, *, vectors: bool = True) -> pa.Table:
    """Return the samples of a stored embedding, one row each, in order of time.

    Columns: ``frame``, int64, from 0; ``time_s`` and ``end_s``, float64, the span in seconds that the sample stands
    for; ``vector``, if asked for, a list of as many float32 numbers as the engine's vectors have, of length 1. The
    metadata say under ``promptreel``, as JSON, of which ``video``, ``engine`` and ``sampling`` they are.

    Raises:
        NotStoredError: there is no such embedding.
        StoreError: it can't be read.
    """
    samples, info, video = store.load(key), store.embedding(key), store.video(key.sha256)
    about = {
        "video": video_document(video, samples, samples=len(samples)),
        "engine": {"id": key.engine_id, "name": info.engine_name, "dim": info.dim},
        "sampling": sampling_document(Sampling.from_key(key.sampling_key)),
    }
    return _table(_columns(samples, vectors=vectors), about)


def analysis_table(
    store: Store,
    video: Video,
    info: EmbeddingInfo,
    engine: Engine,
    analysis: Analysis,
    *,
    vectors: bool = False,
) -> pa.Table:
    """Return what a prompt set finds in each sample, one row each, in order of time.

    Columns: ``frame``, ``time_s`` and ``end_s`` as in ``embedding_table``; ``label``, text, the one with the highest
    score, null without any; ``labels``, a list of all that the sample has; for each label its score after smoothing
    and, behind relative scores, its cosine, float64, named as in ``Analysis.samples_frame``; ``vector`` if asked for.
    The metadata hold under ``promptreel`` the analysis as JSON, as the command ``analyze --json`` prints it.
    """
    frame = analysis.samples_frame()
    columns = _columns(analysis.samples, vectors=vectors)
    vector = {name: columns.pop(name) for name in ("vector",) if name in columns}
    columns["label"] = pa.array(analysis.sample_labels, pa.string())
    has = [[label for label, there in zip(analysis.labels, row, strict=True) if there] for row in analysis.active]
    columns["labels"] = pa.array(has, pa.list_(pa.string()))
    columns |= {name: pa.array(frame[name].to_numpy()) for name in frame.columns if name not in columns}
    return _table(columns | vector, report(store, video, info, engine, analysis, shots=True))


def as_parquet(table: pa.Table) -> bytes:
    """Return a table as a Parquet file."""
    file = io.BytesIO()
    pq.write_table(table, file, compression="zstd")
    return file.getvalue()


def _columns(samples: Samples, *, vectors: bool) -> dict[str, pa.Array]:
    columns = {
        "frame": pa.array(samples.frames),
        "time_s": pa.array(samples.times_s),
        "end_s": pa.array(samples.ends_s),
    }
    if vectors:
        numbers = pa.array(samples.vectors.ravel())
        columns["vector"] = pa.FixedSizeListArray.from_arrays(numbers, samples.vectors.shape[1])
    return columns


def _table(columns: Mapping[str, pa.Array], about: Mapping[str, Any]) -> pa.Table:
    return pa.table(dict(columns)).replace_schema_metadata({ABOUT: json.dumps(about)})
