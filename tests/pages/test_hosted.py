"""The hosted service on the pages: starting, going on after a restart, importing, and a video without a file."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lib.hosted import api, job_records
from lib.hosted.importing import import_results
from lib.hosted.job_records import JobRecord
from lib.prompts.model import Settings
from lib.services import experiments
from lib.services.experiments import PromptRow
from lib.store.embeddings import EmbeddingKey
from lib.store.videos import Video
from lib.ui.background import hosted_jobs, reference_phrases
from lib.ui.library import add_videos
from lib.ui.session import cache
from tests.helpers.fake_hosted import QUICK, FakeHosted, results_of
from tests.helpers.fake_server import FakeServer
from tests.helpers.pages import Bench, answers, by_key, edit_prompts, lay_out, open_page, saved, words
from tests.helpers.videos import BLUE, GREEN, RED

pytestmark = pytest.mark.usefixtures("framed")
KEY = "rf-key-that-must-not-leak"


@pytest.fixture(autouse=True)
def _no_reference_phrases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference_phrases, "start", lambda engine: None)  # would wait for a server that has ended


@pytest.fixture
def bench(home: Path, server: FakeServer) -> Bench:
    return lay_out(home, server.url, embed=False)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHosted]:
    monkeypatch.setattr(api, "Timing", lambda: QUICK)
    monkeypatch.setattr(hosted_jobs, "_resumed", set())
    with FakeHosted() as service:
        service.faults.key = KEY
        monkeypatch.setenv("PROMPTREEL_HOSTED_URL", service.url)
        yield service


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Results of the bench's video at 2 a second, of which element 7 failed, in an allowed folder."""
    document = results_of([(colour, 3.0) for colour in (RED, GREEN, BLUE)], video_fps=10, infer_fps=2)
    document["clip"][7] = None
    folder = tmp_path / "allowed"
    folder.mkdir()
    path = folder / "results.json"
    path.write_text(json.dumps(document))
    monkeypatch.setenv("PROMPTREEL_FOLDERS", str(folder))
    return path


def has_key(widgets: Any, start: str) -> bool:
    return any(widget.key and widget.key.startswith(start) for widget in widgets)


def wait_for_jobs() -> None:
    for job in cache.jobs().jobs():
        assert job.wait(30), f"{job} did not end"


def library_with(video: Video) -> AppTest:
    """Return the Library page with the only line of its table chosen."""
    app = open_page("pages/library.py")
    assert app.dataframe[0].value.iloc[0]["Video"] == video.name
    return app


def start_hosted(video: Video, *, key: str | None = KEY) -> AppTest:
    return press_in_dialog(library_with(video), "embed_hosted", "hosted_start", key)


def press_in_dialog(app: AppTest, opens: str, button: str, key: str | None) -> AppTest:
    """Press a button of a dialog, with a key typed; a run without what opens it would close it."""
    by_key(app.button, opens).click().run()
    by_key(app.button, opens).click()
    if key is not None:
        by_key(app.text_input, "hosted_key").set_value(key)
    return by_key(app.button, button).click().run()


class TestStart:
    def test_uploads_embeds_and_lists_it(self, bench: Bench, service: FakeHosted, home: Path) -> None:
        app = start_hosted(bench.video)
        assert not app.exception
        assert not app.error
        wait_for_jobs()
        app = open_page("pages/library.py")
        row = app.dataframe[0].value.iloc[0]

        assert (row["Engine"], row["Sampling"]) == ("CLIP ViT-B/16 (hosted)", "3 per second")
        assert (row["Samples"], row["State"]) == (27, "complete")
        assert service.paths("PUT")

    def test_the_key_is_nowhere(self, bench: Bench, service: FakeHosted, home: Path) -> None:
        service.faults.no_output, service.faults.echo = True, True
        app = start_hosted(bench.video)
        wait_for_jobs()
        app = open_page("pages/library.py")

        files = [path for path in home.rglob("*") if path.is_file()]
        assert any(path.name.endswith(".job.json") for path in files)
        assert not [path for path in files if KEY.encode() in path.read_bytes()]
        assert KEY not in words(app)
        assert KEY not in str(app.query_params)

    def test_without_a_key_says_so(self, bench: Bench, service: FakeHosted) -> None:
        app = start_hosted(bench.video, key=None)
        assert [error.value for error in app.error] == [
            "The hosted service needs an API key; set ROBOFLOW_API_KEY, or enter one."
        ]
        assert service.seen == []

    def test_a_refused_key_is_a_sentence_in_the_sidebar(self, bench: Bench, service: FakeHosted) -> None:
        start_hosted(bench.video, key="another")
        wait_for_jobs()
        app = open_page("pages/library.py")
        assert "refuses the API key" in app.sidebar.error[0].value
        assert not has_key(app.button, "resume_")


@pytest.fixture
def begun(bench: Bench, service: FakeHosted) -> JobRecord:
    """A job that a process before this one has begun."""
    service.signed["t"] = "film.mp4"
    shutil.copy(bench.video.path, service.folder / "film.mp4")
    service.jobs["job-1"] = {"input_url": f"{service.url}/input/t", "infer_fps": 3}
    record = JobRecord("job-1", bench.video.sha256, bench.video.name, "fps-3", time.time() - 90)
    job_records.save(bench.store.home, record)
    return record


class TestGoesOn:
    def test_by_itself_with_a_key_at_hand(
        self, bench: Bench, service: FakeHosted, begun: JobRecord, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ROBOFLOW_API_KEY", KEY)
        open_page("pages/library.py")
        wait_for_jobs()

        assert bench.store.embedding(begun.key).complete
        assert service.paths("PUT") == []
        assert job_records.pending(bench.store.home) == []

    def test_when_asked_without_one(self, bench: Bench, service: FakeHosted, begun: JobRecord) -> None:
        app = open_page("pages/library.py")
        assert "is with the hosted service (3 per second), since 1 min " in words(app)
        press_in_dialog(app, f"resume_{begun.key.id}", "resume_now", KEY)
        wait_for_jobs()

        assert bench.store.embedding(begun.key).complete

    def test_not_when_it_is_forgotten(self, bench: Bench, service: FakeHosted, begun: JobRecord) -> None:
        app = open_page("pages/library.py")
        by_key(app.button, "forget_").click().run()
        assert job_records.pending(bench.store.home) == []
        assert "is with the hosted service" not in words(app)

    def test_not_when_its_video_is_deleted(self, bench: Bench, service: FakeHosted, begun: JobRecord) -> None:
        bench.store.delete_video(bench.video.sha256)
        app = open_page("pages/library.py")
        assert not app.exception
        assert job_records.pending(bench.store.home) == []


class TestImport:
    def import_results(self, path: str, *, video: str = "", model: str = "") -> AppTest:
        app = open_page("pages/library.py")
        by_key(app.text_input, "results_path").set_value(path).run()
        by_key(app.selectbox, "results_video").set_value(video).run()
        by_key(app.selectbox, "results_model").set_value(model).run()
        return by_key(app.button, "results_import").click().run()

    def test_with_its_video(self, bench: Bench, results: Path) -> None:
        self.import_results("results.json", video=bench.video.sha256)
        wait_for_jobs()
        app = open_page("pages/library.py")
        row = app.dataframe[0].value.iloc[0]

        assert (row["Video"], row["Samples"], row["State"]) == ("colours.mp4", 17, "complete but for 1")
        assert "1 sample failed at the hosted service, of 18" in words(app)  # what the job says when it is done

    def test_without_it(self, bench: Bench, results: Path) -> None:
        self.import_results(str(results), model="ViT-B-32")
        wait_for_jobs()
        app = open_page("pages/library.py")
        row = app.dataframe[0].value.iloc[0]

        assert (row["Video"], row["Resolution"], row["Engine"]) == ("results.json", "–", "CLIP ViT-B/32 (hosted)")
        assert "of results, no video" in row["File"]

    @pytest.mark.parametrize(
        ("path", "message"),
        [("", "Drop a results.json"), ("/etc/passwd", "PROMPTREEL_FOLDERS"), ("gone.json", "There is no file")],
    )
    def test_a_path_that_cannot_be_used(self, bench: Bench, results: Path, path: str, message: str) -> None:
        app = self.import_results(path)
        assert message in app.error[0].value

    def test_a_wrong_model_is_a_sentence(self, bench: Bench, results: Path) -> None:
        self.import_results("results.json", model="ViT-L-14")
        wait_for_jobs()
        app = open_page("pages/library.py")
        assert "512 numbers, but ViT-L-14 gives 768" in app.sidebar.error[0].value
        assert bench.store.embeddings() == []

    def test_an_upload_is_kept_until_it_is_imported(self, bench: Bench, results: Path, home: Path) -> None:
        part = home / "incoming" / ".part-1"
        shutil.copy(results, part)
        add_videos.upload_taker(bench.store)(part, "Results.JSON", "ab" * 32)
        app = open_page("pages/library.py")
        app.session_state["results_arrived"] = ("ab" * 32, "Results.JSON")
        app.run()
        assert "Results.JSON is here" in words(app)
        by_key(app.button, "results_import").click().run()
        wait_for_jobs()

        assert [video.name for video in bench.store.videos()] == ["colours.mp4", "Results.JSON"]
        assert list(hosted_jobs.arrived_folder(bench.store).iterdir()) == []


@pytest.fixture
def without_file(bench: Bench, results: Path) -> Video:
    """The results without their video, chosen in the experiment."""
    taken = import_results(bench.store, results)
    chosen = replace(
        bench.experiment,
        video=taken.video.sha256,
        engine="hosted",
        model_version="ViT-B-16",
        sampling="fps-2",
        settings=Settings(decision="best"),
    )
    experiments.save(bench.store.home, chosen)
    return taken.video


class TestExplore:
    def test_shows_timelines_and_metrics_and_says_what_is_missing(self, without_file: Video) -> None:
        app = open_page()
        text = words(app)

        assert not app.exception
        assert not app.error
        assert "imported without its video" in text
        assert "1 sample failed at the hosted service, of 18" in text
        found = answers(app)
        assert found["red"] == "3.0 s, 33 %, first 0:00.0"
        assert found["green"] == "2.5 s, 28 %, first 0:03.0"  # half a second of green has no vector

    def test_each_view_draws(self, without_file: Video) -> None:
        app = open_page()
        for view in ("Segments", "Shots", "Frames", "Thresholds", "Export"):
            by_key(app.get("button_group"), "explore_view").set_value([view]).run()

            assert not app.exception
            assert not app.error
            assert not has_key(app.button, "make_clip")

    def test_another_engine_is_not_started_and_what_was_imported_is_offered(
        self, bench: Bench, without_file: Video
    ) -> None:
        experiments.save(bench.store.home, replace(saved(bench), engine="demo", sampling="stride-10"))
        app = open_page()
        assert "was imported without its video, so Demo" in words(app)
        assert not has_key(app.button, "start")
        by_key(app.button, "show_").click().run()

        assert (saved(bench).engine, saved(bench).sampling) == ("hosted", "fps-2")
        assert "first 0:00.0" in answers(app)["red"]

    def test_the_library_opens_it_with_its_engine(self, bench: Bench, results: Path) -> None:
        bench.store.delete_video(bench.video.sha256)
        video = import_results(bench.store, results).video
        experiments.save(bench.store.home, replace(bench.experiment, video=None, engine="demo"))
        app = library_with(video)
        assert not has_key(app.button, "embed_hosted")
        by_key(app.button, "open_cached").click().run()

        assert (saved(bench).engine, saved(bench).video) == ("hosted", video.sha256)
        assert not [job for job in cache.jobs().jobs() if isinstance(job.key, EmbeddingKey)]
        assert not app.exception

    def test_a_video_without_hosted_vectors_is_sent_to_the_library(self, bench: Bench) -> None:
        experiments.save(bench.store.home, replace(bench.experiment, engine="hosted", sampling="fps-3"))
        app = open_page()
        assert "has no vectors of CLIP ViT-B/32 (hosted) at 3 per second" in words(app)
        assert not has_key(app.button, "start")

    def test_a_dead_server_of_words_is_one_sentence(self, without_file: Video, server: FakeServer) -> None:
        server.__exit__(None, None, None)
        app = open_page()
        assert not app.exception
        assert any("Words for CLIP ViT-B/16 (hosted) are embedded by" in w.value for w in app.warning)


@pytest.mark.parametrize("page", ["compare", "matrix", "search"])
def test_other_pages_draw_a_video_without_a_file(without_file: Video, page: str) -> None:
    app = open_page(f"pages/{page}.py")

    assert not app.exception
    assert not app.error
    assert page == "matrix" or "imported without its video" in words(app)
    assert not has_key(app.button, f"matrix_embed_{without_file.sha256}")


def test_compare_draws_both_sides_of_a_video_without_a_file(without_file: Video) -> None:
    app = open_page("pages/compare.py")
    assert charts(app) == [
        "Scores of A over time",
        "Segments of A",
        "Scores of B over time",
        "Segments of B",
    ]  # B is a copy of A as yet, so there are no differences
    edit_prompts(app, PromptRow(label="red"), key="b.prompts")

    assert not app.exception
    assert charts(app)[4].startswith("Where A and B differ")


def charts(app: AppTest) -> list[str]:
    return [chart.proto.alt for chart in app.get("vega_lite_chart")]
