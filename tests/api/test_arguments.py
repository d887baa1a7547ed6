"""What makes no sense as an argument of the API is one sentence, wherever it is given."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lib import api
from lib.api.arguments import checked

ROOT = Path(__file__).parents[2]
FILM = ROOT / "sample_videos" / "five_scenes.mp4"
NAN, INFINITY = float("nan"), float("inf")
NONSENSE = (object(), b"x", {1: 2}, 1 + 2j)
"""Of no type that any argument takes."""


class Opened:
    """A library with what is made of it."""

    def __init__(self, home: Path) -> None:
        self.library = api.Library(home, engine="demo")
        self.clip = self.library.embed(FILM, progress=False)
        self.result = self.clip.analyse(api.prompt_set(["sea", "crane"]))
        self.evaluation = self.result.evaluate([api.TrueSegment("sea", 0, 3)])
        self.comparison = api.compare(self.result, self.result)
        self.moments = self.library.search("sea")


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Opened:
    return Opened(tmp_path_factory.mktemp("library"))


def _callables(opened: Opened) -> dict[str, Callable[..., Any]]:
    found: dict[str, Callable[..., Any]] = {"Library": api.Library}
    for thing in vars(opened).values():
        for name, member in vars(type(thing)).items():
            if inspect.isfunction(member) and not name.startswith("_"):
                found[f"{type(thing).__name__}.{name}"] = getattr(thing, name)
    return {**found, "compare": api.compare, "prompt_set": api.prompt_set, "read_prompts": api.read_prompts}


def test_no_argument_takes_what_is_of_no_type_of_its_own(opened: Opened) -> None:
    right: dict[str, Any] = {
        "video": FILM, "words": "sea", "path": FILM, "prompts": ["sea"], "name": "vtt", "label": "sea",
        "moment": opened.moments[0], "frame": 0, "a": opened.result, "b": opened.result,
    }  # fmt: skip
    tried = 0
    for function in _callables(opened).values():
        parameters = inspect.signature(function).parameters
        needed = {one: right[one] for one, what in parameters.items() if what.default is what.empty}
        for one in parameters:
            for nonsense in NONSENSE:
                with pytest.raises(api.PromptreelError, match=r"; (give|make|write) .+\.$"):
                    function(**{**needed, one: nonsense})
                tried += 1
    assert tried > 250


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda it: api.prompt_set("crane"), "give a list"),
        (lambda it: api.PromptSet("x", "crane"), "no prompt"),
        (lambda it: api.PromptSet("x", [5]), "5 is no prompt"),
        (lambda it: it.library.search("sea", score="x"), "'relative' or 'cosine'"),
        (lambda it: it.library.search("sea", threshold=NAN), "The threshold is nan"),
        (lambda it: it.library.search("sea", threshold=10**400), "The threshold is"),
        (lambda it: it.library.search("sea", threshold=1.5, score="cosine"), "-1 to 1 for the score cosine"),
        (lambda it: it.library.search("sea", top="a"), "give a whole number"),
        (lambda it: it.library.search("sea", top=True), "give a whole number"),
        (lambda it: it.library.search("sea", top=0), "top is 0"),
        (lambda it: it.library.search("sea", per_video=10**400), "per_video is"),
        (lambda it: it.library.search("sea", videos="five_scenes.mp4"), "give a list"),
        (lambda it: it.library.search("sea", images="a.png"), "give a list"),
        (lambda it: it.result.evaluate(["x"]), "TrueSegment"),
        (lambda it: it.result.evaluate([api.TrueSegment("sea", NAN, 1)]), "starts at nan"),
        (lambda it: it.result.evaluate([api.TrueSegment("sea", 3, 1)]), "not from 3 to 1 s"),
        (lambda it: it.result.evaluate([api.TrueSegment("sea", 1, INFINITY)]), "ends at inf"),
        (lambda it: it.result.evaluate([api.TrueSegment("sea", -1, 1)]), "starts at -1"),
        (lambda it: it.result.evaluate([api.TrueSegment("sea", "0", 1)]), "no number"),
        (lambda it: it.result.evaluate([api.TrueSegment(" ", 0, 1)]), "blank"),
        (lambda it: api.compare(it.result, it.result, [api.TrueSegment("sea", 3, 1)]), "not from 3 to 1 s"),
        (lambda it: it.result.report("x.html", truth=[api.TrueSegment("\0", 0, 1)]), "control character"),
        (lambda it: it.result.report("x.html", title="x" * 3_000), "3,000 characters"),
        (lambda it: it.comparison.report("x.html", note="x" * 60_000), "60,000 characters"),
        (lambda it: it.result.export("vtt", labels="sea"), "give a list"),
        (lambda it: it.result.scores_chart(5, 2), "not from 5 to 2 s"),
        (lambda it: it.result.scores_chart(NAN), "starts at nan"),
        (lambda it: it.result.scores_chart(0, 10**400), "ends at"),
        (lambda it: it.result.scores_chart(width=0), "The width is 0"),
        (lambda it: it.evaluation.curve_chart("x"), "no label 'x'"),
        (lambda it: api.Library(""), "no path"),
        (lambda it: it.library.embed(FILM, framing="x"), "'centre' or 'whole'"),
        (lambda it: it.library.embed(FILM, fps=NAN), "nan"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(opened: Opened, call: Callable[[Opened], object], said: str) -> None:
    with pytest.raises(api.PromptreelError) as caught:
        call(opened)
    assert said in str(caught.value)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_what_numpy_gives_are_numbers(opened: Opened) -> None:
    assert opened.clip.thumbnail(np.int64(0)) == opened.clip.thumbnail(0)
    assert len(opened.library.search("sea", top=np.int64(1), threshold=np.float32(0))) == 1
    assert opened.result.evaluate([api.TrueSegment("sea", np.float64(0), np.int64(3))]).frame["label"].tolist()


def test_a_checked_function_is_the_one_that_it_was() -> None:
    def add(a: int, b: float = 1.0) -> float:
        """Return the sum."""
        return a + b

    made = checked(add)
    assert (made(1), made(1, b=2), made.__doc__) == (2.0, 3, "Return the sum.")
    assert typing.get_type_hints(made) == typing.get_type_hints(add)
    assert inspect.signature(made) == inspect.signature(add)
    with pytest.raises(TypeError, match="missing a required argument"):
        made()
