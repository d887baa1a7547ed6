from __future__ import annotations

import numpy as np
import pytest

from lib.analysis.reference_band import PHRASES, ReferenceBand, reference_band
from lib.core.errors import BadReplyError
from tests.helpers.arrays import every, samples_at, unit_rows


def test_there_are_a_hundred_different_phrases() -> None:
    assert len(PHRASES) == len({phrase.casefold() for phrase in PHRASES}) == 100


def test_the_band_is_between_percentiles_over_time_and_phrases() -> None:
    rng = np.random.default_rng(0)
    vectors = unit_rows(rng, 300, 16)
    phrases = {f"phrase {i}": row * 3 for i, row in enumerate(unit_rows(rng, 40, 16))}
    band = reference_band(every(0.5, 300, vectors), phrases)
    cosine = vectors.astype(float) @ np.array(list(phrases.values()), dtype=float).T / 3
    assert band is not None
    low, high = np.quantile(cosine, [0.05, 0.95], method="inverted_cdf")
    assert (band.low, band.high) == pytest.approx((low, high), abs=1e-6)
    assert band.peaks == pytest.approx(sorted(cosine.max(axis=0)), abs=1e-6)


def test_samples_count_by_their_spans() -> None:
    vectors = np.array([[1.0, 0.0], [0.0, 1.0]], dtype=np.float32)
    phrases = {"x": np.array([1.0, 0.0], dtype=np.float32)}
    band = reference_band(samples_at([0.0, 1.0], 100.0, vectors), phrases)
    assert band == ReferenceBand(0.0, 0.0, (1.0,))
    phrases["y"] = np.array([0.6, 0.8], dtype=np.float32)
    band = reference_band(samples_at([0.0, 90.0], 100.0, vectors), phrases)
    assert band is not None
    assert (band.low, band.high) == pytest.approx((0.0, 1.0))
    band = reference_band(samples_at([0.0, 98.0], 100.0, vectors), phrases)
    assert band is not None
    assert (band.low, band.high) == pytest.approx((0.6, 1.0))


def test_a_peak_is_placed_in_words() -> None:
    band = ReferenceBand(0.10, 0.22, tuple(np.linspace(0.18, 0.28, 100).tolist()))
    assert band.place(0.29) == "0.29, above all 100 reference phrases"
    assert band.place(0.21) == "0.21, inside the range of unrelated text: treat with care"
    assert band.place(0.05) == "0.05, inside the range of unrelated text: treat with care"
    assert band.place(0.225) == "0.23, above 45 of 100 reference phrases: treat with care"
    assert band.place(0.2701) == "0.27, above 90 of 100 reference phrases"
    assert band.place(0.28) == "0.28, above 99 of 100 reference phrases"
    assert (band.inside(0.22), band.inside(0.23), band.above(0.17)) == (True, False, 0)


def test_without_samples_or_phrases_there_is_none() -> None:
    phrases = {"x": np.array([1.0, 0.0], dtype=np.float32)}
    assert reference_band(samples_at([], 3.0), phrases) is None
    assert reference_band(every(1.0, 3), {}) is None


def test_vectors_of_another_engine_are_refused() -> None:
    with pytest.raises(BadReplyError, match="different engines"):
        reference_band(every(1.0, 3), {"x": np.ones(5, dtype=np.float32)})
