"""Steps to undo: what each says, which edits are one, and that taking one back leaves what other tabs have written."""

from __future__ import annotations

import base64
import struct
from dataclasses import replace

import pytest

from lib.core.labelled_intervals import TrueSegment
from lib.prompts.learned import Learned
from lib.prompts.model import Settings, Smoothing
from lib.services.experiment_changes import (
    COALESCED_S,
    ExperimentChange,
    changes_in_words,
    no_steps,
    sentence,
    taken_back,
    truth_in_words,
    with_step,
)
from lib.services.experiment_merge import with_what_is_not_typed
from lib.services.experiments import Experiment, PromptRow

LEARNED = Learned("demo:1", "0" * 16, 3, 1, 1.0, base64.b64encode(struct.pack("<2e", 1.0, 0.0)).decode())
WALL, YARD, SEA = (PromptRow(label=label) for label in ("wall", "shipyard", "sea"))
PLAIN = Settings(score="relative", decision="threshold", threshold=1.25, smoothing=Smoothing("none"))
BASE = Experiment("abc123def456", video="f" * 64, rows=(WALL, YARD, SEA), settings=PLAIN)


def said(after: Experiment) -> str:
    return sentence(changes_in_words(BASE, after))


def rows(*rows: PromptRow) -> Experiment:
    return replace(BASE, rows=rows)


def settings(**fields: object) -> Experiment:
    return replace(BASE, settings=replace(BASE.settings, **fields))


@pytest.mark.parametrize(
    ("after", "text"),
    [
        (rows(WALL, SEA), "Row 'shipyard' removed"),
        (rows(WALL), "2 rows removed: 'shipyard', 'sea'"),
        (rows(), "3 rows removed: 'wall', 'shipyard', 'sea'"),
        (rows(WALL, PromptRow(label="crane"), YARD, SEA), "Row 'crane' added"),
        (rows(WALL, PromptRow(), YARD, SEA), "Blank row added"),
        (rows(SEA, WALL, YARD), "Row 'sea' moved"),
        (rows(replace(WALL, threshold=1.4), YARD, SEA), "Threshold of 'wall' shared → 1.4"),
        (rows(replace(WALL, label="barrier"), YARD, SEA), "Label 'wall' → 'barrier'"),
        (rows(replace(WALL, texts=("a wall",)), YARD, SEA), "Phrasing 'a wall' of 'wall' added"),
        (rows(replace(WALL, role="background"), YARD, SEA), "Role of 'wall' target → background"),
        (rows(WALL, replace(YARD, colour="red"), SEA), "Colour of 'shipyard' automatic → red"),
        (rows(WALL, replace(YARD, enabled=False), SEA), "Row 'shipyard' switched off"),
        (rows(WALL, replace(YARD, pictures=("a" * 64,)), SEA), "Picture example of 'shipyard' added"),
        (rows(*(replace(row, learned=(LEARNED,)) for row in BASE.rows)), "Learned vectors of 3 rows changed"),
        (settings(threshold=1.4), "Threshold 1.25 → 1.4"),
        (settings(bridge_s=0.5), "Gaps to merge 0 s → 0.5 s"),
        (settings(smoothing=Smoothing("median", 5)), "Smoothing none → median over 5 samples"),
        (settings(stop_at_cuts=True), "Stop at cuts on"),
        (settings(decision="best_threshold"), "Decision threshold → best above threshold"),
        (BASE.with_score("cosine"), "Score relative → cosine"),
        (replace(BASE, template="a photo of a {}"), "Template '{}' → 'a photo of a {}'"),
        (replace(BASE, note="long " * 40), "Note changed"),
        (replace(BASE, sampling="stride-5"), "Sampling every 10 frames → every 5 frames"),
        (replace(BASE, engine="tinyclip"), "Engine Demo model → TinyCLIP ViT-8M/16"),
        (replace(BASE, server_url="http://other:9001"), "Settings changed"),
    ],
)
def test_the_difference_says_what_was_done(after: Experiment, text: str) -> None:
    assert said(after) == text


def test_more_than_three_changes_are_counted() -> None:
    after = replace(rows(replace(WALL, threshold=1.0, colour="red"), YARD), name="archive", template="a {}")

    assert said(after).endswith("; and 2 more changes")


def typed(*labels: str, pause_s: float = 0.3, field: str = "label"):
    """Steps after ``labels`` were typed one after the other into the third row."""
    history, before = no_steps(), BASE
    for number, label in enumerate(labels):
        value = (label,) if field == "texts" else label
        after = replace(before, rows=(WALL, YARD, replace(before.rows[2], **{field: value})))
        history, before = with_step(history, before, after, at_s=number * pause_s), after
    return history


def test_typing_in_one_field_is_one_step() -> None:
    history = typed("o", "oc", "oce", "ocean")

    assert [step.text for step in history.past] == ["Label 'sea' → 'ocean'"]
    assert [step.changes[0].before for step in history.past] == [BASE]


def test_a_row_that_is_being_typed_is_one_step() -> None:
    history, before = no_steps(), BASE
    for number, label in enumerate(("c", "cr", "crane")):
        after = replace(before, rows=(*BASE.rows, PromptRow(label=label)))
        history, before = with_step(history, before, after, at_s=number), after

    assert [step.text for step in history.past] == ["Row 'crane' added"]


def test_after_a_pause_or_in_another_field_or_from_another_tab_it_is_another_step() -> None:
    assert len(typed("o", "oc", pause_s=COALESCED_S + 0.1).past) == 2
    history = typed("ocean")
    here = history.past[-1].changes[0].after
    phrased = replace(here, rows=(WALL, YARD, replace(here.rows[2], texts=("the sea",))))
    assert len(with_step(history, here, phrased, at_s=0.1).past) == 2
    theirs = replace(here, name="another tab's")
    renamed = replace(theirs, rows=(WALL, YARD, replace(here.rows[2], label="oceans")))
    assert len(with_step(history, theirs, renamed, at_s=0.1).past) == 2


def test_what_is_switched_or_chosen_twice_is_two_steps() -> None:
    for change in ({"enabled": False}, {"role": "background"}, {"learned": (LEARNED,)}):
        there = rows(replace(WALL, **change), YARD, SEA)
        history = with_step(with_step(no_steps(), BASE, there, at_s=0), there, BASE, at_s=0.5)
        assert len(history.past) == 2


def test_dragging_a_slider_is_one_step() -> None:
    history, before = no_steps(), BASE
    for n in range(5):
        after = settings(threshold=1.3 + n / 10)
        history, before = with_step(history, before, after, at_s=n), after

    assert [step.text for step in history.past] == ["Threshold 1.25 → 1.7"]


def test_what_is_typed_and_taken_out_again_is_no_step() -> None:
    assert not typed("seas", "sea").past
    assert not typed("seas", "sea", pause_s=COALESCED_S + 0.1).past, "the browser undoes typing later, too"


def test_a_removed_row_is_a_step_of_its_own_even_just_after_it_was_typed() -> None:
    with_crane = replace(BASE, rows=(*BASE.rows, PromptRow(label="crane")))
    history = with_step(no_steps(), BASE, with_crane, at_s=0)
    history = with_step(history, with_crane, BASE, at_s=0.5)

    assert [step.text for step in history.past] == ["Row 'crane' added", "Row 'crane' removed"]


def test_another_video_star_or_side_is_no_step() -> None:
    after = replace(BASE, video="0" * 64, starred=True, beside="0123456789ab")

    assert not with_step(no_steps(), BASE, after, at_s=0).past


def test_a_named_step_keeps_its_name_and_joins_nothing() -> None:
    history, here = typed("ocean"), rows(WALL, YARD, replace(SEA, label="ocean"))
    after = rows(WALL, YARD, replace(SEA, label="first"))
    history = with_step(history, here, after, at_s=0.1, text="Version 'first' restored")

    assert [step.text for step in history.past] == ["Label 'sea' → 'ocean'", "Version 'first' restored"]


def test_steps_of_side_b_say_so() -> None:
    b = replace(BASE, side="b")

    assert with_step(no_steps(), b, replace(b, rows=(WALL,)), at_s=0).past[-1].text.startswith("B: 2 rows removed")


def test_a_removed_row_comes_back_in_its_place_with_all_it_had() -> None:
    rich = replace(YARD, colour="red", threshold=1.4, pictures=("a" * 64,), kept_thresholds=(("cosine", 0.3),))
    before = replace(BASE, rows=(WALL, replace(rich, learned=(LEARNED,)), SEA))
    after = replace(before, rows=(WALL, SEA))
    others = replace(after, rows=(replace(WALL, threshold=1.1), SEA, PromptRow(label="crane")), name="theirs")

    assert taken_back(ExperimentChange(before, after), after) == (before, ())
    value, kept = taken_back(ExperimentChange(before, after), others)
    assert value.rows == (replace(WALL, threshold=1.1), before.rows[1], SEA, PromptRow(label="crane"))
    assert (value.name, kept) == ("theirs", ())


def test_what_another_tab_has_changed_since_stays() -> None:
    mine, theirs = settings(threshold=1.4), settings(threshold=1.6)
    value, kept = taken_back(ExperimentChange(BASE, mine), theirs)

    assert (value, kept) == (theirs, ("the threshold",))


def test_a_row_that_another_tab_has_removed_since_does_not_come_back() -> None:
    edited = rows(WALL, replace(YARD, threshold=1.4), SEA)
    value, kept = taken_back(ExperimentChange(BASE, edited), rows(WALL, SEA))

    assert value.rows == (WALL, SEA)
    assert len(kept) == 1


def test_the_video_that_was_opened_since_stays() -> None:
    present = replace(BASE, video="0" * 64, rows=())

    assert taken_back(ExperimentChange(BASE, rows()), present)[0] == replace(BASE, video="0" * 64)


def test_many_states_of_a_large_table_take_little_memory() -> None:
    large = tuple(PromptRow(label=f"label {n}", texts=("text " * 90,) * 5) for n in range(900))
    history, before = no_steps(), replace(BASE, rows=large)
    for n in range(30):
        sent = tuple(replace(row, threshold=1.0 + n if k == n else row.threshold) for k, row in enumerate(before.rows))
        after = replace(before, rows=with_what_is_not_typed(before.rows, sent))
        history, before = with_step(history, before, after, at_s=100.0 * n), after

    assert len(history.past) == 30
    assert sum(step.nbytes for step in history.past) < 400_000


A, B = TrueSegment("wall", 1.0, 2.5), TrueSegment("shipyard", 3.0, 4.0)


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ((A, B), (), "2 segments of ground truth removed"),
        ((), (A,), "Segment 'wall' 0:01.00 – 0:02.50 of ground truth added"),
        ((A, B), (B,), "Segment 'wall' 0:01.00 – 0:02.50 of ground truth removed"),
        ((A,), (replace(A, end_s=3.0),), "Segment 'wall' 0:01.00 – 0:02.50 of ground truth is now 0:01.00 – 0:03.00"),
        ((A,), (replace(A, label="sea"),), "Segment 'wall' 0:01.00 – 0:02.50 of ground truth is now 'sea'"),
        (
            (A, B),
            (replace(A, label="x"), replace(B, label="x"), replace(B, label="y")),
            "Ground truth: 2 segments removed, 3 added",
        ),
    ],
)
def test_ground_truth_in_words(before, after, text) -> None:
    assert truth_in_words(before, after) == text
