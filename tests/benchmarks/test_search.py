from __future__ import annotations

import re

import numpy as np
import pytest

from benchmarks.__main__ import main
from benchmarks.search import World


def test_a_small_library_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["search", "--samples", "4000", "--videos", "4", "--queries", "6", "--dim", "32"])

    said = capsys.readouterr().out
    assert ("MISSED" in said) == (status == 1)
    timing = r"\d+ \(\d+\)"
    row = rf"^\| 4,000 \| {timing} \| {timing} \| {timing} \| ([\d.]+) \(worst [\d.]+\) \| \d+ MB \|$"
    found = re.search(row, said, flags=re.MULTILINE)
    assert found is not None
    assert float(found[1]) >= 0.9
    assert "The index answered 6 of 6 queries by itself." in said


def test_the_samples_are_like_those_of_videos() -> None:
    world = World(128, themes=40)
    rows = world.video(2_000, np.random.default_rng(1))

    neighbours = np.einsum("nd,nd->n", rows[1:], rows[:-1])
    strangers = rows[:1000] @ rows[1000:].T
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1, abs=1e-5)
    assert np.median(neighbours) > 0.9
    assert 0.4 < np.median(strangers) < 0.8
    assert (strangers > 0.85).mean() > 0.01  # scenes recur
    scores = rows @ world.words(np.random.default_rng(2))
    assert scores.max() < 0.6
