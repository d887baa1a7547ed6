"""``experiments``: what the dashboard holds is listed, shown, deleted and brought back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lib.services import experiments
from lib.services.experiments import Experiment, PromptRow
from tests.helpers.fixtures import Run

ONE = Experiment("abc123def456", title="Cranes at dusk", starred=True, rows=(PromptRow(label="crane"),))
OTHER = Experiment("bbb123def456", name="boats", rows=(PromptRow(label="boat"),), note="haze")


@pytest.fixture
def two(home: Path) -> Path:
    home.mkdir()
    for one in (ONE, OTHER):
        experiments.save(home, one)
    return home


def test_they_are_listed_and_found_by_words(run: Run, two: Path) -> None:
    (two / "experiments" / "ccc123def456.json").write_text("{")
    status, out, err = run("experiments", "list")
    assert (status, len(out.splitlines())) == (0, 3)
    assert "★  abc123def456  Cranes at dusk  no video" in out
    assert "ccc123def456.json is damaged" in "".join(err)

    document = json.loads(run("experiments", "list", "HAZE", "boat", "--json")[1])
    (found,) = document["experiments"]
    assert (found["id"], found["labels"], found["note"]) == (OTHER.id, ["boat"], "haze")
    assert document["damaged"] == ["ccc123def456.json"]
    assert "no such experiment" in run("experiments", "list", "ship")[1]


def test_one_is_shown_deleted_and_brought_back_whole(run: Run, two: Path) -> None:
    shown = json.loads(run("experiments", "show", ONE.id)[1])
    assert (shown["title"], shown["rows"][0]["label"]) == (ONE.title, "crane")

    assert run("experiments", "delete", ONE.id)[0] == 0
    assert experiments.load(two, ONE.id) is None
    assert "Cranes at dusk" in run("experiments", "list", "--deleted")[1]
    assert "Cranes at dusk" not in run("experiments", "list")[1]
    assert run("experiments", "restore", ONE.id)[0] == 0
    assert experiments.load(two, ONE.id) == ONE


def test_a_title_from_elsewhere_stays_in_its_line_and_steers_no_terminal(run: Run, two: Path) -> None:
    hostile = Experiment("eee123def456", title="a\nb\x1b[2J\u202ec\x9b1m", rows=(PromptRow(label="l\x1b[1m\n\rm"),))
    experiments.save(two, hostile)

    out = run("experiments", "list")[1]
    deleted = run("experiments", "delete", hostile.id)[2]

    assert len(out.splitlines()) == 4
    assert not set("\x1b\x9b\r\u202e") & set(out + "".join(deleted))


def test_a_home_that_can_t_be_written_is_one_line_and_nothing_is_deleted(
    run: Run, two: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", str(two / "versions"))

    monkeypatch.setattr("lib.infra.documents.write_atomically", full)
    status, out, err = run("experiments", "delete", ONE.id)

    assert (status, out) == (1, "")
    assert "versions can't be read or written (No space left on device)" in err[-1]
    assert experiments.load(two, ONE.id) == ONE


@pytest.mark.parametrize("action", ["show", "delete", "restore"])
@pytest.mark.parametrize("wrong", ["nothere12345", "../x"])
def test_what_is_not_there_is_one_sentence(run: Run, two: Path, action: str, wrong: str) -> None:
    status, _, err = run("experiments", action, wrong)

    assert status == 1
    assert f"There is no experiment {wrong}" in "".join(err)
