"""A store of format 1 opens as before: ``data/`` has a home folder and the numbers that commit 22dd700 read from it.

A video of 6 s, red, green and blue for 2 s each, uploaded and embedded by the demo model at every 5th frame, with
ground truth, an index for searching, and an experiment with its comparison, matrix and search.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lib.analysis.analysis import analyse
from lib.core.labelled_intervals import TrueSegment
from lib.search.options import SearchOptions
from lib.search.relative import ReferenceRows, relative_query
from lib.services import catalogue, experiments
from lib.services.ground_truth import video_truth
from lib.services.search import index_state, search_vector
from lib.store.embeddings import EmbeddingInfo
from lib.store.store import Store
from lib.ui.matrix import settings as matrix_settings
from lib.ui.search import state as search_state
from tests.helpers.pages import open_page

DATA = Path(__file__).parent / "data"
EXPECTED: dict[str, Any] = json.loads((DATA / "store_format_1.json").read_text(encoding="utf-8"))
ENGINE: str = EXPECTED["embedding"]["engine_id"]
EXPERIMENT, BESIDE = "0123456789ab", "ba9876543210"


@pytest.fixture
def old_store(home: Path) -> Store:
    with tarfile.open(DATA / "store_format_1.tar.xz") as archive:
        archive.extractall(home.parent, filter="data")
    (home.parent / "home").rename(home)
    return Store(home)


@pytest.fixture
def info(old_store: Store) -> EmbeddingInfo:
    (info,) = old_store.embeddings()
    return info


def test_videos_and_embeddings_are_listed(old_store: Store, info: EmbeddingInfo) -> None:
    (video,) = old_store.videos()
    assert {name: getattr(video, name) for name in ("sha256", "name", "duration_s", "size_bytes")} | {
        "rate": str(video.rate)
    } == EXPECTED["video"]
    assert hashlib.sha256(old_store.file_path(video.sha256).read_bytes()).hexdigest() == video.sha256
    assert info.complete
    assert {
        "id": info.key.id,
        "engine_id": info.key.engine_id,
        "engine_name": info.engine_name,
        "samples": info.samples,
        "duration_s": info.duration_s,
        "created_at": info.created_at.isoformat(),
    } == EXPECTED["embedding"]


def test_samples_thumbnails_and_text_vectors_are_the_same(old_store: Store, info: EmbeddingInfo) -> None:
    samples = old_store.load(info.key)
    texts = old_store.text_vectors(ENGINE, EXPECTED["texts"])
    cosines = samples.vectors @ np.stack([texts[text] for text in EXPECTED["texts"]]).T
    thumbnails = old_store.thumbnails(info.key, samples.frames)

    assert samples.frames.tolist() == EXPECTED["frames"]
    assert samples.times_s.tolist() == EXPECTED["times_s"]
    np.testing.assert_allclose(cosines, EXPECTED["cosines"], atol=2e-6)
    digests = {str(frame): hashlib.sha256(jpeg).hexdigest() for frame, jpeg in thumbnails.items()}
    assert digests == EXPECTED["thumbnails"]


def test_ground_truth_is_the_same(old_store: Store) -> None:
    assert video_truth(old_store, old_store.videos()[0]).segments == (
        TrueSegment("red", 0.0, 2.0),
        TrueSegment("grün", 2.0, 4.0),
    )


def test_an_experiment_gives_the_same_analysis(old_store: Store, info: EmbeddingInfo) -> None:
    experiment = experiments.load(old_store.home, EXPERIMENT)
    assert experiment is not None
    assert (experiment.beside, experiment.sampling) == (BESIDE, "stride-5")
    assert [row.label for row in experiment.rows] == ["red", "green", "blue"]
    prompt_set, problems = experiment.prompt_set()
    assert prompt_set is not None
    assert problems == []

    texts = old_store.text_vectors(ENGINE, prompt_set.texts)
    document = analyse(old_store.load(info.key), prompt_set, texts).to_dict()

    for name in ("segments", "metrics"):
        for row, expected in zip(document[name], EXPECTED[name], strict=True):
            assert row == pytest.approx(expected, abs=2e-6)


def test_the_experiments_beside_it_its_matrix_and_its_search_are_the_same(old_store: Store) -> None:
    beside = experiments.load(old_store.home, BESIDE)
    assert beside is not None
    assert (beside.side, beside.name) == ("b", "two")
    assert [one.id for one in catalogue.listed(old_store.home, {}).choices] == [EXPERIMENT]
    matrix = matrix_settings.load(old_store.home, EXPERIMENT)
    assert (matrix.metric, matrix.label, matrix.sets) == ("f1", "red", ("now",))
    assert matrix.wordings == "a red wall\na wall"
    search = search_state.load(old_store.home, EXPERIMENT)
    assert search is not None
    assert (search.asked, search.top, search.bridge_s) == ("green", 7, 0.5)
    assert search.thresholds == {f"{ENGINE}|text": 0.1}


@pytest.mark.parametrize("exact", [True, False])
def test_a_search_finds_the_same_moments(old_store: Store, *, exact: bool) -> None:
    vector = old_store.text_vectors(ENGINE, ["green"])["green"]
    result = search_vector(old_store, ENGINE, vector, SearchOptions(top=5, exact=exact))

    assert index_state(old_store, ENGINE).samples == EXPECTED["indexed"]
    assert result.exact is exact
    for moment, expected in zip(result.moments, EXPECTED["moments"], strict=True):
        assert moment.to_dict() == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize("exact", [True, False])
def test_a_search_by_relative_score_derives_what_it_needs(old_store: Store, *, exact: bool) -> None:
    vector = old_store.text_vectors(ENGINE, ["green"])["green"]
    noise = np.random.default_rng(1).standard_normal((200, len(vector)))
    phrases = ReferenceRows((noise / np.linalg.norm(noise, axis=1, keepdims=True)).astype(np.float32))
    relative = relative_query(vector[None], np.empty((0, len(vector)), np.float32), phrases)
    result = search_vector(old_store, ENGINE, vector, SearchOptions(top=5, exact=exact), relative=relative)

    assert result.score_kind == "relative"
    best, expected = result.moments[0].to_dict(), EXPECTED["moments"][0]
    assert (best["sha256"], best["cosine"]) == (expected["sha256"], pytest.approx(expected["score"], abs=0.05))
    videos = [info for info in old_store.embeddings() if info.complete and info.key.engine_id == ENGINE]
    assert len(list(old_store.home.glob("search/*.spread"))) == len({info.key.sha256 for info in videos})


@pytest.mark.usefixtures("old_store")
@pytest.mark.parametrize("page", ["explore", "compare", "matrix", "search"])
def test_an_address_opens_the_experiment(page: str) -> None:
    app = open_page(f"pages/{page}.py", experiment=EXPERIMENT)

    assert not app.exception
    assert app.query_params["experiment"] == EXPERIMENT  # an unknown one would have got a new id
