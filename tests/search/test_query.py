"""What a query says, and its vector."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from lib.core.errors import InputError
from lib.search.query import Query, combine, parse_query

NONE = np.empty((0, 3), np.float32)


@pytest.mark.parametrize(
    ("typed", "texts", "avoid"),
    [
        ("red car", ("red car",), ()),
        ("red car - night", ("red car",), ("night",)),
        ("red car -night - heavy  rain", ("red car",), ("night", "heavy rain")),
        ("an x-ray", ("an x-ray",), ()),
        ("- night", (), ("night",)),
        ("  ", (), ()),
        ("car -", ("car -",), ()),
    ],
)
def test_a_minus_before_a_word_avoids_it(typed: str, texts: tuple[str, ...], avoid: tuple[str, ...]) -> None:
    query = parse_query(typed)

    assert (query.texts, query.avoid) == (texts, avoid)
    assert query.empty == (not texts)


def test_a_query_reads_as_it_would_be_typed() -> None:
    assert parse_query(Query(("red car",), (), ("night", "rain")).text).avoid == ("night", "rain")


def test_text_and_pictures_weigh_the_same() -> None:
    text, pictures = np.eye(3, dtype=np.float32)[:1], np.eye(3, dtype=np.float32)[[1, 1, 1]]

    np.testing.assert_allclose(combine(text, pictures, NONE), np.array([1, 1, 0]) / np.sqrt(2), atol=1e-6)


def test_half_of_what_is_avoided_is_subtracted_where_words_have_nothing_in_common() -> None:
    wanted, avoided = np.eye(3, dtype=np.float32)[:1], np.eye(3, dtype=np.float32)[1:2]

    np.testing.assert_allclose(combine(wanted, NONE, avoided), np.array([1, -0.5, 0]) / np.sqrt(1.25), atol=1e-6)


def test_likeness_to_what_is_avoided_raises_no_score() -> None:
    wanted = np.array([[0.8, 0.6, 0]], np.float32)
    avoided = np.array([[1, 0, 0]], np.float32)

    assert combine(wanted, NONE, avoided) @ avoided[0] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("texts", "images", "avoid"),
    [
        (NONE, NONE, NONE),
        (NONE, NONE, np.eye(3, dtype=np.float32)[:1]),
        (np.eye(3, dtype=np.float32)[:1], NONE, np.eye(3, dtype=np.float32)[:1]),
        (np.array([[1, 0, 0], [-1, 0, 0]], np.float32), NONE, NONE),
    ],
)
def test_a_query_that_says_nothing_is_refused(
    texts: NDArray[np.float32], images: NDArray[np.float32], avoid: NDArray[np.float32]
) -> None:
    with pytest.raises(InputError):
        combine(texts, images, avoid)
