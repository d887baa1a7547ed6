"""The fitted logit scale and the reliability of probabilities, against slow counts."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from lib.analysis.analysis import Analysis
from lib.core.labelled_intervals import TrueSegment
from lib.evaluation.temperature import BINS, fit_temperature, reliability
from tests.helpers.arrays import analyse_scores, every, prompt_set, samples_at

LABELS = ("crane", "ship", "road")


def drawn(
    seed: int, true_scale: float, *, n: int = 600, now: float = 100.0, background: bool = False
) -> tuple[Analysis, tuple[TrueSegment, ...]]:
    """Return samples 1 s apart whose right label is drawn from ``softmax(true_scale * cosine)``."""
    rng = np.random.default_rng(seed)
    cosine = rng.uniform(0.1, 0.3, size=(n, 3))
    kinds = np.array([rng.choice(3, p=row) for row in softmax(true_scale * cosine, axis=1)])
    chosen = prompt_set(
        *LABELS, background=LABELS[2:] if background else (), score="probability", threshold=0.5, logit_scale=now
    )
    truth = tuple(
        TrueSegment(LABELS[kind], float(i), i + 1.0) for i, kind in enumerate(kinds) if not (background and kind == 2)
    )
    return analyse_scores(cosine, chosen, every(1.0, n)), truth


@pytest.mark.parametrize("background", [False, True])
@pytest.mark.parametrize("true_scale", [8.0, 30.0, 80.0])
def test_the_scale_that_made_the_truth_is_found(true_scale: float, background: bool) -> None:
    fit = fit_temperature([drawn(1, true_scale, now=190.0, background=background)])

    assert fit is not None
    assert fit.scale == pytest.approx(true_scale, rel=0.35)
    assert fit.better
    assert fit.loss is not None
    assert fit.loss < fit.loss_now
    assert fit.sentence.startswith(f"A logit scale of {fit.scale:.0f} instead of 190 is better: log loss on left-out")


def test_no_scale_has_a_lower_loss() -> None:
    analysis, truth = drawn(2, 40.0)
    fit = fit_temperature([(analysis, truth)])
    assert fit is not None
    kinds = np.array([LABELS.index(segment.label) for segment in truth])

    def loss(scale: float) -> float:
        return float(-np.log(softmax(scale * analysis.cosine, axis=1)[np.arange(len(kinds)), kinds]).mean())

    assert loss(fit.scale) <= min(loss(scale) for scale in np.arange(1, 200.5, 0.5)) + 1e-6
    assert fit.loss_now == pytest.approx(loss(100.0))


def test_time_counts_and_moments_of_nothing_do_not_without_a_background(rng: np.random.Generator) -> None:
    spans = rng.choice([0.25, 1.0, 4.0], size=80)
    times = np.cumsum(spans) - spans
    cosine = rng.uniform(0.1, 0.3, size=(80, 2))
    kinds = np.array([rng.choice(2, p=row) for row in softmax(30 * cosine, axis=1)])
    chosen = prompt_set("crane", "ship", score="probability", threshold=0.5)
    analysis = analyse_scores(cosine, chosen, samples_at(times.tolist(), float(spans.sum())))
    truth = [TrueSegment(("crane", "ship")[kinds[i]], times[i], times[i] + spans[i]) for i in range(0, 80, 2)]
    fit = fit_temperature([(analysis, truth)])
    assert fit is not None

    def loss(scale: float) -> float:
        logs = np.log(softmax(scale * analysis.cosine, axis=1)[np.arange(80), kinds])
        return float(-np.average(logs[::2], weights=spans[::2]))

    assert fit.loss_now == pytest.approx(loss(100.0))
    assert loss(fit.scale) <= min(loss(scale) for scale in np.arange(1, 200.5, 0.5)) + 1e-6


def test_a_scale_that_is_right_stays() -> None:
    stayed = 0
    for seed in range(10):
        fit = fit_temperature([drawn(seed, 50.0, now=50.0, n=200)])
        assert fit is not None
        stayed += not fit.better
        assert fit.better is not fit.sentence.endswith(", not below 0.")
    assert stayed >= 9


@pytest.mark.parametrize(("sign", "expected"), [(1.0, 200.0), (-1.0, 1.0)])
def test_the_scale_stays_in_its_bounds(sign: float, expected: float) -> None:
    kinds = np.arange(60) % 2
    cosine = np.where(np.arange(2) == kinds[:, None], 0.5 * sign, 0.0)
    chosen = prompt_set("crane", "ship", score="probability", threshold=0.5)
    truth = tuple(TrueSegment(("crane", "ship")[kind], float(i), i + 1.0) for i, kind in enumerate(kinds))
    fit = fit_temperature([(analyse_scores(cosine, chosen), truth)])

    assert fit is not None
    assert fit.scale == expected


def test_videos_count_together_and_few_stretches_cannot_tell() -> None:
    analysis, truth = drawn(3, 20.0, n=2)
    one, both = fit_temperature([(analysis, truth)]), fit_temperature([(analysis, truth)] * 4)

    assert one is not None
    assert one.loss is None
    assert not one.better
    assert "can't tell" in one.sentence
    assert both is not None
    assert both.loss is not None
    assert both.loss_now == pytest.approx(one.loss_now)


def test_nothing_is_fitted_where_nothing_counts() -> None:
    analysis, _ = drawn(4, 20.0, n=20)
    alone = analyse_scores(np.zeros((5, 1)), prompt_set("crane", score="probability", threshold=0.5))
    everywhere = tuple(TrueSegment(label, 0.0, 20.0) for label in LABELS)  # several at a time

    assert fit_temperature([(analysis, ())]) is None
    assert fit_temperature([(analysis, everywhere)]) is None
    assert fit_temperature([(alone, (TrueSegment("crane", 0.0, 5.0),))]) is None
    assert reliability(analysis, ()) is None
    assert reliability(drawn(4, 20.0, n=20, background=True)[0], ()) is None
    assert reliability(alone, (TrueSegment("crane", 0.0, 5.0),)) is None


def test_where_the_truth_has_other_things_the_background_is_right() -> None:
    analysis, truth = drawn(7, 30.0, background=True)
    kinds = {round(segment.start_s) for segment in truth}
    others = tuple(TrueSegment("zebra", float(i), i + 1.0) for i in range(600) if i not in kinds)
    with_others, without = fit_temperature([(analysis, truth + others)]), fit_temperature([(analysis, truth)])

    assert with_others is not None
    assert without is not None
    assert (with_others.scale, with_others.loss_now) == pytest.approx((without.scale, without.loss_now))


def test_stretches_end_where_something_changes_that_no_prompt_looks_for() -> None:
    chosen = prompt_set("crane", "road", background=("road",), score="probability", threshold=0.5)
    analysis = analyse_scores(np.tile([[0.3, 0.2]], (9, 1)), chosen)
    crane, zebra = TrueSegment("crane", 0.0, 3.0), TrueSegment("zebra", 3.0, 6.0)
    few, three = fit_temperature([(analysis, (crane,))]), fit_temperature([(analysis, (crane, zebra))])
    assert few is not None
    assert three is not None
    assert (few.loss is None, three.loss is None) == (True, False)


def test_bins_have_as_much_time_each_and_say_how_often_the_best_label_is_right() -> None:
    analysis, truth = drawn(5, 30.0)
    found = reliability(analysis, truth)
    assert found is not None
    probability = softmax(100 * analysis.cosine, axis=1)
    right = np.array(
        [LABELS[best] == segment.label for best, segment in zip(probability.argmax(1), truth, strict=True)]
    )
    order = np.argsort(probability.max(axis=1))
    groups = np.array_split(order, BINS)

    assert found.frame["seconds"].tolist() == [60.0] * BINS
    assert found.frame["accuracy"].to_numpy() == pytest.approx([right[group].mean() for group in groups])
    means = np.array([probability.max(axis=1)[group].mean() for group in groups])
    assert found.frame["confidence"].to_numpy() == pytest.approx(means)
    assert found.ece == pytest.approx(np.abs([right[group].mean() for group in groups] - means).mean())


def test_samples_of_different_length_lie_in_the_bin_of_their_middle_and_count_by_their_seconds() -> None:
    cosine = np.array([[0.21, 0.2], [0.22, 0.2], [0.23, 0.2]])
    chosen = prompt_set("crane", "ship", score="probability", threshold=0.5)
    analysis = analyse_scores(cosine, chosen, samples_at([0.0, 0.8, 1.6], 10.0))
    found = reliability(analysis, (TrueSegment("crane", 0.0, 0.8), TrueSegment("ship", 0.8, 10.0)))
    assert found is not None
    confidence = softmax(100 * analysis.cosine, axis=1)[:, 0]
    assert found.frame["seconds"].to_numpy() == pytest.approx([0.8, 0.8, 8.4])
    assert found.ece == pytest.approx((0.8 * (1 - confidence[0]) + 0.8 * confidence[1] + 8.4 * confidence[2]) / 10)


def test_the_fitted_scale_is_better_calibrated() -> None:
    analysis, truth = drawn(6, 25.0, n=2000)
    fit = fit_temperature([(analysis, truth)])
    assert fit is not None
    now, fitted = reliability(analysis, truth), reliability(analysis, truth, fit.scale)
    assert now is not None
    assert fitted is not None
    assert fitted.ece < now.ece / 3
