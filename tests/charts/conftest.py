"""Analyses to draw."""

from __future__ import annotations

import numpy as np
import pytest

from lib.analysis.analysis import Analysis
from lib.prompts.model import Prompt, PromptSet, Settings
from tests.helpers.arrays import analyse_scores, every, prompt_set, unit_rows


@pytest.fixture
def analysis(rng: np.random.Generator) -> Analysis:
    """Three labels over 200 samples 0.5 s apart; thresholds decide, b has its own."""
    walk = np.cumsum(rng.normal(scale=0.05, size=(200, 3)), axis=0) % 1.0
    chosen = PromptSet(
        "x",
        (Prompt("a"), Prompt("b", threshold=0.7), Prompt("c")),
        settings=Settings(decision="threshold", threshold=0.5),
    )
    return analyse_scores(walk, chosen, every(0.5, 200, unit_rows(rng, 200, 16)))


@pytest.fixture
def long(rng: np.random.Generator) -> Analysis:
    """20,000 samples of two labels with one-sample peaks, flickering through a threshold."""
    scores = rng.uniform(0, 0.5, size=(20_000, 2))
    scores[12_345, 0] = 0.99
    scores[6_789, 1] = -0.5
    settings = {"decision": "threshold", "threshold": 0.25}
    return analyse_scores(scores, prompt_set("a", "b", **settings), every(1 / 3, 20_000))
