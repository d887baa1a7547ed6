"""Samples as Arrow tables and Parquet, as others read them."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lib.analysis.analysis import Analysis
from lib.core.errors import NotStoredError
from lib.core.sampling import Sampling
from lib.prompts.model import Prompt, PromptSet, Settings
from lib.services.stored_analysis import analyse_stored
from lib.services.tables import analysis_table, as_parquet, embedding_table
from lib.store.embeddings import EmbeddingInfo, EmbeddingKey
from lib.store.gaps import Gap
from lib.store.staging import Batch
from lib.store.store import Store
from tests.helpers.storing import unit_rows
from tests.helpers.toy_engine import ToyEngine

DIM, ROWS = 16, 30
LABELS = ("vector", "Straße, “nass”", "end_s")


@pytest.fixture
def embedded(store: Store, rng: np.random.Generator) -> EmbeddingInfo:
    """A video of one sample a second, of which 5 seconds are lost behind the tenth."""
    times_s = np.arange(ROWS) + 5.0 * (np.arange(ROWS) >= 10)
    return store.put(
        EmbeddingKey("a" * 64, "toy:1", "fps-1", "1"),
        [Batch(np.arange(ROWS) * 24, times_s, unit_rows(rng, ROWS, DIM), [b"jpeg"] * ROWS)],
        engine_name="Toy engine",
        dim=DIM,
        end_s=ROWS + 5.0,
        gaps=[Gap(10.0, 15.0, 120)],
        without_file=("film.mp4", 0),
    )


def analysed(store: Store, embedded: EmbeddingInfo, **settings: object) -> tuple[ToyEngine, Analysis]:
    prompt_set = PromptSet("test", tuple(map(Prompt, LABELS)), settings=Settings(**settings))  # type: ignore[arg-type]
    engine, video = ToyEngine(dim=DIM), store.video(embedded.key.sha256)
    return engine, analyse_stored(store, video, engine, Sampling.per_second(1), prompt_set)


def parquet(store: Store, embedded: EmbeddingInfo, engine: ToyEngine, analysis: Analysis, *, vectors: bool) -> bytes:
    video = store.video(embedded.key.sha256)
    return as_parquet(analysis_table(store, video, embedded, engine, analysis, vectors=vectors))


def test_a_stored_embedding_is_a_table(store: Store, embedded: EmbeddingInfo) -> None:
    table, samples = embedding_table(store, embedded.key), store.load(embedded.key)
    assert table.column_names == ["frame", "time_s", "end_s", "vector"]
    assert table["frame"].to_pylist() == samples.frames.tolist()
    assert table["time_s"].to_pylist() == samples.times_s.tolist()
    assert table["end_s"].to_pylist()[8:11] == [9.0, 10.0, 16.0]
    assert table.schema.field("vector").type == pa.list_(pa.float32(), DIM)
    assert (np.array(table["vector"].to_pylist(), np.float32) == samples.vectors).all()
    about = json.loads(table.schema.metadata[b"promptreel"])
    assert (about["video"]["name"], about["engine"]["id"], about["sampling"]) == ("film.mp4", "toy:1", {"fps": 1})
    assert embedding_table(store, embedded.key, vectors=False).column_names == ["frame", "time_s", "end_s"]


def test_an_embedding_that_is_not_there_is_no_table(store: Store) -> None:
    with pytest.raises(NotStoredError):
        embedding_table(store, EmbeddingKey("b" * 64, "toy:1", "fps-1", "1"))


@pytest.mark.parametrize("score", ["relative", "cosine"])
def test_pandas_reads_one_row_a_sample(store: Store, embedded: EmbeddingInfo, score: str) -> None:
    engine, analysis = analysed(store, embedded, score=score, decision="threshold", threshold=0.1)
    data = parquet(store, embedded, engine, analysis, vectors=False)
    frame = pd.read_parquet(io.BytesIO(data))
    scores = ["vector (score)", "Straße, “nass”", "end_s (score)"]
    cosines = [f"{label} (cosine)" for label in LABELS] if score == "relative" else []
    assert list(frame.columns) == ["frame", "time_s", "end_s", "label", "labels", *scores, *cosines]
    assert (frame[scores].to_numpy() == analysis.scores).all()
    assert [tuple(labels) for labels in frame["labels"]] == [
        tuple(label for label, there in zip(LABELS, row, strict=True) if there) for row in analysis.active
    ]
    assert {len(labels) for labels in frame["labels"]} >= {0, 1}
    assert [None if pd.isna(label) else label for label in frame["label"]] == list(analysis.sample_labels)
    about = json.loads(pq.read_schema(io.BytesIO(data)).metadata[b"promptreel"])
    assert [prompt["label"] for prompt in about["prompt_set"]["prompts"]] == list(LABELS)
    assert len(about["segments"]) == len(analysis.segments)


def test_vectors_come_along_where_asked_for(store: Store, embedded: EmbeddingInfo) -> None:
    engine, analysis = analysed(store, embedded, score="cosine")
    frame = pd.read_parquet(io.BytesIO(parquet(store, embedded, engine, analysis, vectors=True)))
    assert frame.columns[-1] == "vector"
    assert (np.stack(list(frame["vector"])) == analysis.samples.vectors).all()


@pytest.mark.parametrize("module", ["duckdb", "polars"])
def test_other_readers_say_the_same(store: Store, embedded: EmbeddingInfo, module: str, tmp_path: Path) -> None:
    reader = pytest.importorskip(module)
    engine, analysis = analysed(store, embedded, score="cosine")
    path = tmp_path / "samples.parquet"
    path.write_bytes(parquet(store, embedded, engine, analysis, vectors=True))
    if module == "duckdb":
        columns = reader.sql(f"SELECT time_s, \"Straße, “nass”\", vector FROM '{path}'").fetchnumpy()
        times_s, scores, vectors = columns.values()
    else:
        columns = reader.read_parquet(path)
        times_s, scores, vectors = (columns[name].to_list() for name in ("time_s", LABELS[1], "vector"))
    assert list(times_s) == analysis.samples.times_s.tolist()
    assert list(scores) == analysis.scores[:, 1].tolist()
    assert (np.array([list(row) for row in vectors], np.float32) == analysis.samples.vectors).all()
