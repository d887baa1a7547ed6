"""The commands ``compare`` and ``evaluate``: their documents, tables, and problems."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from lib.prompts.reference_phrases import PHRASES
from tests.helpers.fake_server import FakeServer
from tests.helpers.fixtures import Run
from tests.helpers.videos import make_video, scenes

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "sample_videos" / "five_scenes.mp4"
RED, BLUE, GREEN = (255, 0, 0), (0, 0, 255), (0, 255, 0)
NUMBERS = ["precision", "recall", "f1", "segment_f1", "onset_error_s", "offset_error_s", "average_precision"]
NUMBERS += ["best_threshold"]


@pytest.fixture
def server(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    monkeypatch.setenv("PROMPTREEL_ENGINE", server.url)
    return server


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2 s blue, 1 s red, 1 s green at 20 a second: 80 frames, 8 samples at stride 10."""
    colours = scenes((BLUE, 40), (RED, 20), (GREEN, 20))
    return make_video(tmp_path_factory.mktemp("film") / "walls.mp4", colours=colours, rate=20)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """Prompts: A knows red and blue, B green too; the truth of all three."""
    texts = {
        "a.txt": "red\nblue\n",
        "b.txt": "red\nblue\ngreen\n",
        "truth.csv": "label,start,end\nblue,0,2\nRed,2,3\ngreen,3,4\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    return {name.partition(".")[0]: tmp_path / name for name in texts}


class TestCompare:
    def test_prints_the_document_of_the_issue(
        self, run: Run, server: FakeServer, film: Path, files: dict[str, Path]
    ) -> None:
        status, out, _ = run("compare", film, "--a", files["a"], "--b", files["b"], "--json")
        _, single, _ = run("analyze", film, "--prompts", files["b"], "--json")

        document: dict[str, Any] = json.loads(out)
        assert status == 0
        assert list(document) == ["a", "b", "agreement"]
        assert document["b"] == {key: json.loads(single)[key] for key in ("metrics", "segments")}
        agreement = document["agreement"]
        assert list(agreement) == ["share", "kappa", "iou", "disagreements"]
        assert agreement["share"] == 0.75
        assert [(part["start_s"], part["end_s"], part["b"]) for part in agreement["disagreements"]] == [(3, 4, "green")]
        assert list(agreement["iou"]) == ["red", "blue"]

    def test_with_truth_says_which_is_better(
        self, run: Run, server: FakeServer, film: Path, files: dict[str, Path]
    ) -> None:
        status, out, err = run(
            "compare", film, "--a", files["a"], "--b", files["b"], "--truth", files["truth"], "--json"
        )
        evaluation = json.loads(out)["evaluation"]
        assert status == 0
        assert list(evaluation) == ["a", "b", "difference"]
        assert {label: list(scores) for label, scores in evaluation["b"].items()} == dict.fromkeys(
            ["red", "blue", "green"], NUMBERS
        )
        assert [scores["f1"] for scores in evaluation["b"].values()] == [1.0, 1.0, 1.0]
        assert list(evaluation["difference"]) == ["red", "blue"]
        for interval in evaluation["difference"].values():
            assert list(interval) == ["f1", "low", "high"]
            assert interval["low"] <= interval["f1"] <= interval["high"]
        assert err[-1] == "A: the ground truth has “green”, and no prompt does"

    def test_embeds_the_video_once_and_each_text_once(
        self, run: Run, server: FakeServer, film: Path, files: dict[str, Path]
    ) -> None:
        run("compare", film, "--a", files["a"], "--b", files["b"])
        sent = len(server.seen)
        texts = [text for seen in server.seen for text in seen.body.get("text", ())]
        assert {"red", "blue", "green", *PHRASES} == set(texts)
        assert len(texts) == len(set(texts))
        run("compare", film, "--a", files["a"], "--b", files["b"], "--truth", files["truth"])
        assert len(server.seen) == sent

    def test_prints_tables_for_people(self, run: Run, server: FakeServer, film: Path, files: dict[str, Path]) -> None:
        _, out, _ = run("compare", film, "--a", files["a"], "--b", files["b"], "--truth", files["truth"])

        assert out.splitlines()[0] == "walls.mp4: 4.0 s, CLIP ViT-B/16 (inference server), A = a, B = b"
        assert "same label 75.0 % of the time, kappa 0." in out
        assert "only in B: green" in out
        lines = [" ".join(line.split()) for line in out.splitlines()]
        assert "label present first duration share segments mean peak" in lines
        assert any(line.startswith("red B - A same ") for line in lines)
        assert any(line.endswith("green 0:03.0 0:04.0") for line in lines)
        assert "A against the ground truth" in lines
        assert lines[2].startswith("B is better here: it is right where A is wrong at 0:03.0 – 0:04.0 (green). ")
        assert lines[3].startswith("Evidence: ")
        assert any(" here" in line for line in lines if line.startswith(("red: ", "blue: ")))


class TestEvaluate:
    def test_prints_the_document_of_the_issue(
        self, run: Run, server: FakeServer, film: Path, files: dict[str, Path]
    ) -> None:
        status, out, _ = run("evaluate", film, "--prompts", files["b"], "--truth", files["truth"], "--json")

        document = json.loads(out)
        assert status == 0
        assert list(document) == ["red", "blue", "green", "overall"]
        assert document.pop("overall") == {"macro_f1": 1.0, "accuracy": 1.0}
        for scores in document.values():
            assert list(scores) == NUMBERS
            assert [scores[name] for name in NUMBERS[:-1]] == [1, 1, 1, 1, 0, 0, 1]
            assert 1 < scores["best_threshold"] < 20

    def test_a_label_called_overall_keeps_its_numbers_beside_the_overall_ones(
        self, run: Run, server: FakeServer, film: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "p.yaml").write_text("prompts:\n  - {label: overall, texts: [red]}\n  - blue\n")
        (tmp_path / "t.csv").write_text("label,start,end\noverall,2,3\nblue,0,2\n")
        _, out, _ = run("evaluate", film, "--prompts", tmp_path / "p.yaml", "--truth", tmp_path / "t.csv", "--json")
        assert list(json.loads(out)["overall"]) == [*NUMBERS, "macro_f1", "accuracy"]

    def test_prints_a_table_with_na_where_nothing_is_known(
        self, run: Run, server: FakeServer, film: Path, files: dict[str, Path], tmp_path: Path
    ) -> None:
        truth = tmp_path / "red.csv"
        truth.write_text("label,start,end\nred,2,3\nbird,0,1\n")
        _, out, err = run("evaluate", film, "--prompts", files["a"], "--truth", truth)

        lines = [" ".join(line.split()) for line in out.splitlines()]
        assert "blue" + " n/a" * 8 in lines
        assert lines[-1].startswith("overall: macro F1 ")
        assert lines[-1].endswith(" over time")
        assert "over 2 true labels" in lines[-1]
        assert err[-2:] == [
            "the ground truth has “bird”, and no prompt does",
            "the ground truth doesn't mention “blue”, so it isn't evaluated",
        ]

    def test_tells_what_is_wrong_with_a_part_of_the_truth(
        self, run: Run, server: FakeServer, film: Path, files: dict[str, Path], tmp_path: Path
    ) -> None:
        truth = tmp_path / "odd.csv"
        truth.write_text("label,start,end\nred,2,3\nred,3,1\n")
        status, _, err = run("evaluate", film, "--prompts", files["a"], "--truth", truth)

        assert status == 0
        assert sum(line.startswith("odd.csv: ") and "3" in line for line in err) == 1


@pytest.mark.parametrize("command", ["compare", "evaluate"])
def test_a_truth_that_can_not_be_read_is_one_line_and_status_1(
    run: Run, server: FakeServer, film: Path, files: dict[str, Path], tmp_path: Path, command: str
) -> None:
    sides = ("--a", files["a"], "--b", files["b"]) if command == "compare" else ("--prompts", files["a"])
    binary = tmp_path / "binary.csv"
    binary.write_bytes(b"\xff\xfe\xfa")
    empty = tmp_path / "empty.csv"
    empty.touch()
    for path, message in (
        (tmp_path / "none.csv", "none.csv can't be read"),
        (binary, "no UTF-8 text"),
        (empty, "empty.csv is empty"),
    ):
        status, out, err = run(command, film, *sides, "--truth", path)
        assert (status, out) == (1, "")
        assert sum(line.startswith("promptreel: ") for line in err) == 1
        assert message in err[-1]


def test_another_prompt_separates_what_one_prompt_mixes_up(run: Run, tmp_path: Path) -> None:
    """The published failure and its fix, against the ground truth: the shipyard is the one disagreement."""
    a, b = tmp_path / "a.yaml", tmp_path / "b.yaml"
    prompts = "prompts:\n  - construction site\n  - {label: something else, role: background}\n"
    a.write_text(prompts)
    b.write_text(f"{prompts}  - {{label: shipyard, texts: [shipyard, a ship being built in a shipyard]}}\n")
    truth = SAMPLE.with_suffix(".json")
    status, out, _ = run("compare", SAMPLE, "--a", a, "--b", b, "--truth", truth, "--json")

    document = json.loads(out)
    assert status == 0
    durations = [document[side]["metrics"][0]["duration_s"] for side in "ab"]
    assert durations == pytest.approx([6, 3], abs=0.5)
    (part,) = document["agreement"]["disagreements"]
    assert (part["a"], part["b"]) == ("construction site", "shipyard")
    assert (part["start_s"], part["end_s"]) == pytest.approx((10, 13), abs=0.5)
    overall = document["overall"]
    assert list(overall) == ["macro_f1", "accuracy"]
    for numbers in overall.values():
        assert list(numbers) == ["a", "b", "difference", "low", "high"]
        assert numbers["difference"] == pytest.approx(numbers["b"] - numbers["a"])
    assert overall["macro_f1"]["difference"] == pytest.approx(0.26, abs=0.01)
    assert overall["accuracy"]["difference"] == pytest.approx(3 / 17, abs=0.01)
    status, out, _ = run("compare", SAMPLE, "--a", a, "--b", b, "--truth", truth)
    assert "B is better here: it is right where A is wrong at 0:10.0 – 0:13.0 (shipyard)." in out
    assert re.search(r"\(\+0\.26\): shipyard 0\.9\d against 0\.00 \(\+0\.9\d, not in A\), construction site 0\.9", out)
    assert re.search(r"construction site 0\.\d\d against 0\.6\d \(\+0\.3\d\)", out)
    assert "construction site: B is better here by +0.3" in out
    assert "includes 0, so it may not hold elsewhere. More marked stretches" in out
    assert "from 5 independent stretches of this video" in out
    f1 = [document["evaluation"][side]["construction site"]["f1"] for side in "ab"]
    assert f1[0] == pytest.approx(0.67, abs=0.05)
    assert f1[1] >= 0.95
    assert document["evaluation"]["difference"]["construction site"]["f1"] == pytest.approx(f1[1] - f1[0])


def test_reference_phrases_are_counted_while_they_are_embedded(
    run: Run, server: FakeServer, film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: list[tuple[int, int]] = []
    monkeypatch.setattr(
        "lib.cli.output.Reporter.counting", lambda self, what, done, total, unit="": counts.append((done, total))
    )
    lines = tmp_path / "colours.txt"
    lines.write_text("red wall\nblue wall\n")
    assert run("analyze", film, "--prompts", lines)[0] == 0
    assert counts == [(done, 200) for done in (*range(16, 200, 16), 200)]
    run("analyze", film, "--prompts", lines)
    assert len(counts) == 13


def test_two_invented_labels_cost_at_least_a_fifth(run: Run, tmp_path: Path) -> None:
    """A set that calls the site "forest" and the yard "street" had F1 0.93 beside 0.96."""
    scores = []
    for name, others in (("right", ("construction site", "shipyard")), ("wrong", ("forest", "harbour"))):
        texts = ("construction site", "shipyard")
        prompts = ["football pitch", "seaside", "city street"]
        lines = [f"  - {{label: {label}, texts: [{text}]}}" for label, text in zip(others, texts, strict=True)]
        path = tmp_path / f"{name}.yaml"
        path.write_text("\n".join(["prompts:", *(f"  - {prompt}" for prompt in prompts), *lines]))
        _, out, _ = run("evaluate", SAMPLE, "--prompts", path, "--truth", SAMPLE.with_suffix(".json"), "--json")
        scores.append(json.loads(out)["overall"])
    assert scores[0]["macro_f1"] >= 0.95
    assert scores[1]["macro_f1"] <= scores[0]["macro_f1"] - 0.2
    assert scores[1]["accuracy"] <= scores[0]["accuracy"] - 0.2
