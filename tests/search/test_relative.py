"""Relative scores of queries: a linear score of each sample, with the sample's own median and scale."""

from __future__ import annotations

import numpy as np
import pytest

from lib.analysis.reference import Reference, reference_of
from lib.core.errors import BadReplyError, InputError
from lib.search.relative import ReferenceRows, relative_query
from tests.helpers.arrays import every, unit_rows

NOTHING = np.empty((0, 16), np.float32)


@pytest.fixture
def samples(rng: np.random.Generator) -> np.ndarray:
    return unit_rows(rng, 50, 16)


@pytest.fixture
def reference(rng: np.random.Generator) -> ReferenceRows:
    """Phrases that have much in common, as those of CLIP have."""
    rows = unit_rows(rng, 200, 16) + 2 * unit_rows(rng, 1, 16)
    return ReferenceRows((rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32))


@pytest.fixture
def scored(samples: np.ndarray, reference: ReferenceRows) -> Reference:
    return reference_of(every(1.0, len(samples), samples), reference.vectors)


def test_words_score_what_a_prompt_scores(
    samples: np.ndarray, reference: ReferenceRows, scored: Reference, rng: np.random.Generator
) -> None:
    words = unit_rows(rng, 1, 16)
    query = relative_query(words, NOTHING, reference)
    spread = reference.spread_of(samples)

    expected = scored.relative(samples @ words.T)[:, 0]
    assert query.scores(samples @ query.direction, spread) == pytest.approx(expected, abs=1e-4)
    assert query.medians == 1.0
    assert spread.dtype == query.scores(samples @ query.direction, spread).dtype == np.float32


def test_what_is_avoided_is_subtracted_by_its_own_relative_score(
    samples: np.ndarray, reference: ReferenceRows, scored: Reference, rng: np.random.Generator
) -> None:
    words, avoid = unit_rows(rng, 1, 16), unit_rows(rng, 1, 16)
    query = relative_query(words, avoid, reference)

    share = 1 - query.medians
    assert share >= 0.5
    wanted, avoided = scored.relative(samples @ np.concatenate([words, avoid]).T).T
    scores = query.scores(samples @ query.direction, reference.spread_of(samples))
    assert scores == pytest.approx(wanted - share * avoided, abs=1e-4)


def test_the_share_of_what_is_avoided_is_how_alike_both_are_beside_the_mean_phrase(
    reference: ReferenceRows, rng: np.random.Generator
) -> None:
    words = unit_rows(rng, 1, 16)
    avoid = words + 0.5 * unit_rows(rng, 1, 16)
    avoid /= np.linalg.norm(avoid)
    wanted, avoided = (rows[0].astype(float) - reference.vectors.mean(axis=0) for rows in (words, avoid))

    expected = wanted @ avoided / (avoided @ avoided)
    assert expected > 0.6
    assert 1 - relative_query(words, avoid, reference).medians == pytest.approx(expected, abs=1e-5)


def test_avoiding_the_mean_phrase_takes_half_of_it_off(rng: np.random.Generator) -> None:
    phrase = np.eye(1, 16, dtype=np.float32)

    query = relative_query(unit_rows(rng, 1, 16), phrase, ReferenceRows(np.repeat(phrase, 4, axis=0)))

    assert query.medians == 0.5


@pytest.mark.parametrize("avoided", [0, 1])
def test_the_centred_vector_ranks_nearly_as_the_score_does(
    samples: np.ndarray, reference: ReferenceRows, rng: np.random.Generator, avoided: int
) -> None:
    query = relative_query(unit_rows(rng, 1, 16), unit_rows(rng, avoided, 16), reference)
    spread = reference.spread_of(samples)
    above = query.scores(samples @ query.direction, spread) * spread[:, 1]

    assert np.corrcoef(above, samples @ query.centred)[0, 1] > 0.99


def test_other_phrases_or_another_scale_have_another_digest(
    reference: ReferenceRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ReferenceRows(reference.vectors.copy()).digest == reference.digest
    assert ReferenceRows(reference.vectors[1:]).digest != reference.digest
    monkeypatch.setattr("lib.search.relative.MIN_SCALE", 0.5)
    assert ReferenceRows(reference.vectors).digest != reference.digest


def test_a_query_that_says_nothing_is_refused(reference: ReferenceRows, rng: np.random.Generator) -> None:
    words = unit_rows(rng, 1, 16)
    with pytest.raises(InputError, match="nothing to look for"):
        relative_query(NOTHING, words, reference)
    with pytest.raises(InputError, match="words to avoid"):
        relative_query(words, words, reference)
    with pytest.raises(BadReplyError, match="length"):
        relative_query(unit_rows(rng, 1, 8), NOTHING, reference)
