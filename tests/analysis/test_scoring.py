from __future__ import annotations

import numpy as np
import pytest

from lib.analysis.scoring import cosine_scores, prompt_vectors, raw_scores, smooth, spikes, vector_change
from lib.core.errors import BadReplyError, PromptSetError, SettingsError
from lib.prompts.model import Prompt, PromptSet, Settings, Smoothing
from tests.helpers.arrays import prompt_set, unit_rows

KINDS = ("moving_average", "median", "gaussian", "exponential")


def test_a_prompt_is_the_normalised_mean_of_its_phrasings_unit_vectors() -> None:
    chosen = PromptSet("x", (Prompt("a", ("p", "q")), Prompt("b")))
    vectors = {"p": np.array([3.0, 0.0]), "q": np.array([0.0, 0.1]), "b": np.array([0.0, -2.0])}
    found = prompt_vectors(chosen, vectors)  # type: ignore[arg-type]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [[np.sqrt(0.5), np.sqrt(0.5)], [0, -1]], atol=1e-7)


def test_the_template_decides_which_vectors_are_used() -> None:
    chosen = PromptSet("x", (Prompt("a"),), "a photo of a {}")
    found = prompt_vectors(chosen, {"a photo of a a": np.array([0, 2], dtype=np.float32)})
    assert found.tolist() == [[0, 1]]


def test_only_enabled_prompts_have_a_vector() -> None:
    chosen = PromptSet("x", (Prompt("a", enabled=False), Prompt("b")))
    assert prompt_vectors(chosen, {"b": np.ones(4, dtype=np.float32)}).shape == (1, 4)


@pytest.mark.parametrize(
    ("vectors", "error", "message"),
    [
        ({"p": [1, 0]}, PromptSetError, "'q' has no vector yet"),
        ({"p": [1, 0], "q": [-1, 0]}, PromptSetError, "'a' point in opposite directions and cancel out"),
        ({"p": [1, 0], "q": [0, 0]}, BadReplyError, "'q' has no direction"),
        ({"p": [1, 0], "q": [np.nan, 0]}, BadReplyError, "'q' has no direction"),
        ({"p": [1, 0], "q": [1, 0, 0]}, BadReplyError, "differ in length"),
    ],
)
def test_vectors_that_make_no_prompt_are_reported(
    vectors: dict[str, list[float]], error: type[Exception], message: str
) -> None:
    arrays = {text: np.array(vector, dtype=np.float32) for text, vector in vectors.items()}
    with pytest.raises(error, match=message):
        prompt_vectors(PromptSet("x", (Prompt("a", ("p", "q")),)), arrays)


def test_without_an_enabled_prompt_there_is_nothing_to_score() -> None:
    with pytest.raises(PromptSetError, match="No prompt is switched on"):
        prompt_vectors(PromptSet("x", (Prompt("a", enabled=False),)), {})


def test_cosines_are_the_products_of_unit_rows(rng: np.random.Generator) -> None:
    vectors, prompts = unit_rows(rng, 30, 16), unit_rows(rng, 4, 16)
    found = cosine_scores(vectors, prompts)
    assert found.dtype == np.float64
    slow = [[sum(float(a) * float(b) for a, b in zip(v, p, strict=True)) for p in prompts] for v in vectors]
    np.testing.assert_allclose(found, slow, atol=1e-6)
    assert cosine_scores(vectors, vectors[:1])[0, 0] <= 1.0


def test_vectors_of_another_engine_are_refused(rng: np.random.Generator) -> None:
    with pytest.raises(BadReplyError, match="vectors of 8 numbers and prompts of 6: they come from different"):
        cosine_scores(unit_rows(rng, 3, 8), unit_rows(rng, 1, 6))


def test_a_vector_that_is_not_finite_is_refused() -> None:
    with pytest.raises(BadReplyError, match="not finite; delete its embedding"):
        cosine_scores(np.array([[np.inf, 0]], dtype=np.float32), np.array([[1, 0]], dtype=np.float32))


def test_probability_is_a_softmax_over_the_prompts_and_stable() -> None:
    cosine = np.array([[0.30, 0.27], [1.0, -1.0]])
    found = raw_scores(cosine, prompt_set("a", "b", score="probability", threshold=0.5))
    assert found[0, 0] == pytest.approx(1 / (1 + np.exp(-3)))
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert np.isfinite(raw_scores(cosine, prompt_set("a", "b", score="probability", logit_scale=200.0))).all()


def test_a_smaller_logit_scale_is_less_sure() -> None:
    cosine = np.array([[0.30, 0.27]])
    soft = raw_scores(cosine, prompt_set("a", "b", score="probability", logit_scale=10.0))
    assert soft[0, 0] == pytest.approx(1 / (1 + np.exp(-0.3)))


def test_a_margin_is_the_lead_over_the_best_of_the_other_role() -> None:
    cosine = np.array([[0.30, 0.20, 0.25, 0.10]])
    found = raw_scores(cosine, prompt_set("a", "b", "x", "y", background=("x", "y"), score="margin"))
    np.testing.assert_allclose(found, [[0.05, -0.05, -0.05, -0.20]])


def test_the_best_label_by_margin_is_the_best_label_by_cosine(rng: np.random.Generator) -> None:
    cosine = rng.normal(size=(500, 5))
    found = raw_scores(cosine, prompt_set("a", "b", "c", "x", "y", background=("x", "y"), score="margin"))
    assert (found.argmax(axis=1) == cosine.argmax(axis=1)).all()


@pytest.mark.parametrize(
    ("background", "message"), [((), "give one prompt the role background"), (("a", "b"), "there is no target")]
)
def test_a_margin_needs_both_roles(background: tuple[str, ...], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        raw_scores(np.zeros((2, 2)), prompt_set("a", "b", background=background, score="margin"))


def test_a_moving_average_uses_the_part_of_the_window_that_exists() -> None:
    scores = np.array([[3.0], [0.0], [0.0], [6.0], [0.0]])
    found = smooth(scores, Smoothing("moving_average", 3))
    np.testing.assert_allclose(found[:, 0], [1.5, 1.0, 2.0, 2.0, 3.0])


def test_an_even_window_has_one_more_sample_before_its_centre() -> None:
    scores = np.array([[1.0], [2.0], [4.0], [8.0], [16.0]])
    average = smooth(scores, Smoothing("moving_average", 4))[:, 0]
    np.testing.assert_allclose(average, [3 / 2, 7 / 3, 15 / 4, 30 / 4, 28 / 3])
    median = smooth(scores, Smoothing("median", 4))[:, 0]
    np.testing.assert_allclose(median, [1.5, 2.0, 3.0, 6.0, 8.0])


def test_a_median_removes_one_stray_sample_and_keeps_an_edge() -> None:
    scores = np.array([0, 0, 9, 0, 0, 5, 5, 5, 5.0])[:, None]
    assert smooth(scores, Smoothing("median", 3))[:, 0].tolist() == [0, 0, 0, 0, 0, 5, 5, 5, 5]


def test_a_gaussian_has_a_quarter_of_its_window_as_sigma() -> None:
    scores = np.zeros((9, 1))
    scores[4] = 1.0
    found = smooth(scores, Smoothing("gaussian", 5))[:, 0]
    weights = np.exp(-(np.arange(-2, 3) ** 2) / (2 * 1.25**2))
    np.testing.assert_allclose(found, [0, 0, *(weights / weights.sum()), 0, 0], atol=1e-12)


def test_an_exponential_falls_by_the_same_factor_either_way() -> None:
    scores = np.zeros((41, 1))
    scores[20] = 1.0
    found = smooth(scores, Smoothing("exponential", 5))[15:26, 0]
    np.testing.assert_allclose(found[5:-1] / found[6:], 2.0, rtol=1e-4)
    np.testing.assert_allclose(found, found[::-1], rtol=1e-9)


def test_an_exponential_reaches_about_as_far_as_a_moving_average_of_its_window() -> None:
    scores = np.zeros((2001, 1))
    scores[1000] = 1.0
    lags = np.abs(np.arange(2001) - 1000)
    for window in (5, 21, 101):
        reach = [
            float(lags @ smooth(scores, Smoothing(kind, window))[:, 0]) for kind in ("moving_average", "exponential")
        ]
        assert reach[1] == pytest.approx(reach[0], rel=0.2)


@pytest.mark.parametrize("kind", KINDS)
def test_a_window_longer_than_the_video_works(kind: str) -> None:
    scores = np.array([[1.0, 5.0], [2.0, 5.0], [6.0, 5.0]])
    found = smooth(scores, Smoothing(kind, 1001))  # type: ignore[arg-type]
    np.testing.assert_allclose(found[:, 1], 5.0)
    if kind in ("moving_average", "gaussian", "exponential"):
        np.testing.assert_allclose(found[:, 0], 3.0, atol=0.02)
    else:
        assert found[:, 0].tolist() == [2.0, 2.0, 2.0]


@pytest.mark.parametrize("kind", ["none", *KINDS])
def test_no_samples_are_no_problem(kind: str) -> None:
    assert smooth(np.zeros((0, 3)), Smoothing(kind, 5)).shape == (0, 3)  # type: ignore[arg-type]


def test_change_is_one_minus_the_cosine_with_the_sample_before() -> None:
    vectors = np.array([[1, 0], [1, 0], [0, 1], [0, -1]], dtype=np.float32)
    assert vector_change(vectors).tolist() == [0, 0, 1, 2]
    assert vector_change(vectors[:0]).shape == (0,)


def test_a_cut_is_a_spike_and_noise_is_not(rng: np.random.Generator) -> None:
    change = rng.uniform(0.02, 0.04, size=400)
    change[[100, 250]] = 0.5, 0.3
    change[0] = 0
    assert np.flatnonzero(spikes(change)).tolist() == [100, 250]


def test_a_spike_of_two_samples_counts_once() -> None:
    change = np.full(100, 0.02)
    change[40:43] = 0.3, 0.5, 0.5
    assert np.flatnonzero(spikes(change)).tolist() == [41]


def test_in_a_video_that_stands_still_rounding_is_no_spike_and_a_cut_is() -> None:
    change = np.zeros(200)
    change[::20] = 2e-7
    assert not spikes(change).any()
    change[120] = 0.2
    assert np.flatnonzero(spikes(change)).tolist() == [120]


def test_the_last_sample_can_be_a_spike() -> None:
    change = np.full(50, 0.01)
    change[-1] = 0.9
    assert np.flatnonzero(spikes(change)).tolist() == [49]


def test_settings_without_smoothing_change_nothing(rng: np.random.Generator) -> None:
    scores = rng.normal(size=(20, 2))
    assert smooth(scores, Settings().smoothing) is scores
