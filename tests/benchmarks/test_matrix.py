from __future__ import annotations

import re

import numpy as np
import pytest

from benchmarks import matrix
from lib.comparison.matrix import two_levels


def test_the_table_of_synthetic_videos(capsys: pytest.CaptureFixture[str]) -> None:
    small = ["--sets", "2", "--videos", "2", "--samples", "240", "--prompts", "3", "--dim", "16"]

    assert matrix.main(["--only", "synthetic", *small]) == 0
    out = capsys.readouterr().out
    assert "| 2 sets x 2 synthetic, 240 samples, 3 prompts: all | 0." in out
    kept = re.search(r"Kept of a cell: ([\d.]+)% of the bytes", out)
    assert kept is not None
    assert 0 < float(kept[1]) < 50  # of 240 samples; an hour has 45 times as many


@pytest.mark.parametrize(("first_look", "status"), [(1.9, 0), (2.1, 1)])
def test_the_bar_is_for_the_first_look_at_the_samples(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], first_look: float, status: int
) -> None:
    times = {"first look": matrix.Times([first_look] * 3, [0.1] * 3), "again": matrix.Times([9.0], [9.0])}
    monkeypatch.setattr(matrix, "samples_in_dashboard", lambda home, sets: times)

    assert matrix.main(["--only", "samples"]) == status
    assert ("MISSED" in capsys.readouterr().out) == bool(status)


def test_no_two_prompt_sets_are_alike() -> None:
    sets = matrix._prompt_sets(20, " 0")

    assert len({one.texts for one in sets}) == len(sets) == 20
    assert not {text for one in sets for text in one.texts} & {
        text for one in matrix._prompt_sets(20, " 1") for text in one.texts
    }


def test_the_ratio_is_otsus(rng: np.random.Generator) -> None:
    values, weights = rng.normal(size=200), np.ones(200)
    assert matrix._otsu_ratio(values, weights) == pytest.approx(2 / np.pi, abs=0.08)
    two = np.repeat([0.1, 0.4], 50)
    assert matrix._otsu_ratio(two, np.ones(100)) == pytest.approx(1.0)
    assert two_levels(two[:, None], np.ones(100))[0] == pytest.approx(0.3)
