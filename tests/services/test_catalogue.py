"""All experiments are listed, each with its video, and none is read twice."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace

import pytest

from lib.infra.files import sha256_of
from lib.services import catalogue, documents, experiment_merge, experiments, versions
from lib.services.experiments import Experiment, PromptRow
from lib.store.store import Store
from lib.ui.session.folders import SAMPLES

CRANE = (PromptRow(label="crane"), PromptRow(label="wall", enabled=False), PromptRow(texts=("a boat",)))
VIDEO = "f" * 64


def write(home, *written):
    for age, one in enumerate(written):
        experiments.save(home, one)
        os.utime(experiments.path_of(home, one.id), (1000 - age, 1000 - age))


def test_all_experiments_are_listed_newest_first_also_those_with_the_same_words(tmp_path):
    write(
        tmp_path,
        Experiment("aaaaaa", video=VIDEO, rows=CRANE),
        Experiment("bbbbbb", video=VIDEO, rows=CRANE),
        Experiment("cccccc", name="boats", title="At sea", note="try haze", starred=True),
        Experiment("dddddd", video="e" * 64, name="boats", rows=CRANE),
        Experiment("eeeeee", video=VIDEO),  # nobody has put anything in
        Experiment("ffffff", rows=CRANE, side="b"),
    )
    (tmp_path / "experiments" / "gggggg.json").write_text("{")

    found = catalogue.listed(tmp_path, {VIDEO: "harbour.mp4"})

    assert [(one.key, one.name) for one in found.choices] == [
        ("experiment:aaaaaa", "crane, a boat · harbour.mp4"),
        ("experiment:bbbbbb", "crane, a boat · harbour.mp4"),
        ("experiment:cccccc", "At sea"),
        ("experiment:dddddd", "boats · video eeeeeeee…, not in the library"),
    ]
    assert [one.written_at for one in found.choices] == [1000, 999, 998, 997]
    assert (found.choices[2].starred, found.choices[2].note) == (True, "try haze")
    assert found.choices[0].get() == Experiment("aaaaaa", video=VIDEO, rows=CRANE)
    assert found.choices[0].described.startswith("crane, a boat · harbour.mp4 · crane, a boat · 01 Jan, ")
    assert found.damaged == ("gggggg.json",)
    assert catalogue.listed(tmp_path / "nowhere", {}) == catalogue.Listing(())


@pytest.mark.parametrize("words", ["", "sea", "HAZE", "boats", "crane harbour", "  boat   SEA "])
def test_each_word_is_looked_for_in_title_note_labels_prompt_set_and_video(tmp_path, words):
    one = Experiment("aaaaaa", video=VIDEO, rows=CRANE, name="boats", title="At sea", note="Haze?")
    write(tmp_path, one)

    (choice,) = catalogue.listed(tmp_path, {VIDEO: "harbour.mp4"}).choices

    assert choice.matches(words)
    assert not choice.matches(f"{words} wall")  # which is off


def test_a_file_is_read_again_only_when_it_has_changed(tmp_path, monkeypatch):
    before = Experiment("aaaaaa", rows=CRANE)
    write(tmp_path, before, Experiment("bbbbbb", rows=CRANE))
    read = []
    load = experiments.load
    monkeypatch.setattr(experiments, "load", lambda home, id_: read.append(id_) or load(home, id_))

    for _ in range(2):
        catalogue.listed(tmp_path, {})
    assert sorted(read) == ["aaaaaa", "bbbbbb"]

    write(tmp_path, replace(before, title="x"))  # with the same time
    assert catalogue.listed(tmp_path, {}).choices[0].title == "x"
    experiments.path_of(tmp_path, "bbbbbb").unlink()
    assert len(catalogue.listed(tmp_path, {}).choices) == 1
    assert read[2:] == ["aaaaaa"]


def test_a_deleted_one_is_read_again_only_when_it_has_changed(tmp_path, monkeypatch):
    write(tmp_path, Experiment("aaaaaa", video=VIDEO, rows=CRANE), Experiment("bbbbbb", title="x"))
    for one in ("aaaaaa", "bbbbbb"):
        documents.discard(experiment_merge.KIND, tmp_path, one)
    (tmp_path / "experiments" / "trash" / "cccccc.json").write_text("{")
    assert [one.id for one in catalogue.deleted(tmp_path, {})] == ["bbbbbb", "aaaaaa"]

    monkeypatch.setattr(experiments, "load_deleted", lambda *_: pytest.fail("read again"))
    assert [one.name for one in catalogue.deleted(tmp_path, {VIDEO: "harbour.mp4"})] == [
        "x",
        "crane, a boat · harbour.mp4",
    ]
    assert catalogue.listed(tmp_path, {}).choices == ()


def test_a_sample_is_chosen_with_its_video_and_its_own_prompts(tmp_path):
    files = sorted(SAMPLES.glob("*.mp4"))

    found = catalogue.listed(tmp_path, {}, [*files, tmp_path / "no-prompts.mp4"]).choices

    assert [one.key for one in found] == [f"sample:{file.stem}" for file in files]
    for one, file in zip(found, files, strict=True):
        experiment = one.get()
        assert experiment is not None
        assert one.name.endswith(f" (sample) · {file.name}")
        assert one.video == experiment.video == sha256_of(file)
        assert one.labels == experiment.labels != ()
    assert found[0].get().id != found[0].get().id


def test_a_sample_is_known_by_its_content_wherever_it_lies(tmp_path):
    files = sorted(SAMPLES.glob("*.mp4"))
    store = Store(tmp_path / "home")
    elsewhere = store.add_file(shutil.copy(files[0], tmp_path / "mine.mp4"))
    (tmp_path / "other.mp4").write_bytes(files[1].read_bytes()[:-1] + b"x")
    other = replace(elsewhere, sha256=sha256_of(tmp_path / "other.mp4"), size_bytes=files[1].stat().st_size)

    assert catalogue.sample_of(elsewhere, [tmp_path / "gone.mp4", *files]) == files[0]
    assert catalogue.sample_of(other, files) is None


@pytest.mark.parametrize(
    ("experiment", "title"),
    [
        (Experiment("aaaaaa"), "No prompts yet"),
        (Experiment("aaaaaa", rows=CRANE), "crane, a boat"),
        (Experiment("aaaaaa", name="pasted", rows=tuple(PromptRow(label=x) for x in "abcde")), "a, b, c +2"),
        (Experiment("aaaaaa", name="boats", rows=CRANE), "boats"),
        (Experiment("aaaaaa", title=" Mine ", name="boats", rows=CRANE), "Mine"),
    ],
)
def test_an_experiment_is_called_by_its_title_or_by_what_is_in_it(experiment, title):
    assert experiments.shown_title(experiment) == title
    assert experiments.shown_title(experiment, "v.mp4") == f"{title} · v.mp4"


def test_saved_versions_can_be_chosen_and_open_as_experiments_of_their_own(tmp_path):
    store = Store(tmp_path)
    mine = Experiment("aaaaaa", rows=CRANE, title="Mine", engine="clip", sampling="stride-5")
    version = versions.keep(store, mine, "saved", name="first", note="before")
    versions.keep(store, replace(mine, rows=CRANE[:1]), "import")

    (choice,) = catalogue.listed(tmp_path, {}).choices
    assert (choice.kind, choice.key) == ("version", f"version:{version.id}")
    assert choice.name.startswith("first · Mine (version)")
    assert choice.note == "before"
    opened = choice.get()
    assert opened.id not in ("aaaaaa", choice.get().id)
    assert opened.with_experiment(mine) == opened
    assert (opened.title, opened.engine, opened.sampling) == ("first · Mine", "clip", "stride-5")
    assert versions.listed(tmp_path).versions[-1] == version
