"""An experiment survives writing, reading and half-typed rows."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import replace

import pytest

from lib.core.errors import StoreDamagedError, StoreError
from lib.prompts.model import START_THRESHOLDS, Prompt, PromptSet, Settings, Smoothing
from lib.services import catalogue, experiments
from lib.services.experiments import MAX_SCALES, Experiment, PromptRow, rows_to_prompts


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


def test_viterbi_and_cuts_are_saved_and_files_of_before_have_neither(tmp_path):
    chosen = Settings(smoothing=Smoothing("viterbi", stay_s=12.5), stop_at_cuts=True)
    before = dataclasses.replace(full_experiment(), settings=chosen)
    experiments.save(tmp_path, before)
    assert experiments.load(tmp_path, before.id) == before

    old = json.loads(json.dumps(before.to_dict()))
    del old["settings"]["stop_at_cuts"]
    old["settings"]["smoothing"] = {"kind": "median", "window": 7}
    assert Experiment.from_dict(old).settings == Settings(smoothing=Smoothing("median", 7))


def test_every_field_is_in_the_file(tmp_path):
    experiments.save(tmp_path, full_experiment())
    data = json.loads((tmp_path / "experiments" / "abc123def456.json").read_text())

    assert {field.name for field in dataclasses.fields(Experiment)} <= set(data)
    assert not [key for key in data if "key" in key or "secret" in key]


def written(tmp_path, text):
    path = tmp_path / "experiments" / "abc123def456.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def whole(**changed):
    return json.dumps({**full_experiment().to_dict(), **changed})


def row(**changed):
    return whole(rows=[{**full_experiment().to_dict()["rows"][0], **changed}])


DAMAGED = {
    "empty": "",
    "a byte lost": whole()[:-1],
    "no object": "[]",
    "another version": whole(format=99),
    "a part": '{"format": 1, "id": "abc123def456", "sampling": "fps-3"}',
    "settings of null": whole(settings=None),
    "a score of null": whole(settings={**full_experiment().settings.to_dict(), "score": None}),
    "deep": whole(name="x").replace('"x"', "[" * 100_000 + "]" * 100_000),
    "400 digits": row(threshold=7).replace("7", "7" * 400),
    "5000 digits": whole(video=7).replace("7", "7" * 5000),
    "not finite": row(threshold=7).replace("7", "1e999"),
    "a threshold beyond all scores": row(threshold=1e300),
    "a million rows": whole(rows=[{"label": ""}] * 2000),
    "no number": row(threshold=7).replace("7", "NaN"),
    "a label of 5": row(label=5),
    "phrasings in a text": row(texts="abc"),
    "a phrasing of null": row(texts=[None]),
    "rows of null": whole(rows=None),
    "a row of null": whole(rows=[None]),
    "an engine that isn't": whole(engine="x"),
    "a sampling of 5": whole(sampling=5),
    "half a character": whole(name="\ud800"),
    "a path for B": whole(beside="../x"),
    "kept thresholds of another score": whole(kept_thresholds=[["x", 0.1, 0.1]]),
    "a title too long": whole(title="x" * 201),
    "a note too long": whole(note="x" * 20_001),
    "a star of 1": whole(starred=1),
    "a time of text": whole(created_at="x"),
    "too large": whole(name="x" * 9_000_000),
}


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED)
def test_unreadable_is_not_absent(tmp_path, text):
    written(tmp_path, text)

    with pytest.raises(StoreDamagedError):
        experiments.load(tmp_path, "abc123def456")


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED)
def test_one_damaged_experiment_ends_no_list(tmp_path, text):
    written(tmp_path, text)
    experiments.save(tmp_path, Experiment("aaaaaa", rows=(PromptRow(label="x"),)))
    (tmp_path / "experiments" / "dddddd.json").mkdir()

    found = catalogue.listed(tmp_path, {})

    assert [one.id for one in found.choices] == ["aaaaaa"]
    assert set(found.damaged) == {"abc123def456.json", "dddddd.json"}


def test_a_file_of_before_experiments_had_titles_is_read(tmp_path):
    data = full_experiment().to_dict()
    for name in ("title", "note", "starred", "created_at"):
        del data[name]
    written(tmp_path, json.dumps(data))

    assert experiments.load(tmp_path, "abc123def456") == full_experiment()


def test_what_is_taken_from_another_experiment_leaves_title_note_star_and_video():
    mine = Experiment("aaaaaa", video="e" * 64, title="mine", note="n", starred=True, created_at=5.0, beside="bbbbbb")

    taken = mine.with_experiment(full_experiment())

    assert taken == dataclasses.replace(
        full_experiment(),
        id="aaaaaa",
        video="e" * 64,
        title="mine",
        note="n",
        starred=True,
        created_at=5.0,
        beside="bbbbbb",
    )


def test_a_duplicate_is_an_experiment_of_its_own():
    one = dataclasses.replace(full_experiment(), title="x" * 200, note="n", starred=True, beside="bbbbbb")

    copy = experiments.duplicate(one)

    assert copy.id != one.id
    assert copy.created_at > 1e9
    assert (copy.title, copy.starred, copy.beside) == ("x" * 193 + " (copy)", False, None)
    assert (copy.rows, copy.settings, copy.note, copy.video) == (one.rows, one.settings, "n", one.video)


def test_a_copied_file_is_another_experiment(tmp_path):
    written(tmp_path, whole(id="other1other2"))

    assert experiments.load(tmp_path, "abc123def456").id == "abc123def456"


def test_a_file_of_before_thresholds_were_kept_is_read(tmp_path):
    data = full_experiment().to_dict()
    del data["kept_thresholds"], data["beside"], data["side"]
    for one in data["rows"]:
        del one["kept_thresholds"]
    written(tmp_path, json.dumps(data))

    assert experiments.load(tmp_path, "abc123def456") == full_experiment()


def test_a_home_that_is_gone_is_not_made_again(tmp_path):
    with pytest.raises(StoreError, match="is gone"):
        experiments.save(tmp_path / "gone", full_experiment())

    assert not (tmp_path / "gone").exists()


@pytest.mark.parametrize(
    ("first", "second"), [("red car", "red  car"), ("Car", "car"), ("caf\u00e9", "CAFE\u0301"), ("a", " a ")]
)
def test_the_second_of_two_equal_labels_is_left_out_and_the_set_stays(first, second):
    rows = (PromptRow(label=first), PromptRow(label=second), PromptRow(label="ship"))
    found, problems = Experiment("abc123", rows=rows).prompt_set()

    assert [prompt.label for prompt in found.prompts] == [first, "ship"]
    assert ["Row 2 is left out" in problem for problem in problems] == [True]


def test_one_row_out_of_range_or_too_many_rows_leave_the_set():
    rows = (PromptRow(label="crane", threshold=1.5), *(PromptRow(label=f"{n}") for n in range(250)))
    found, problems = Experiment("abc123", rows=rows).prompt_set()

    assert len(found.prompts) == 200
    assert len(problems) == 11
    assert "41 more rows" in problems[-1]


def test_each_score_keeps_its_thresholds_row_by_row_also_on_disk(tmp_path):
    rows = (
        PromptRow(texts=("a", "b"), threshold=0.11),
        PromptRow(texts=("c", "d"), threshold=0.22),
        PromptRow(label="e"),
    )
    before = Experiment("abc123", rows=rows, settings=Settings(threshold=0.3, hysteresis=0.05))
    left = before.with_score("probability")
    assert [one.threshold for one in left.rows] == [None] * 3
    assert (left.settings.threshold, left.settings.hysteresis) == (0.5, 0.0)
    experiments.save(tmp_path, left)

    back = experiments.load(tmp_path, "abc123").with_score("cosine")
    assert [one.threshold for one in back.rows] == [0.11, 0.22, None]
    assert back.settings == before.settings


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


def with_cosines() -> Experiment:
    rows = (PromptRow(label="ship", threshold=0.31), PromptRow(label="wall"))
    settings = Settings(score="cosine", threshold=0.24, hysteresis=0.01)
    return Experiment("abc123def456", engine="server", model_version="ViT-B-32", rows=rows, settings=settings)


def test_each_engine_has_thresholds_of_its_own_and_they_return_with_it() -> None:
    here = with_cosines()
    there = here.with_fields(model_version="PE-Core-L14-336")
    assert (there.settings.threshold, there.settings.hysteresis) == (START_THRESHOLDS["cosine"], 0.0)
    assert [row.threshold for row in there.rows] == [None, None]

    own = replace(there, settings=replace(there.settings, threshold=0.12))
    back = own.with_fields(model_version="ViT-B-32")
    assert (back.settings, [row.threshold for row in back.rows]) == (here.settings, [0.31, None])
    assert back.with_fields(model_version="PE-Core-L14-336").settings.threshold == 0.12
    assert here.with_fields(server_url="http://127.0.0.1:9", sampling="stride-5").settings == here.settings


def test_relative_thresholds_carry_over_and_those_of_cosines_wait_with_their_engine() -> None:
    here = with_cosines().with_score("relative")
    here = replace(here, settings=replace(here.settings, threshold=1.4))
    there = here.with_fields(engine="demo")
    assert there.settings.threshold == 1.4
    assert there.with_score("cosine").settings.threshold == START_THRESHOLDS["cosine"]
    assert there.with_score("cosine").with_score("relative").settings.threshold == 1.4
    back = there.with_fields(engine="server").with_score("cosine")
    assert (back.settings.threshold, back.rows[0].threshold) == (0.24, 0.31)


def test_documents_of_before_kept_thresholds_by_score() -> None:
    old = with_cosines().with_score("relative")
    row = replace(old.rows[0], kept_thresholds=(("cosine", 0.31),))
    old = replace(old, rows=(row, old.rows[1]), kept_thresholds=(("cosine", 0.24, 0.01),))
    found = Experiment.from_dict(json.loads(json.dumps(old.to_dict())))
    assert found.with_score("cosine").settings == with_cosines().settings
    assert [row.threshold for row in found.with_score("cosine").rows] == [0.31, None]


def test_what_comes_with_an_engine_stays_as_it_comes() -> None:
    rows = (PromptRow(label="new", threshold=0.5),)
    there = with_cosines().with_fields(engine="demo", rows=rows)
    assert (there.rows, there.settings) == (rows, with_cosines().settings)


def test_thresholds_of_very_many_engines_are_not_kept_without_end() -> None:
    here = with_cosines()
    for number in range(100):
        here = here.with_fields(engine="other", model=f"hub:someone/model-{number}")
    assert len(here.kept_thresholds) == MAX_SCALES
