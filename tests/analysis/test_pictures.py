"""Pictures lift the words' vector where the words don't reach, on vectors in two cones as CLIP's are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from lib.analysis.analysis import analyse
from lib.analysis.pictures import LEVEL, SPANNED, lifted, prompt_rows
from lib.analysis.reference import MIN_SCALE, reference_of, reference_vectors
from lib.core.errors import BadReplyError, PromptSetError
from lib.prompts.learned import Learned, pack
from lib.prompts.model import Prompt, PromptSet, Settings, picture_key
from lib.prompts.reference_phrases import PHRASES
from tests.helpers.arrays import every, unit_rows

D, KINDS = 64, 20
SHA = "ab" * 32


def unit(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


@pytest.fixture
def world() -> tuple[NDArray[np.float32], NDArray[np.float32], dict[str, NDArray[np.float32]]]:
    """Return texts and pictures of 20 kinds, each in a cone of its own, and the reference phrases."""
    rng = np.random.default_rng(0)
    axes = np.eye(D)
    kinds = 0.6 * axes[2 : 2 + KINDS]
    texts = unit(axes[0] + 0.3 * axes[1] + kinds + 0.02 * rng.normal(size=(KINDS, D)))
    pictures = unit(axes[1] + 0.3 * axes[0] + kinds + 0.02 * rng.normal(size=(KINDS, D)))
    mixed = kinds[rng.integers(KINDS, size=len(PHRASES))] * rng.uniform(0.3, 1, (len(PHRASES), 1))
    phrases = unit(axes[0] + 0.3 * axes[1] + mixed + 0.02 * rng.normal(size=(len(PHRASES), D)))
    return texts, pictures, dict(zip(PHRASES, phrases, strict=True))


def test_a_picture_lifts_words_that_mean_something_else_and_other_frames_stay_below(world) -> None:
    texts, pictures, phrases = world
    chosen = PromptSet("t", (Prompt("mascot", pictures=(SHA,)),), settings=Settings(score="relative", threshold=1.25))
    vectors = {"mascot": texts[5], picture_key(SHA): pictures[0]} | phrases
    frames = every(1.0, KINDS, pictures)
    words = analyse(frames, replace(chosen, prompts=(Prompt("mascot"),)), vectors).raw[:, 0]
    scores = analyse(frames, chosen, vectors).raw[:, 0]

    assert words[0] < 0.5
    assert scores[0] > 1
    assert (np.delete(scores, [0, 5]) < 0.5).all()
    # The mean of both vectors, in contrast, is near all frames.
    naive = unit(texts[5] + pictures[0].astype(float))
    reference = reference_of(frames, reference_vectors(phrases))
    assert (reference.relative(pictures @ naive[:, None])[:, 0] > 1.25).all()


def test_pictures_reach_the_level_along_the_span_of_the_phrases(world) -> None:
    texts, pictures, phrases = world
    rows = reference_vectors(phrases)
    raised = lifted(texts[5], pictures[:1].astype(float), rows)
    values, axes = np.linalg.eigh(np.cov(rows.astype(float).T, bias=True))
    count = 1
    while values[-count:].sum() < SPANNED * values.sum():
        count += 1
    basis = axes[:, -count:]
    direction = basis @ (basis.T @ pictures[0].astype(float))
    median, high = np.quantile(rows.astype(float) @ pictures[0], [0.5, 0.95])
    b = (median + LEVEL * (high - median) - pictures[0] @ texts[5]) / (pictures[0] @ direction)

    assert count < D / 2
    assert raised == pytest.approx(unit(texts[5] + b * direction), abs=1e-4)


def test_pictures_that_the_words_describe_change_nothing(world) -> None:
    texts, pictures, phrases = world
    sharp = unit(texts[3] + 0.5 * np.eye(D)[5].astype(np.float32))
    assert lifted(sharp, pictures[3:4].astype(float), reference_vectors(phrases)) == pytest.approx(sharp, abs=1e-6)


@pytest.mark.parametrize("shown", [[3, 5], [5, 5, 9], [1, 3, 7]])
def test_of_several_pictures_those_that_lack_nothing_hold_none_back(world, shown: list[int]) -> None:
    texts, pictures, phrases = world
    rows = reference_vectors(phrases).astype(float)
    sharp = unit(texts[3] + 0.5 * np.eye(D)[5].astype(np.float32))
    found = lifted(sharp, pictures[shown].astype(float), rows.astype(np.float32))
    _, sizes, axes = np.linalg.svd(rows - rows.mean(axis=0))
    axes = axes[: 1 + np.count_nonzero(np.cumsum(sizes**2) < SPANNED * np.sum(sizes**2))]
    direction = axes.T @ axes @ pictures[shown].mean(axis=0)
    along, lacking = [], []
    for picture in pictures[shown].astype(float):
        median, high = np.quantile(rows @ picture, [0.5, 0.95])
        along.append(picture @ direction)
        lacking.append(max(0.0, median + LEVEL * (high - median) - picture @ sharp))

    assert (min(lacking) == 0) == (3 in shown)
    assert found == pytest.approx(unit(sharp + np.dot(lacking, along) / np.dot(along, along) * direction), abs=1e-5)


def test_pictures_never_push_words_away() -> None:
    """The one that lacks something lies opposite to the mean of the pictures, which the words already reach."""
    phrases = unit(np.array([[1.0, x, 0.0] for x in (-0.3, -0.1, 0.1, 0.3)]))
    words = unit(np.array([1.0, 1.0, 0.0]))
    pictures = unit(np.array([[1.0, 2.0, 0.0], [1.0, -0.5, 0.0]])).astype(float)
    assert lifted(words, pictures, phrases) == pytest.approx(words)


def test_a_picture_that_no_phrase_tells_apart_changes_nothing_or_little() -> None:
    same = np.eye(1, 3, dtype=np.float32)
    words = np.array([0.6, 0.8, 0.0], dtype=np.float32)
    assert lifted(words, np.eye(3)[2:], same).tolist() == words.tolist()

    phrases = unit(np.array([[1.0, x, 0.0] for x in (-0.3, -0.1, 0.1, 0.3)]))
    picture = np.array([0.0, 0.001, 1.0])
    raised = lifted(np.eye(3, dtype=np.float32)[0], picture[None], phrases)
    assert picture @ raised / raised[0] == pytest.approx(LEVEL * MIN_SCALE, rel=0.01)


def test_learned_vectors_come_first_and_missing_pictures_are_passed_over(world) -> None:
    texts, pictures, phrases = world
    chosen = PromptSet("t", (Prompt("mascot", pictures=(SHA,)),))
    vectors = {"mascot": texts[5]} | phrases
    own = unit_rows(np.random.default_rng(3), 1, D)[0]
    learned = Learned("e", chosen.digest_of(chosen.prompts[0]), 3, 1, 0.1, pack(own.tolist()))
    taught = replace(chosen, prompts=(replace(chosen.prompts[0], learned=(learned,)),))

    assert prompt_rows(chosen, vectors)[0] == pytest.approx(texts[5])
    with_picture = vectors | {picture_key(SHA): pictures[0]}
    assert prompt_rows(taught, with_picture, "e")[0] == pytest.approx(own, abs=1e-3)
    assert prompt_rows(taught, with_picture, "other") == pytest.approx(prompt_rows(chosen, with_picture))
    # Another picture makes other words of it: what was learned counts no more.
    more = replace(taught, prompts=(replace(taught.prompts[0], pictures=(SHA, "cd" * 32)),))
    assert prompt_rows(more, with_picture, "e") == pytest.approx(prompt_rows(chosen, with_picture))


@pytest.mark.parametrize("vector", [np.zeros(D), np.full(D, np.nan), np.ones(3)])
def test_a_picture_without_a_usable_vector_is_refused(world, vector) -> None:
    texts, _, phrases = world
    chosen = PromptSet("t", (Prompt("mascot", pictures=(SHA,)),))
    with pytest.raises(BadReplyError, match="picture"):
        prompt_rows(chosen, {"mascot": texts[5], picture_key(SHA): vector.astype(np.float32)} | phrases)


def test_the_reference_phrases_are_needed_and_asked_for(world) -> None:
    texts, pictures, _ = world
    chosen = PromptSet("t", (Prompt("mascot", pictures=(SHA,)),))

    assert set(PHRASES) <= set(chosen.texts_to_embed)
    with pytest.raises(PromptSetError, match="reference phrases have no vector yet"):
        prompt_rows(chosen, {"mascot": texts[5], picture_key(SHA): pictures[0]})
