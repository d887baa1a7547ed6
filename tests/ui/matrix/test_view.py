"""What the matrix shows, without drawing it: defaults, order, caption, and the table's columns and colours."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest

from lib.comparison.matrix import KINDS
from lib.comparison.wording_sweep import sweep
from lib.prompts.model import START_SETTINGS, Prompt, PromptSet
from lib.ui.matrix.rows import MatrixRow
from lib.ui.matrix.settings import MatrixSettings
from lib.ui.matrix.view import GAIN, MEAN, NAME, TEMPLATE, Matrix, heat, span, table_of, video_rows_of, view_of

VIDEOS = {"v1": "first.mp4", "v2": "second.mp4"}


def metrics(label: str, *, role: str = "target", **values: float) -> dict[str, object]:
    return {"label": label, "role": role, **dict.fromkeys(KINDS, math.nan), **values}


def matrix(*, f1: bool = True) -> Matrix:
    """Two prompt sets by two videos; ground truth for the first video only, of the label ``red``."""
    rows = [
        MatrixRow(key, name, PromptSet(name, (Prompt("red"), Prompt("blue"))), "experiment")
        for key, name in (("a", "A"), ("b", "B"))
    ]
    cells = {
        ("a", "v1"): [
            metrics("red", f1=0.5 if f1 else math.nan, macro_f1=0.25 if f1 else math.nan, share=0.2),
            metrics("blue", share=0.4),
        ],
        ("a", "v2"): [metrics("red", share=0.9), metrics("blue", share=0.9)],
        ("b", "v1"): [metrics("red", f1=0.9 if f1 else math.nan, macro_f1=0.45 if f1 else math.nan, share=0.6)],
        ("b", "v2"): [metrics("red", share=0.1)],
    }
    return Matrix.of(rows, VIDEOS, cells)


def swept(**values: tuple[float, float]) -> Matrix:
    """The current wording of ``red`` and another one, in one video; ``values`` are a metric's in both."""
    wordings, _ = sweep(PromptSet("p", (Prompt("red"), Prompt("blue"))), "red", ["crimson"])
    rows = [MatrixRow(wording.texts[0], wording.texts[0], wording.prompt_set, "sweep", wording) for wording in wordings]
    cells = {
        (row.key, "v1"): [metrics("red", **{name: pair[index] for name, pair in values.items()})]
        for index, row in enumerate(rows)
    }
    return Matrix.of(rows, {"v1": "first.mp4"}, cells)


def test_values_in_different_scores_are_not_ranked():
    alike = swept(separation=(2.0, 1.0), share=(0.2, 0.1))
    relative = replace(alike.rows[1], prompt_set=replace(alike.rows[1].prompt_set, settings=START_SETTINGS))
    mixed = replace(alike, rows=(alike.rows[0], relative))
    chosen = MatrixSettings(mode="sweep", sweep_metric="separation")

    assert view_of(alike, chosen, swept_label="red").ranking["rank"].tolist() == [1.0, 2.0]
    assert view_of(mixed, chosen, swept_label="red").ranking["rank"].isna().all()
    said = "The prompt sets have different scores (cosine, relative), whose values can’t be compared"
    assert said in view_of(mixed, chosen, swept_label="red").caption
    assert said not in view_of(mixed, replace(chosen, sweep_metric="share"), swept_label="red").caption


def test_ground_truth_makes_the_overall_score_the_default_and_names_its_videos():
    view = view_of(matrix(), MatrixSettings())

    assert view.metric == "macro_f1"
    assert "a true label without a prompt counts as 0" in view.caption
    assert [row.key for row in view.rows] == ["b", "a"]
    assert "for videos with ground truth: first\\.mp4" in view.caption


def test_f1_of_all_labels_is_the_overall_score():
    """A mean over the labels that each set knows left out those that it lacks."""
    view = view_of(matrix(), MatrixSettings(metric="f1"))
    assert view.metric == "macro_f1"
    assert "f1" not in view.metrics
    of_label = view_of(matrix(), MatrixSettings(metric="f1", label="red"))
    assert (of_label.metric, of_label.ranking["mean"].to_dict()) == ("f1", {"a": 0.5, "b": 0.9})


def test_videos_that_not_all_rows_share_are_shown_and_said_not_to_rank():
    full = matrix()
    cells = {**full.cells, ("b", "v2"): [metrics("red", f1=0.1)]}
    view = view_of(Matrix.of(full.rows, VIDEOS, cells), MatrixSettings(metric="f1", label="red"))
    assert view.shared == ["v1"]
    assert view.ranking["mean"].to_dict() == {"b": 0.9, "a": 0.5}
    assert "Ranked on what all rows share: first\\.mp4; others have a ○." in view.caption
    assert table_of(view, VIDEOS).frame["video 1"].tolist() == pytest.approx([0.1, math.nan], nan_ok=True)
    apart = {("a", "v1"): [metrics("red", f1=0.9)], ("b", "v2"): [metrics("red", f1=0.1)]}
    view = view_of(Matrix.of(full.rows, VIDEOS, apart), MatrixSettings(metric="f1", label="red"))
    assert view.ranking["rank"].isna().all()
    assert "No video has a value for every row, so nothing is ranked." in view.caption


def test_nothing_is_drawn_as_best_where_more_is_not_better():
    view = view_of(matrix(), MatrixSettings(metric="share", label="red"))
    table = table_of(view, VIDEOS)
    assert "rank" not in table.frame
    assert table.css(0.9, "light") == ""
    assert view.orders["rank"] == "Mean, highest first"
    assert "neither better nor worse" in view.caption


def test_without_ground_truth_the_share_is_the_default():
    view = view_of(matrix(f1=False), MatrixSettings())

    assert view.metric == "share"
    assert view_of(matrix(), MatrixSettings(label="blue")).metric == "share"


@pytest.mark.parametrize(
    ("order", "keys"),
    [("rank", ["a", "b"]), ("chosen", ["a", "b"]), ("v1", ["b", "a"]), ("gone", ["a", "b"])],
)
def test_rows_are_ordered_by_mean_by_choice_or_by_a_video(order, keys):
    view = view_of(matrix(), MatrixSettings(metric="share", label="red", order=order))

    assert [row.key for row in view.rows] == keys
    assert list(view.orders) == ["rank", "chosen", "v1", "v2"]


def test_a_label_that_no_prompt_set_has_falls_back_to_the_mean():
    assert view_of(matrix(), MatrixSettings(label="gone")).label is None
    assert view_of(matrix(), MatrixSettings(label="RED")).label == "RED"


def test_a_sweep_says_why_it_is_ranked_by_its_default_metric():
    ranked_by_f1 = view_of(swept(f1=(0.4, 0.7), macro_f1=(0.2, 0.3)), MatrixSettings(mode="sweep"), swept_label="red")
    ranked_by_separation = view_of(swept(separation=(2.0, 1.0)), MatrixSettings(mode="sweep"), swept_label="red")
    chosen = view_of(swept(f1=(0.4, 0.7)), MatrixSettings(mode="sweep", sweep_metric="f1"), swept_label="red")

    assert "Ranked by Macro F1" in ranked_by_f1.caption
    assert "Ranked by separation" in ranked_by_separation.caption
    assert "Ranked" not in chosen.caption


def test_the_table_has_means_for_several_videos_and_one_column_for_each():
    view = view_of(matrix(), MatrixSettings(metric="share", label="red"))
    table = table_of(view, VIDEOS)

    assert table.videos == {"video 0": "v1", "video 1": "v2"}
    assert table.frame[MEAN].tolist() == pytest.approx([0.55, 0.35])
    assert table.frame["video 0"].tolist() == pytest.approx([0.2, 0.6])
    assert [table.text("rank", value) for value in (1.0, math.nan)] == ["1", "–"]


def test_a_sweeps_gain_is_relative_to_the_current_words():
    view = view_of(swept(f1=(0.4, 0.7), macro_f1=(0.4, 0.7)), MatrixSettings(mode="sweep"), swept_label="red")
    table = table_of(view, {"v1": "first.mp4"})

    assert table.frame[NAME].tolist() == ["crimson", "red (current)"]
    assert [table.text(GAIN, value) for value in table.frame[GAIN]] == ["+0.30", "–"]
    assert MEAN not in table.frame
    assert TEMPLATE not in table.frame


def test_colours_go_from_the_page_to_the_best_value():
    assert all(map(math.isnan, span([3.0, math.nan, 1.0], KINDS["first_seen_s"])))
    assert span([0.3], KINDS["f1"]) == (0.0, 1.0)
    assert heat(1.0, 3.0, 1.0, "light") == "background-color: #7aacde"
    assert heat(3.0, 3.0, 1.0, "dark") == "background-color: #0e1117"
    assert heat(math.nan, 0.0, 1.0, "light") == heat(1.0, 1.0, 1.0, "light") == ""


def test_videos_may_be_the_rows_with_their_means_first():
    full = matrix()
    cells = {**full.cells, ("b", "v2"): [metrics("red", f1=0.1)]}
    view = view_of(Matrix.of(full.rows, VIDEOS, cells), MatrixSettings(metric="f1", label="red"))
    rows = video_rows_of(view, VIDEOS)
    assert rows.frame[NAME].tolist() == ["Mean", "first.mp4", "○ second.mp4"]
    assert rows.videos == [None, "v1", "v2"]
    assert [row.key for row in rows.sets.values()] == ["b", "a"]
    assert rows.frame["set 0"].tolist() == pytest.approx([0.9, 0.9, 0.1])
    assert rows.frame["set 1"].tolist() == pytest.approx([0.5, 0.5, math.nan], nan_ok=True)


def over_videos(*rows: tuple[float, ...], current: int | None = None) -> Matrix:
    """One row per prompt set with its macro F1 in each video; NaN where it has none."""
    names = [f"set {index}" for index in range(len(rows))]
    made = [
        MatrixRow(name, name, PromptSet(name, (Prompt("red"),)), "now" if index == current else "experiment")
        for index, name in enumerate(names)
    ]
    videos = {f"v{index}": f"video {index}" for index in range(len(rows[0]))}
    cells = {
        (name, video): [metrics("red", macro_f1=value)]
        for name, values in zip(names, rows, strict=True)
        for video, value in zip(videos, values, strict=True)
    }
    return Matrix.of(made, videos, cells)


def test_the_best_row_is_said_with_how_much_evidence_several_videos_are():
    said = view_of(over_videos((0.5, 0.6, 0.4), (0.8, 0.9, 0.7)), MatrixSettings()).verdict
    assert said.startswith("**set 1** is best here, **set 0** is the next: ")
    assert "Macro F1 0.80 against 0.50 (+0.30) on 3 videos." in said
    assert "is +0.30 to +0.30 and leaves out 0; fewer than 20 videos make it a rough one." in said
    unsure = view_of(over_videos((0.5, 0.6, 0.4), (0.8, 0.3, 0.6)), MatrixSettings()).verdict
    assert "includes 0, so on other videos it may be otherwise" in unsure
    assert "luck" not in unsure


def test_the_interval_is_that_of_drawing_whole_videos():
    rng = np.random.default_rng(3)
    a, b = rng.uniform(0, 1, (2, 30))
    differences = (b - a if b.mean() > a.mean() else a - b)[rng.integers(0, 30, (20_000, 30))].mean(axis=1)
    low, high = np.quantile(differences, [0.025, 0.975])
    said = view_of(over_videos(tuple(a), tuple(b)), MatrixSettings()).verdict
    found = re.search(r"is ([+−]?[0-9.]+) to ([+−]?[0-9.]+) and", said)
    assert found is not None
    assert [float(end.replace("−", "-")) for end in found.groups()] == pytest.approx([low, high], abs=0.03)
    assert "rough" not in said


def test_the_best_row_is_held_against_the_current_one():
    said = view_of(over_videos((0.9, 0.9), (0.8, 0.8), (0.1, 0.2), current=2), MatrixSettings()).verdict
    assert said.startswith("**set 0** is best here, **set 2** is the current one: ")
    assert said.endswith("The best of 3 owes some of it to luck.")


def test_one_shared_video_is_no_evidence_of_others_and_equals_are_equal():
    one = view_of(over_videos((0.5, 0.9), (0.8, math.nan)), MatrixSettings()).verdict
    assert "Macro F1 0.80 against 0.50 (+0.30) on 1 video. Evidence: one video says nothing about others" in one
    same = view_of(over_videos((0.5, 0.5), (0.5, 0.5)), MatrixSettings()).verdict
    assert same == "**set 0** and **set 1** are equally good here: Macro F1 0.50 against 0.50 (0.00) on 2 videos."


def test_nothing_is_called_best_of_sets_judged_on_different_videos_or_without_a_direction():
    apart = over_videos((0.5, math.nan), (math.nan, 0.9))
    assert view_of(apart, MatrixSettings()).verdict == ""
    both = over_videos((0.5, 0.6), (0.8, 0.9))
    assert view_of(both, MatrixSettings(metric="share")).verdict == ""
    assert view_of(over_videos((0.5, 0.6)), MatrixSettings()).verdict == ""
