"""The written queries over the sample videos, with the demo engine: in the library and on the command line."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lib.core.sampling import Sampling
from lib.engines.embedded import EmbeddedEngine
from lib.ingest.ingest import ingest
from lib.search.query import parse_query
from lib.services.search import SearchResult, engines_in_library, search
from lib.store.embeddings import EmbeddingKey
from lib.store.staging import Batch
from lib.store.store import Store
from lib.ui.search import run as page_search
from lib.ui.search.scope import SearchScope
from lib.ui.search.state import Search
from tests.helpers.fixtures import Run
from tests.helpers.storing import unit_rows

SAMPLES = Path(__file__).parents[2] / "sample_videos"
QUERIES: list[dict[str, Any]] = json.loads((SAMPLES / "queries.json").read_text(encoding="utf-8"))["queries"]
NEEDED = 27 / 30


@dataclass
class Embedded:
    home: Path
    store: Store
    engine: EmbeddedEngine


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """The sample videos, a frame in 20 embedded: about one a second."""
    home = tmp_path_factory.mktemp("samples") / "home"
    store, engine = Store(home), EmbeddedEngine("demo")
    for path in sorted(SAMPLES.glob("*.mp4")):
        ingest(store, store.add_file(path), engine, Sampling.every(20))
    yield Embedded(home, store, engine)
    engine.close()


@pytest.fixture
def run(library: Embedded, run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return what runs a search on the command line: status, stdout, lines of stderr."""
    monkeypatch.setenv("PROMPTREEL_HOME", str(library.home))
    return partial(run, "search")


def is_right(query: dict[str, Any], moment: dict[str, Any]) -> bool:
    """Whether the best sample lies in a right segment."""
    return any(
        right["video"] == moment["video"] and right["start_s"] <= moment["best_s"] < right["end_s"]
        for right in query["right"]
    )


def documents(result: SearchResult) -> list[dict[str, Any]]:
    return [moment.to_dict() for moment in result.moments]


def test_the_right_segment_comes_first(library: Embedded) -> None:
    wrong = [
        query["text"]
        for query in QUERIES
        if not is_right(query, documents(search(library.store, library.engine, parse_query(query["text"])))[0])
    ]

    assert len(QUERIES) >= 30
    assert len(QUERIES) - len(wrong) >= NEEDED * len(QUERIES), wrong


def test_moments_are_about_as_long_as_the_segments(library: Embedded) -> None:
    inside = []
    for query in QUERIES:
        first = documents(search(library.store, library.engine, parse_query(query["text"])))[0]
        inside += [
            (min(right["end_s"], first["end_s"]) - max(right["start_s"], first["start_s"]))
            / (max(right["end_s"], first["end_s"]) - min(right["start_s"], first["start_s"]))
            for right in query["right"]
            if right["video"] == first["video"] and right["start_s"] <= first["best_s"] < right["end_s"]
        ]

    assert sum(inside) / len(inside) >= 0.7


def test_the_page_and_the_command_line_find_the_same(
    library: Embedded, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    infos = {info.key.id: info for info in library.store.embeddings()}
    scope = SearchScope({}, library.engine, engines_in_library(library.store), infos)
    monkeypatch.setattr(page_search.st, "session_state", {})
    monkeypatch.setattr(page_search.cache, "store", lambda: library.store)
    for query in QUERIES[::3]:  # all take a while, and find the same
        typed = Search(text=query["text"], asked=query["text"])
        on_page = page_search.result_of(scope, typed, page_search.st.empty())

        status, out, _ = run(query["text"], "--json")

        document = json.loads(out)
        assert status == 0
        assert list(document) == ["query", "engine", "searched", "score_kind", "cut", "below_cut", "moments"]
        assert document["score_kind"] == on_page.score_kind == "relative"
        assert document["query"] == query["text"]
        assert document["engine"]["id"] == library.engine.id
        assert document["moments"] == documents(on_page)[: len(on_page.reaching)]
        assert document["below_cut"] == len(on_page.moments) - len(document["moments"])
        assert document["cut"] == on_page.cut <= document["moments"][-1]["score"]
        scores = [moment["score"] for moment in document["moments"]]
        assert scores == sorted(scores, reverse=True)


def test_words_to_avoid_go_behind(run: Run) -> None:
    plain = json.loads(run("football pitch", "--json")[1])["moments"]
    avoiding = json.loads(run("football pitch", "--not", "night", "--json")[1])["moments"]

    def at_night(moments: list[dict[str, Any]]) -> float:
        return next(m["score"] for m in moments if m["video"] == "advert_reel.mp4" and 36.5 <= m["best_s"] < 40.5)

    assert at_night(avoiding) < at_night(plain) - 0.1
    assert json.loads(run("football pitch - night", "--json")[1])["moments"] == avoiding


def test_a_picture_finds_its_scene(library: Embedded, run: Run, tmp_path: Path) -> None:
    store = library.store
    (key,) = [info.key for info in store.embeddings() if store.video(info.key.sha256).name == "advert_reel.mp4"]
    (thumbnail,) = store.thumbnails(key, [800]).values()  # at 33 s
    (tmp_path / "mountains.jpg").write_bytes(thumbnail)

    document = json.loads(run("--image", tmp_path / "mountains.jpg", "--top", 3, "--all", "--json")[1])

    assert document["score_kind"] == "cosine"
    assert "cosine" not in document["moments"][0]
    assert 31.0 <= document["moments"][0]["best_s"] < 35.0
    assert document["images"] == [str(tmp_path / "mountains.jpg")]
    assert len(document["moments"]) == 3


def test_cosine_is_one_option_away_and_stands_beside_relative_scores(library: Embedded, run: Run) -> None:
    relative = json.loads(run("snowy mountains", "--all", "--json")[1])
    cosine = json.loads(run("snowy mountains", "--score", "cosine", "--all", "--json")[1])

    assert (relative["score_kind"], cosine["score_kind"]) == ("relative", "cosine")
    plain = search(library.store, library.engine, parse_query("snowy mountains"), score="cosine")
    assert cosine["moments"] == documents(plain)
    of_frame = {(moment["sha256"], moment["best_frame"]): moment["score"] for moment in cosine["moments"]}
    both = [moment for moment in relative["moments"] if (moment["sha256"], moment["best_frame"]) in of_frame]
    assert both
    for moment in both:
        assert moment["cosine"] == pytest.approx(of_frame[moment["sha256"], moment["best_frame"]], abs=1e-5)
        assert moment["score"] != pytest.approx(moment["cosine"], abs=0.01)


def test_a_table_for_people(run: Run) -> None:
    status, out, err = run("snowy mountains", "--videos", "advert_reel.mp4", "--per-video", 2)

    lines = out.splitlines()
    assert status == 0
    assert lines[0].startswith("snowy mountains: 1 video, ")
    assert lines[0].endswith("; scores relative to unrelated phrases")
    assert lines[2].split() == ["video", "start", "end", "best", "score", "cosine"]
    assert len(lines) == 6
    assert re.fullmatch(r"1 moment below the cut at 0\.\d\d; --all lists it too\.", lines[5])
    assert err == []
    cut = float(lines[5].split("at ")[1].split(";")[0])
    assert float(lines[3].split()[4]) > cut
    every = run("snowy mountains", "--videos", "advert_reel.mp4", "--per-video", 2, "--all")[1].splitlines()
    assert every[:4] == lines[:4]
    assert len(every) == 5
    assert float(every[4].split()[4]) < cut


def test_the_templates_rules(run: Run) -> None:
    lower = json.loads(run("night", "--template-rules", "--threshold", "0.1", "--json")[1])["moments"]

    assert lower
    assert all(moment["score"] >= 0.1 and moment["end_s"] - moment["start_s"] > 1.2 for moment in lower)
    default = json.loads(run("night", "--template-rules", "--json")[1])["moments"]
    assert json.loads(run("night", "--template-rules", "--threshold", "0.25", "--json")[1])["moments"] == default
    assert len(default) < len(lower)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--threshold", "0.25"), True),
        (("--threshold", "0.25", "--score", "cosine"), False),
        (("--threshold", "0.25", "--score", "relative"), False),
        (("--threshold", "0.25", "--template-rules"), False),
        (("--threshold", "1.25"), False),
        (("--threshold", "0"), False),
    ],
)
def test_a_threshold_that_looks_like_a_cosine_is_told_of(run: Run, options: tuple[str, ...], told: bool) -> None:
    status, _, err = run("snowy mountains", *options)

    assert status == 0
    sentence = "The threshold 0.25 is taken for a relative score, of which 1.25 is a good one; add --score cosine"
    assert any(sentence in line for line in err) is told


def test_nothing_found_says_why(run: Run) -> None:
    assert run("red car", "--threshold", "19")[1].splitlines()[-1] == "Nothing reaches the threshold."
    with_rules = run("red car", "--template-rules", "--threshold", "0.9")[1]
    assert with_rules.splitlines()[-1] == "Nothing but single-frame hits reaches the threshold."


def test_other_engines_vectors_are_left_out_and_named(library: Embedded, run: Run) -> None:
    key = EmbeddingKey("0" * 64, "toy:1", "stride-10", "1")
    batch = Batch(np.arange(7), np.arange(7.0), unit_rows(np.random.default_rng(1), 7), [None] * 7)
    library.store.put(key, [batch], engine_name="Toy engine", dim=64, end_s=7.0, without_file=("elsewhere.json", 1))
    try:
        _, out, err = run("seaside", "--json")
    finally:
        library.store.delete_video(key.sha256)

    assert "left out: 7 samples of Toy engine (toy:1)" in "\n".join(err)
    assert json.loads(out)["moments"][0]["video"] in {"five_scenes.mp4", "advert_reel.mp4"}


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        ((), 1, "nothing to look for"),
        (("- night",), 1, "nothing to look for"),
        (("sea", "--top", "0"), 2, "no whole number from 1"),
        (("sea", "--threshold", "700"), 2, "no score from -20 to 20"),
        (("sea", "--threshold", "7", "--score", "cosine"), 2, "cosine"),
        (("sea", "--threshold", "7", "--template-rules"), 2, "cosine"),
        (("--image", "x.png", "--threshold", "7"), 2, "cosine"),
        (("--image", "x.png", "--score", "relative"), 2, "ranked by cosine"),
        (("sea", "--template-rules", "--score", "relative"), 2, "add --threshold 1.25"),
        (("sea", "--score", "probability"), 2, "invalid choice"),
        (("sea", "--videos", "nowhere.mp4"), 1, "there are: advert_reel.mp4"),
        (("sea", "--videos", "~nobody-here/x.mp4"), 1, "there are: advert_reel.mp4"),
        (("sea", "--engine", "folder:~nobody-here/x"), 1, "There is no model in ~nobody-here/x"),
        (("--image", "nowhere.png"), 1, "There is no picture nowhere.png; check its path."),
        (("--image", __file__), 1, "can't be read"),
        (("sea", "--stride", "5"), 2, "--stride"),
    ],
)
def test_wrong_input_is_reported_in_one_line(run: Run, arguments: tuple[str, ...], status: int, says: str) -> None:
    code, out, err = run(*arguments)

    assert (code, out) == (status, "")
    assert says in err[-1]


def test_an_empty_library_says_what_to_do(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMPTREEL_HOME", os.fspath(tmp_path / "new"))

    status, _, err = run("sea")

    assert status == 1
    assert "embed one first" in err[-1]
