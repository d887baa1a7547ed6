"""Clips of the samples follow from their ground truth, and the demo model sorts them; all: ``benchmarks clips``."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.clips import classified, flagged_wrong
from lib.engines.embedded import EmbeddedEngine
from lib.media.frames import probe
from lib.prompts.parsing import parse_prompt_set
from lib.store.store import Store
from tools.cut_clips import collections, write

SUBJECTS = collections()["subjects"]
FEW = ("advert_reel_13.0.mp4", "five_scenes_11.5.mp4", "room_walk_12.2.mp4")


def test_thirteen_adverts_and_twenty_more_of_which_two_show_wine() -> None:
    names = [clip.name for clip in SUBJECTS.clips]
    assert Counter(name.startswith("advert") for name in names) == {True: 13, False: 20}
    assert len(set(names)) == 33
    assert [clip.name for clip in SUBJECTS.clips if clip.category == "wine bottle"] == [FEW[0], "advert_reel_51.5.mp4"]
    roles = {prompt.label: prompt.role for prompt in SUBJECTS.prompt_set.prompts}
    assert {clip.category for clip in SUBJECTS.clips} == {label for label, r in roles.items() if r != "background"}
    assert [label for label, role in roles.items() if role == "restricted"] == ["wine bottle"]


def test_clips_are_sorted_and_the_wine_is_flagged_where_it_is(tmp_path: Path, store: Store) -> None:
    few = replace(SUBJECTS, clips=tuple(clip for clip in SUBJECTS.clips if clip.name in FEW))
    write(few, tmp_path / "clips")
    rows = list(csv.reader((tmp_path / "clips/clips.csv").read_text(encoding="utf-8").splitlines()))
    assert rows[1:] == [[clip.name, clip.category] for clip in few.clips]
    assert parse_prompt_set((tmp_path / "clips/clips.prompts.yaml").read_text(encoding="utf-8")) == few.prompt_set
    durations_s = [probe(tmp_path / "clips" / clip.name).duration_s for clip in few.clips]
    assert durations_s == pytest.approx([clip.end_s - clip.start_s for clip in few.clips], abs=1 / 24)

    engine = EmbeddedEngine("demo")
    found = classified(store, engine, few, tmp_path / "clips")
    engine.close()
    best = {name: category.label for name, one in found.items() if (category := one.category("share"))}
    assert best == {clip.name: clip.category for clip in few.clips}
    assert flagged_wrong(few, found) == []
    (wine,) = found[FEW[0]].flagged
    assert wine.times_s[0] == pytest.approx((1.5, 5.5), abs=0.42)  # after the title card, to a sample
