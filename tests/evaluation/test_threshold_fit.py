"""Thresholds that fit the truth, against trying each one through the whole pipeline."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lib.analysis.analysis import Analysis, analyse
from lib.analysis.segments import decide
from lib.core.labelled_intervals import TrueSegment
from lib.evaluation.evaluation import evaluate, f1_score
from lib.evaluation.threshold_fit import ThresholdFit, suggest_with_truth
from lib.evaluation.threshold_search import hysteresis_thresholds
from lib.prompts.model import Prompt, PromptSet, Settings, Smoothing
from tests.helpers.against_truth import analysis_on_grid, truth_on_grid
from tests.helpers.arrays import analyse_scores, every, prompt_set

SEEDS = range(30)


def again(analysis: Analysis, label: str, threshold: float, **settings: Any) -> Analysis:
    """Return the analysis with another threshold of one prompt, from its cosines on."""
    old = analysis.prompt_set
    prompts = tuple(replace(prompt, threshold=threshold) if prompt.label == label else prompt for prompt in old.prompts)
    chosen = replace(old, prompts=prompts, settings=replace(old.settings, **settings))
    return analyse(analysis.samples, chosen, {}, cosine=analysis.cosine)


def f1_of(analysis: Analysis, truth: list[TrueSegment], label: str) -> float:
    return evaluate(analysis, truth).by_label[label].f1 or 0.0


@pytest.mark.parametrize("seed", SEEDS)
def test_no_threshold_does_better_and_the_curve_is_what_the_pipeline_gives(seed: int) -> None:
    analysis, truth = analysis_on_grid(seed, n=25), truth_on_grid(seed)
    uses = {} if analysis.uses_thresholds else {"decision": "threshold"}
    for label in analysis.labels:
        fit = suggest_with_truth(analysis, truth, label)
        known = evaluate(analysis, truth).by_label[label]
        if not known.known or not known.support_s:
            assert fit is None
            continue
        assert fit is not None
        assert fit.f1_now == known.f1
        assert fit.applies == analysis.uses_thresholds
        assert fit.f1 == pytest.approx(f1_of(again(analysis, label, fit.threshold, **uses), truth, label), abs=1e-9)
        for threshold, f1 in fit.curve.to_numpy().tolist():
            assert f1 == pytest.approx(f1_of(again(analysis, label, threshold, **uses), truth, label), abs=1e-9)
        scores = np.unique(analysis.scores[:, analysis.column(label)])
        tried = [*scores, *(scores[:-1] + scores[1:]) / 2]
        best = max(f1_of(again(analysis, label, float(threshold), **uses), truth, label) for threshold in tried)
        # With hysteresis thresholds below a score by the band matter too, so that there may be a better one.
        if analysis.prompt_set.settings.hysteresis == 0:
            assert fit.f1 == pytest.approx(best, abs=1e-9)


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 4, 5, 7, 8])
def test_left_out_parts_are_judged_by_what_was_fitted_without_them(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.choice(1000, 40, replace=False)[:, None] / 1000
    truth = [TrueSegment("a", start, start + 3) for start in (2, 11, 17, 30)]
    analysis = analyse_scores(scores, prompt_set("a", decision="threshold"), every(1.0, 40))
    fit = suggest_with_truth(analysis, truth, "a")

    true = np.array([any(s.start_s <= t < s.end_s for s in truth) for t in range(40)])
    part = np.array([sum(t >= middle for middle in (8, 15.5, 25)) for t in range(40)])
    hits = false_alarms = misses = 0
    for k in range(4):
        rest = part != k
        order = np.sort(scores[:, 0])
        choices = [*(order[:-1] + order[1:]) / 2, order[0]]
        f1 = [
            f1_score(
                (rest & true & (scores[:, 0] >= t)).sum(),
                (rest & ~true & (scores[:, 0] >= t)).sum(),
                (rest & true & (scores[:, 0] < t)).sum(),
            )
            or 0.0
            for t in choices
        ]
        good = sorted(t for t, one in zip(choices, f1, strict=True) if one >= max(f1) - 1e-12)
        # With these seeds all of the best are one run, no two of them with a worse one between them.
        assert all(t in good for t in choices if min(good) < t < max(good))
        low = max((x for x in order if x < min(good)), default=order[0])
        high = min((x for x in order if x >= max(good)), default=order[-1])
        middle = (low + high) / 2
        mine = (part == k) & (scores[:, 0] >= middle)
        hits += int((mine & true).sum())
        false_alarms += int((mine & ~true).sum())
        misses += int(((part == k) & true).sum() - (mine & true).sum())
    assert fit is not None
    assert fit.parts == 4
    assert fit.left_out_f1 == pytest.approx(f1_score(hits, false_alarms, misses), abs=1e-9)


def test_a_threshold_lies_in_the_middle_of_those_that_do_equally_well() -> None:
    scores = [[0.1], [0.2], [0.8], [0.9]]
    truth = [TrueSegment("a", 2, 4)]
    analysis = analyse_scores(scores, prompt_set("a", decision="threshold", threshold=0.85))
    fit = suggest_with_truth(analysis, truth, "a")
    assert fit is not None
    assert fit.threshold == pytest.approx(0.5)
    assert (fit.f1, fit.f1_now, fit.left_out_f1) == (1.0, pytest.approx(2 / 3), None)
    assert fit.sentence == (
        "a: threshold 0.500 gives F1 1.00 (currently 0.67); "
        "with one true segment nothing tells whether it holds elsewhere."
    )


def test_a_fit_to_noise_shows_and_a_real_one_holds() -> None:
    rng = np.random.default_rng(1)
    truth = [TrueSegment("a", start, start + 2) for start in range(5, 400, 20)]
    true = np.array([any(s.start_s <= t < s.end_s for s in truth) for t in range(400)])
    noise = rng.normal(size=400) / 10
    fits = []
    for lift in (0.0, 1.0):
        scores = np.clip(noise + lift * true, -1, 1)[:, None]
        analysis = analyse_scores(scores, prompt_set("a", decision="threshold"), every(1.0, 400))
        fit = suggest_with_truth(analysis, truth, "a")
        assert fit is not None
        fits.append(fit)
    noisy, real = fits
    assert noisy.left_out_f1 is not None
    assert noisy.left_out_f1 < noisy.f1
    assert noisy.f1 < 0.35
    assert (real.f1, real.left_out_f1) == (1.0, 1.0)


def test_a_sweep_finds_smoothing_that_helps_and_can_be_applied() -> None:
    rng = np.random.default_rng(2)
    truth = [TrueSegment("a", start, start + 15) for start in range(10, 300, 60)]
    true = np.array([any(s.start_s <= t < s.end_s for s in truth) for t in range(300)])
    scores = np.clip(0.15 * true + rng.normal(size=300) * 0.1, -1, 1)[:, None]
    analysis = analyse_scores(scores, prompt_set("a", decision="threshold"), every(1.0, 300))
    plain = suggest_with_truth(analysis, truth, "a")
    swept = suggest_with_truth(analysis, truth, "a", sweep=True)
    assert plain is not None
    assert swept is not None
    assert swept.settings.smoothing.kind == "moving_average"
    assert swept.f1 > plain.f1 + 0.1
    assert plain.settings == analysis.prompt_set.settings
    applied = swept.apply(analysis.prompt_set)
    assert applied.prompts[0].threshold == swept.threshold
    found = analyse(analysis.samples, applied, {}, cosine=analysis.cosine)
    assert f1_of(found, truth, "a") == pytest.approx(swept.f1, abs=1e-9)


@pytest.mark.parametrize("seed", range(8))
def test_a_sweep_is_never_worse_and_gives_what_it_says(seed: int) -> None:
    analysis, truth = analysis_on_grid(seed, n=30), truth_on_grid(seed, labels=("crane",))
    plain = suggest_with_truth(analysis, truth, "crane")
    swept = suggest_with_truth(analysis, truth, "crane", sweep=True)
    if plain is None or swept is None:
        assert plain is swept is None
        return
    assert swept.f1 >= plain.f1
    applied = swept.apply(analysis.prompt_set)
    if not swept.applies:
        applied = replace(applied, settings=replace(applied.settings, decision="threshold"))
    found = analyse(analysis.samples, applied, {}, cosine=analysis.cosine)
    assert f1_of(found, truth, "crane") == pytest.approx(swept.f1, abs=1e-9)


@pytest.mark.parametrize("sweep", [False, True])
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("kind", ["none", "gaussian", "viterbi"])
def test_with_viterbi_and_cuts_a_fit_gives_what_it_says(seed: int, kind: Any, sweep: bool) -> None:
    plain, truth = analysis_on_grid(seed, n=30), truth_on_grid(seed, labels=("crane",))
    settings = replace(plain.prompt_set.settings, smoothing=Smoothing(kind, 3, 0.5), stop_at_cuts=True, logit_scale=5.0)
    change = np.where(np.isin(np.arange(30), [6, 17, 18]), 0.5, 0.001)
    chosen = replace(plain.prompt_set, settings=settings)
    analysis = analyse(plain.samples, chosen, {}, cosine=plain.cosine, change=change)
    assert analysis.cuts is not None
    assert analysis.cuts.any()
    fit = suggest_with_truth(analysis, truth, "crane", sweep=sweep)
    if fit is None:
        return
    applied = fit.apply(chosen)
    if not fit.applies:
        applied = replace(applied, settings=replace(applied.settings, decision="threshold"))
    found = analyse(analysis.samples, applied, {}, cosine=analysis.cosine, change=change)
    assert f1_of(found, truth, "crane") == pytest.approx(fit.f1, abs=1e-9)
    assert fit.settings.smoothing.kind in (kind, "none", "moving_average" if kind == "none" else kind)


def test_a_sweep_with_viterbi_tries_expected_stays() -> None:
    rng = np.random.default_rng(3)
    truth = [TrueSegment("a", start, start + 30) for start in range(10, 300, 60)]
    true = np.array([any(s.start_s <= t < s.end_s for s in truth) for t in range(300)])
    scores = np.clip(0.02 * true + rng.normal(size=300) * 0.04, -1, 1)[:, None]
    chosen = prompt_set("a", decision="threshold", smoothing=Smoothing("viterbi", stay_s=0.0))
    fit = suggest_with_truth(analyse_scores(scores, chosen, every(1.0, 300)), truth, "a", sweep=True)
    assert fit is not None
    assert fit.settings.smoothing.kind == "viterbi"
    assert fit.settings.smoothing.stay_s > 0
    assert fit.f1 > (fit.f1_now or 0) + 0.1


@pytest.mark.parametrize("seed", range(5))
def test_hysteresis_as_one_number_a_sample_is_what_decide_does(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=200)
    highest = hysteresis_thresholds(scores, 0.7)
    settings = Settings(decision="threshold", hysteresis=0.7)
    for threshold in rng.normal(size=30):
        decided = decide(scores[:, None], np.array([threshold]), settings)[:, 0]
        assert (decided == (highest >= threshold)).all()
    assert hysteresis_thresholds(scores[:0], 0.7).size == 0


def test_many_true_segments_share_parts_and_long_curves_are_thinned() -> None:
    rng = np.random.default_rng(3)
    truth = [TrueSegment("a", start, start + 3) for start in range(0, 3000, 20)]
    analysis = analyse_scores(
        np.clip(rng.normal(size=(3000, 1)) / 5, -1, 1), prompt_set("a", decision="threshold"), every(1.0, 3000)
    )
    fit = suggest_with_truth(analysis, truth, "a")
    assert fit is not None
    assert fit.parts == 50
    assert 900 < len(fit.curve) <= 1001
    assert fit.curve["threshold"].is_monotonic_increasing
    assert fit.curve["f1"].max() == fit.f1


def test_what_is_always_there_and_what_is_never_there() -> None:
    analysis = analyse_scores([[0.2], [0.4]], prompt_set("a", decision="threshold"))
    always = suggest_with_truth(analysis, [TrueSegment("a", 0, 9)], "a")
    assert always is not None
    assert (always.threshold, always.f1) == (0.2, 1.0)
    assert suggest_with_truth(analysis, [TrueSegment("a", 5, 9)], "a") is None
    assert suggest_with_truth(analysis, [], "a") is None
    with pytest.raises(KeyError):
        suggest_with_truth(analysis, [], "b")


def test_a_label_that_others_always_beat_gets_an_f1_of_0() -> None:
    analysis = analyse_scores([[0.1, 0.9], [0.2, 0.8]], prompt_set("a", "b", decision="best_threshold"))
    fit = suggest_with_truth(analysis, [TrueSegment("a", 0, 1)], "a")
    assert fit is not None
    assert fit.f1 == 0.0


def test_best_uses_no_threshold_and_that_is_said() -> None:
    analysis = analyse_scores([[0.1, 0.9], [0.9, 0.8]], prompt_set("a", "b", decision="best"))
    fit = suggest_with_truth(analysis, [TrueSegment("a", 1, 2)], "a")
    assert isinstance(fit, ThresholdFit)
    assert not fit.applies
    assert "the decision “best” uses no threshold" in fit.sentence
    assert fit.settings.decision == "best"
    changed = fit.apply(PromptSet("p", (Prompt("a"), Prompt("b", threshold=0.1))))
    assert [prompt.threshold for prompt in changed.prompts] == [fit.threshold, 0.1]


@pytest.mark.parametrize("options", [{}, {"min_duration_s": 1.5}, {"bridge_s": 1.5}, {"hysteresis": 0.05}])
def test_the_curve_shows_the_whole_plateau_and_the_suggestion_lies_in_its_middle(options: dict[str, float]) -> None:
    """Steps over midpoints drew 0.91 where 0.99 is true, and the suggestion looked like an edge."""
    scores = [0.1, 0.12, 0.2, 0.15, 0.8, 0.9, 0.82, 0.85, 0.1, 0.3, 0.1]
    truth = [TrueSegment("a", 4, 8)]
    analysis = analyse_scores([[one] for one in scores], prompt_set("a", decision="threshold", **options))
    fit = suggest_with_truth(analysis, truth, "a")
    assert fit is not None
    best = fit.curve.loc[fit.curve["f1"] == 1.0, "threshold"].to_numpy()
    for threshold in np.linspace(0.1003, 0.8997, 397):
        drawn = np.interp(threshold, fit.curve["threshold"], fit.curve["f1"])
        assert drawn == pytest.approx(f1_of(again(analysis, "a", float(threshold)), truth, "a"), abs=1e-9)
    assert fit.threshold == pytest.approx((best.min() + best.max()) / 2, abs=1e-8)


def test_the_middle_of_a_plateau_of_unequal_ranges_is_that_of_the_whole() -> None:
    """A piece that is too short to count parts the plateau into ranges, whose middles are not its own."""
    scores = [[0.1], [0.25], [0.1], [0.9], [0.9], [0.9]]
    analysis = analyse_scores(scores, prompt_set("a", decision="threshold", min_duration_s=1.5), every(1.0, 6))
    fit = suggest_with_truth(analysis, [TrueSegment("a", 3, 6)], "a")
    assert fit is not None
    assert fit.threshold == pytest.approx(0.5)


def test_with_a_minimum_duration_thresholds_are_closer_together_around_the_best() -> None:
    rng = np.random.default_rng(3)
    scores = rng.uniform(0.0, 0.5, 3000)
    scores[1000:1400] = rng.uniform(0.5, 1.0, 400)
    analysis = analyse_scores(
        scores[:, None], prompt_set("a", decision="threshold", min_duration_s=2.0), every(1.0, 3000)
    )
    fit = suggest_with_truth(analysis, [TrueSegment("a", 1000, 1400)], "a")
    assert fit is not None
    thresholds = fit.curve["threshold"].to_numpy()[::2]  # one end of each range
    best = int(np.abs(thresholds - fit.threshold).argmin())
    near = np.diff(thresholds[max(best - 2, 0) : best + 3])
    assert 96 < len(thresholds) <= 150
    assert np.median(near) < np.median(np.diff(thresholds)) / 4


def test_of_settings_that_are_equally_good_a_sweep_keeps_the_present_ones() -> None:
    scores = np.repeat([0.1, 0.9, 0.1], 40)[:, None]
    analysis = analyse_scores(scores, prompt_set("a", decision="threshold"), every(1.0, 120))
    fit = suggest_with_truth(analysis, [TrueSegment("a", 40, 80)], "a", sweep=True)
    assert fit is not None
    assert fit.f1 == 1.0
    assert fit.settings == analysis.prompt_set.settings
