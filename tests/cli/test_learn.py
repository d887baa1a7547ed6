"""The command ``learn``: its sentences, document and file, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from lib.prompts.parsing import parse_prompt_set
from tests.helpers.fake_server import FakeServer
from tests.helpers.fixtures import Run
from tests.helpers.videos import make_video, scenes

RED, BLUE = (255, 0, 0), (0, 0, 255)
SEGMENTS = 6
PROMPTS = """
prompts:
- {label: wall, texts: [green]}
settings: {score: cosine, decision: threshold, threshold: 0.5}
"""


@pytest.fixture
def server(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    monkeypatch.setenv("PROMPTREEL_ENGINE", server.url)
    return server


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two videos of six times 1 s blue and 1 s red; of one the truth lies beside it."""
    folder = tmp_path_factory.mktemp("films")
    made = []
    for name, shade in (("one", 255), ("two", 225)):
        colours = scenes(*[(BLUE, 20), ((shade, 0, 0), 20)] * SEGMENTS)
        made.append(make_video(folder / f"{name}.mp4", colours=colours, rate=20))
    rows = "".join(f"wall,{i},{i + 1}\n" for i in range(1, 2 * SEGMENTS, 2))
    segments = [{"label": "wall", "start_s": i, "end_s": i + 1} for i in range(1, 2 * SEGMENTS, 2)]
    (folder / "one.json").write_text(json.dumps({"segments": segments}))
    (folder / "truth.csv").write_text("label,start,end\n" + rows)
    return made


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    path = tmp_path / "wall.yaml"
    path.write_text(PROMPTS)
    return path


def test_words_that_mean_something_else_learn_and_the_file_is_used(
    run: Run, server: FakeServer, films: list[Path], prompts: Path, tmp_path: Path
) -> None:
    truth = films[0].with_name("truth.csv")
    out = tmp_path / "learned.yaml"
    status, text, _ = run(
        "learn", *films, "--prompts", prompts, "--truth", truth, "--truth", truth, "--stride", "5", "--out", out
    )

    assert status == 0
    assert text.splitlines()[0] == "Learning is better for 1 of 1 label: mean F1 on left-out segments 0.00 → 1.00."
    assert "wall: learning is better: F1 on left-out segments 0.00 → 1.00" in text
    assert text.splitlines()[-1] == f"Written to {out}."
    learned = parse_prompt_set(out.read_text()).prompts[0].learned[0]
    assert learned.source == f"learned from {2 * SEGMENTS} segments of 2 videos"
    arguments = ("evaluate", films[1], "--truth", truth, "--stride", "5", "--json", "--prompts")
    before, after = (json.loads(run(*arguments, path)[1])["wall"]["f1"] for path in (prompts, out))
    assert (before, after) == (0.0, 1.0)


def test_the_document_says_all_and_nothing_is_written(
    run: Run, server: FakeServer, films: list[Path], prompts: Path
) -> None:
    truth = films[0].with_name("truth.csv")
    status, out, _ = run("learn", films[0], "--prompts", prompts, "--truth", truth, "--stride", "5", "--json")
    document = json.loads(out)

    assert status == 0
    assert list(document) == ["engine", "f1", "labels", "logit_scale", "prompt_set"]
    assert document["f1"] == {"before": 0.0, "after": 1.0}
    assert document["labels"]["wall"]["better"] is True
    assert document["logit_scale"] is None
    assert parse_prompt_set(json.dumps(document["prompt_set"])).prompts[0].learned[0].segments == SEGMENTS


def test_the_logit_scale_is_fitted_for_probabilities(
    run: Run, server: FakeServer, films: list[Path], tmp_path: Path
) -> None:
    prompts, truth = tmp_path / "two.yaml", tmp_path / "both.csv"
    settings = "{score: probability, decision: best, threshold: 0.5, logit_scale: 1}"
    prompts.write_text(f"prompts: [red, blue]\nsettings: {settings}\n")
    rows = "".join(f"{('blue', 'red')[i % 2]},{i},{i + 1}\n" for i in range(2 * SEGMENTS))
    truth.write_text("label,start,end\n" + rows)
    out = tmp_path / "scaled.yaml"
    _, text, _ = run("learn", films[0], "--prompts", prompts, "--truth", truth, "--stride", "5", "--out", out)

    assert "A logit scale of 200 instead of 1 is better: log loss on left-out segments" in text
    assert parse_prompt_set(out.read_text()).settings.logit_scale == 200


def test_without_a_file_the_truth_beside_the_video_counts(
    run: Run, server: FakeServer, films: list[Path], prompts: Path
) -> None:
    status, out, _ = run("learn", films[0], "--prompts", prompts, "--stride", "5")

    assert status == 0
    assert out.splitlines()[-1] == ("Nothing is kept: name a file with --out for the prompt set with what is better.")


@pytest.mark.parametrize(
    ("arguments", "status", "word"),
    [
        (["--truth", "truth"], 2, "--truth is given 1 times for 2 videos"),
        ([], 1, "two.mp4 has no ground truth; give --truth FILE"),
        (["--truth", "truth", "--truth", "truth", "--label", "zebra"], 1, "no enabled prompt 'zebra'"),
        (["--truth", "truth", "--truth", "truth", "--out", "truth/x.yaml"], 1, "can't be written"),
    ],
)
def test_problems_are_one_sentence(
    run: Run, server: FakeServer, films: list[Path], prompts: Path, arguments: list[str], status: int, word: str
) -> None:
    given = [str(films[0].with_name("truth.csv")) if one == "truth" else one for one in arguments]
    given = [one.replace("truth/", f"{films[0]}/") for one in given]
    found, out, err = run("learn", *films, "--prompts", prompts, "--stride", "5", *given)

    assert found == status
    assert out == ""
    assert word in err[-1]


class TestPictures:
    """``--picture LABEL=FILE``, and pictures that a prompt file names."""

    @pytest.fixture
    def red(self, tmp_path: Path) -> Path:
        path = tmp_path / "red.png"
        Image.new("RGB", (64, 48), RED).save(path)
        return path

    def test_a_picture_is_an_example_and_its_hash_is_in_the_prompt_set(
        self, run: Run, server: FakeServer, films: list[Path], prompts: Path, red: Path
    ) -> None:
        arguments = ("analyze", films[0], "--prompts", prompts, "--stride", "5", "--json", "--samples")
        plain = json.loads(run(*arguments)[1])
        status, out, err = run(*arguments, "--picture", f"wall={red}")
        document = json.loads(out)

        assert status == 0
        assert not any("not on this machine" in line for line in err)
        (sha256,) = document["prompt_set"]["prompts"][0]["pictures"]
        assert len(sha256) == 64
        scores = [
            [sample["scores"]["wall"] for sample in one["samples"][4:8]] for one in (plain, document)
        ]  # the first red second
        assert min(scores[1]) > max(scores[0])

    def test_a_prompt_file_says_which_picture_is_missing(
        self, run: Run, server: FakeServer, films: list[Path], tmp_path: Path
    ) -> None:
        path = tmp_path / "elsewhere.yaml"
        path.write_text(f"prompts:\n- {{label: wall, pictures: [{'ab' * 32}]}}\n")
        status, _, err = run("analyze", films[0], "--prompts", path, "--stride", "5")

        assert status == 0
        assert any(line.startswith("The picture abababababab… is not on this machine") for line in err)

    @pytest.mark.parametrize(
        ("given", "word"),
        [("zebra=red.png", "with one of the labels"), ("wall", "LABEL=FILE"), ("wall=none.png", "can't be read")],
    )
    def test_problems_are_one_sentence(
        self, run: Run, server: FakeServer, films: list[Path], prompts: Path, given: str, word: str
    ) -> None:
        status, _, err = run("analyze", films[0], "--prompts", prompts, "--stride", "5", "--picture", given)

        assert status == 1
        assert word in err[-1]
