from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from lib.analysis.analysis import analyse, prompt_cosines
from lib.core.errors import BadReplyError, PromptSetError, SettingsError
from lib.core.samples import Samples
from lib.prompts.model import Prompt, PromptSet, Settings, Smoothing
from lib.prompts.parsing import prompt_set_from_dict
from tests.helpers.arrays import analyse_scores, every, prompt_set, samples_at, spans_of, unit_rows

RATE, STRIDE = 24, 10
SCENES = ("street", "park", "construction site", "shipyard", "beach")
STARTS_S = (0.0, 3.5, 7.0, 10.0, 13.0)
END_S = 17.5


@pytest.fixture
def five_scenes(rng: np.random.Generator) -> Samples:
    """42 samples of a clip of five scenes, each with a direction of its own and a little noise."""
    times = np.arange(42) * STRIDE / RATE
    scene = np.searchsorted(STARTS_S, times, side="right") - 1
    vectors = np.eye(8)[scene] + rng.normal(scale=0.05, size=(42, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Samples(np.arange(42) * STRIDE, times, vectors.astype(np.float32), END_S)


@pytest.fixture
def texts() -> dict[str, NDArray[np.float32]]:
    """Directions of the prompts; "construction site" is a little like a shipyard, too."""
    eye = np.eye(8, dtype=np.float32)
    named = dict(zip(SCENES, eye[:5], strict=True))
    return {
        "construction site": eye[2] + 0.6 * eye[3],
        "shipyard": named["shipyard"],
        "something else": eye[0] + eye[1] + eye[4],
    }


def test_two_prompts_show_the_published_failure(five_scenes: Samples, texts: dict[str, NDArray[np.float32]]) -> None:
    """Without a prompt of its own the shipyard counts as construction site: about 6 s instead of 3."""
    chosen = prompt_set("construction site", "something else", background=["something else"])
    analysis = analyse(five_scenes, chosen, texts)
    site, other = analysis.metrics
    assert site.duration_s == pytest.approx(15 * STRIDE / RATE)
    assert spans_of(analysis.segments, "construction site") == [(7.083333, 13.333333)]
    assert analysis.answers[0].startswith("6.")
    assert other.share == pytest.approx(27 / 42)


def test_adding_the_prompt_shipyard_fixes_it(five_scenes: Samples, texts: dict[str, NDArray[np.float32]]) -> None:
    analysis = analyse(five_scenes, prompt_set(*texts, background=["something else"]), texts)
    assert analysis.answers[0] == "2.9 s, 17 %, first 0:07.1"
    assert spans_of(analysis.segments, "construction site") == [(7.083333, 10.0)]
    assert spans_of(analysis.segments, "shipyard") == [(10.0, 13.333333)]
    assert spans_of(analysis.segments, "something else") == [(0.0, 7.083333), (13.333333, 17.5)]
    assert analysis.metrics[0].segments == 1
    assert analysis.metrics[2].longest_s == pytest.approx(17 * STRIDE / RATE)


def test_the_cuts_are_the_spikes_and_the_most_changed_samples(five_scenes: Samples) -> None:
    analysis = analyse_scores(np.zeros((42, 1)), prompt_set("a"), five_scenes)
    cuts = [9, 17, 24, 32]
    assert np.flatnonzero(analysis.spikes).tolist() == cuts
    assert sorted(analysis.most_changed_samples(20)) == cuts  # and no others


def test_scores_are_compared_with_thresholds_after_smoothing() -> None:
    settings = {"decision": "threshold", "threshold": 0.5, "smoothing": Smoothing("median", 3)}
    analysis = analyse_scores([[0.0], [0.9], [0.0], [0.9], [0.9], [0.0]], prompt_set("a", **settings))
    assert analysis.raw[:, 0].tolist() == [0.0, 0.9, 0.0, 0.9, 0.9, 0.0]
    assert analysis.active[:, 0].tolist() == [False, False, True, True, True, False]


def test_answers_say_why_a_label_is_absent() -> None:
    scores = [[0.212, 0.30, 0.1], [0.1, 0.26, 0.1]]
    analysis = analyse_scores(scores, prompt_set("a", "b", "c", decision="threshold", threshold=0.25))
    assert analysis.answers == (
        "not found (best score 0.21, threshold 0.25)",
        "2.0 s, 100 %, first 0:00.0",
        "not found (best score 0.10, threshold 0.25)",
    )
    best = analyse_scores(scores, prompt_set("a", "b", "c", decision="best"))
    assert best.answers[0] == "not found (best score 0.21)"
    negative = analyse_scores([[-0.03, 0.5]], prompt_set("a", "b", decision="best"))
    assert negative.answers[0] == "not found (best score −0.03)"


def test_answers_tell_a_peak_from_a_threshold_just_above_it() -> None:
    analysis = analyse_scores([[0.2496]], prompt_set("a", decision="threshold", threshold=0.25))
    assert analysis.answers[0] == "not found (best score 0.2496, threshold 0.2500)"


def test_answers_say_when_only_the_minimum_duration_stands_in_the_way() -> None:
    chosen = prompt_set("a", "x", background=["x"], min_duration_s=2.0)
    analysis = analyse_scores([[0, 1], [0, 1], [1, 0], [0, 1], [0, 1]], chosen)
    assert analysis.answers[0] == "not found (best score 1.00, only in pieces shorter than 2 s)"


def test_answers_of_a_background_that_was_bridged_over() -> None:
    chosen = prompt_set("a", "x", background=["x"], bridge_s=1.0)
    analysis = analyse_scores([[1, 0], [0, 1], [1, 0]], chosen)
    why = "only in gaps that were merged or pieces that were too short"
    assert analysis.answers[1] == f"not found (best score 1.00, {why})"


@pytest.mark.parametrize(
    ("n", "found", "share"), [(1000, 1, "under 1 %"), (1000, 999, "over 99 %"), (200, 1, "0 %"), (8, 1, "12 %")]
)
def test_shares_are_rounded_without_becoming_none_or_all(n: int, found: int, share: str) -> None:
    scores = [[1.0]] * found + [[0.0]] * (n - found)
    analysis = analyse_scores(scores, prompt_set("a", decision="threshold", threshold=0.5))
    assert f", {share}, first " in analysis.answers[0]


def test_times_in_answers_go_on_beyond_an_hour() -> None:
    samples = samples_at([0.0, 3725.25], 4000.0)
    analysis = analyse_scores([[0.0], [1.0]], prompt_set("a", decision="threshold", threshold=0.5), samples)
    assert analysis.answers[0] == "4 min 35 s, 7 %, first 1:02:05.2"


def test_best_samples_are_the_highest_and_no_neighbours() -> None:
    scores = np.zeros((60, 1))
    scores[20:26, 0] = 0.7, 0.8, 0.9, 0.85, 0.8, 0.7
    scores[50, 0] = 0.6
    analysis = analyse_scores(scores, prompt_set("a"), every(0.4, 60))
    found = analysis.best_samples("a", 3)
    assert found[0] == 22
    assert found[1] in (25, 50)
    assert 50 in found
    gaps = np.diff(np.sort(found))
    assert (gaps >= 3).all()  # 1 s at 0.4 s a sample


def test_samples_far_apart_are_never_neighbours_even_when_the_step_is_long() -> None:
    analysis = analyse_scores(np.linspace(0, 1, 9)[:, None], prompt_set("a"), every(10.0, 9))
    assert analysis.best_samples("a", 3) == [8, 6, 4]


def test_only_frames_with_the_label_are_its_best_ones() -> None:
    """A sheet had "construction site, best" at -0.05, and "borderline" at 0.45 with a threshold of 0.2."""
    scores = [[0.5], [0.5], [-0.05], [-0.05], [0.45], [0.21], [-0.05]]
    analysis = analyse_scores(scores, prompt_set("a", decision="threshold", threshold=0.2), every(2.0, 7))
    assert analysis.best_samples("a") == [0, 4]  # 1 and 5 are their neighbours
    assert analysis.borderline_samples("a") == [5]
    none = analyse_scores(scores, prompt_set("a", decision="threshold", threshold=0.9), every(2.0, 7))
    assert none.best_samples("a") == []
    assert none.borderline_samples("a") == []


def test_a_piece_that_is_too_short_has_no_best_frame() -> None:
    chosen = prompt_set("a", decision="threshold", threshold=0.2, min_duration_s=3.0)
    analysis = analyse_scores([[0.9], [0.0], [0.0], [0.5], [0.5], [0.5]], chosen, every(1.0, 6))
    assert set(analysis.best_samples("a")) <= {3, 4, 5}


def test_borderline_samples_are_nearest_the_threshold_on_either_side() -> None:
    scores = [[0.1], [0.9], [0.26], [0.9], [0.24], [0.9], [0.5]]
    analysis = analyse_scores(scores, prompt_set("a", decision="threshold", threshold=0.25))
    assert set(analysis.borderline_samples("a", 2)) == {2, 4}


def test_borderline_samples_of_the_best_label_are_nearest_to_the_runner_up() -> None:
    scores = [[0.5, 0.1], [0.5, 0.48], [0.5, 0.1], [0.1, 0.5], [0.44, 0.5], [0.1, 0.5]]
    analysis = analyse_scores(scores, prompt_set("a", "b"))
    assert analysis.borderline_samples("a", 2) == [1, 4]
    assert analysis.decision_margin("a")[[1, 4]].tolist() == [pytest.approx(0.02), pytest.approx(-0.06)]


def test_borderline_samples_of_best_above_threshold_are_nearest_to_either_flip() -> None:
    scores = [[0.5, 0.1], [0.31, 0.1], [0.5, 0.1], [0.5, 0.48], [0.5, 0.1], [0.25, 0.29]]
    analysis = analyse_scores(scores, prompt_set("a", "b", decision="best_threshold", threshold=0.3))
    assert analysis.decision_margin("a").tolist() == pytest.approx([0.2, 0.01, 0.2, 0.02, 0.2, -0.05])
    assert analysis.borderline_samples("a", 2) == [1, 3]


def test_slack_is_at_least_zero_exactly_where_the_label_wins(rng: np.random.Generator) -> None:
    prompts = (Prompt("a", threshold=0.3), Prompt("b", threshold=-0.4), Prompt("c"))
    for decision in ("best", "threshold", "best_threshold"):
        chosen = PromptSet("x", prompts, settings=Settings(decision=decision))  # type: ignore[arg-type]
        analysis = analyse_scores(rng.normal(size=(300, 3)), chosen)
        for column, label in enumerate(analysis.labels):
            assert ((analysis.decision_margin(label) >= 0) == analysis.decided[:, column]).all()


def test_one_label_alone_has_no_borderline_under_best() -> None:
    assert analyse_scores([[0.1], [0.2]], prompt_set("a")).borderline_samples("a") == []


def test_a_video_that_stands_still_has_no_changed_samples() -> None:
    assert analyse_scores([[0.1]] * 20, prompt_set("a")).most_changed_samples() == []


def test_an_unknown_label_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="z"):
        analyse_scores([[0.1]], prompt_set("a")).best_samples("z")


def test_samples_frame_has_one_column_per_label() -> None:
    settings = {"decision": "threshold", "threshold": 0.25}
    frame = analyse_scores([[0.3, 0.4], [0.1, 0.3], [0.1, 0.2]], prompt_set("a", "b", **settings)).samples_frame()
    assert list(frame.columns) == ["frame", "time_s", "label", "a", "b"]
    assert frame["frame"].tolist() == [0, 10, 20]
    assert frame["label"].tolist()[:2] == ["b", "b"]
    assert pd.isna(frame["label"][2])
    assert frame.to_csv(index=False).splitlines()[3] == "20,2.0,,0.1,0.2"


def test_a_label_called_like_a_column_keeps_its_scores() -> None:
    analysis = analyse_scores([[0.1, 0.2, 0.3]], prompt_set("label", "frame", "frame (score)"))
    frame = analysis.samples_frame()
    assert list(frame.columns) == [
        "frame",
        "time_s",
        "label",
        "label (score)",
        "frame (score) (score)",
        "frame (score)",
    ]
    assert frame.iloc[0, 3:].tolist() == [0.1, 0.2, 0.3]


def test_metrics_and_segments_frames_have_the_command_lines_columns() -> None:
    analysis = analyse_scores([[0.3, 0.4], [0.1, 0.3]], prompt_set("a", "b"))
    data = analysis.to_dict()
    assert list(analysis.metrics_frame().columns) == list(data["metrics"][0])
    assert list(analysis.segments_frame().columns) == list(data["segments"][0])
    assert analysis.metrics_frame()["first_seen_s"].isna().tolist() == [True, False]
    nothing = analyse_scores([[0.1]], prompt_set("a", decision="threshold", threshold=0.5))
    assert nothing.segments_frame().empty
    assert list(nothing.segments_frame().columns) == list(data["segments"][0])


def test_to_dict_is_the_command_lines_json() -> None:
    chosen = prompt_set("a", "b", background=["b"], decision="best_threshold", threshold=0.25)
    data = analyse_scores([[0.3, 0.1], [0.1, 0.1]], chosen).to_dict(samples=True)
    assert list(data) == ["prompt_set", "settings", "metrics", "segments", "effects", "samples"]
    assert data["prompt_set"] == {
        "name": "test",
        "template": "{}",
        "prompts": [
            {"label": "a", "texts": ["a"], "role": "target"},
            {"label": "b", "texts": ["b"], "role": "background"},
        ],
    }
    assert data["settings"]["smoothing"] == {"kind": "none", "window": 5}
    assert data["samples"] == [
        {"frame": 0, "time_s": 0.0, "label": "a", "scores": {"a": 0.3, "b": 0.1}},
        {"frame": 10, "time_s": 1.0, "label": None, "scores": {"a": 0.1, "b": 0.1}},
    ]
    assert "samples" not in analyse_scores([[0.3, 0.1]], chosen).to_dict()
    assert json.loads(json.dumps(data, allow_nan=False)) == data


def test_the_prompt_set_of_an_analysis_gives_the_same_numbers_again(rng: np.random.Generator) -> None:
    settings = Settings("probability", "best_threshold", 0.4, Smoothing("gaussian", 7), 0.05, 1.0, 2.0, logit_scale=5.0)
    chosen = PromptSet("x", (Prompt("a", threshold=0.3), Prompt("b"), Prompt("c", enabled=False)), settings=settings)
    cosine = rng.normal(scale=0.3, size=(80, 2))
    first = analyse_scores(cosine, chosen).to_dict(samples=True)
    again = prompt_set_from_dict({**first["prompt_set"], "settings": first["settings"]})
    assert again == chosen
    assert analyse_scores(cosine, again).to_dict(samples=True) == first


def test_kept_stages_give_the_same_analysis(rng: np.random.Generator) -> None:
    samples = every(0.5, 40, unit_rows(rng, 40, 16))
    texts = dict(zip("ab", unit_rows(rng, 2, 16), strict=True))
    chosen = prompt_set("a", "b", smoothing=Smoothing("median", 3))
    whole = analyse(samples, chosen, texts)
    kept = analyse(samples, chosen, {}, cosine=prompt_cosines(samples, chosen, texts), change=whole.vector_change)
    assert kept.to_dict(samples=True) == whole.to_dict(samples=True)
    assert (kept.vector_change == whole.vector_change).all()


def test_a_prompt_that_is_off_takes_part_in_nothing() -> None:
    chosen = PromptSet("x", (Prompt("a"), Prompt("b", enabled=False), Prompt("c")))
    analysis = analyse_scores([[0.1, 0.2]], chosen)
    assert analysis.labels == ("a", "c")
    assert len(analysis.metrics) == 2
    assert len(analysis.to_dict()["prompt_set"]["prompts"]) == 3


def test_what_can_not_be_analysed_is_reported(rng: np.random.Generator) -> None:
    samples = every(1.0, 4, unit_rows(rng, 4, 8))
    with pytest.raises(PromptSetError, match="No prompt is switched on"):
        analyse(samples, PromptSet("x", (Prompt("a", enabled=False),)), {})
    with pytest.raises(PromptSetError, match="'a' has no vector"):
        analyse(samples, prompt_set("a"), {})
    with pytest.raises(BadReplyError, match="come from different engines"):
        analyse(samples, prompt_set("a"), {"a": np.ones(4, dtype=np.float32)})
    with pytest.raises(SettingsError, match="there is none"):
        analyse(samples, prompt_set("a", score="margin", threshold=0.0), {"a": np.ones(8, dtype=np.float32)})
    with pytest.raises(ValueError, match="a row for each of 4"):
        analyse(samples, prompt_set("a"), {}, cosine=np.zeros((3, 1)))


def test_answers_say_the_rest_apart_and_what_is_found_first() -> None:
    chosen = prompt_set("short", "never", "x", "long", background=["x"])
    scores = [[1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 1, 0]]
    analysis = analyse_scores(scores, chosen)
    assert analysis.answer_groups() == ((3, 0), (1,), (2,))
    assert analysis.answers[2] == "rest: 25 %"
