"""What the sweep of wordings offers to try."""

from __future__ import annotations

import pytest

from lib.comparison.wording_sweep import TEMPLATES, paraphrases, sweep
from lib.prompts.model import Prompt, PromptSet


@pytest.mark.parametrize(
    ("text", "first"),
    [("a red crane", "red crane"), ("an oak", "oak"), ("The  sea", "sea"), ("theatre", "theatre"), ("a", "a")],
)
def test_paraphrases_begin_without_the_article_and_end_with_all_of_them(text: str, first: str) -> None:
    lines = paraphrases(text)

    assert lines[0] == first
    assert all(first in line for line in lines)
    wordings, problems = sweep(PromptSet("t", (Prompt("x", (text,)),)), "x", lines, TEMPLATES)
    assert problems == []
    assert wordings[-1].texts == lines[:-1]


def test_paraphrases_keep_semicolons_and_fit_a_phrasing() -> None:
    assert paraphrases("a;b")[0] == r"a\;b"
    wordings, problems = sweep(PromptSet("t", (Prompt("x"),)), "x", paraphrases("a;b"))
    assert problems == []
    assert wordings[1].texts == ("a;b",)
    assert paraphrases("x" * 500) == ("x" * 500,)
