"""An experiment survives writing, reading and half-typed rows."""

from __future__ import annotations

import dataclasses
import json
import os

import pytest

from lib.prompts.model import Prompt, PromptSet, Settings, Smoothing
from lib.services import experiments
from lib.services.experiments import Experiment, PromptRow, rows_to_prompts


def full_experiment() -> Experiment:
    return Experiment(
        id="abc123def456",
        video="f" * 64,
        engine="server",
        server_url="http://localhost:9001",
        model_version="ViT-B-32",
        sampling="fps-3",
        name="harbour",
        template="a photo of a {}",
        rows=(
            PromptRow(label="crane", texts=("crane", "a tower crane"), threshold=0.25, colour="green"),
            PromptRow(label="else", role="background", enabled=False),
            PromptRow(),
        ),
        settings=Settings(score="cosine", decision="threshold", smoothing=Smoothing("median", 7), bridge_s=0.5),
    )


def test_a_saved_experiment_is_read_back_whole(tmp_path):
    before = full_experiment()
    experiments.save(tmp_path, before)

    assert experiments.load(tmp_path, before.id) == before
    assert [path.name for path in (tmp_path / "experiments").iterdir()] == [f"{before.id}.json"]


def test_every_field_is_in_the_file(tmp_path):
    experiments.save(tmp_path, full_experiment())
    data = json.loads((tmp_path / "experiments" / "abc123def456.json").read_text())

    assert {field.name for field in dataclasses.fields(Experiment)} <= set(data)
    assert not [key for key in data if "key" in key or "secret" in key]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 99}', '{"format": 1, "id": "x"}'])
def test_a_broken_file_is_no_experiment(tmp_path, text):
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "abc123def456.json").write_text(text)

    assert experiments.load(tmp_path, "abc123def456") is None


@pytest.mark.parametrize("wanted", ["../../etc/passwd", "", "ABC", "a/b", "a" * 99])
def test_an_id_is_never_a_path(tmp_path, wanted):
    assert experiments.load(tmp_path, wanted) is None


def test_ids_differ_and_are_readable_back():
    ids = {experiments.new_id() for _ in range(100)}

    assert len(ids) == 100
    assert all(experiments._ID.fullmatch(one) for one in ids)


def test_a_prompt_set_goes_in_and_comes_out_the_same():
    prompt_set = PromptSet(
        "harbour",
        (
            Prompt("crane", ("crane", "a tower crane"), threshold=0.2),
            Prompt("ship"),
            Prompt("else", role="background", enabled=False, colour="#123456"),
        ),
        template="a photo of a {}",
        settings=Settings(decision="best_threshold"),
    )
    found, problems = Experiment("abc123").with_prompt_set(prompt_set).prompt_set()

    assert found == prompt_set
    assert problems == []


def test_half_typed_rows_are_kept_but_left_out():
    rows = (
        PromptRow(label="crane"),
        PromptRow(),
        PromptRow(label=" crane "),
        PromptRow(texts=("a ship",)),
        PromptRow(label="x", texts=("y", "y")),
    )
    prompts, problems = rows_to_prompts(rows)

    assert [prompt.label for prompt in prompts] == ["crane", "a ship"]
    assert len(problems) == 2
    assert "Row 3 is left out" in problems[0]
    assert "crane" in problems[0]
    assert "Row 5 is left out" in problems[1]


@pytest.mark.parametrize("label", ["RED CAR", "red  car", "red\u00a0car", "red car\u200b"])
def test_a_row_with_a_label_that_is_there_is_left_out_alone(label):
    rows = (PromptRow(label="red car"), PromptRow(texts=(label,)), PromptRow(label="x"))
    found, problems = Experiment("abc123", rows=rows).prompt_set()

    assert [prompt.label for prompt in found.prompts] == ["red car", "x"]
    assert len(problems) == 1
    assert problems[0].startswith("Row 2 is left out")


def test_without_a_usable_row_there_is_no_prompt_set():
    assert Experiment("abc123", rows=(PromptRow(), PromptRow(label="  "))).prompt_set() == (None, [])


def test_a_template_without_a_place_is_a_sentence_not_an_exception():
    found, problems = Experiment("abc123", template="no place", rows=(PromptRow(label="crane"),)).prompt_set()

    assert found is None
    assert "{}" in problems[0]


def test_the_experiments_written_last_come_first_without_the_current_and_the_empty_one(tmp_path):
    for age, (name, rows) in enumerate(
        (
            ("aaaaaa", (PromptRow(label="x"),)),
            ("bbbbbb", ()),
            ("cccccc", (PromptRow(label="y"),)),
            ("dddddd", (PromptRow(label="z"),)),
        )
    ):
        experiments.save(tmp_path, Experiment(name, rows=rows))
        os.utime(tmp_path / "experiments" / f"{name}.json", (1000 - age, 1000 - age))
    (tmp_path / "experiments" / "eeeeee.json").write_text("{")

    found = experiments.recent(tmp_path, limit=2, without="dddddd")

    assert [(one.id, written_at) for one, written_at in found] == [("aaaaaa", 1000), ("cccccc", 998)]
    assert experiments.recent(tmp_path / "nowhere", limit=2, without="x") == []


def test_of_experiments_that_say_the_same_only_the_newest_is_recent(tmp_path):
    rows = (PromptRow(label="x"),)
    for age, one in enumerate(
        (
            Experiment("aaaaaa", rows=rows),
            Experiment("bbbbbb", rows=rows),
            Experiment("cccccc", name="x", rows=rows),
        )
    ):
        experiments.save(tmp_path, one)
        os.utime(tmp_path / "experiments" / f"{one.id}.json", (1000 - age, 1000 - age))

    assert [one.id for one, _ in experiments.recent(tmp_path, limit=9, without="")] == ["aaaaaa", "cccccc"]


@pytest.mark.parametrize(
    ("named", "engine", "address"),
    [
        ("", "demo", None),
        ("CLIP", "clip", None),
        ("https://clip.example:9001", "server", "https://clip.example:9001"),
        ("localhost:9002", "server", "localhost:9002"),
        ("nonsense", "demo", None),
    ],
)
def test_a_fresh_experiment_has_the_engine_that_the_environment_names(monkeypatch, named, engine, address):
    monkeypatch.setenv("PROMPTREEL_ENGINE", named)

    found = experiments.fresh()

    assert (found.engine, found.server_url) == (engine, address or experiments.DEFAULT_SERVER_URL)
    assert found.id != experiments.fresh().id
