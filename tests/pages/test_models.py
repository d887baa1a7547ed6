"""Embedded models in the page: the smallest one is one click away, and any other by its name or folder."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from huggingface_hub import constants, snapshot_download

from lib.engines.embedded_models import EMBEDDED_MODELS
from lib.services import experiments
from lib.ui.session import cache
from lib.ui.session.folders import SAMPLES
from tests.helpers.fake_hub import FakeHub
from tests.helpers.pages import add_video, by_key, open_page, passed, saved, words
from tests.helpers.tiny_models import write_open
from tests.helpers.videos import BLUE

pytestmark = pytest.mark.usefixtures("framed")


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    cache.embedded_engine.clear()
    monkeypatch.setenv("PROMPTREEL_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def with_engine(bench, **fields):
    experiments.save(bench.store.home, dataclasses.replace(bench.experiment, **fields))


def wait_for_jobs():
    for job in cache.jobs().jobs():
        job.wait(timeout_s=60)


def test_an_own_video_on_the_demo_model_is_one_click_from_tinyclip(bench, models):
    write_open(models / "tinyclip", together=True, suffix="_quantized", dim=512)
    with_engine(bench, engine="demo")
    app = open_page()

    assert "TinyCLIP ViT-8M/16, the smallest CLIP, quick on any processor: it is on this machine" in words(app)
    by_key(app.button, "use_tinyclip").click().run()
    wait_for_jobs()
    app.run()

    assert not [button for button in app.button if (button.key or "").startswith("use_")]
    assert saved(bench).engine == "tinyclip"
    assert "knows rendered scenes only" not in words(app)
    (info,) = [info for info in bench.store.embeddings() if info.key.engine_id.startswith("tinyclip:")]
    assert info.complete


def test_one_click_downloads_it_and_embeds_the_video_then(bench, models, tmp_path, monkeypatch):
    folder = write_open(tmp_path / "there", together=True, suffix="_quantized", dim=512)
    with_engine(bench, engine="demo")
    with FakeHub({EMBEDDED_MODELS["tinyclip"].visual.repo: folder}) as hub:
        monkeypatch.setattr(constants, "ENDPOINT", hub.url)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub-cache"))
        template = f"{hub.url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        app = open_page()
        assert "a download of 24 MB, once, MIT licence" in words(app)
        by_key(app.button, "use_tinyclip").click().run()
        wait_for_jobs()
    for _ in range(2):  # as the job panel does when a job has ended
        app.run()
        wait_for_jobs()

    assert not app.error
    assert saved(bench).engine == "tinyclip"
    (info,) = [info for info in bench.store.embeddings() if info.key.engine_id.startswith("tinyclip:")]
    assert info.complete


def test_the_download_is_offered_with_its_size_and_licence(bench, models):
    with_engine(bench, engine="demo")

    assert "a download of 24 MB, once, MIT licence" in words(open_page())


def test_a_download_that_fails_says_so_in_place_and_the_other_offers_stay(bench, models, tmp_path, monkeypatch):
    with_engine(bench, engine="demo")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub-cache"))

    def unreachable(*_: object, **__: object) -> None:
        raise ConnectionError("no route to the hub")  # what the client raises after half a minute of attempts

    monkeypatch.setattr("huggingface_hub.snapshot_download", unreachable)
    app = open_page()
    by_key(app.button, "use_tinyclip").click().run()
    wait_for_jobs()
    app.run()

    (error,) = [error.value for error in app.main.error]
    assert "TinyCLIP ViT-8M/16 is not on this machine" in error
    assert "could not be downloaded" in error
    assert saved(bench).engine == "demo"
    assert by_key(app.main.button, "use_clip")
    assert by_key(app.main.button, "use_server")
    assert "a download of 0.6 GB, once" in words(app)


def test_an_inference_server_is_tested_on_press_and_embeds_at_once(bench, models, server):
    video = add_video(bench.store, server.url, (BLUE, 20), name="own", embed=False)
    with_engine(bench, engine="demo", video=video.sha256, server_url="")
    app = open_page()
    by_key(app.text_input, "own_server_url").set_value("http://127.0.0.1:9")
    by_key(app.main.button, "use_server").click().run()
    (error,) = [error.value for error in app.main.error]
    assert "can't be reached; start it" in error
    assert saved(bench).engine == "demo"
    by_key(app.text_input, "own_server_url").set_value(server.url)
    by_key(app.main.button, "use_server").click().run()
    wait_for_jobs()

    assert not app.exception
    assert (saved(bench).engine, saved(bench).server_url) == ("server", server.url)
    (info,) = bench.store.embeddings(video.sha256)
    assert info.complete


def test_who_keeps_the_demo_model_is_told_once(bench, models):
    with_engine(bench, engine="demo")
    app = open_page()
    by_key(app.button, "keep_demo").click().run()

    assert "knows rendered scenes only" not in words(app)


def test_a_sample_video_needs_no_other_model(bench, models):
    video = bench.store.add_file(next(SAMPLES.glob("*.mp4")))
    with_engine(bench, engine="demo", video=video.sha256)

    assert "knows rendered scenes only" not in words(open_page())


def test_a_model_is_chosen_by_its_folder(bench, models):
    folder = write_open(models / "mine")
    with_engine(bench, engine="other", model=f"folder:{folder}")
    app = open_page()

    assert not app.exception
    assert not app.error
    assert by_key(app.sidebar.text_input, "model").value == f"folder:{folder}"
    by_key(app.sidebar.text_input, "model").set_value(f" folder:{folder}:q8 ").run()
    assert saved(bench).model == f"folder:{folder}:q8"
    assert "mine q8 is not there in that precision; choose one of fp32." in app.error[0].value


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        ("", "No model is chosen yet; write"),
        ("clip", "“clip” names no model; write"),
        ("hub:../x", "names no model; write"),
        ("folder:/etc", "/etc is outside the folders that models may be opened from"),
        ("folder:~nobody-here/x", "nobody\\-here/x is outside the folders that models may be opened from"),
        ("hub:someone/model", "model (embedded) is not on this machine yet; press “Download the model”"),
    ],
)
def test_a_model_that_cannot_be_used_is_one_sentence(bench, models, model, sentence):
    with_engine(bench, engine="other", model=model)
    app = open_page()

    assert not app.exception
    assert [error.value for error in app.error if sentence not in error.value] == []
    assert app.error


def test_a_folder_that_is_linked_from_an_allowed_one_is_refused(bench, models, tmp_path):
    outside = write_open(tmp_path / "outside")
    models.mkdir()
    (models / "link").symlink_to(outside)
    with_engine(bench, engine="other", model=f"folder:{models / 'link'}")

    assert "is outside the folders" in open_page().error[0].value


def test_links_in_a_circle_are_one_sentence(bench, models):
    models.mkdir()
    (models / "a").symlink_to(models / "b")
    (models / "b").symlink_to(models / "a")
    with_engine(bench, engine="other", model=f"folder:{models / 'a'}")
    app = open_page()

    assert not app.exception
    assert "There is no model in" in app.error[0].value


def test_an_experiment_saved_before_there_was_a_model_opens(bench):
    data = json.loads(json.dumps(bench.experiment.to_dict()))
    del data["model"]

    assert experiments.Experiment.from_dict(data) == bench.experiment


def test_ids_choose_their_engine_again(models):
    commit = "0123456789abcdef0123456789abcdef01234567"

    assert experiments.engine_fields(f"hub:a/b@{commit}:q8:0123456789ab") == {
        "engine": "other", "model": f"hub:a/b@{commit}:q8",
    }  # fmt: skip
    assert experiments.engine_fields("folder:0123456789ab") == {"engine": "other"}
    assert experiments.engine_fields("tinyclip:0123456789ab") == {"engine": "tinyclip"}


def test_what_the_model_sees_is_chosen_kept_and_outlined(bench):
    app = open_page()
    assert passed(app, "modules")[0]["sees"] == "centre"
    control = by_key(app.sidebar.get("button_group"), "framing")
    assert control.value == "centre"
    control.set_value("whole").run()

    assert saved(bench).sampling.endswith("-whole")
    assert passed(app, "modules")[0]["sees"] == "whole"
    assert "is not embedded yet with" in words(app)
    assert "whole frame" in words(app)
    by_key(app.sidebar.get("button_group"), "framing").set_value("centre").run()
    assert saved(bench).sampling == bench.experiment.sampling


def test_the_framing_shown_is_that_of_the_engine_until_one_is_chosen(bench):
    app = open_page()
    shown = []
    for version in ("ViT-B-16", "PE-Core-L14-336", "ViT-B-32"):
        by_key(app.sidebar.selectbox, "model_version").set_value(version).run()
        shown.append(by_key(app.sidebar.get("button_group"), "framing").value)
    by_key(app.sidebar.get("button_group"), "framing").set_value("whole").run()
    by_key(app.sidebar.selectbox, "model_version").set_value("PE-Core-L14-336").run()
    shown.append(by_key(app.sidebar.get("button_group"), "framing").value)
    by_key(app.sidebar.get("button_group"), "framing").set_value("centre").run()
    by_key(app.sidebar.selectbox, "model_version").set_value("ViT-B-16").run()
    shown.append(by_key(app.sidebar.get("button_group"), "framing").value)

    assert shown == ["centre", "whole", "centre", "whole", "centre"]
    assert not app.exception


def test_a_model_of_the_hub_is_named_by_its_commit(bench, models, tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub-cache"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", True)
    folder = write_open(tmp_path / "there")
    with FakeHub({"someone/model": folder}) as hub:
        snapshot_download("someone/model", endpoint=hub.url, cache_dir=tmp_path / "hub-cache")
    with_engine(bench, engine="other", model="hub:someone/model")
    app = open_page()

    assert not app.error
    assert "Commit 0123456789ab, fp32." in words(app)


@pytest.mark.parametrize("spec", ["hub:someone/model:q8", "folder:/models/mine", "tinyclip"])
def test_the_environment_may_name_any_model(monkeypatch, spec):
    monkeypatch.setenv("PROMPTREEL_ENGINE", spec)

    assert experiments.fresh().engine_spec == spec
    assert experiments.fresh().engine == ("tinyclip" if spec == "tinyclip" else "other")
