"""The command line: what it prints where, what it costs, and its exit status."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.helpers.fake_server import FakeServer
from tests.helpers.fixtures import Run
from tests.helpers.videos import make_video, scenes

ROOT = Path(__file__).parents[2]
RED, BLUE = (255, 0, 0), (0, 0, 255)
PROMPTS = """\
name: colours
prompts:
  - {label: red wall, texts: [red]}
  - {label: blue wall, texts: [blue], role: background}
settings: {score: cosine, decision: best}
"""
VIDEO = ["sha256", "name", "start_s", "duration_s", "width", "height", "samples"]
METRICS = ["label", "role", "present", "first_seen_s", "last_seen_s", "duration_s", "share", "segments"]
METRICS += ["longest_s", "mean_score", "peak_score", "peak_s"]
SEGMENT = ["label", "start_s", "end_s", "mean_score", "peak_score", "peak_s"]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2 s blue, 1 s red, 1 s blue at 20 a second: 80 frames, 8 samples at stride 10."""
    colours = scenes((BLUE, 40), (RED, 20), (BLUE, 20))
    return make_video(tmp_path_factory.mktemp("film") / "walls.mp4", colours=colours, rate=20)


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    path = tmp_path / "walls.yaml"
    path.write_text(PROMPTS)
    return path


@pytest.fixture
def server(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    monkeypatch.setenv("PROMPTREEL_ENGINE", server.url)
    return server


class TestAnalyze:
    def test_prints_the_document_of_the_issue(self, run: Run, server: FakeServer, film: Path, prompts: Path) -> None:
        status, out, _ = run("analyze", film, "--prompts", prompts, "--json", "--samples")

        document: dict[str, Any] = json.loads(out)
        assert status == 0
        keys = "video damage gaps engine sampling prompt_set settings metrics segments effects samples"
        assert list(document) == keys.split()
        assert list(document["video"]) == VIDEO
        assert document["video"] | {"sha256": ""} == {
            "sha256": "",
            "name": "walls.mp4",
            "start_s": 0.0,
            "duration_s": 4.0,
            "width": 64,
            "height": 48,
            "samples": 8,
        }
        assert document["engine"] == {"id": "clip/ViT-B-16", "dim": 512}
        assert document["sampling"] == {"stride": 10}
        assert document["prompt_set"]["name"] == "colours"
        assert document["settings"]["decision"] == "best"
        assert [list(metrics) for metrics in document["metrics"]] == [METRICS] * 2
        assert [list(segment) for segment in document["segments"]] == [SEGMENT] * 3
        assert [list(sample) for sample in document["samples"]] == [["frame", "time_s", "label", "scores"]] * 8

    def test_says_what_the_settings_did(self, run: Run, server: FakeServer, film: Path, prompts: Path) -> None:
        chosen = "decision: best, min_duration_s: 60, smoothing: {kind: median, window: 3}"
        prompts.write_text(PROMPTS.replace("decision: best", chosen))
        _, out, _ = run("analyze", film, "--prompts", prompts)
        _, document, _ = run("analyze", film, "--prompts", prompts, "--json")

        assert "Smoothing changed the labels of 0 of 8 samples." in out
        assert "3 pieces under 60 s dropped; 4.0 s now without any label." in out
        assert json.loads(document)["effects"] == {
            "smoothing": {"changed_samples": 0, "samples": 8},
            "min_duration": {"dropped": 3, "unlabelled_s": 4.0},
        }

    def test_shows_names_that_are_not_utf_8(self, run: Run, server: FakeServer, film: Path, tmp_path: Path) -> None:
        video, prompts, picture = (tmp_path / os.fsdecode(name) for name in (b"f\xe9.mp4", b"p\xe9.yaml", b"i\xe9.png"))
        shutil.copy(film, video)
        prompts.write_text("prompts: [red wall]")
        Image.new("RGB", (64, 64), (255, 0, 0)).save(picture)
        status, out, err = run("analyze", video, "--prompts", prompts)
        _, found, _ = run("search", "red", "--image", picture, "--videos", video)

        assert (status, out.splitlines()[0][:6]) == (0, "f\ufffd.mp4")
        assert "prompt set p\ufffd" in out
        assert "f\ufffd.mp4: embedded 8 samples" in "\n".join(err)
        assert found.startswith("red + i\ufffd.png: 1 video, 8 samples")

    def test_finds_what_is_there(self, run: Run, server: FakeServer, film: Path, prompts: Path) -> None:
        _, out, _ = run("analyze", film, "--prompts", prompts, "--json", "--samples")

        document = json.loads(out)
        spans = [(s["label"], s["start_s"], s["end_s"]) for s in document["segments"]]
        assert spans == [("blue wall", 0.0, 2.0), ("red wall", 2.0, 3.0), ("blue wall", 3.0, 4.0)]
        red = document["metrics"][0]
        assert red | {"mean_score": 0, "peak_score": 0} == {
            "label": "red wall",
            "role": "target",
            "present": True,
            "first_seen_s": 2.0,
            "last_seen_s": 3.0,
            "duration_s": 1.0,
            "share": 0.25,
            "segments": 1,
            "longest_s": 1.0,
            "mean_score": 0,
            "peak_score": 0,
            "peak_s": 2.0,
        }
        assert red["peak_score"] > 0.99
        assert [sample["frame"] for sample in document["samples"]] == list(range(0, 80, 10))
        assert document["samples"][4]["scores"]["red wall"] == red["peak_score"]

    def test_leaves_the_samples_out_unless_asked(self, run: Run, server: FakeServer, film: Path, prompts: Path) -> None:
        _, out, _ = run("analyze", film, "--prompts", prompts, "--json")

        assert "samples" not in json.loads(out)

    def test_prints_shots_where_asked(self, run: Run, server: FakeServer, film: Path, prompts: Path) -> None:
        _, out, _ = run("analyze", film, "--prompts", prompts, "--stride", "2", "--json", "--shots")
        shots = json.loads(out)["shots"]
        assert [(shot["label"], shot["start_s"], shot["end_s"]) for shot in shots] == [
            ("blue wall", 0.0, 2.0),
            ("red wall", 2.0, 3.0),
            ("blue wall", 3.0, 4.0),
        ]
        assert all(list(shot) == ["start_s", "end_s", "label", "mean_score"] for shot in shots)
        _, out, _ = run("analyze", film, "--prompts", prompts, "--stride", "2", "--shots")
        lines = [line.split() for line in out.splitlines()]
        assert lines[lines.index(["shot", "start", "end", "mean"]) + 2][:4] == ["red", "wall", "0:02.0", "0:03.0"]
        _, out, _ = run("analyze", film, "--prompts", prompts)
        assert "shot" not in out
        (rest,) = [line.split() for line in out.splitlines() if "background" in line]
        assert rest[:5] == ["blue", "wall", "background", "rest", "0:00.0"]

    def test_reads_viterbi_and_cuts_from_the_prompt_file(
        self, run: Run, server: FakeServer, film: Path, prompts: Path
    ) -> None:
        settings = "settings: {smoothing: {kind: viterbi, stay_s: 3600}, logit_scale: 1, stop_at_cuts: %s}"
        found = {}
        for stop in ("true", "false"):
            prompts.write_text(PROMPTS.replace("settings: {score: cosine, decision: best}", settings % stop))
            _, out, _ = run("analyze", film, "--prompts", prompts, "--stride", "2", "--json")
            document = json.loads(out)
            assert document["settings"]["smoothing"] == {"kind": "viterbi", "window": 5, "stay_s": 3600.0}
            assert document["settings"]["stop_at_cuts"] is (stop == "true")
            found[stop] = [(s["label"], s["start_s"], s["end_s"]) for s in document["segments"]]
        assert found["true"] == [("blue wall", 0.0, 2.0), ("red wall", 2.0, 3.0), ("blue wall", 3.0, 4.0)]
        assert found["false"] == [("blue wall", 0.0, 4.0)]

    def test_embeds_what_is_missing_only(self, run: Run, server: FakeServer, film: Path, prompts: Path) -> None:
        _, first, _ = run("analyze", film, "--prompts", prompts, "--json")
        asked = len(server.seen)
        assert asked == 2  # 8 pictures at once, 2 texts at once
        status, second, err = run("analyze", film, "--prompts", prompts, "--json")

        assert (status, second, err) == (0, first, [])
        assert len(server.seen) == asked

    def test_needs_no_server_for_what_is_known(
        self, run: Run, film: Path, prompts: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with FakeServer() as server:
            _, first, _ = run("analyze", film, "--prompts", prompts, "--engine", server.url)
        status, again, _ = run("analyze", film, "--prompts", prompts, "--engine", server.url)

        assert (status, again) == (0, first)

    def test_prints_a_table_for_people(self, run: Run, server: FakeServer, film: Path, prompts: Path) -> None:
        _, out, _ = run("analyze", film, "--prompts", prompts, "--samples")

        lines = out.splitlines()
        assert lines[0] == (
            "walls.mp4: 4.0 s, 8 samples (every 10 frames), CLIP ViT-B/16 (inference server), prompt set colours"
        )
        assert " ".join(lines[2].split()) == (
            "label role present first last duration share segments longest mean peak peak at"
        )
        assert " ".join(lines[3].split()).startswith("red wall target yes 0:02.0 0:03.0 1.0 s 25.0 % 1 1.0 s ")
        assert sum(line.startswith(("red wall", "blue wall")) for line in lines) == 2 + 3 + 8

    @pytest.mark.parametrize(
        ("options", "sampling", "samples"),
        [(["--stride", "5"], {"stride": 5}, 16), (["--fps", "4"], {"fps": 4}, 16), (["--fps", "0.5"], {"fps": 0.5}, 2)],
    )
    def test_samples_as_asked(
        self,
        run: Run,
        server: FakeServer,
        film: Path,
        prompts: Path,
        options: list[str],
        sampling: dict[str, float],
        samples: int,
    ) -> None:
        _, out, _ = run("analyze", film, "--prompts", prompts, "--json", *options)

        document = json.loads(out)
        assert document["sampling"] == sampling
        assert document["video"]["samples"] == samples

    def test_uses_the_model_it_is_given(self, run: Run, server: FakeServer, film: Path, prompts: Path) -> None:
        _, out, _ = run("analyze", film, "--prompts", prompts, "--json", "--model", "ViT-L-14-336px")

        assert json.loads(out)["engine"] == {"id": "clip/ViT-L-14-336px", "dim": 768}
        assert server.images[0].shape == (336, 336, 3) or server.images[0].shape[0] == 48  # never enlarged here

    def test_names_a_prompt_set_after_its_file(self, run: Run, server: FakeServer, film: Path, tmp_path: Path) -> None:
        path = tmp_path / "plain.prompts.txt"
        path.write_text("red\nblue\n", encoding="utf-8-sig")
        _, out, _ = run("analyze", film, "--prompts", path, "--json")

        prompt_set = json.loads(out)["prompt_set"]
        assert prompt_set["name"] == "plain"
        assert [prompt["label"] for prompt in prompt_set["prompts"]] == ["red", "blue"]


class TestDemo:
    SAMPLE = ROOT / "sample_videos" / "five_scenes.mp4"

    def test_shows_the_published_failure_and_its_fix(self, run: Run, tmp_path: Path) -> None:
        """Against "something else" the shipyard counts as construction; its own prompt separates them."""
        path = tmp_path / "prompts.txt"
        results = []
        for text in ("construction site\nsomething else\n", "construction site\nsomething else\nshipyard\n"):
            path.write_text(text)
            status, out, _ = run("analyze", self.SAMPLE, "--prompts", path, "--json")
            assert status == 0
            results.append(json.loads(out)["metrics"][0])

        assert [metrics["first_seen_s"] for metrics in results] == pytest.approx([7, 7], abs=0.5)
        assert [metrics["duration_s"] for metrics in results] == pytest.approx([6, 3], abs=0.5)

    def test_reports_words_it_never_saw(self, run: Run, film: Path, tmp_path: Path) -> None:
        path = tmp_path / "prompts.txt"
        path.write_text("construction site\na quark\n")
        status, _, err = run("analyze", film, "--prompts", path)

        assert status == 0
        assert err[0].startswith("The demo model has never seen 'quark': scores of these words mean nothing")


class TestEmbed:
    def test_prints_one_row_per_video(self, run: Run, server: FakeServer, film: Path, tmp_path: Path) -> None:
        other = make_video(tmp_path / "other.mp4", colours=scenes((RED, 30)), rate=20)
        status, out, err = run("embed", film, other)

        rows = [line.split() for line in out.splitlines()]
        assert status == 0
        assert rows == [
            ["video", "samples", "length", "sampling", "engine"],
            ["walls.mp4", "8", "4.0", "s", "stride", "10", "clip/ViT-B-16"],
            ["other.mp4", "3", "1.5", "s", "stride", "10", "clip/ViT-B-16"],
        ]
        assert [line.partition(" in ")[0] for line in err if "embedded" in line] == [
            "walls.mp4: embedded 8 samples",
            "other.mp4: embedded 3 samples",
        ]

    def test_takes_a_coarser_sampling_from_a_finer_one(self, run: Run, server: FakeServer, film: Path) -> None:
        run("embed", film, "--stride", "5")
        seen = len(server.images)
        status, out, err = run("embed", film, "--stride", "10", "--json")

        assert (status, len(server.images)) == (0, seen)
        assert err == ["walls.mp4: 8 samples taken from every 5 frames"]
        assert json.loads(out)[0]["video"]["samples"] == 8

    def test_prints_json(self, run: Run, server: FakeServer, film: Path) -> None:
        _, out, _ = run("embed", film, "--json")

        (document,) = json.loads(out)
        assert list(document) == ["video", "damage", "gaps", "engine", "sampling"]
        assert document["video"]["samples"] == 8

    def test_goes_on_after_a_video_that_can_not_be_used(
        self, run: Run, server: FakeServer, film: Path, tmp_path: Path
    ) -> None:
        broken = tmp_path / "broken.mp4"
        broken.write_bytes(b"nothing")
        status, out, err = run("embed", broken, film, "--json")

        assert status == 1
        assert [document["video"]["name"] for document in json.loads(out)] == ["walls.mp4"]
        assert sum(line.startswith("promptreel: ") for line in err) == 1


class TestProblems:
    def test_with_the_input_are_one_line_and_status_1(
        self, run: Run, server: FakeServer, film: Path, prompts: Path, tmp_path: Path
    ) -> None:
        empty, text, binary = tmp_path / "empty.mp4", tmp_path / "notes.txt", tmp_path / "binary.yaml"
        empty.touch()
        text.write_text("prompts: [")
        binary.write_bytes(b"\xff\xfe\xfa")
        cases = {
            ("analyze", tmp_path / "none.mp4", "--prompts", prompts): "no readable file at .*none.mp4",
            ("analyze", empty, "--prompts", prompts): "empty",
            ("analyze", prompts, "--prompts", prompts): "is not a video",
            ("analyze", film, "--prompts", tmp_path / "none.yaml"): "none.yaml can't be read .*check its path",
            ("analyze", film, "--prompts", tmp_path): "can't be read",
            ("analyze", film, "--prompts", text): "promptreel: notes.txt: Line 1: ",
            ("analyze", film, "--prompts", binary): "no UTF-8 text; save it as UTF-8",
            ("embed", tmp_path / "none.mp4"): "no readable file",
        }
        for arguments, message in cases.items():
            status, out, err = run(*arguments)
            assert status == 1, arguments
            assert not out, arguments
            assert len(err) == 1, err
            assert err[0].startswith("promptreel: ")
            assert re.search(message, err[0]), err

    def test_with_the_engine_are_one_line_and_status_1(
        self, run: Run, film: Path, prompts: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with FakeServer() as server:
            server.faults.key = "right"
            monkeypatch.setenv("ROBOFLOW_API_KEY", "wrong-key")
            status, out, err = run("analyze", film, "--prompts", prompts, "--engine", server.url)

        problems = [line for line in err if line.startswith("promptreel: ")]
        assert (status, out) == (1, "")
        assert len(problems) == 1
        assert "refuses the API key (401" in problems[0]
        assert "wrong-key" not in "\n".join(err)

    def test_with_a_prompt_that_is_too_long_name_it(
        self, run: Run, server: FakeServer, film: Path, tmp_path: Path
    ) -> None:
        path = tmp_path / "long.txt"
        path.write_text("red\n" + "very " * 90 + "long\n")
        status, _, err = run("analyze", film, "--prompts", path)

        assert status == 1
        assert "The prompt “very very" in err[-1]
        assert "77 tokens" in err[-1]

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ((), "the following arguments are required: COMMAND"),
            (("embed",), "the following arguments are required: VIDEO"),
            (("analyze", "a.mp4"), "the following arguments are required: --prompts"),
            (("embed", "a.mp4", "--stride", "0"), "argument --stride: A stride is a whole number of 1 or more"),
            (("embed", "a.mp4", "--stride", "2.5"), "argument --stride: '2.5' is not a whole number of 1 or more"),
            (("embed", "a.mp4", "--fps", "nan"), "argument --fps: 'nan' is no number of samples per second"),
            (
                ("embed", "a.mp4", "--fps", "1e9999999"),
                "argument --fps: '1e9999999' is no number of samples per second",
            ),
            (("embed", "a.mp4", "--stride", "9" * 5_000), "is not a whole number of 1 or more"),
            (("search", "a", "--top", "9" * 4_000), "is no whole number from 1 to 1,000,000"),
            (("embed", "a.mp4", "--fps", "1000"), "argument --fps: 1000 samples per second can't be used"),
            (("embed", "a.mp4", "--fps", "3", "--stride", "2"), "not allowed with argument --fps"),
            (("embed", "a.mp4", "--engine", "dalle"), "'dalle' is no engine; write demo, clip, siglip"),
            (("embed", "a.mp4", "--engine", "localhost:9001"), "write for example http://localhost:9001"),
            (
                ("embed", "a.mp4", "--engine", "http://a", "--model", "b"),
                "'b' is no model of an inference server; choose one of",
            ),
            (("embed", "a.mp4", "--engine", "demo", "--model", "RN50"), "--model chooses among an inference server's"),
            (("find", "a.mp4"), "invalid choice: 'find'"),
            (("embed", ""), "an argument is empty"),
            (("embed", "a.mp4", "--remote", ""), "--remote is empty"),
            (("embed", "a.mp4", "--engine="), "--engine is empty"),
            (("classify", "--all", "--prompts", "a.yaml", "--save", ""), "--save is empty"),
        ],
    )
    def test_with_usage_have_status_2(self, run: Run, arguments: tuple[str, ...], message: str) -> None:
        status, out, err = run(*arguments)

        assert (status, out) == (2, "")
        assert err[0].startswith("usage: python -m lib")
        assert message in err[-1]

    def test_a_command_is_named_as_it_is_called(self, run: Run) -> None:
        assert run("embed", "--help")[1].startswith("usage: python -m lib embed [-h]")
        assert run("experiments", "show")[1:] == (
            "",
            [
                "usage: python -m lib experiments show [-h] ID",
                "python -m lib experiments show: error: the following arguments are required: ID",
            ],
        )

    def test_no_option_takes_a_key(self, run: Run) -> None:
        for command in ("embed", "analyze"):
            status, out, _ = run(command, "--help")
            assert status == 0
            assert "key" not in out.lower()

    def test_of_a_video_that_breaks_in_the_middle_are_reported_beside_the_result(
        self, run: Run, server: FakeServer, film: Path, prompts: Path, tmp_path: Path
    ) -> None:
        data = make_video(
            tmp_path / "whole.mkv", colours=scenes((BLUE, 200), (RED, 200)), rate=20, gop=20, size=(320, 240)
        ).read_bytes()
        cut = tmp_path / "cut.mkv"
        cut.write_bytes(data[: len(data) * 2 // 3])
        status, out, err = run("analyze", cut, "--prompts", prompts, "--json")

        assert status == 0
        assert 0 < json.loads(out)["video"]["samples"] < 40
        assert err[-1].startswith("cut.mkv: ")


def test_several_videos_are_analysed_as_a_list(run: Run, server: FakeServer, prompts: Path, tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    for name, colours in (("a", ((RED, 20),)), ("b", ((BLUE, 20), (RED, 20)))):
        make_video(tmp_path / "clips" / f"{name}.mp4", colours=scenes(*colours), rate=20)
    status, out, _ = run("analyze", tmp_path / "clips", "--prompts", prompts, "--json")
    documents = json.loads(out)
    assert status == 0
    assert [(one["video"]["name"], one["metrics"][0]["share"]) for one in documents] == [("a.mp4", 1.0), ("b.mp4", 0.5)]
    _, out, _ = run("analyze", *sorted((tmp_path / "clips").iterdir()), "--prompts", prompts)
    assert out.index("a.mp4: ") < out.index("b.mp4: ")
    status, out, _ = run("embed", str(tmp_path / "clips" / "*.mp4"), "--json")
    assert len(json.loads(out)) == 2
