"""``versions``: from a video to a file and back on an empty machine, with the same numbers to the last digit."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from lib.core.errors import PromptreelError
from lib.core.sampling import Sampling
from lib.engines.registry import make_engine
from lib.evaluation.numbers import Numbers, numbers_of
from lib.services import experiments, versions
from lib.services.ground_truth import video_truth
from lib.services.stored_analysis import analyse_stored
from lib.store.store import Store
from tests.helpers.fake_server import FakeServer
from tests.helpers.fixtures import Run
from tests.helpers.videos import make_video, scenes

SAMPLE = Path(__file__).parents[2] / "sample_videos" / "five_scenes.mp4"
RED, BLUE, GREEN = (255, 0, 0), (0, 0, 255), (0, 255, 0)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2 s blue, 1 s red, 1 s green at 20 a second."""
    colours = scenes((BLUE, 40), (RED, 20), (GREEN, 20))
    return make_video(tmp_path_factory.mktemp("film") / "walls.mp4", colours=colours, rate=20)


@pytest.fixture
def files(tmp_path: Path, server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    monkeypatch.setenv("PROMPTREEL_ENGINE", server.url)
    texts = {
        "a.txt": "red\nblue\n",
        "b.txt": "red\nblue\ngreen\n",
        "truth.csv": "label,start,end\nblue,0,2\nRed,2,3\ngreen,3,4\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    return {name.partition(".")[0]: tmp_path / name for name in texts}


def document(run: Run, *arguments: object) -> dict[str, Any]:
    status, out, _ = run("versions", *arguments, "--json")
    assert status == 0
    data: dict[str, Any] = json.loads(out)
    return data


def test_on_an_empty_machine_the_same_video_and_the_file_give_the_same_numbers_to_the_last_digit(
    run: Run, home: Path, tmp_path: Path
) -> None:
    prompts = SAMPLE.with_suffix(".prompts.yaml")
    saved = document(run, "save", SAMPLE, "--prompts", prompts, "--name", "first", "--note", "before")
    before = document(run, "show", "first")
    assert run("versions", "export", saved["id"], tmp_path / "v.json")[0] == 0
    assert before["numbers"]["overall"]["macro_f1"] == saved["overall"]["macro_f1"] > 0
    assert before["engine_id"].startswith("demo:")
    shutil.rmtree(home)
    elsewhere = shutil.copy(SAMPLE, tmp_path / "renamed.mp4")  # with no annotation file beside it

    status, out, err = run("versions", "import", tmp_path / "v.json")
    assert status == 0
    assert out.startswith(f"{saved['id']}: first, imported; experiment ")
    assert any("“five_scenes.mp4”" in line and before["video"]["sha256"][:12] in line for line in err)
    status, _, err = run("versions", "show", "first", "--again")
    assert status == 1
    assert "is not on this machine" in err[-1]

    video = Store().add_file(Path(elsewhere))
    assert document(run, "import", tmp_path / "v.json")["versions"][0]["new"] is False
    after = document(run, "show", "first", "--again")
    assert after["again"]["numbers"] == after["numbers"] == before["numbers"]
    assert after["again"]["differences"] == []
    assert after["again"]["engine_id"] == before["engine_id"]

    # The same by services alone, from the experiment that the page opens.
    store = Store()
    version = versions.find(store.home, "first")
    experiment = experiments.load(store.home, version.experiment.id)
    assert experiment is not None
    prompt_set, _ = experiment.prompt_set()
    assert prompt_set is not None
    sampling = Sampling.from_key(experiment.sampling)
    analysis = analyse_stored(store, video, make_engine(experiment.engine_spec), sampling, prompt_set)
    assert numbers_of(analysis, video_truth(store, video).segments) == version.numbers


def test_versions_are_listed_compared_and_computed_again(
    run: Run, film: Path, files: dict[str, Path], server: FakeServer, home: Path
) -> None:
    assert run("versions", "list")[1].startswith("There is no version yet")
    a = document(run, "save", film, "--prompts", files["a"], "--truth", files["truth"], "--name", "two")
    b = document(run, "save", film, "--prompts", files["b"], "--truth", files["truth"], "--name", "three")
    again = document(run, "save", film, "--prompts", files["b"], "--truth", files["truth"], "--name", "three")
    assert again["id"] == b["id"]
    assert a["overall"]["macro_f1"] < b["overall"]["macro_f1"]

    listing = document(run, "list")
    assert [one["name"] for one in listing["versions"]] == ["three", "two"]
    assert document(run, "list", "--experiment", a["experiment"]["id"])["versions"] == [a]
    assert "macro F1" in run("versions", "list")[1]

    differ = document(run, "diff", "two", "three")
    assert "“green” added" in differ["differences"]
    green = next(one for one in differ["f1"] if one["label"] == "green")
    assert (green["a"], green["b"]) == (0.0, 1.0)
    out = run("versions", "diff", "two", "three")[1]
    assert "- “green” added" in out
    assert "all labels (macro)" in out
    assert "Nothing differs." in run("versions", "diff", "two", "two")[1]
    assert "Nothing differs." in run("versions", "diff", "two")[1]
    shown = run("versions", "show", "three", "--again")[1]
    assert "Nothing differs." in shown
    assert f"experiment: {b['experiment']['title']}" in shown
    saved = document(run, "save", "--experiment", a["experiment"]["id"], "--name", "again")
    assert saved["overall"] == a["overall"]

    (home / "versions" / f"{a['id']}.json").write_text("{}")
    assert document(run, "list")["damaged"] == [f"{a['id']}.json"]


def test_a_changed_truth_is_said_beside_both_numbers(run: Run, film: Path, files: dict[str, Path]) -> None:
    document(run, "save", film, "--prompts", files["b"], "--truth", files["truth"], "--name", "v")
    store = Store()
    (video,) = store.videos()
    store.change_truth(video, lambda truth: truth[:1], lambda: ())
    after = document(run, "show", "v", "--again")
    assert after["again"]["differences"] == ["Ground truth: 2 segments removed"]
    assert after["again"]["numbers"]["true_f1"] == {"blue": 1.0}
    assert set(after["numbers"]["true_f1"]) == {"blue", "Red", "green"}


def test_the_environments_key_goes_to_no_server_that_only_a_version_names(
    run: Run, film: Path, files: dict[str, Path], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = document(run, "save", film, "--prompts", files["a"], "--name", "v")
    store = Store()
    stranger = versions.load(store.home, version["id"])
    assert stranger is not None
    keys = []

    def refuse(*_: object, api_key: str | None, **__: object) -> None:
        keys.append(api_key)
        raise PromptreelError("no such server")

    monkeypatch.setenv("ROBOFLOW_API_KEY", "secret")
    monkeypatch.setattr("lib.services.open_engine.make_engine", refuse)
    for url in ("https://stranger.example", "http://127.0.0.1:9001"):
        experiments.save(
            store.home, experiments.replace(stranger.experiment, id="abcdef", engine="server", server_url=url)
        )
        assert run("versions", "save", "--experiment", "abcdef")[0] == 1
    assert keys == [None, "secret"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("show", "nothing"), "No version is called 'nothing'"),
        (("diff", "nothing"), "No version is called 'nothing'"),
        (("export", "nothing"), "No version is called 'nothing'"),
        (("save", "--experiment", "nothing"), "There is no experiment 'nothing'"),
        (("import", "nothing.json"), "nothing.json can't be read"),
        (("import", __file__), "is no version that this Promptreel reads"),
    ],
)
def test_what_is_wrong_is_one_line(run: Run, arguments: tuple[str, ...], words: str) -> None:
    status, out, err = run("versions", *arguments)
    assert (status, out) == (1, "")
    assert words in err[-1]


def test_a_name_from_elsewhere_does_not_steer_the_terminal(run: Run, home: Path) -> None:
    store = Store(home)
    experiment = experiments.Experiment("abc123", rows=(experiments.PromptRow(label="wall\x1b[31m"),))
    version = versions.keep(store, experiment, "saved", name="a\x1b[2Jb", note="c\x07")
    assert version is not None
    for arguments in (("list",), ("show", version.id), ("diff", version.id, version.id)):
        status, out, _ = run("versions", *arguments)
        assert status == 0
        assert not {"\x1b", "\x07"} & set(out)


def test_f1_of_different_videos_has_no_difference(run: Run, home: Path) -> None:
    store, rows = Store(home), (experiments.PromptRow(label="wall"),)
    for name, video in (("one", "a" * 64), ("two", "b" * 64)):
        experiment = experiments.Experiment("abc123", video=video, rows=rows)
        versions.keep(store, experiment, "saved", name=name, numbers=Numbers(0.5, 0.5, {"wall": 0.5}))

    assert "They are of different videos" in run("versions", "diff", "one", "two")[1]
    assert document(run, "diff", "one", "two")["f1"] == [{"label": "wall", "a": 0.5, "b": 0.5, "difference": None}]


def test_a_home_that_can_t_be_written_is_one_line(
    run: Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(home)
    experiment = experiments.Experiment("abc123", rows=(experiments.PromptRow(label="wall"),))
    version = versions.keep(store, experiment, "saved")
    assert version is not None
    assert run("versions", "export", version.id, tmp_path / "v.json")[0] == 0
    versions.delete(home, version.id)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", str(home / "versions"))

    monkeypatch.setattr("lib.infra.documents.write_atomically", full)
    status, out, err = run("versions", "import", tmp_path / "v.json")
    assert (status, out) == (1, "")
    assert "can't be read or written (No space left on device)" in err[-1]


def test_what_can_t_be_saved_is_wrong_usage(run: Run) -> None:
    assert run("versions", "save")[0] == 2
    assert run("versions", "save", SAMPLE, "--experiment", "abcdef")[0] == 2
