"""The guided first minute on any video: what it says is computed."""

from __future__ import annotations

import pytest

from lib.core.labelled_intervals import TrueSegment
from lib.prompts.model import Prompt, PromptSet
from lib.services.experiments import PromptRow
from lib.ui.panels import guide
from tests.helpers.pages import EXPERIMENT, Bench, edit_prompts, open_page, press, put_truth, saved, with_rows, words

pytestmark = pytest.mark.usefixtures("framed")


def test_it_says_what_is_wrong_here_and_adds_the_word_that_mends_it(bench: Bench) -> None:
    with_rows(bench, PromptRow(label="red"), PromptRow(label="blue"))
    put_truth(bench, TrueSegment("red", 0, 3), TrueSegment("green", 3, 6), TrueSegment("blue", 6, 9))
    app = open_page()
    assert "1 of 3" not in words(app)
    app.session_state["guide"] = guide._Guide(EXPERIMENT, 1)
    app.run()
    assert "is found for **" in words(app)
    assert "From 0:03.0 to 0:06.0 it is in truth **green**" in words(app)
    press(app, "guide_next")
    assert "A prompt **green** would take its seconds" in words(app)
    press(app, "guide_add")
    assert [row.label for row in saved(bench).rows] == ["red", "blue", "green"]
    assert "**green** took its seconds" in words(app)
    press(app, "undo")
    assert "A prompt **green** would take its seconds" in words(app)
    press(app, "guide_leave")
    assert "of 3" not in words(app)


def test_the_word_that_mends_it_counts_however_it_is_spelt(bench: Bench) -> None:
    with_rows(bench, PromptRow(label="red"), PromptRow(label="blue"))
    put_truth(bench, TrueSegment("red", 0, 3), TrueSegment("green", 3, 6), TrueSegment("blue", 6, 9))
    app = open_page()
    app.session_state["guide"] = guide._Guide(EXPERIMENT, 1)
    press(app.run(), "guide_next")
    edit_prompts(app, PromptRow(label="red"), PromptRow(label="blue"), PromptRow(label=" Green"))
    app.run()
    assert "**green** took its seconds" in words(app)
    assert not [button for button in app.button if (button.key or "").startswith("guide_add")]


def test_where_nothing_of_the_kind_is_wrong_it_says_so(bench: Bench) -> None:
    put_truth(bench, TrueSegment("red", 0, 3), TrueSegment("green", 3, 6), TrueSegment("blue", 6, 9))
    app = open_page()
    app.session_state["guide"] = guide._Guide(EXPERIMENT, 1)
    app.run()
    assert "nothing is found where something else is true" in words(app)


def test_only_samples_with_something_true_that_no_prompt_names_have_a_guide() -> None:
    own = PromptSet("own", (Prompt("Site"), Prompt("rest", role="background")))
    assert guide.has_finding(own, (TrueSegment("site", 0, 1), TrueSegment("yard", 1, 2)))
    assert not guide.has_finding(own, (TrueSegment("site", 0, 1),))
