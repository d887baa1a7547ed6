"""The prompt table on the page: hints in the row, mended by one press, and tables that are pasted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lib.core.labelled_intervals import TrueSegment
from lib.prompts.model import Settings
from lib.services.experiments import PromptRow
from tests.helpers.pages import (
    answers,
    by_key,
    edit_prompts,
    editor_data,
    lay_out,
    open_page,
    passed,
    put_truth,
    saved,
)

RED, GREEN, BLUE = (PromptRow(label=colour) for colour in ("red", "green", "blue"))


@pytest.fixture
def bench(home, server):
    return lay_out(home, server.url, settings=Settings(decision="best"))


def hinted(app, index):
    return [hint["text"] for hint in editor_data(app)["hints"].get(str(index), [])]


def test_a_renamed_row_says_that_its_phrasings_are_the_old_labels_and_one_press_mends_it(bench):
    app = open_page()
    worded = replace(RED, texts=("red", "crimson"))
    edit_prompts(app, worded, GREEN, BLUE)
    edit_prompts(app, replace(worded, label="green car"), GREEN, BLUE)
    (hint,) = editor_data(app)["hints"]["0"]
    assert "still those of “red”" in hint["text"]

    of = editor_data(app)["of"]
    edit_prompts(app, replace(worded, label="green car"), GREEN, BLUE, action={"index": 0, "mend": hint["mends"][0][0]})
    assert saved(bench).rows == (PromptRow(label="green car"), GREEN, BLUE)
    assert editor_data(app)["of"] != of  # the browser is to show the new rows
    assert editor_data(app)["hints"] == {}


def test_a_threshold_that_counts_for_nothing_is_said_and_one_press_makes_it_count(bench):
    app = open_page()
    edit_prompts(app, replace(RED, threshold=0.9), GREEN, BLUE)
    assert "isn’t used" in hinted(app, 0)[0]
    edit_prompts(app, replace(RED, threshold=0.9), GREEN, BLUE, action={"index": 0, "mend": "decide"})
    assert saved(bench).settings.decision == "threshold"
    assert saved(bench).rows[0].threshold == 0.9
    assert hinted(app, 0) == []


def test_what_is_typed_while_a_press_is_on_its_way_counts_too(bench):
    app = open_page()
    of = editor_data(app)["of"]
    edit_prompts(app, RED, replace(RED, enabled=False), BLUE, action={"index": 1, "mend": "remove"})
    edit_prompts(app, RED, replace(RED, enabled=False), PromptRow(label="navy"), of=of, number=2)
    assert saved(bench).rows == (RED, PromptRow(label="navy"))


def test_a_press_that_is_sent_twice_is_done_once(bench):
    app = open_page()
    of = editor_data(app)["of"]
    for _ in range(2):
        edit_prompts(app, RED, GREEN, BLUE, of=of, number=1, action={"index": 1, "mend": "remove"})
    assert saved(bench).rows == (RED, BLUE)


def test_a_phrasing_that_is_too_long_is_said_in_its_row_and_the_others_keep_it_in_the_chart(bench):
    app = open_page()
    long = "a very long sentence about a red thing " * 12
    edit_prompts(app, replace(RED, texts=("red", long[:480])), GREEN, BLUE)
    (hint,) = editor_data(app)["hints"]["0"]
    assert "too" in hint["text"] or "tokens" in hint["text"]
    assert "The other phrasings count meanwhile." in hint["text"]
    assert answers(app)["red"].startswith("3.0 s")
    mend = hint["mends"][0]
    assert mend[0].startswith("shorten:1:")
    edit_prompts(app, *saved(bench).rows, action={"index": 0, "mend": mend[0]})
    assert 0 < len(saved(bench).rows[0].texts[1]) < 480
    assert hinted(app, 0) == []


def test_a_pasted_table_makes_rows_and_says_what_it_could_not_use(bench):
    app = open_page()
    text = "label\tphrasings\trole\tthreshold\nsea\twater; waves\tbackground\t0,5\nship\t\t\thigh"
    edit_prompts(app, RED, GREEN, BLUE, action={"index": 2, "paste": text, "head": "blue", "tail": ""})
    sea = PromptRow(label="sea", texts=("water", "waves"), role="background", threshold=0.5)
    assert saved(bench).rows == (RED, GREEN, BLUE, sea, PromptRow(label="ship"))
    assert editor_data(app)["said"].startswith("2 rows pasted. “high” of “ship” is no threshold")
    edit_prompts(app, *saved(bench).rows[:4])
    assert editor_data(app)["said"] == ""


@pytest.mark.parametrize("action", [{}, {"index": "0", "mend": "x"}, {"index": 0}, {"index": -1, "mend": "remove"}, 7])
def test_what_is_no_action_is_only_an_edit(bench, action):
    app = open_page()
    edit_prompts(app, RED, GREEN, action=action)
    assert saved(bench).rows == (RED, GREEN)


def test_of_thirty_prompts_the_found_ones_come_first_in_the_metrics(home, server):
    colours = ("red", "green")
    rows = [PromptRow(label=f"thing {i}") for i in range(28)]
    bench = lay_out(
        home,
        server.url,
        rows=(
            *rows[:14],
            *(PromptRow(label=colour) for colour in colours),
            *rows[14:],
            replace(BLUE, role="background"),
        ),
        settings=Settings(decision="best"),
    )
    app = open_page()
    said = answers(app)
    assert [one.rpartition(", ")[2] for one in map(said.get, colours)] == ["first 0:00.0", "first 0:03.0"]
    assert sum(one.startswith("not found (best score ") for one in said.values()) == 28
    assert said["blue"] == "rest: 33 %"
    frame = app.dataframe[0].value
    assert set(frame["label"].iloc[:2]) == set(colours)
    assert frame["label"].iloc[-1] == "rest: blue"
    assert frame["present"].iloc[-1] is None
    assert saved(bench).rows[0].slot is None


def test_the_players_lanes_have_the_tables_colours_dashes_and_know_the_rest(home, server):
    rows = [PromptRow(label=f"thing {i}") for i in range(7)]
    lay_out(home, server.url, rows=(*rows, RED, replace(BLUE, role="background")))
    app = open_page()
    labels = {label["name"]: label for label in passed(app, "lanes")[0]["lanes"]["labels"]}
    assert [labels[name]["rest"] for name in ("red", "blue")] == [False, True]
    assert labels["thing 0"]["dash"] == []
    assert labels["red"]["dash"] != []
    assert labels["red"]["colour"] == labels["thing 0"]["colour"]
    assert editor_data(app)["colours"]["red"] == labels["red"]["swatch"]
    assert labels["red"]["swatch"].startswith("repeating-linear-gradient")

    edit_prompts(app, *rows[1:], RED, replace(BLUE, role="background"))
    after = {label["name"]: label for label in passed(app, "lanes")[0]["lanes"]["labels"]}
    assert all(after[name]["swatch"] == labels[name]["swatch"] for name in after)


SUGGEST = {"index": 0, "mend": "suggest"}


def test_a_suggestion_sets_the_rows_threshold_says_why_and_can_be_undone(bench):
    put_truth(bench, TrueSegment("red", 0.0, 3.0))
    app = open_page()
    edit_prompts(app, RED, GREEN, BLUE, action=SUGGEST)
    suggested = saved(bench).rows[0].threshold
    assert suggested == pytest.approx(0.58, abs=0.1)  # between the scores of red and of the rest
    assert saved(bench).rows[1:] == (GREEN, BLUE)
    said = hinted(app, 0)
    assert said[0].startswith(f"Its threshold {suggested:g} isn’t used")
    assert said[1].startswith(f"By the ground truth: threshold {suggested:.3f} gives F1 1.00")
    by_key(app.button, "undo").click().run()
    assert saved(bench).rows == (RED, GREEN, BLUE)
    assert hinted(app, 0) == []


def test_a_row_says_why_no_threshold_can_be_suggested_until_the_next_edit(bench):
    put_truth(bench, TrueSegment("green", 0.0, 3.0))
    app = open_page()
    edit_prompts(app, RED, GREEN, BLUE, action=SUGGEST)
    assert saved(bench).rows == (RED, GREEN, BLUE)
    alone = "The ground truth does not contain it; by the scores alone: No clear split"
    assert [said.startswith(alone) for said in hinted(app, 0)] == [True]
    edit_prompts(app, RED, GREEN)
    assert hinted(app, 0) == []
    edit_prompts(app, RED, GREEN, action={"index": 7, "mend": "suggest"})
    assert not app.exception
    assert editor_data(app)["hints"] == {}


def test_the_shared_threshold_has_the_range_of_the_scores_and_a_number(bench):
    app = open_page()
    by_key(app.selectbox, "setting.decision").set_value("threshold").run()
    slider, number = by_key(app.slider, "setting.threshold"), by_key(app.number_input, "setting.threshold.number")
    peak = max(score for score in (one["peak"] for one in passed(app, "lanes")[-1]["lanes"]["labels"]))
    assert peak < slider.max <= peak + 0.02
    assert slider.min < slider.value == number.value == 0.2
    number.set_value(-0.1).run()  # below all scores
    assert saved(bench).settings.threshold == -0.1 == by_key(app.slider, "setting.threshold").value
    by_key(app.slider, "setting.threshold").set_value(0.5).run()
    assert saved(bench).settings.threshold == 0.5 == by_key(app.number_input, "setting.threshold.number").value
    assert not app.exception
