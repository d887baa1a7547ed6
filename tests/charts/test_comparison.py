"""The scatter of A's score against B's, of which none that stands out is left out, and the lanes of differences."""

from __future__ import annotations

import altair as alt
import numpy as np
import pytest
from numpy.typing import NDArray

from lib.analysis.analysis import Analysis
from lib.charts.comparison import SCATTER_POINTS, difference_bars, differences_chart, scatter_chart, scatter_points
from lib.comparison.comparison import Comparison, compare
from lib.prompts.model import Prompt, PromptSet, Settings
from tests.helpers.arrays import analyse_scores, every, unit_rows


def an_analysis(scores: NDArray[np.float64], labels: tuple[str, ...], **settings: object) -> Analysis:
    chosen = PromptSet("x", tuple(map(Prompt, labels)), settings=Settings(**settings))  # type: ignore[arg-type]
    n = len(scores)
    return analyse_scores(scores, chosen, every(0.5, n, unit_rows(np.random.default_rng(1), n, 8)))


def a_comparison(n: int, **settings: object) -> Comparison:
    rng = np.random.default_rng(7)
    a, b = rng.uniform(0, 1, (n, 2)), rng.uniform(0, 1, (n, 2))
    return compare(an_analysis(a, ("crane", "ship"), **settings), an_analysis(b, ("Crane", "dock"), **settings))


def test_one_point_per_sample_with_the_side_that_has_the_label() -> None:
    found = a_comparison(40)
    points = scatter_points(found, "crane")

    assert points["score_a"].tolist() == found.a.scores[:, 0].tolist()
    assert points["score_b"].tolist() == found.b.scores[:, 0].tolist()
    assert points["seconds"].tolist() == found.a.samples.times_s.tolist()
    for place, who in enumerate(points["who"]):
        in_a, in_b = found.a.active[place, 0], found.b.active[place, 0]
        assert who == {(1, 1): "both", (1, 0): "only A", (0, 1): "only B", (0, 0): "neither"}[in_a, in_b]


def test_many_are_thinned_but_not_those_that_stand_out() -> None:
    found = a_comparison(30_000)
    full, points = found.score_pairs("crane"), scatter_points(found, "crane")

    assert SCATTER_POINTS / 4 < len(points) <= SCATTER_POINTS
    for column, side in (("score_a", "a"), ("score_b", "b")):
        assert points[column].min() == full[side].min()
        assert points[column].max() == full[side].max()
    assert {*points["seconds"]} <= {*full["time_s"]}
    assert len(scatter_points(a_comparison(SCATTER_POINTS), "crane")) == SCATTER_POINTS


def test_scores_that_never_change_are_one_spot() -> None:
    one = an_analysis(np.full((3_000, 2), 0.3), ("crane", "ship"))

    assert len(scatter_points(compare(one, one), "crane")) <= 4


@pytest.mark.parametrize("decision", ["best", "threshold"])
def test_thresholds_are_ruled_where_the_decision_uses_them(decision: str) -> None:
    chart = scatter_chart(a_comparison(10, decision=decision, threshold=0.4), "crane", "#0072B2")
    tables = chart.tables
    rules = [name for name in tables if name.startswith("rule")]

    assert rules == (["rule_a", "rule_b"] if decision == "threshold" else [])
    with alt.data_transformers.enable("default"):
        spec = chart.to_dict()
    assert len(spec["layer"]) == 2 + len(rules)
    assert [one["name"] for one in spec["params"]] == ["brush"]
    assert tables["equal"]["equal_a"].tolist() == tables["equal"]["equal_b"].tolist()


def test_unlike_scores_have_no_line_of_equals() -> None:
    scores = np.random.default_rng(3).uniform(0, 1, (10, 2))
    found = compare(
        an_analysis(scores, ("crane", "ship")),
        an_analysis(scores, ("crane", "ship"), score="probability", threshold=0.5),
    )

    assert scatter_chart(found, "crane", "#0072B2").tables["equal"].empty


def test_a_label_that_only_one_side_has_is_refused() -> None:
    with pytest.raises(KeyError):
        scatter_points(a_comparison(5), "ship")


def test_each_difference_is_a_bar_of_each_side_that_says_something() -> None:
    scores = np.array([[0.1, 0.9], [0.9, 0.1], [0.9, 0.1], [0.1, 0.2]])
    a = an_analysis(scores, ("crane", "ship"), decision="threshold", threshold=0.5)
    b = an_analysis(scores, ("dock", "ship"), decision="threshold", threshold=0.95)
    colours_a, colours_b = {"crane": "#111111", "ship": "#222222"}, {"dock": "#333333", "ship": "#444444"}
    found = compare(a, b)
    bars = difference_bars(found, colours_a, colours_b)

    assert bars[["side", "says", "colour", "from_s", "to_s"]].to_numpy().tolist() == [
        ["A", "ship", "#222222", 0.0, 0.5],
        ["A", "crane", "#111111", 0.5, 1.5],
    ]
    other = difference_bars(compare(b, a), colours_b, colours_a)
    assert other["side"].tolist() == ["B", "B"]
    assert other["colour"].tolist() == ["#222222", "#111111"]
    spec = differences_chart(found, colours_a, colours_b).to_dict()
    assert [len(layer["data"]["values"]) for layer in spec["layer"]] == [2, 2]
    assert spec["layer"][0]["encoding"]["color"]["scale"] is None


def test_of_too_many_differences_the_longest_are_drawn_in_order_of_time() -> None:
    n = 6_000
    one = np.where(np.arange(n) % 2 == 0, 0.9, 0.1)
    one[100:140] = 0.9  # all of these apart, so one long difference
    a = an_analysis(np.stack([one, 1 - one], axis=1), ("crane", "ship"))
    b = an_analysis(np.zeros((n, 1)), ("dock",), decision="threshold", threshold=0.5)
    bars = difference_bars(compare(a, b), {"crane": "#111111", "ship": "#222222"}, {"dock": "#333333"})

    assert len(bars) < n / 2
    assert (bars["to_s"] - bars["from_s"]).max() == pytest.approx(20.5, abs=0.6)
    assert bars["from_s"].is_monotonic_increasing
