"""The Python API, over the README's example: the sample video of five scenes with the demo model."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import altair as alt
import numpy as np
import pytest
from PIL import Image

from lib import api
from tests.helpers.vega import layer, rows

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "sample_videos"
FILM = SAMPLES / "five_scenes.mp4"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[api.Library]:
    with api.Library(tmp_path_factory.mktemp("library"), engine="demo") as opened:
        opened.embed(FILM, progress=False)
        yield opened


@pytest.fixture
def clip(library: api.Library) -> api.Embedding:
    return library.embedding("five_scenes.mp4")


@pytest.fixture
def prompts() -> api.PromptSet:
    return api.read_prompts(SAMPLES / "five_scenes.prompts.yaml")


@pytest.fixture
def both(clip: api.Embedding, prompts: api.PromptSet) -> tuple[api.Result, api.Result]:
    """What the README's example finds, before and after its shipyard."""
    after = replace(prompts, prompts=(*prompts.prompts, api.Prompt("shipyard")))
    return clip.analyse(prompts), clip.analyse(after)


def test_nothing_of_the_dashboard_or_the_commands_is_loaded() -> None:
    look = (
        "import sys; from lib import api; [getattr(api, name) for name in api.__all__]; "
        "print(*(name for name in sys.modules if name.partition('.')[0] == 'streamlit' "
        "or name.startswith(('lib.ui', 'lib.cli', 'lib.cluster'))))"
    )
    done = subprocess.run([sys.executable, "-c", look], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_everything_that_is_offered_says_what_it_is_for() -> None:
    for name in api.__all__:
        assert getattr(api, name).__doc__, name
    for kind in (api.Library, api.Embedding, api.Result, api.Comparison, api.Evaluation, api.Moments):
        for name, member in vars(kind).items():
            if not name.startswith("_") and (callable(member) or isinstance(member, property)):
                assert member.__doc__, f"{kind.__name__}.{name}"


def test_the_readmes_example(both: tuple[api.Result, api.Result]) -> None:
    before, after = both

    assert before.answers[0] == "construction site: 6.3 s, 37 %, first 0:07.1"
    assert after.answers[0].startswith("construction site: 2.9 s")
    assert list(before.metrics["label"]) == ["construction site", "something else"]
    assert before.metrics["duration_s"][0] == pytest.approx(6.25)
    assert after.segments["label"].tolist() == ["something else", "construction site", "shipyard", "something else"]
    assert len(after.samples) == after.to_dict()["video"]["samples"] == 41
    assert len(after.shots) == 5
    assert "6.3 s" in before._repr_html_()


def test_a_comparison_says_which_is_better(both: tuple[api.Result, api.Result]) -> None:
    comparison = api.compare(*both)

    assert comparison.verdict is not None
    assert comparison.verdict.better == "b"
    assert comparison.summary.startswith("B is better here")
    assert {one.better for one in comparison.verdict.stretches} == {"b"}
    assert comparison.disagreements[["a", "b"]].values.tolist() == [["construction site", "shipyard"]]
    assert comparison.difference is not None
    assert comparison.difference.macro_f1.difference == pytest.approx(0.26, abs=0.01)


def test_without_truth_a_comparison_says_where_to_look(both: tuple[api.Result, api.Result]) -> None:
    comparison = api.compare(*both, truth=())

    assert comparison.verdict is comparison.difference is None
    assert "Without ground truth neither is better" in comparison.summary


def test_results_are_evaluated_against_the_videos_truth_or_another(
    clip: api.Embedding, both: tuple[api.Result, api.Result]
) -> None:
    after = both[1]
    shipyard = [one for one in clip.truth if one.label == "shipyard"]

    scores = after.evaluate().frame.set_index("label")
    assert scores.loc["shipyard", "recall"] == pytest.approx(1.0)
    assert after.evaluate(shipyard).frame["f1"].isna().tolist() == [True, True, False]
    assert after.evaluate().overall.macro_f1 == pytest.approx(0.387, abs=0.001)
    assert after.evaluate().confusion.loc["shipyard", "shipyard"] == pytest.approx(3.0)


def test_truth_is_read_and_what_is_left_out_is_a_warning(clip: api.Embedding, tmp_path: Path) -> None:
    table = tmp_path / "truth.csv"
    table.write_text("label,start,end\nshipyard,10,13\nshipyard,later,14\n")

    with pytest.warns(api.PromptreelWarning, match="Line 3"):
        truth = clip.read_truth(table)
    assert truth == (api.TrueSegment("shipyard", 10.0, 13.0),)


def test_charts_show_themselves_without_a_network(both: tuple[api.Result, api.Result]) -> None:
    before, after = both
    comparison, evaluation = api.compare(before, after), after.evaluate()
    charts = [
        after.overview_chart(),
        after.scores_chart(),
        after.scores_chart(5, 9.5),
        after.segments_chart(),
        after.change_chart(),
        after.histogram_chart("shipyard"),
        evaluation.confusion_chart(),
        evaluation.curve_chart("shipyard"),
        comparison.differences_chart(),
        comparison.scatter_chart("construction site"),
    ]
    for chart in charts:
        assert isinstance(chart, alt.LayerChart)
        assert chart.to_dict()["width"] in (640, 380)

    data, sizes = charts[1]._repr_mimebundle_()
    assert data["image/png"].startswith(b"\x89PNG")
    assert 640 < sizes["image/png"]["width"] < 800
    assert data["application/vnd.vegalite.v6+json"]["layer"]
    with alt.renderers.enable("default"):  # the reader's own choice counts
        assert "image/png" not in charts[1]._repr_mimebundle_()


def test_charts_are_changed_composed_and_saved(both: tuple[api.Result, api.Result], tmp_path: Path) -> None:
    after = both[1]
    composed = after.scores_chart().properties(title="A shipyard") & after.segments_chart()
    composed.save(tmp_path / "both.svg")

    drawn = (tmp_path / "both.svg").read_text()
    assert {"A shipyard", "construction site"} <= set(re.findall(r">([^<>]+)</text>", drawn))
    assert drawn.count(">0:10.0<") == 2  # both have their own axis of time
    assert set(composed._repr_mimebundle_()[0]) >= {"image/png"}


def test_a_part_of_a_chart_holds_the_samples_of_that_part(both: tuple[api.Result, api.Result]) -> None:
    lines = layer(both[1].scores_chart(5, 9.5).to_dict(), "line", "score")
    times = [row["time_s"] for row in rows(lines)]
    assert (min(times), max(times)) == (5.0, 9.5)


def test_words_and_pictures_find_moments(library: api.Library, clip: api.Embedding, tmp_path: Path) -> None:
    found = library.search("a shipyard", top=3)

    assert 10.0 <= found[0].best_s < 13.5
    assert len(found) == len(found.frame) <= 3
    assert found.frame["score"].is_monotonic_decreasing
    assert "five_scenes.mp4" in found._repr_html_()

    picture = tmp_path / "frame.jpg"
    jpeg = found.thumbnail(found[0])
    assert jpeg is not None
    picture.write_bytes(jpeg)
    alike = library.search(images=[picture], videos=[clip.video], top=1)
    assert 10.0 <= alike[0].best_s < 13.5
    assert "cosine" not in alike.frame


def test_an_embedding_has_its_samples(library: api.Library, clip: api.Embedding) -> None:
    samples = clip.samples

    assert samples.vectors.shape == (41, 512)
    assert np.allclose(np.linalg.norm(samples.vectors, axis=1), 1, atol=1e-5)
    jpeg = clip.thumbnail(int(samples.frames[3]))
    assert jpeg is not None
    assert jpeg.startswith(b"\xff\xd8")
    assert [one.info for one in library.embeddings(clip.video)] == [clip.info]
    assert repr(clip) == "Embedding('five_scenes.mp4': 41 samples (every 10 frames), Demo model (built in))"


def test_samples_are_arrow_tables(clip: api.Embedding, both: tuple[api.Result, api.Result]) -> None:
    vectors = clip.table().column("vector").combine_chunks()
    assert vectors.type.list_size == 512
    assert np.allclose(vectors.flatten().to_numpy().reshape(-1, 512), clip.samples.vectors)
    assert clip.table(vectors=False).column_names == ["frame", "time_s", "end_s"]

    found = both[1].table()
    assert found.column("label").to_pylist() == both[1].samples["label"].tolist()
    assert "vector" not in found.column_names


def test_results_are_written_for_other_programs(both: tuple[api.Result, api.Result], tmp_path: Path) -> None:
    after = both[1]

    path = after.export("vtt", tmp_path, labels=["shipyard"])
    assert path == tmp_path / "five_scenes-construction.vtt"
    assert path.read_text(encoding="utf-8").count("-->") == 1
    assert after.export("segments-csv", tmp_path / "cut.csv").read_text().count("\n") == 5
    for name in api.FORMATS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", api.PromptreelWarning)
            assert after.export(name, tmp_path / name).stat().st_size > 0
    with pytest.warns(api.PromptreelWarning, match="must begin at"):
        after.export("resolve", tmp_path)


def test_a_report_is_written_for_people_without_promptreel(both: tuple[api.Result, api.Result], tmp_path: Path) -> None:
    html = both[1].report(tmp_path / "finding.html", title="A shipyard", note="<b>note</b>").read_text(encoding="utf-8")
    assert "A shipyard" in html
    assert "&lt;b&gt;note" in html
    compared = api.compare(*both).report(tmp_path)
    assert "B is better here" in compared.read_text(encoding="utf-8")


def test_progress_is_told_and_a_cancelled_run_is_gone_on_with(tmp_path: Path, library: api.Library) -> None:
    told: list[tuple[int, int | None]] = []
    cancel = threading.Event()
    cancel.set()

    with api.Library(tmp_path / "other", engine="demo") as other:
        with pytest.raises(api.Cancelled, match="kept"):
            other.embed(FILM, fps=1, progress=False, cancel=cancel)
        made = other.embed(FILM, fps=1, progress=lambda now: told.append((now.done, now.total)))
    assert made.info.samples == 17
    assert told[-1] == (17, 17)


def test_a_bar_is_drawn_on_stderr(library: api.Library, capsys: pytest.CaptureFixture[str]) -> None:
    library.embed(FILM)
    shown = capsys.readouterr()
    assert "five_scenes.mp4" in shown.err
    assert shown.out == ""


def test_pictures_are_examples_of_prompts(library: api.Library, clip: api.Embedding, tmp_path: Path) -> None:
    Image.new("RGB", (64, 64), (20, 90, 30)).save(tmp_path / "green.png")
    sha256 = library.add_picture(tmp_path / "green.png")

    found = clip.analyse(api.prompt_set([api.Prompt("pitch", pictures=(sha256,)), "shipyard"], name="with a picture"))
    assert found.labels == ("pitch", "shipyard")
    with pytest.warns(api.PromptreelWarning, match="not on this machine"):
        clip.analyse(api.prompt_set([api.Prompt("pitch", pictures=("0" * 64,)), "shipyard"]))


def test_words_that_mean_nothing_are_a_warning(clip: api.Embedding) -> None:
    with pytest.warns(api.PromptreelWarning, match="'qwertz'") as warned:
        clip.analyse(api.prompt_set(["qwertz", "shipyard"]))
    assert warned[0].filename == __file__


def test_what_cannot_be_done_is_one_sentence(
    library: api.Library, clip: api.Embedding, both: tuple[api.Result, api.Result], tmp_path: Path
) -> None:
    after = both[1]
    copy = str(shutil.copy(SAMPLES / "room_walk.mp4", tmp_path / "walk.mp4"))
    walk = library.add(copy, name="a walk")
    attempts = {
        "one of both": lambda: library.embed(FILM, stride=5, fps=2),
        "no engine": lambda: api.Library(tmp_path, engine="nonsense"),
        "inference server": lambda: api.Library(tmp_path, engine="demo", model="ViT-B-16"),
        "No video of the library": lambda: library.video("absent.mp4"),
        "not embedded": lambda: library.embedding(walk),
        "can't be read": lambda: api.read_prompts(tmp_path / "absent.yaml"),
        "There is no label": lambda: after.histogram_chart("absent"),
        "ends after its start": lambda: after.scores_chart(9, 5),
        "no ground truth": lambda: after.evaluate(()),
        "There is no format": lambda: after.export("nonsense", tmp_path),
        "can't be written": lambda: after.export("vtt", copy + "/film.vtt"),
        "no label": lambda: after.export("vtt", tmp_path, labels=["absent"]),
        "nothing to look for": lambda: library.search(" "),
    }
    for words, attempt in attempts.items():
        with pytest.raises(api.PromptreelError, match=words) as raised:
            attempt()
        assert "\n" not in str(raised.value)


def test_an_embedding_of_another_engine_is_listed_and_not_mixed(library: api.Library, clip: api.Embedding) -> None:
    info = replace(clip.info, key=replace(clip.info.key, engine_id="clip/ViT-B-16"), engine_name="CLIP")
    other = replace(clip, info=info)
    with pytest.raises(api.PromptreelError, match="engine of the embedding"):
        other.analyse(api.prompt_set(["shipyard"]))


def test_results_of_two_videos_are_not_compared(both: tuple[api.Result, api.Result]) -> None:
    before, after = both
    other = replace(after, video=replace(after.video, sha256="0" * 64, name="other.mp4"))
    with pytest.raises(api.PromptreelError, match="different videos"):
        api.compare(before, other)


def test_hostile_labels_are_text_in_tables(clip: api.Embedding) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", api.PromptreelWarning)
        found = clip.analyse(api.prompt_set(["<script>alert(1)</script>", "shipyard"]))
    assert "<script>" not in found._repr_html_()
    assert "&lt;script&gt;" in found._repr_html_()


@pytest.mark.parametrize("path", ["a\0b", 5, None, b"film.mp4"])
def test_what_is_no_path_is_said_in_a_sentence(library: api.Library, path: Any) -> None:
    for use in (library.add, library.embed, library.add_picture, api.read_prompts):
        with pytest.raises(api.PromptreelError, match=r"a text or a pathlib\.Path\.$"):
            use(path)


def test_a_name_that_is_too_long_is_said_in_a_sentence(both: tuple[api.Result, api.Result], tmp_path: Path) -> None:
    with pytest.raises(api.PromptreelError, match="can't be written"):
        both[0].export("vtt", tmp_path / ("x" * 300))
