"""Searching the stored library: exactly, by the index, and while others write."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import lib.services.search
from benchmarks.search import World
from lib.core.errors import InputError, NotStoredError
from lib.core.sampling import Sampling
from lib.search.distribution import Distribution
from lib.search.options import Rules, SearchOptions
from lib.search.query import Query, parse_query
from lib.search.relative import ReferenceRows, RelativeQuery, relative_query
from lib.services.search import (
    IndexProgress,
    Moment,
    SearchResult,
    build_index,
    engines_in_library,
    index_state,
    query_vector,
    sample_vector,
    search,
    search_vector,
)
from lib.services.search_backends import Ranking, compared
from lib.store import search_index, search_index_build
from lib.store.embeddings import EmbeddingKey
from lib.store.gaps import Gap
from lib.store.search_groups import group_rows
from lib.store.search_vectors import VectorFile
from lib.store.staging import Batch
from lib.store.store import Store
from tests.helpers.storing import unit_rows
from tests.helpers.toy_engine import ToyEngine

ENGINE = "toy:1"
DIM = 64
APART = Rules(bridge_s=0.0, fold=None)


def key_of(name: str, *, engine_id: str = ENGINE, sampling: Sampling | None = None) -> EmbeddingKey:
    sha256 = hashlib.sha256(name.encode()).hexdigest()
    return EmbeddingKey(sha256, engine_id, (sampling or Sampling.every(10)).key, "1")


def add(
    store: Store,
    name: str,
    vectors: NDArray[np.float32],
    *,
    engine_id: str = ENGINE,
    stride: int = 10,
    gaps: tuple[Gap, ...] = (),
) -> EmbeddingKey:
    """Store a video of 10 frames per second."""
    key = key_of(name, engine_id=engine_id, sampling=Sampling.every(stride))
    frames = np.arange(len(vectors)) * stride
    store.put(
        key,
        [Batch(frames, frames / 10, vectors, [None] * len(vectors))],
        engine_name=f"Toy {engine_id}",
        dim=vectors.shape[1],
        end_s=len(vectors) * stride / 10,
        gaps=gaps,
        without_file=(name, 0),
    )
    return key


def best_frames(result: SearchResult) -> list[tuple[str, int]]:
    return [(moment.video, moment.best_frame) for moment in result.moments]


@pytest.fixture
def library(store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """8 video-like videos of 1,500 samples, with an index whose cells are not all looked at."""
    monkeypatch.setattr(search_index_build, "CELLS_FROM", 300)
    monkeypatch.setattr(search_index, "LEAST_PROBED_CELLS", 6)
    world = World(DIM, themes=60)
    for number in range(8):
        add(store, f"video {number}", world.video(1_500, np.random.default_rng(number)))
    return store


def test_the_index_finds_what_comparing_everything_finds(library: Store) -> None:
    build_index(library, ENGINE)
    index = library.indexes.find(ENGINE)
    assert index is not None
    assert index.cells > 6

    world, rng, recalls = World(DIM, themes=60), np.random.default_rng(5), []
    for _ in range(10):
        query = world.words(rng)
        by_index = search_vector(library, ENGINE, query, SearchOptions(top=100, exact=False))
        exact = search_vector(library, ENGINE, query, SearchOptions(top=100, exact=True))
        recalls.append(len(set(best_frames(by_index)) & set(best_frames(exact))) / len(exact.moments))
        assert exact.exact
        assert exact.samples == by_index.samples == 12_000
        scores = {frame: m.score for frame, m in zip(best_frames(exact), exact.moments, strict=True)}
        for at, moment in zip(best_frames(by_index), by_index.moments, strict=True):
            assert moment.score == pytest.approx(scores.get(at, moment.score), abs=1e-5)
    assert np.mean(recalls) >= 0.9


def test_the_index_answers_by_itself_and_says_so(library: Store) -> None:
    build_index(library, ENGINE)
    query = World(DIM, themes=60).words(np.random.default_rng(1))

    result = search_vector(library, ENGINE, query, SearchOptions(top=5, exact=False))

    assert not result.exact
    assert result.distribution.estimated
    assert result.distribution.counts.sum() == pytest.approx(12_000, rel=0.05)
    assert not search_vector(library, ENGINE, query, SearchOptions(top=5)).distribution.estimated  # small: compared


@pytest.mark.parametrize("exact", [True, False])
def test_more_like_this_leaves_out_the_moment_it_begins_with(library: Store, exact: bool) -> None:
    build_index(library, ENGINE)
    key = key_of("video 3")
    query, at = sample_vector(library, key, 5_000), (key.sha256, 500.0)

    everything = search_vector(library, ENGINE, query, SearchOptions(top=5, rules=APART, exact=exact))
    others = search_vector(library, ENGINE, query, SearchOptions(top=4, rules=APART, exact=exact, origin=at))

    own = everything.moments[0]
    assert own.best_frame == 5_000
    assert own.start_s <= 500.0 < own.end_s
    assert others.exact is exact
    assert others.moments == everything.moments[1:]


def test_a_query_from_elsewhere_leaves_nothing_out(library: Store) -> None:
    query = sample_vector(library, key_of("video 3"), 5_000)
    for origin in [("0" * 64, 500.0), (key_of("video 3").sha256, 1e6)]:
        assert search_vector(library, ENGINE, query, SearchOptions(origin=origin)).moments[0].best_frame == 5_000


def test_the_first_search_tells_how_far_it_is_and_the_second_has_nothing_to_tell(library: Store) -> None:
    query, reports = World(DIM, themes=60).words(np.random.default_rng(1)), []

    first = search_vector(library, ENGINE, query, on_prepare=lambda *state: reports.append(state))

    assert reports == [(done, 12_000) for done in range(0, 12_001, 1_500)]
    reports.clear()
    again = search_vector(Store(library.home), ENGINE, query, on_prepare=lambda *state: reports.append(state))
    assert reports == []
    assert best_frames(again) == best_frames(first)


def test_a_first_search_that_is_overtaken_keeps_what_is_done(library: Store) -> None:
    class OvertakenError(Exception):
        pass

    def tell(done: int, total: int) -> None:
        if done >= 3_000:
            raise OvertakenError

    query, reports = World(DIM, themes=60).words(np.random.default_rng(1)), []
    with pytest.raises(OvertakenError):
        search_vector(library, ENGINE, query, on_prepare=tell)

    search_vector(library, ENGINE, query, on_prepare=lambda *state: reports.append(state))
    assert reports == [] or reports[0][1] <= 9_000


def test_many_moments_of_a_middling_library_are_found_by_comparing(
    library: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_index(library, ENGINE)
    monkeypatch.setattr(lib.services.search, "INDEX_FROM", 6_000)
    query = World(DIM, themes=60).words(np.random.default_rng(1))

    assert [search_vector(library, ENGINE, query, SearchOptions(top=top)).exact for top in (1, 50, 101)] == [
        False,
        False,
        True,
    ]


def test_new_videos_are_found_before_they_are_indexed(library: Store, rng: np.random.Generator) -> None:
    build_index(library, ENGINE)
    (new,) = unit_rows(rng, 1, DIM)
    before = search_vector(library, ENGINE, new, SearchOptions(top=3, exact=False))
    add(library, "new", np.stack([-new, new, -new]))

    result = search_vector(library, ENGINE, new, SearchOptions(top=3, exact=False))

    assert best_frames(result)[0] == ("new", 10)
    assert result.samples == 12_003
    assert not result.exact
    assert result.distribution.counts[[0, -1]].tolist() == [2, 1]
    assert result.distribution.counts.sum() == before.distribution.counts.sum() + 3
    assert index_state(library, ENGINE).missing == 3


def test_the_index_answers_for_chosen_videos_only(library: Store) -> None:
    build_index(library, ENGINE)
    query = sample_vector(library, key_of("video 3"), 5_000)
    others = tuple(key_of(f"video {number}").sha256 for number in (0, 1, 2, 4, 5, 6, 7))

    result = search_vector(library, ENGINE, query, SearchOptions(videos=others, rules=APART, top=60, exact=False))

    exact = search_vector(library, ENGINE, query, SearchOptions(videos=others, rules=APART, top=60, exact=True))
    assert not result.exact
    assert len(set(best_frames(result))) == len(result.moments) == 60
    assert len(set(best_frames(result)) & set(best_frames(exact))) >= 54
    assert result.videos == 7


def test_a_video_that_is_embedded_again_is_another_one_to_the_index(library: Store, rng: np.random.Generator) -> None:
    build_index(library, ENGINE)
    rows = unit_rows(rng, 1_500, DIM)

    library.delete_embedding(key_of("video 3"))
    add(library, "video 3", rows)

    assert index_state(library, ENGINE).missing == 1_500
    assert best_frames(search_vector(library, ENGINE, rows[700], SearchOptions(top=1, exact=False))) == [
        ("video 3", 7_000)
    ]


def test_the_rows_of_an_index_stand_for_all_samples_once(rng: np.random.Generator) -> None:
    vectors = np.repeat(unit_rows(rng, 9, DIM), (40, 1, 1, 17, 16, 3, 2, 1, 5), axis=0).astype(np.float16)
    n = len(vectors)
    factors = 1 / np.linalg.norm(vectors.astype(np.float32), axis=1)
    pack = VectorFile(np.arange(n), np.arange(n) * 1.0, np.arange(n) + 1.0, factors, DIM, vectors)
    mean = unit_rows(rng, 1, DIM)[0] / 2

    rows = group_rows(7, pack, mean)

    firsts, counts = (rows[name].to_numpy() for name in ("first", "count"))
    assert set(rows["pack"].to_pylist()) == {7}
    assert counts.tolist() == [16, 16, 8, 1, 1, 16, 1, 16, 3, 2, 1, 5]
    assert firsts.tolist() == [0, *np.cumsum(counts)[:-1]]
    stored = np.stack(rows["vector"].to_numpy(zero_copy_only=False)).astype(np.float32)
    np.testing.assert_allclose(stored + mean, (vectors * factors[:, None])[firsts], atol=2e-3)


def test_deleted_videos_disappear_with_their_files(library: Store) -> None:
    build_index(library, ENGINE)
    world = World(DIM, themes=60)
    text, relative = relative_of(np.random.default_rng(1), world, world.phrases())
    search_vector(library, ENGINE, text, relative=relative)
    assert len(list(library.home.glob("search/*.spread"))) == 8
    query = sample_vector(library, key_of("video 3"), 500)
    assert best_frames(search_vector(library, ENGINE, query, SearchOptions(exact=False)))[0] == ("video 3", 500)

    library.delete_video(key_of("video 3").sha256)

    assert "video 3" not in {
        moment.video for moment in search_vector(library, ENGINE, query, SearchOptions(exact=False)).moments
    }
    assert not list(library.home.glob(f"search/{key_of('video 3').id}*"))
    for number in (0, 1, 2, 4, 5, 6, 7):
        library.delete_video(key_of(f"video {number}").sha256)
    assert not list(library.home.glob("search/*"))
    assert not list(library.home.glob("lance/search-*"))


def test_an_index_of_another_process_is_taken_over(library: Store) -> None:
    other = Store(library.home)
    build_index(other, ENGINE)
    query = World(DIM, themes=60).words(np.random.default_rng(2))
    before = search_vector(library, ENGINE, query, SearchOptions(exact=False))
    old = library.indexes.find(ENGINE)

    add(other, "later", World(DIM, themes=60).video(500, np.random.default_rng(77)))
    build_index(other, ENGINE)  # and the table that this process has open is gone
    after = search_vector(library, ENGINE, query, SearchOptions(exact=False))

    assert old is not None
    assert not library.home.joinpath(f"lance/{old.table}.lance").exists()
    assert not before.exact
    assert not after.exact
    assert after.samples == before.samples + 500
    assert index_state(library, ENGINE).missing == 0


def test_building_tells_how_far_it_is_and_can_be_cancelled(library: Store) -> None:
    reports: list[IndexProgress] = []
    cancel = threading.Event()

    def stop(progress: IndexProgress) -> None:
        reports.append(progress)
        if len(reports) == 10:
            cancel.set()

    state = build_index(library, ENGINE, on_progress=stop, cancel=cancel)
    assert (state.samples, state.missing) == (0, 12_000)
    assert not list(library.home.glob("lance/search-*"))

    reports.clear()
    state = build_index(library, ENGINE, on_progress=reports.append)
    assert (state.samples, state.missing) == (12_000, 0)
    done = [progress.done for progress in reports if progress.phase == "collecting"]
    assert done == sorted(done)
    assert reports[-1] == IndexProgress("indexing", 12_000, 12_000)
    reports.clear()
    build_index(library, ENGINE, on_progress=reports.append)
    assert reports == []  # nothing is left to do


def test_two_that_build_at_once_make_one_index(library: Store) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(build_index, [Store(library.home), Store(library.home)], [ENGINE] * 2))

    assert index_state(library, ENGINE).missing == 0
    assert len(list(library.home.glob("lance/search-*"))) == 1


def test_an_index_pays_from_a_size_on(library: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not index_state(library, ENGINE).worthwhile
    monkeypatch.setattr(lib.services.search, "INDEX_FROM", 10_000)
    assert index_state(library, ENGINE).worthwhile
    build_index(library, ENGINE)
    assert not index_state(library, ENGINE).worthwhile
    query = World(DIM, themes=60).words(np.random.default_rng(1))
    assert not search_vector(library, ENGINE, query, SearchOptions(top=5)).exact
    assert search_vector(library, ENGINE, query, SearchOptions(top=5, videos=(key_of("video 1").sha256,))).exact


def test_what_is_derived_is_made_again_when_it_is_lost_or_broken(library: Store) -> None:
    build_index(library, ENGINE)
    query = World(DIM, themes=60).words(np.random.default_rng(3))
    before = best_frames(search_vector(library, ENGINE, query))
    for path in library.home.glob("search/*"):
        path.write_bytes(path.read_bytes()[:1_000])

    assert best_frames(search_vector(Store(library.home), ENGINE, query)) == before
    assert best_frames(search_vector(Store(library.home), ENGINE, query, SearchOptions(exact=False))) == before
    assert build_index(Store(library.home), ENGINE).missing == 0


def test_scores_are_those_of_the_samples(store: Store, rng: np.random.Generator) -> None:
    key = add(store, "noise", unit_rows(rng, 300, 512))
    (query,) = unit_rows(rng, 1, 512)

    result = search_vector(store, ENGINE, query, SearchOptions(top=300, threshold=-1.0))

    best = store.load(key).vectors @ query
    assert result.moments[0].score == pytest.approx(best.max(), abs=1e-6)
    assert result.moments[0].best_frame == 10 * best.argmax()
    assert (result.moments[0].start_s, result.moments[0].end_s) == (0.0, 300.0)


def test_a_gap_ends_a_moment(store: Store) -> None:
    rows = np.tile(np.eye(DIM, dtype=np.float32)[0], (4, 1)) + np.linspace(0.3, 0, 4)[:, None].astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    add(store, "holey", rows, stride=100, gaps=(Gap(12.0, 20.0, 8),))

    result = search_vector(store, ENGINE, np.eye(DIM, dtype=np.float32)[0], SearchOptions(threshold=0.2, rules=APART))

    assert [(moment.start_s, moment.end_s) for moment in result.moments] == [(20.0, 40.0), (0.0, 12.0)]


def test_only_the_engines_own_vectors_are_searched(store: Store, rng: np.random.Generator) -> None:
    vectors = unit_rows(rng, 20, DIM)
    add(store, "mine", vectors)
    add(store, "mine", unit_rows(rng, 5, DIM), engine_id="toy:2")
    add(store, "other", vectors, engine_id="toy:2")

    assert {moment.video for moment in search_vector(store, ENGINE, vectors[3]).moments} == {"mine"}
    engines = engines_in_library(store)
    assert [(e.engine_id, e.videos, e.samples) for e in engines] == [("toy:2", 2, 25), (ENGINE, 1, 20)]
    with pytest.raises(NotStoredError, match="search with Toy"):
        search_vector(store, "toy:3", vectors[3])


def test_of_several_embeddings_of_a_video_the_densest_is_searched(store: Store, rng: np.random.Generator) -> None:
    vectors = unit_rows(rng, 40, DIM)
    add(store, "twice", vectors[::2], stride=20)
    dense = add(store, "twice", vectors, stride=10)

    result = search_vector(store, ENGINE, vectors[4], SearchOptions(threshold=0.9))
    assert [moment.key for moment in result.moments] == [dense]
    assert result.samples == 40


def test_a_video_is_searched_while_it_is_embedded(store: Store, rng: np.random.Generator) -> None:
    vectors = unit_rows(rng, 30, DIM)
    add(store, "film", vectors[:1], engine_id="toy:2")  # so that the store knows the video
    key = key_of("film")
    store.begin(key, engine_name="Toy", dim=DIM)
    for part in (slice(0, 10), slice(10, 30)):
        frames = np.arange(30)[part] * 10
        store.append(key, frames=frames, times_s=frames / 10, vectors=vectors[part], thumbnails=[b"x"] * len(frames))
        assert search_vector(store, ENGINE, vectors[5]).samples == part.stop
    assert best_frames(search_vector(store, ENGINE, vectors[25]))[0] == ("film", 250)


def test_more_like_this_finds_the_sample_itself(store: Store, rng: np.random.Generator) -> None:
    key = add(store, "film", unit_rows(rng, 30, DIM))

    result = search_vector(store, ENGINE, sample_vector(store, key, 70))

    assert best_frames(result)[0] == ("film", 70)
    assert result.moments[0].score == pytest.approx(1, abs=1e-5)
    with pytest.raises(NotStoredError):
        sample_vector(store, key, 71)
    with pytest.raises(NotStoredError):
        sample_vector(store, replace(key, engine_id="toy:9"), 70)


def test_a_query_of_words_and_a_picture(store: Store) -> None:
    engine = ToyEngine()
    picture = np.full((40, 60, 3), 200, np.uint8)

    both = query_vector(engine, store, Query(("red",), (picture,)))

    parts = [query_vector(engine, store, query) for query in (Query(("red",)), Query(images=(picture,)))]
    np.testing.assert_allclose(both, np.sum(parts, axis=0) / np.linalg.norm(np.sum(parts, axis=0)), atol=1e-6)
    query_vector(engine, store, parse_query("red - red car"))
    assert engine.texts == ["red", "red car"]  # each once
    with pytest.raises(InputError):
        query_vector(engine, store, parse_query("- red"))


def test_searching_with_an_engine(store: Store) -> None:
    engine = ToyEngine()
    vectors = np.concatenate([engine.embed_texts(["a cat"]), engine.embed_texts(["a dog"])])
    add(store, "pets", vectors)

    result = search(store, engine, parse_query("a dog"), SearchOptions(threshold=0.9))

    assert best_frames(result) == [("pets", 10)]
    moment = result.moments[0]
    assert (moment.start_s, moment.end_s, moment.best_s) == (1.0, 2.0, 1.0)
    assert list(moment.to_dict()) == [
        *("video", "sha256", "start_s", "end_s", "best_s", "best_frame", "score", "cosine", "folded")
    ]


def test_what_makes_no_sense_is_refused(store: Store, rng: np.random.Generator) -> None:
    vectors = unit_rows(rng, 3, DIM)
    add(store, "film", vectors)

    for wrong in ({"top": 0}, {"per_video": 0}):
        with pytest.raises(InputError):
            SearchOptions(**wrong)
    with pytest.raises(InputError):
        search_vector(store, ENGINE, vectors[0, :5])
    with pytest.raises(NotStoredError, match="None of these videos"):
        search_vector(store, ENGINE, vectors[0], SearchOptions(videos=("0" * 64,)))


def relative_of(rng: np.random.Generator, world: World, phrases: ReferenceRows) -> tuple[Any, RelativeQuery]:
    text = world.text(rng)
    return text, relative_query(text[None], np.empty((0, DIM), np.float32), phrases)


def test_the_index_finds_by_relative_score_what_comparing_everything_finds(library: Store) -> None:
    build_index(library, ENGINE)
    world, rng = World(DIM, themes=60), np.random.default_rng(5)
    phrases, recalls, by_itself = world.phrases(), [], []
    for _ in range(10):
        text, relative = relative_of(rng, world, phrases)
        by_index, exact = (
            search_vector(library, ENGINE, text, SearchOptions(top=20, exact=exact), relative=relative)
            for exact in (False, True)
        )
        by_itself.append(not by_index.exact)
        assert exact.score_kind == by_index.score_kind == "relative"
        scores = {frame: m.score for frame, m in zip(best_frames(exact), exact.moments, strict=True)}
        recalls.append(len(set(best_frames(by_index)) & set(scores)) / len(scores))
        for at, moment in zip(best_frames(by_index), by_index.moments, strict=True):
            assert moment.score == pytest.approx(scores.get(at, moment.score), abs=1e-3)
    assert np.mean(recalls) >= 0.9
    assert np.mean(by_itself) >= 0.5
    first = by_index.distribution
    assert first.counts.sum() == pytest.approx(12_000, rel=0.05)


def test_a_relative_score_is_that_of_each_samples_own_phrases(store: Store, rng: np.random.Generator) -> None:
    world = World(DIM, themes=20)
    vectors = world.video(400, rng)
    key = add(store, "a", vectors)
    phrases = world.phrases()
    text, relative = relative_of(rng, world, phrases)

    (best,) = search_vector(store, ENGINE, text, SearchOptions(top=1), relative=relative).moments

    stored = store.load(key).vectors
    median, high = np.quantile(stored @ phrases.vectors.T, [0.5, 0.95], axis=1)
    expected = (stored @ text - median) / (high - median)
    assert best.best_frame == 10 * int(expected.argmax())
    assert best.score == pytest.approx(expected.max(), abs=1e-3)
    assert best.cosine == pytest.approx(float((stored @ text)[expected.argmax()]), abs=1e-5)


def test_a_frame_that_is_near_to_every_text_is_not_what_every_text_finds(store: Store) -> None:
    rng, world = np.random.default_rng(3), World(DIM, themes=40)
    phrases = world.phrases()
    vectors = world.video(60, rng)
    blank = 0.3 * vectors[30] + phrases.mean / np.linalg.norm(phrases.mean)
    vectors[30] = blank / np.linalg.norm(blank)
    add(store, "a", vectors)

    found: dict[str, list[int]] = {"relative": [], "cosine": []}
    for _ in range(60):
        text, relative = relative_of(rng, world, phrases)
        for kind, of in (("relative", relative), ("cosine", None)):
            found[kind].append(search_vector(store, ENGINE, text, relative=of).moments[0].best_frame)

    assert found["cosine"].count(300) > 50
    assert max(map(found["relative"].count, set(found["relative"]))) < 20


def test_what_relative_scores_need_is_derived_once_and_told(library: Store) -> None:
    world, rng, reports = World(DIM, themes=60), np.random.default_rng(1), []
    text, relative = relative_of(rng, world, world.phrases())
    search_vector(library, ENGINE, text)

    def look(store: Store, relative: RelativeQuery) -> SearchResult:
        reports.clear()
        return search_vector(store, ENGINE, text, relative=relative, on_prepare=lambda *state: reports.append(state))

    first = look(library, relative)
    assert reports == [(done, 12_000) for done in range(0, 12_001, 1_500)]
    again = look(Store(library.home), relative)
    assert reports == []
    assert again.moments == first.moments
    others = relative_query(text[None], np.empty((0, DIM), np.float32), world.phrases(seed=6))
    look(Store(library.home), others)
    assert reports[0] == (0, 12_000)
    assert look(Store(library.home), relative).moments == first.moments


def test_pictures_are_ranked_by_cosine_and_words_by_either(store: Store) -> None:
    engine = ToyEngine()
    add(store, "pets", engine.embed_texts(["a cat", "a dog"]))
    picture = np.full((32, 32, 3), 90, np.uint8)

    assert search(store, engine, parse_query("a dog")).score_kind == "relative"
    assert search(store, engine, parse_query("a dog - a cat")).score_kind == "relative"
    assert search(store, engine, parse_query("a dog"), score="cosine").score_kind == "cosine"
    for query in (Query(images=(picture,)), Query(("a dog",), (picture,))):
        result = search(store, engine, query, score="relative")
        assert result.score_kind == "cosine"
        assert result.moments[0].cosine is None


def test_a_video_is_searched_by_relative_score_while_it_is_embedded(store: Store) -> None:
    world, rng = World(DIM, themes=20), np.random.default_rng(2)
    vectors, key = world.video(30, rng), key_of("film")
    text, relative = relative_of(rng, world, world.phrases())
    add(store, "film", vectors[:1], engine_id="toy:2")  # so that the store knows the video
    store.begin(key, engine_name="Toy", dim=DIM)
    for part in (slice(0, 10), slice(10, 30)):
        frames = np.arange(30)[part] * 10
        store.append(key, frames=frames, times_s=frames / 10, vectors=vectors[part], thumbnails=[b"x"] * len(frames))
        assert search_vector(store, ENGINE, text, relative=relative).samples == part.stop
    assert not list(store.home.glob("search/*"))


def test_two_searches_that_open_a_growing_video_at_different_times_both_answer(store: Store) -> None:
    world, rng = World(DIM, themes=20), np.random.default_rng(2)
    vectors, key = world.video(30, rng), key_of("film")
    text, relative = relative_of(rng, world, world.phrases())
    add(store, "film", vectors[:1], engine_id="toy:2")  # so that the store knows the video
    store.begin(key, engine_name="Toy", dim=DIM)

    def append(part: slice) -> None:
        frames = np.arange(30)[part] * 10
        store.append(key, frames=frames, times_s=frames / 10, vectors=vectors[part], thumbnails=[b"x"] * len(frames))

    append(slice(0, 10))
    (listed,) = [info for info in store.embeddings() if info.key == key]
    ranking = Ranking(text, relative)
    assert compared(store, [listed], ranking, SearchOptions()).samples == 10
    append(slice(10, 30))
    store.vector_files.forget([])  # as when another search, which listed the same, has kept its samples

    assert compared(store, [listed], ranking, SearchOptions()).samples == 30


@pytest.mark.parametrize("scores", [[0.9, 0.8, 0.2], [0.5, 0.5, 0.5], [0.9]])
def test_automatic_cuts_halfway_between_the_median_and_the_best_score(scores: list[float]) -> None:
    moments = tuple(
        Moment(EmbeddingKey("v", "e", "stride-1", "1"), "video", 0.0, 1.0, 0.0, 0, score) for score in scores
    )
    rest = [0.1] * 50 if len(scores) == 3 and scores[2] == 0.2 else []
    distribution = Distribution.of(np.array([*scores, *rest], np.float32))
    result = SearchResult(moments, distribution, 1, 3, True, "cosine", 0.1)
    assert result.cut is not None
    assert [moment.score for moment in result.reaching] == [score for score in scores if score >= 0.5]
    assert replace(result, threshold=0.1).cut is None
    assert replace(result, threshold=0.1).reaching == moments
    assert replace(result, moments=()).reaching == ()
