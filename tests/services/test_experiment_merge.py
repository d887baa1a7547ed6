"""Two tabs on one experiment: whatever each does to it, both edits live, and a contradiction is said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lib.prompts.model import Settings
from lib.services.experiment_merge import merge, with_what_is_not_typed
from lib.services.experiments import Experiment, PromptRow, row_slots

RED, GREEN, BLUE = (PromptRow(label=label) for label in ("red", "green", "blue"))
BASE = Experiment("abc123def456", rows=(RED, GREEN, BLUE), settings=Settings())


def merged(ours, theirs, base=BASE.rows):
    found = merge(*(replace(BASE, rows=rows) for rows in (base, ours, theirs)))
    return found.value.rows, found.conflicts


def row(label, **fields):
    return PromptRow(label=label, **fields)


def test_both_tabs_add_a_row():
    rows, conflicts = merged((*BASE.rows, row("city street")), (*BASE.rows, row("shipyard")))

    assert rows == (*BASE.rows, row("shipyard"), row("city street"))
    assert not conflicts


def test_both_tabs_add_a_row_to_nothing():
    rows, conflicts = merged((row("city street"),), (row("shipyard"),), base=())

    assert {one.label for one in rows} == {"city street", "shipyard"}
    assert not conflicts


@pytest.mark.parametrize("field", [{"threshold": 0.4}, {"texts": ("a red car",)}, {"role": "background"}])
def test_both_tabs_change_another_field_of_one_row(field):
    rows, conflicts = merged((replace(RED, enabled=False), GREEN, BLUE), (replace(RED, **field), GREEN, BLUE))

    assert rows == (replace(RED, enabled=False, **field), GREEN, BLUE)
    assert not conflicts


def test_a_renamed_row_keeps_what_the_other_tab_does_to_it():
    rows, conflicts = merged((row("crimson"), GREEN, BLUE), (replace(RED, threshold=0.4), GREEN, row("navy")))

    assert rows == (row("crimson", threshold=0.4), GREEN, row("navy"))
    assert not conflicts


def test_a_row_renamed_there_is_renamed_though_its_name_is_spelled_otherwise_here():
    capital = row(BASE.rows[0].label.upper())
    rows, conflicts = merged((capital, GREEN, BLUE), (row("crimson"), GREEN, BLUE))

    assert rows == (row("crimson"), GREEN, BLUE)
    assert not conflicts


def test_a_row_removed_there_does_not_come_back_by_an_edit_here():
    rows, conflicts = merged((RED, GREEN, row("navy")), (GREEN, BLUE))

    assert rows == (GREEN, row("navy"))
    assert not conflicts


def test_a_row_removed_here_stays_away_whatever_else_is_done_there():
    rows, conflicts = merged((RED, BLUE), (RED, GREEN, BLUE, row("shipyard")))

    assert rows == (RED, BLUE, row("shipyard"))
    assert not conflicts


def test_the_same_field_changed_in_both_is_ours_and_said():
    rows, conflicts = merged((replace(RED, threshold=0.4), GREEN, BLUE), (replace(RED, threshold=0.3), GREEN, BLUE))

    assert rows[0].threshold == 0.4
    assert conflicts == ("the threshold of “red”",)


def test_a_row_renamed_in_both_is_two_rows_and_said():
    rows, conflicts = merged((row("crimson"), GREEN, BLUE), (row("scarlet"), GREEN, BLUE))

    assert [one.label for one in rows] == ["crimson", "scarlet", "green", "blue"]
    assert conflicts


@pytest.mark.parametrize("here", [True, False])
def test_a_row_changed_in_one_and_removed_in_the_other_is_said(here):
    changed, removed = (replace(RED, threshold=0.4), GREEN, BLUE), (GREEN, BLUE)
    rows, conflicts = merged(*((changed, removed) if here else (removed, changed)))

    assert rows == (changed if here else removed)
    assert conflicts


def test_a_row_that_both_add_is_one():
    rows, conflicts = merged((RED, row("Shipyard", threshold=0.4)), (RED, row("shipyard", texts=("cranes",))), (RED,))

    assert rows[1:] == (row("Shipyard", threshold=0.4, texts=("cranes",)),)
    assert not conflicts


def test_settings_merge_field_by_field():
    ours = replace(BASE, settings=Settings(threshold=0.4, bridge_s=1.0), name="mine")
    theirs = replace(BASE, settings=Settings(threshold=0.3, hysteresis=0.1, stop_at_cuts=True), template="a {}")
    found = merge(BASE, ours, theirs)

    assert found.value.settings == Settings(threshold=0.4, bridge_s=1.0, hysteresis=0.1, stop_at_cuts=True)
    assert (found.value.name, found.value.template) == ("mine", "a {}")
    assert found.conflicts == ("the threshold",)


def test_a_threshold_is_never_taken_for_one_of_another_score():
    ours = replace(BASE, rows=(replace(RED, threshold=-0.15), GREEN, BLUE), settings=Settings(threshold=-0.1))
    theirs = BASE.with_score("probability")
    theirs = replace(theirs, settings=replace(theirs.settings, threshold=0.9))
    found = merge(BASE, ours, theirs).value

    assert (found.settings.score, found.settings.threshold, found.rows[0].threshold) == ("probability", 0.9, None)
    back = found.with_score("cosine")
    assert (back.settings.threshold, back.rows[0].threshold) == (-0.1, -0.15)


def test_a_threshold_is_never_taken_for_one_of_another_engine():
    ours = replace(BASE, rows=(replace(RED, threshold=0.33), GREEN, BLUE), settings=Settings(threshold=0.4))
    theirs = BASE.with_fields(engine="server")
    theirs = replace(theirs, settings=replace(theirs.settings, threshold=0.1))
    found = merge(BASE, ours, theirs).value

    assert (found.engine, found.settings.threshold, found.rows[0].threshold) == ("server", 0.1, None)
    back = found.with_fields(engine=BASE.engine)
    assert (back.settings.threshold, back.rows[0].threshold) == (0.4, 0.33)


def test_theirs_where_they_contradict_is_the_same_merge_the_other_way_round():
    ours, theirs = (replace(BASE, settings=Settings(threshold=value)) for value in (0.4, 0.3))

    assert merge(BASE, theirs, ours).value.settings.threshold == 0.3


def test_an_edit_in_the_browser_keeps_what_rows_had_in_other_scores():
    kept = (("probability", 0.9),)
    before = (replace(RED, kept_thresholds=kept), GREEN)

    assert with_what_is_not_typed(before, (row("crimson"), GREEN, BLUE))[0].kept_thresholds == kept
    assert with_what_is_not_typed(before, (GREEN,)) == (GREEN,)


def test_titles_that_two_tabs_give_contradict_and_a_star_and_a_note_are_both_kept():
    found = merge(BASE, replace(BASE, title="mine", starred=True), replace(BASE, title="theirs", note="n"))

    assert found.value == replace(BASE, title="mine", starred=True, note="n")
    assert found.conflicts == ("the title",)


def slots(rows):
    return {one.label: slot for one, slot in zip(rows, row_slots(rows).values(), strict=True)}


def test_colours_stay_with_their_labels_when_rows_go_come_and_move():
    rows = with_what_is_not_typed(BASE.rows, (GREEN, BLUE))
    assert slots(rows) == {"green": 1, "blue": 2}
    rows = with_what_is_not_typed(rows, (row("new"), BLUE, GREEN))
    assert slots(rows) == {"new": 0, "blue": 2, "green": 1}
    rows = with_what_is_not_typed(rows, (row("newer"), BLUE, GREEN, row("last")))
    assert slots(rows) == {"newer": 0, "blue": 2, "green": 1, "last": 3}


def test_a_moved_row_keeps_what_the_table_does_not_show():
    pictured = replace(RED, pictures=("a" * 64,), kept_thresholds=(("cosine", 0.3),))
    assert with_what_is_not_typed((pictured, GREEN, BLUE), (GREEN, BLUE, RED)) == (GREEN, BLUE, pictured)
    assert with_what_is_not_typed((pictured, GREEN), (GREEN, RED)) == (GREEN, pictured)


def test_two_tabs_add_labels_of_different_colours():
    rows, _ = merged((GREEN, BLUE, row("here")), (*BASE.rows, row("there")))
    assert len(set(slots(rows).values())) == len(rows)


def test_rows_moved_in_one_tab_stay_moved_whatever_the_other_does():
    edited = (replace(RED, threshold=0.4), GREEN, BLUE)
    for ours, theirs in (((BLUE, RED, GREEN), edited), (edited, (BLUE, RED, GREEN))):
        rows, conflicts = merged(ours, theirs)
        assert rows == (BLUE, edited[0], GREEN)
        assert not conflicts
    rows, conflicts = merged((BLUE, RED, GREEN), (GREEN, RED, BLUE))
    assert rows == (BLUE, RED, GREEN)
    assert conflicts == ("the order of the rows",)


def test_a_renamed_row_remembers_for_which_label_it_was_worded():
    site = row("site", texts=("cranes",))
    renamed = with_what_is_not_typed((site,), (row("h", texts=("cranes",)),))
    renamed = with_what_is_not_typed(renamed, (row("harbour", texts=("cranes",)),))
    assert renamed[0].worded_for == "site"
    assert with_what_is_not_typed(renamed, (site,))[0].worded_for == ""
    assert with_what_is_not_typed(renamed, (row("harbour", texts=("ships",)),))[0].worded_for == ""
    assert with_what_is_not_typed((RED,), (row("crimson"),))[0].worded_for == ""
