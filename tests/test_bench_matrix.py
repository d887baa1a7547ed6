from __future__ import annotations

import numpy as np
import pytest

from benchmarks import matrix
from lib.matrix import two_levels


def test_the_table_says_how_long_and_whether_the_bar_is_met(capsys: pytest.CaptureFixture[str]) -> None:
    small = ["--sets", "2", "--videos", "2", "--samples", "240", "--prompts", "3", "--dim", "16"]
    status = matrix.main(["--only", "synthetic", *small])
    said = capsys.readouterr().out

    assert status == (1 if "MISSED" in said else 0)
    assert "| 2 sets x 2 synthetic, 240 samples, 3 prompts: all | 0." in said


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
