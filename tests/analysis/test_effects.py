"""What settings are said to have done is what a slow look at both outcomes finds."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import event, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lib.analysis import analysis as analysis_module
from lib.analysis.analysis import Analysis, analyse
from lib.analysis.segments import merge_and_drop
from lib.core.samples import TIME_TOLERANCE_S, Samples
from lib.prompts.model import PromptSet, Settings, Smoothing
from tests.analysis.test_properties import COARSE, DECISIONS, KINDS
from tests.helpers.arrays import analyse_scores, every, prompts, samples_at

DURATIONS = st.sampled_from([0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.5])
BACKGROUND = ("label 0", "label 2")


def sentences(scores: list[list[float]], *labels: str, background: tuple[str, ...] = (), **chosen: Any) -> list[str]:
    found = PromptSet("x", prompts(*labels, background=background), settings=Settings(**chosen))
    return analyse_scores(scores, found).effects.sentences()


def test_settings_that_are_off_say_nothing_and_cost_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    found = analyse_scores([[0.3, 0.1]] * 4, PromptSet("x", prompts("a", "b")))
    monkeypatch.setattr("lib.analysis.effects.decide", None)  # calling it would fail
    monkeypatch.setattr("lib.analysis.effects.merge_and_drop", None)
    assert found.effects.sentences() == []
    assert found.effects.to_dict() == {} == found.to_dict()["effects"]
    assert analysis_module.effects_of is not None


def test_pieces_that_are_dropped_are_counted_with_the_seconds_that_are_nobodys() -> None:
    scores = [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]
    assert sentences(scores, "a", "b", min_duration_s=1.5) == [
        "2 pieces under 1.5 s dropped; 2.0 s now without any label."
    ]
    assert sentences(scores, "a", "b", min_duration_s=0.5) == ["0 pieces under 0.5 s dropped."]


def test_a_gap_that_another_label_holds_is_said_to_be_held_by_it() -> None:
    scores = [[0.6, 0.0], [0.0, 0.9], [0.6, 0.0], [0.0, 0.0], [0.6, 0.0]]
    found = sentences(scores, "ship", "wall", decision="best_threshold", threshold=0.5, bridge_s=1.0)
    assert found == ["1 gap up to 1 s merged, 1.0 s (1 held by “wall”)."]


def test_under_best_label_merging_is_said_to_be_impossible() -> None:
    scores = [[0.6, 0.0], [0.0, 0.9], [0.6, 0.0]]
    (said,) = sentences(scores, "ship", "wall", bridge_s=2.0)
    assert said == (
        "Merging can't close any gap: with “Best label” every sample has a label, and a target is never replaced "
        "(1 held by “wall” up to 2 s)."
    )
    assert sentences(scores, "ship", "wall", background=("wall",), bridge_s=2.0) == ["1 gap up to 2 s merged, 1.0 s."]


def test_a_gap_at_a_cut_is_said_to_stay_for_it() -> None:
    vectors = np.repeat(np.eye(2, dtype=np.float32), (2, 18), axis=0)
    samples = every(1.0, 20, vectors)
    chosen = PromptSet(
        "x", prompts("a"), settings=Settings(decision="threshold", threshold=0.5, bridge_s=3.0, stop_at_cuts=True)
    )
    found = analyse_scores([[1.0], [0.0], [0.0], [1.0], [0.0], [1.0], *([[0.0]] * 14)], chosen, samples)
    assert found.effects.sentences() == ["1 gap up to 3 s merged, 1.0 s (1 at a cut)."]
    at_its_end = analyse_scores([[1.0], [0.0], [1.0], *([[0.0]] * 17)], chosen, samples)
    assert at_its_end.effects.sentences() == ["0 gaps up to 3 s merged (1 at a cut)."]


def test_many_holders_are_summed_up() -> None:
    labels = ["a", "b", "c", "d", "e", "f"]
    order = ["a", "b", "a", "c", "a", "d", "a", "e", "a", "f", "a"]
    scores = [[float(label == here) for label in labels] for here in order]
    (said,) = sentences(scores, *labels, decision="best_threshold", threshold=0.5, bridge_s=1.0)
    assert said == "0 gaps up to 1 s merged (1 held by “b”, 1 by “c”, 1 by “d”, 2 by other labels)."


def test_smoothing_and_hysteresis_say_how_much_they_changed() -> None:
    assert sentences(
        [[0.0], [0.0], [1.0], [0.0], [0.0]], "a", decision="threshold", threshold=0.5, smoothing=Smoothing("median", 3)
    ) == ["Smoothing changed the labels of 1 of 5 samples."]
    held = [[0.6], [0.45], [0.45], [0.3]]
    assert sentences(held, "a", decision="threshold", threshold=0.5, hysteresis=0.1) == [
        "Hysteresis kept labels 2.0 s longer."
    ]


# A slow oracle


@st.composite
def cases(draw: st.DrawFn) -> Analysis:
    n, p = draw(st.integers(1, 24)), draw(st.integers(1, 4))
    steps = draw(st.lists(st.sampled_from([0.25, 0.5, 1.0]), min_size=n, max_size=n))
    lost = draw(st.lists(st.sampled_from([0.0, 0.0, 0.0, 0.5, 2.0]), min_size=n, max_size=n))
    times, gaps, now = [], [], 0.0
    for step, gap in zip(steps, lost, strict=True):
        times.append(now)
        now += step
        if gap:
            gaps.append((now, now + gap))
            now += gap
    turns = np.cumsum(draw(st.lists(st.sampled_from([*[0] * 9, 1]), min_size=n, max_size=n)))  # at each a cut
    vectors = np.stack([np.cos(turns * 1.5), np.sin(turns * 1.5)], axis=1).astype(np.float32)
    samples = samples_at(times, now, vectors, gaps_s=gaps)
    scores = np.array(draw(st.lists(st.lists(COARSE, min_size=p, max_size=p), min_size=n, max_size=n)))
    chosen = Settings(
        decision=draw(st.sampled_from(DECISIONS)),  # type: ignore[arg-type]
        threshold=draw(COARSE.filter(lambda value: value >= -1)),
        smoothing=Smoothing(draw(st.sampled_from(KINDS)), 3, 2.0),  # type: ignore[arg-type]
        hysteresis=draw(st.integers(0, 4)) / 8,
        bridge_s=draw(DURATIONS),
        min_duration_s=draw(DURATIONS),
        stop_at_cuts=draw(st.booleans()),
        logit_scale=2.0,
    )
    labels = [f"label {i}" for i in range(p)]
    found = PromptSet("x", prompts(*labels, background=BACKGROUND), settings=chosen)
    return analyse(samples, found, {}, cosine=scores)


def pieces(
    has: NDArray[np.bool_], samples: Samples, longest_gap_s: float, cuts: NDArray[np.bool_]
) -> list[list[list[int]]]:
    """Return for each label its runs as lists of rows."""
    found: list[list[list[int]]] = []
    for column in has.T:
        runs: list[list[int]] = []
        for row in np.flatnonzero(column).tolist():
            goes_on = (
                bool(runs)
                and runs[-1][-1] == row - 1
                and not cuts[row]
                and samples.times_s[row] - samples.ends_s[row - 1] <= longest_gap_s + TIME_TOLERANCE_S
            )
            if goes_on:
                runs[-1].append(row)
            else:
                runs.append([row])
        found.append(runs)
    return found


def fate(
    samples: Samples,
    gap: tuple[int, int],
    column: int,
    cuts: NDArray[np.bool_],
    merged: NDArray[np.bool_],
    joined: list[list[int]],
) -> str | int:
    """Return ``merged``, ``cut``, or the column that holds the gap between two rows."""
    left, right = gap
    if any(left in run and right in run for run in joined):
        return "merged"
    if cuts[left + 1 : right + 1].any():
        return "cut"
    seconds = [
        sum(samples.spans_s[row] for row in range(left, right + 1) if merged[row, other]) if other != column else -1.0
        for other in range(merged.shape[1])
    ]
    return int(np.argmax(seconds))


@hypothesis_settings(deadline=None, max_examples=200)
@given(cases())
def test_effects_equal_a_slow_look_at_both_outcomes(found: Analysis) -> None:
    chosen, samples, effects = found.prompt_set.settings, found.samples, found.effects
    cuts = np.zeros(len(samples), bool) if found.cuts is None else found.cuts
    no_cuts = np.zeros(len(samples), bool)
    assert (effects.smoothing is None) == (chosen.smoothing.kind == "none")
    if effects.smoothing is not None:
        plain = analyse(
            samples,
            replace(found.prompt_set, settings=replace(chosen, smoothing=Smoothing())),
            {},
            cosine=found.cosine,
        )
        changed = sum(plain.decided[i].tolist() != found.decided[i].tolist() for i in range(len(samples)))
        assert (effects.smoothing.changed, effects.smoothing.samples) == (changed, len(samples))
    assert (effects.hysteresis is None) == (chosen.hysteresis == 0)
    if effects.hysteresis is not None:
        plain = analyse(
            samples, replace(found.prompt_set, settings=replace(chosen, hysteresis=0.0)), {}, cosine=found.cosine
        )
        kept = [s for i, s in enumerate(samples.spans_s) if (plain.decided[i] != found.decided[i]).any()]
        assert effects.hysteresis.kept_s == pytest.approx(sum(kept))
    roles = [prompt.role for prompt in found.prompts]
    merged = merge_and_drop(found.decided, roles, samples, replace(chosen, min_duration_s=0), found.cuts)
    joined = pieces(merged, samples, chosen.bridge_s, cuts)
    assert (effects.merging is None) == (chosen.bridge_s == 0)
    if effects.merging is not None:
        fates: Counter[str | int] = Counter()
        merged_s = 0.0
        for column, runs in enumerate(pieces(found.decided, samples, 0.0, no_cuts)):
            for before, after in pairwise(runs):
                length = samples.times_s[after[0]] - samples.ends_s[before[-1]]
                if length > chosen.bridge_s + TIME_TOLERANCE_S:
                    continue
                what = fate(samples, (before[-1], after[0]), column, cuts, merged, joined[column])
                fates[what] += 1
                merged_s += length if what == "merged" else 0.0
        assert effects.merging.merged == fates.pop("merged", 0)
        event(f"at cuts: {fates['cut'] > 0}")
        assert effects.merging.at_cuts == fates.pop("cut", 0)
        assert dict(effects.merging.held) == {f"label {column}": count for column, count in fates.items()}
        assert effects.merging.merged_s == pytest.approx(merged_s)
        assert effects.merging.possible or not effects.merging.merged
    assert (effects.minimum is None) == (chosen.min_duration_s == 0)
    if effects.minimum is not None:
        gone = [run for column, runs in enumerate(joined) for run in runs if not found.active[run[0], column]]
        assert effects.minimum.pieces == len(gone)
        hole = [s for i, s in enumerate(samples.spans_s) if merged[i].any() and not found.active[i].any()]
        assert effects.minimum.unlabelled_s == pytest.approx(sum(hole))
    assert len(effects.sentences()) == len(effects.to_dict())
