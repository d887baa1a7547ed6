"""The scatter of A's score against B's: every point on it is a sample, and none that stands out is left out."""

from __future__ import annotations

import altair as alt
import numpy as np
import pytest
from numpy.typing import NDArray

from lib.analysis import Analysis
from lib.comparison import Comparison, compare
from lib.comparison_charts import SCATTER_POINTS, scatter_chart, scatter_points
from lib.prompts import Prompt, PromptSet, Settings
from tests.helpers.arrays import analyse_scores, every, unit_rows


def an_analysis(scores: NDArray[np.float64], labels: tuple[str, ...], **settings: object) -> Analysis:
    chosen = PromptSet("x", tuple(map(Prompt, labels)), settings=Settings(**settings))  # type: ignore[arg-type]
    n = len(scores)
    return analyse_scores(scores, chosen, every(0.5, n, unit_rows(np.random.default_rng(1), n, 8)))


def a_comparison(n: int, **settings: object) -> Comparison:
    rng = np.random.default_rng(7)
    a, b = rng.uniform(0, 1, (n, 2)), rng.uniform(0, 1, (n, 2))
    return compare(
        an_analysis(a, ("crane", "ship"), **settings), an_analysis(b, ("Crane", "dock"), **settings)
    )


def test_a_point_a_sample_with_who_gives_the_label() -> None:
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
