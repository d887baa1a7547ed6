"""The matrix: one tidy table of many analyses, ranking, and the sets of a wording sweep."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lib.analysis.analysis import Analysis, analyse
from lib.comparison.matrix import (
    KINDS,
    METRICS,
    grid,
    measure,
    metrics_table,
    rank,
    separations,
    shared_videos,
    two_levels,
)
from lib.comparison.wording_sweep import MAX_SETS, labels_of, sweep
from lib.core.errors import PromptSetError
from lib.core.samples import Samples
from lib.prompts.model import Prompt, PromptSet, Settings

CRANE = Prompt("crane", ("a crane", "a tower crane"), threshold=0.3)
ELSE = Prompt("something else", role="background")


def found(*scores: tuple[float, ...], labels: tuple[Prompt, ...] = (CRANE, ELSE), **settings) -> Analysis:
    """Return the analysis of samples of 1 s with these cosines."""
    n = len(scores)
    samples = Samples(np.arange(n) * 10, np.arange(n, dtype=float), np.zeros((n, 2), np.float32), float(n))
    prompt_set = PromptSet("harbour", labels, settings=Settings(**settings))
    return analyse(samples, prompt_set, {}, cosine=np.array(scores, float).reshape(n, len(labels)))


class TestMeasure:
    def test_each_metric_is_the_one_of_the_analysis(self):
        analysis = found((0.4, 0.2), (0.1, 0.3), (0.5, 0.2), (0.1, 0.2))
        crane, other = measure(analysis, {"crane": 0.75}, {"macro_f1": 0.5, "accuracy": None})
        assert crane["macro_f1"] == other["macro_f1"] == 0.5
        assert math.isnan(crane["accuracy"])

        assert (crane["label"], crane["role"], other["role"]) == ("crane", "target", "background")
        assert crane["f1"] == 0.75
        assert (crane["present"], crane["first_seen_s"], crane["duration_s"]) == (1.0, 0.0, 2.0)
        assert (crane["share"], crane["segments"], crane["peak_score"]) == (0.5, 2.0, 0.5)
        assert crane["mean_score"] == pytest.approx(0.275)
        assert crane["separation"] == pytest.approx(0.25 + 0.15)

    def test_what_does_not_exist_is_nan(self):
        absent, _ = measure(found((0.1, 0.2), (0.1, 0.3)), {"crane": None})

        assert absent["present"] == absent["duration_s"] == 0.0
        assert math.isnan(absent["first_seen_s"])
        assert math.isnan(absent["f1"])

    def test_without_samples_there_are_no_scores(self):
        crane, _ = measure(found(), {})

        assert math.isnan(crane["peak_score"])
        assert math.isnan(crane["separation"])
        assert crane["segments"] == 0


class TestSeparation:
    def test_it_is_about_the_lead_over_the_best_rival(self):
        # The score alone doesn't move; its rival does.
        analysis = found((0.3, 0.1), (0.3, 0.1), (0.3, 0.35), (0.3, 0.35))

        assert separations(analysis) == pytest.approx([0.25, 0.25])

    def test_the_best_rival_may_be_another_one_each_time(self):
        labels = (CRANE, ELSE, Prompt("ship"))
        analysis = found((0.5, 0.25, 0.0), (0.0, 0.25, 0.5), labels=labels)

        # Leads: 0.25 and -0.5; -0.25 twice; -0.5 and 0.25.
        assert separations(analysis) == pytest.approx([0.75, math.nan, 0.75], nan_ok=True)

    def test_a_label_alone_is_measured_by_its_score(self):
        assert separations(found((0.1,), (0.4,), (0.4,), labels=(CRANE,))) == pytest.approx([0.3])

    def test_the_bigger_gap_wins(self):
        near = found((0.3, 0.25), (0.2, 0.25), (0.3, 0.25), (0.2, 0.25))
        far = found((0.4, 0.25), (0.1, 0.25), (0.4, 0.25), (0.1, 0.25))

        assert separations(far)[0] > separations(near)[0] > 0

    def test_a_level_score_has_none(self):
        assert np.isnan(separations(found((0.3, 0.2), (0.3, 0.2)))).all()

    @settings(deadline=None)
    @given(hnp.arrays(float, st.integers(1, 30), elements=st.integers(-50, 50)), st.data())
    def test_it_is_the_best_of_all_splits(self, values, data):
        weights = data.draw(hnp.arrays(float, len(values), elements=st.floats(0.1, 10, allow_subnormal=False)))
        (result,) = two_levels(values[:, None], weights)
        if len(set(values)) < 2:
            assert math.isnan(result)
            return
        tried = []
        for cut in sorted(set(values))[1:]:
            low, high = values < cut, values >= cut
            apart = np.average(values[high], weights=weights[high]) - np.average(values[low], weights=weights[low])
            tried.append((weights[low].sum() * weights[high].sum() * apart**2, apart))
        most = max(between for between, _ in tried)
        assert any(
            between >= most * (1 - 1e-9) and result == pytest.approx(apart, rel=1e-9) for between, apart in tried
        )

    @settings(deadline=None)
    @given(
        hnp.arrays(float, st.tuples(st.integers(0, 20), st.integers(1, 4)), elements=st.integers(-9, 9)),
        st.integers(-5, 5),
        st.sampled_from([0.25, 0.5, 2.0, 8.0]),
        st.integers(1, 4),
    )
    def test_shift_scale_repetition_and_each_column_by_itself(self, values, shift, scale, times):
        weights = np.ones(len(values))
        before = two_levels(values, weights)

        def same(found):
            return found == pytest.approx(before, rel=1e-6, nan_ok=True)

        assert same(two_levels(values + shift, 3 * weights))
        assert same(two_levels(values * scale, weights) / scale)
        assert same(two_levels(np.tile(values, (times, 1)), np.tile(weights, times)))
        assert same(np.concatenate([two_levels(column[:, None], weights) for column in values.T]))


def row(label: str, role: str = "target", **metrics: float) -> dict[str, object]:
    return {"label": label, "role": role, **{metric: metrics.get(metric, math.nan) for metric in METRICS}}


class TestGrid:
    frame = metrics_table(
        {
            ("one", "v1"): [row("crane", f1=0.5), row("ship", f1=1.0), row("else", "background", f1=0.0)],
            ("one", "v2"): [row("crane", f1=0.25), row("ship")],
            ("two", "v1"): [row("ship", f1=0.75)],
        }
    )

    def test_one_label_is_taken_by_its_name_whatever_the_case(self):
        matrix = grid(self.frame, "f1", "Crane", sets=["two", "one"], videos=["v2", "v1"])

        assert list(matrix.index) == ["two", "one"]
        assert list(matrix.columns) == ["v2", "v1"]
        assert matrix.loc["one"].tolist() == [0.25, 0.5]
        assert matrix.loc["two"].isna().all()
        assert grid(self.frame, "f1", " CRANE\u200b", sets=["one"], videos=["v1"]).loc["one"].tolist() == [0.5]

    def test_all_labels_are_the_mean_over_targets_that_have_a_value(self):
        matrix = grid(self.frame, "f1", None, sets=["one", "two"], videos=["v1", "v2"])

        assert matrix.loc["one"].tolist() == [0.75, 0.25]
        assert matrix.loc["two", "v1"] == 0.75
        assert math.isnan(matrix.loc["two", "v2"])

    def test_a_set_without_any_cell_is_an_empty_row(self):
        matrix = grid(metrics_table({}), "share", None, sets=["one"], videos=["v1"])

        assert matrix.shape == (1, 1)
        assert matrix.isna().all().all()
        assert matrix.dtypes.tolist() == [np.float64]

    def test_the_tidy_table_has_one_row_per_label(self):
        assert list(self.frame.columns) == ["set", "video", "label", "role", *METRICS]
        assert len(self.frame) == 6
        assert all(self.frame[metric].dtype == np.float64 for metric in METRICS)


def test_an_overall_score_is_that_of_the_set_whatever_the_label():
    frame = metrics_table({("one", "v1"): [row("crane", macro_f1=0.4), row("else", "background", macro_f1=0.4)]})
    for label in (None, "crane", "ship"):
        assert grid(frame, "macro_f1", label, sets=["one"], videos=["v1"]).loc["one", "v1"] == pytest.approx(0.4)


class TestRank:
    def test_high_is_better_and_nothing_comes_last(self):
        matrix = pd.DataFrame(
            {"v1": [0.5, math.nan, 1.0, 0.5], "v2": [0.5, math.nan, math.nan, 0.5]}, index=list("abcd")
        )
        ranked = rank(matrix, "f1")

        assert shared_videos(matrix) == ["v1"]
        assert list(ranked.index) == ["c", "a", "d", "b"]
        assert ranked["mean"].tolist()[:3] == [1.0, 0.5, 0.5]
        assert ranked["rank"].tolist()[:3] == [1.0, 2.0, 2.0]
        assert math.isnan(ranked.loc["b", "rank"])
        worse = pd.DataFrame({"v1": [0.5, 0.9, 0.5, 0.1]}, index=list("abcd"))
        assert rank(worse, "f1")["rank"].to_dict() == {"b": 1.0, "a": 2.0, "c": 2.0, "d": 4.0}

    @pytest.mark.parametrize("metric", ["present", "first_seen_s", "duration_s", "share", "segments", "peak_score"])
    def test_where_more_is_not_better_nothing_ranks(self, metric):
        matrix = pd.DataFrame({"v1": [3.0, 1.0, math.nan]}, index=list("abc"))

        assert list(rank(matrix, metric).index) == ["a", "b", "c"]
        assert rank(matrix, metric)["rank"].isna().all()

    def test_sets_judged_on_different_videos_are_not_ranked(self):
        """The one judged on an easy video alone ranked first."""
        apart = pd.DataFrame({"easy": [0.99, math.nan], "hard": [math.nan, 0.6]}, index=["one", "two"])
        assert shared_videos(apart) == []
        assert rank(apart, "macro_f1")[["mean", "rank"]].isna().all().all()
        partly = pd.DataFrame({"easy": [0.9, 0.95], "hard": [math.nan, 0.6]}, index=["one", "two"])
        assert rank(partly, "macro_f1")["mean"].to_dict() == {"two": 0.95, "one": 0.9}

    @settings(deadline=None)
    @given(
        hnp.arrays(
            float,
            st.tuples(st.integers(1, 8), st.integers(1, 4)),
            elements=st.one_of(st.just(math.nan), st.integers(0, 5).map(float)),
        ),
        st.sampled_from(METRICS),
        st.randoms(use_true_random=False),
    )
    def test_it_orders_the_means_whatever_the_order_of_sets_and_videos(self, values, metric, random):
        matrix = pd.DataFrame(
            values, index=[f"s{i}" for i in range(len(values))], columns=list("abcd")[: values.shape[1]]
        )
        ranked = rank(matrix, metric)
        assert sorted(ranked.index) == sorted(matrix.index)
        means = ranked["mean"].dropna().tolist()
        assert means == sorted(means, reverse=True)
        assert ranked["rank"].notna().tolist() == [KINDS[metric].ranks and not math.isnan(m) for m in ranked["mean"]]
        assert ranked["mean"].isna().tolist() == sorted(ranked["mean"].isna())
        rows, columns = list(matrix.index), list(matrix.columns)
        random.shuffle(rows)
        random.shuffle(columns)
        pd.testing.assert_frame_equal(
            rank(matrix.loc[rows, columns], metric).loc[matrix.index], ranked.loc[matrix.index]
        )


class TestSweep:
    prompt_set = PromptSet("harbour", (CRANE, ELSE), template="a photo of {}")

    def test_each_wording_with_each_template_after_the_present_words(self):
        tries, problems = sweep(self.prompt_set, "crane", ["a digger", "crane; a crane"], ["{}", "this is {}"])

        assert problems == []
        assert [(one.texts, one.template, one.current) for one in tries] == [
            (("a crane", "a tower crane"), "a photo of {}", True),
            (("a digger",), "{}", False),
            (("a digger",), "this is {}", False),
            (("crane", "a crane"), "{}", False),
            (("crane", "a crane"), "this is {}", False),
        ]
        assert tries[0].prompt_set == self.prompt_set

    def test_everything_else_stays(self):
        tries, _ = sweep(self.prompt_set, "crane", ["a digger"])
        changed = tries[1].prompt_set

        assert changed.prompts == (replace(CRANE, texts=("a digger",)), ELSE)
        assert (changed.template, changed.settings, changed.name) == (
            self.prompt_set.template,
            self.prompt_set.settings,
            self.prompt_set.name,
        )

    def test_the_same_words_are_tried_once(self):
        tries, _ = sweep(
            self.prompt_set,
            "crane",
            ["a  digger", "", "a digger ", "a crane;a tower crane"],
            ["a photo of {}"],
        )

        assert [one.texts for one in tries] == [("a crane", "a tower crane"), ("a digger",)]
        assert [one.current for one in tries] == [True, False]

    def test_a_label_that_is_switched_off_takes_part(self):
        off = replace(self.prompt_set, prompts=(replace(CRANE, enabled=False), ELSE))
        tries, _ = sweep(off, "crane", ["a digger"])

        assert all("crane" in [prompt.label for prompt in one.prompt_set.enabled] for one in tries)

    def test_one_bad_wording_or_template_costs_none_of_the_others(self):
        tries, problems = sweep(
            self.prompt_set, "crane", ["a digger", "x; x", "y" * 600], ["{}", "no place", "{} and {}"]
        )

        assert [one.texts for one in tries[1:]] == [("a digger",)]
        assert len(problems) == 4
        assert sum("no place" in problem for problem in problems) == 1
        assert any("x; x" in problem for problem in problems)

    def test_an_unknown_label_says_so(self):
        with pytest.raises(PromptSetError, match="no label “ship”"):
            sweep(self.prompt_set, "ship", ["a"])

    def test_a_semicolon_may_be_within_a_wording(self):
        assert sweep(self.prompt_set, "crane", [r"a site\; with cranes; b"])[0][1].texts == ("a site; with cranes", "b")

    def test_the_label_may_be_spelled_otherwise(self):
        assert sweep(self.prompt_set, "CRANE ", ["a"])[0][1].prompt_set.prompts[0].label == "crane"

    def test_too_many_say_how_many(self):
        wordings = [f"wording {i}" for i in range(MAX_SETS // 2 + 1)]
        with pytest.raises(PromptSetError, match="202 prompt sets"):
            sweep(self.prompt_set, "crane", wordings, ["{}", "a {}"])

    @settings(deadline=None)
    @given(st.lists(st.text(max_size=20), max_size=8), st.lists(st.sampled_from(["{}", "a {}", "b"]), max_size=3))
    def test_there_are_never_two_alike_and_the_present_one_is_first(self, wordings, templates):
        tries, _ = sweep(self.prompt_set, "crane", wordings, templates)
        keys = [(one.texts, one.template) for one in tries]

        assert len(set(keys)) == len(keys)
        assert [one.current for one in tries] == [True] + [False] * (len(tries) - 1)
        assert all(one.prompt_set.prompts[1] == ELSE for one in tries)


def test_labels_are_the_targets_of_all_sets_once():
    other = PromptSet("b", (Prompt("ship"), Prompt("Crane"), Prompt("off", enabled=False), ELSE))

    assert labels_of([PromptSet("a", (CRANE, ELSE)), other]) == ["crane", "ship"]


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [
        ("f1", 0.666, "0.67"),
        ("share", 0.333, "33 %"),
        ("present", 1.0, "yes"),
        ("present", 0.0, "no"),
        ("present", 0.5, "50 %"),
        ("mean_score", -0.045, "−0.045"),
        ("first_seen_s", 3.04, "3.0 s"),
        ("segments", 2.0, "2"),
        ("peak_score", 0.2914, "0.291"),
        ("f1", math.nan, "–"),
    ],
)
def test_how_a_value_is_written(metric, value, text):
    assert KINDS[metric].text(value) == text
