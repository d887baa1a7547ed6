from __future__ import annotations

import numpy as np
import pytest

from lib.analysis.analysis import analyse
from lib.analysis.reference import MIN_SCALE, Reference, reference_of, reference_vectors
from lib.charts.player_arrays import line_arrays
from lib.core.errors import BadReplyError, PromptSetError
from lib.prompts.model import START_SETTINGS, Prompt, PromptSet, Settings
from lib.prompts.reference_phrases import PHRASES
from tests.helpers.arrays import every, samples_at, unit_rows


@pytest.fixture
def phrases() -> dict[str, np.ndarray]:
    return dict(zip(PHRASES, unit_rows(np.random.default_rng(1), len(PHRASES), 16) * 3, strict=True))


def test_there_are_two_hundred_different_phrases() -> None:
    assert len(PHRASES) == len({phrase.casefold() for phrase in PHRASES}) == 200


def test_median_scale_and_band_are_those_of_the_phrases_on_each_sample(phrases: dict[str, np.ndarray]) -> None:
    vectors = unit_rows(np.random.default_rng(0), 300, 16)
    found = reference_of(every(0.5, 300, vectors), reference_vectors(phrases))

    cosine = vectors.astype(float) @ np.array(list(phrases.values()), dtype=float).T / 3
    low, median, high = np.quantile(cosine, [0.05, 0.5, 0.95], axis=1)
    assert found.median == pytest.approx(median, abs=1e-6)
    assert found.scale == pytest.approx(high - median, abs=1e-6)
    assert (found.low, found.high) == pytest.approx((low.mean(), high.mean()), abs=1e-6)
    assert found.peaks == pytest.approx(sorted(cosine.max(axis=0)), abs=1e-6)
    assert found.range_of("cosine") == (found.low, found.high)
    assert found.range_of("relative") == pytest.approx((((low - median) / (high - median)).mean(), 1.0), abs=1e-5)
    assert found.range_of("probability") is None


def test_many_samples_are_compared_piece_by_piece(
    phrases: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = every(0.5, 50, unit_rows(np.random.default_rng(0), 50, 16))
    rows = reference_vectors(phrases)
    whole = reference_of(samples, rows)
    monkeypatch.setattr("lib.analysis.reference._AT_ONCE", 7)
    pieces = reference_of(samples, rows)
    assert np.allclose(whole.median, pieces.median)
    assert np.allclose(whole.scale, pieces.scale)
    assert whole.peaks == pytest.approx(pieces.peaks, abs=1e-6)


def test_samples_count_by_their_spans() -> None:
    vectors = np.array([[1.0, 0.0], [0.0, 1.0]], dtype=np.float32)
    found = reference_of(samples_at([0.0, 98.0], 100.0, vectors), np.array([[1.0, 0.0]], dtype=np.float32))
    assert (found.low, found.high) == pytest.approx((0.98, 0.98))
    assert found.peaks == pytest.approx((1.0,))


def test_phrases_that_are_one_to_the_model_count_once(phrases: dict[str, np.ndarray]) -> None:
    same = {phrase: np.ones(16, dtype=np.float32) for phrase in PHRASES[:150]}
    rows = reference_vectors(phrases | same)
    assert len(rows) == 51
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1.0)


def test_phrases_that_are_much_alike_count_each_in_their_order(phrases: dict[str, np.ndarray]) -> None:
    nearly = phrases | {PHRASES[1]: phrases[PHRASES[0]] + np.eye(16)[0] * 0.003}
    rows = reference_vectors(nearly)
    assert rows == pytest.approx(np.array(list(nearly.values())) / 3, abs=2e-3)


def test_a_picture_on_which_all_phrases_score_alike_has_no_huge_scores() -> None:
    found = reference_of(every(1.0, 1, np.array([[0.0, 1.0]], dtype=np.float32)), np.eye(1, 2, dtype=np.float32))
    assert found.scale.tolist() == [MIN_SCALE]
    assert found.relative(np.array([[0.25]])).tolist() == [[125.0]]


def test_relative_scores_are_zero_at_the_median_and_one_at_the_95th_percentile() -> None:
    found = Reference(np.array([0.2, 0.1]), np.array([0.04, 0.1]), 0.1, 0.22, -1.0, (0.3,))
    cosine = np.array([[0.2, 0.24, 0.25], [0.05, 0.2, 0.3]])
    assert found.relative(cosine) == pytest.approx(np.array([[0.0, 1.0, 1.25], [-0.5, 1.0, 2.0]]))


def test_an_analysis_by_relative_scores_has_the_order_of_cosines(phrases: dict[str, np.ndarray]) -> None:
    samples = every(0.5, 200, unit_rows(np.random.default_rng(2), 200, 16))
    texts = phrases | dict(zip("abc", unit_rows(np.random.default_rng(3), 3, 16), strict=True))
    prompts = tuple(map(Prompt, "abc"))
    relative = analyse(samples, PromptSet("x", prompts, settings=START_SETTINGS), texts)
    cosine = analyse(samples, PromptSet("x", prompts, settings=Settings()), texts)

    assert relative.segments
    assert relative.sample_labels == cosine.sample_labels
    assert [m.duration_s for m in relative.metrics] == [m.duration_s for m in cosine.metrics]
    reference = reference_of(samples, reference_vectors(phrases))
    assert np.allclose(relative.raw, reference.relative(cosine.raw))
    assert np.array_equal(relative.cosine, cosine.cosine)
    given = analyse(samples, relative.prompt_set, {}, cosine=cosine.cosine, reference=reference)
    assert np.array_equal(given.raw, relative.raw)


def test_without_a_phrase_there_are_no_relative_scores(phrases: dict[str, np.ndarray]) -> None:
    del phrases[PHRASES[7]]
    with pytest.raises(PromptSetError, match="1 of 200 reference phrases have no vector"):
        reference_vectors(phrases)


def test_a_peak_is_placed_in_words() -> None:
    none = np.empty(0)
    band = Reference(none, none, 0.10, 0.22, -1.0, tuple(np.linspace(0.18, 0.28, 100).tolist()))
    assert band.place(0.29) == "0.29, above all 100 reference phrases"
    assert band.place(0.21) == "0.21, inside the range of unrelated text: treat with care"
    assert band.place(0.05) == "0.05, inside the range of unrelated text: treat with care"
    assert band.place(0.225) == "0.23, above 45 of 100 reference phrases: treat with care"
    assert band.place(0.23) == "0.23, above 50 of 100 reference phrases"
    assert band.place(0.2701) == "0.27, above 90 of 100 reference phrases"
    assert band.place(0.28) == "0.28, above 99 of 100 reference phrases"
    assert (band.inside(0.22), band.inside(0.23), band.above(0.17)) == (True, False, 0)


def test_without_samples_it_is_empty(phrases: dict[str, np.ndarray]) -> None:
    found = reference_of(samples_at([], 3.0, np.empty((0, 16), np.float32)), reference_vectors(phrases))
    assert (found.median.shape, found.relative(np.empty((0, 2))).shape) == ((0,), (0, 2))


def test_vectors_of_another_engine_are_refused() -> None:
    with pytest.raises(BadReplyError, match="different engines"):
        reference_of(every(1.0, 3), np.ones((1, 5), dtype=np.float32))


def test_cosines_stand_beside_relative_scores(phrases: dict[str, np.ndarray]) -> None:
    samples = every(0.5, 3, unit_rows(np.random.default_rng(2), 3, 16))
    labels = ("a", "a (cosine)")
    texts = phrases | dict(zip(labels, unit_rows(np.random.default_rng(3), 2, 16), strict=True))
    found = analyse(samples, PromptSet("x", tuple(map(Prompt, labels)), settings=START_SETTINGS), texts)

    frame = found.samples_frame()
    assert list(frame)[3:] == ["a", "a (cosine)", "a (cosine) (cosine)", "a (cosine) (cosine) (cosine)"]
    assert frame["a (cosine) (cosine)"].tolist() == found.cosine[:, 0].tolist()
    assert found.to_dict(samples=True)["samples"][1]["cosines"] == dict(
        zip(labels, found.cosine[1].tolist(), strict=True)
    )
    assert [metrics.peak_cosine for metrics in found.metrics] == found.cosine.max(axis=0).tolist()
    assert np.array_equal(line_arrays(found)["cosines"], found.cosine.T.astype(np.float32))
