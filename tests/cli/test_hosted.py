"""The command line of the hosted service: ``embed --hosted`` and ``import``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lib.hosted import api, job_records
from lib.store.home import default_home
from lib.store.store import Store
from tests.helpers.fake_hosted import QUICK, FakeHosted, results_of
from tests.helpers.fake_server import FakeServer
from tests.helpers.fixtures import Run
from tests.helpers.videos import BLUE, RED, make_video, scenes

KEY = "rf_cli_key"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2 s red, 2 s blue, 10 frames per second."""
    colours = scenes((RED, 20), (BLUE, 20))
    return make_video(tmp_path_factory.mktemp("film") / "walls.mp4", colours=colours, rate=10)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    path = tmp_path / "results.json"
    path.write_text(json.dumps(results_of([(RED, 2.0), (BLUE, 2.0)], video_fps=10, infer_fps=2)))
    return path


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHosted]:
    monkeypatch.setattr(api, "Timing", lambda: QUICK)
    with FakeHosted() as service:
        service.faults.key = KEY
        monkeypatch.setenv("ROBOFLOW_API_KEY", KEY)
        monkeypatch.setenv("PROMPTREEL_HOSTED_URL", service.url)
        yield service


@pytest.fixture
def run(run: Run) -> Run:
    def without_the_key(*arguments: object) -> tuple[int, str, list[str]]:
        status, out, err = run(*arguments)
        assert KEY not in "\n".join([out, *err])
        return status, out, err

    return without_the_key


def test_embeds_by_the_hosted_service_and_analyses_it(
    run: Run, service: FakeHosted, film: Path, tmp_path: Path
) -> None:
    status, out, err = run("embed", film, "--hosted", "--fps", 2, "--json")
    (document,) = json.loads(out)
    assert status == 0
    assert document["engine"] == {"id": "hosted/ViT-B-16", "dim": 512}
    assert (document["video"]["samples"], document["sampling"]) == (8, {"fps": 2})
    assert any("8 samples from the hosted service in" in line for line in err)

    prompts = tmp_path / "p.txt"
    prompts.write_text("red\nblue\n")
    with FakeServer() as server:
        engine = ("--engine", f"hosted@{server.url}")
        status, out, _ = run("analyze", film, *engine, "--fps", 2, "--prompts", prompts, "--json")
    document = json.loads(out)
    assert status == 0
    assert document["engine"]["id"] == "hosted/ViT-B-16"
    first = {metrics["label"]: metrics["peak_s"] for metrics in document["metrics"]}
    assert first["red"] < 2 <= first["blue"]


def test_resumes_the_job_it_began(run: Run, service: FakeHosted, film: Path) -> None:
    service.faults.no_output = True
    status, _, err = run("embed", film, "--hosted", "--fps", 2)
    assert status == 1
    assert "no usable address for the results" in err[-1]
    assert len(job_records.pending(default_home())) == 1
    service.faults.no_output = False

    assert run("embed", film, "--hosted", "--fps", 2)[0] == 0
    assert len(service.jobs) == 1


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        ((), 2, "--hosted samples by rate; add for example --fps 3"),
        (("--fps", 3, "--engine", "demo"), 2, "leave out --engine and --model"),
        (("--fps", 3, "--model", "RN50"), 2, "leave out --engine and --model"),
        (("--fps", 121), 1, "at most 120 samples per second"),
    ],
)
def test_what_the_service_would_refuse(
    run: Run, service: FakeHosted, film: Path, options: tuple[Any, ...], status: int, message: str
) -> None:
    code, out, err = run("embed", film, "--hosted", *options)
    assert (code, out) == (status, "")
    assert message in err[-1]
    assert service.seen == []


def test_no_key(run: Run, service: FakeHosted, film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROBOFLOW_API_KEY")
    status, _, err = run("embed", film, "--hosted", "--fps", 3)
    assert (status, err) == (
        1,
        ["promptreel: The hosted service needs an API key; set ROBOFLOW_API_KEY, or enter one."],
    )


def test_imports_with_a_video(run: Run, film: Path, results: Path) -> None:
    status, out, _ = run("import", results, "--video", film)
    assert status == 0
    assert "walls.mp4" in out
    assert "hosted/ViT-B-16" in out
    assert "fps 2" in out
    (info,) = Store().embeddings()
    assert len(Store().thumbnails(info.key, range(0, 40, 5))) == 8


def test_imports_without_one_and_counts_what_is_missing(run: Run, results: Path) -> None:
    document = json.loads(results.read_text())
    document["clip"][3] = None
    results.write_text(json.dumps(document))
    status, out, err = run("import", results, "--name", "Monday", "--model", "ViT-B/32", "--json")
    document = json.loads(out)

    assert status == 0
    assert (document["video"]["name"], document["video"]["samples"], document["missing"]) == ("Monday", 7, 1)
    assert document["engine"]["id"] == "hosted/ViT-B-32"
    assert err == ["results.json: 1 sample failed at the hosted service, of 8: gaps, in which nothing is found."]
    again = json.loads(run("import", results, "--model", "ViT-B-32", "--json")[1])
    assert (again["new"], again["video"]) == (False, document["video"])


def test_a_wrong_file_is_one_line(run: Run, film: Path, tmp_path: Path) -> None:
    status, out, err = run("import", film)
    assert (status, out, len(err)) == (1, "", 1)
    assert err[0].startswith("promptreel: ")
    assert run("import", tmp_path / "gone.json")[2] == [
        "promptreel: gone.json can't be read (No such file or directory); check its path."
    ]


def test_analyses_results_without_a_video(run: Run, results: Path, tmp_path: Path) -> None:
    prompts = tmp_path / "p.txt"
    prompts.write_text("red\nblue\n")
    with FakeServer() as server:
        engine = ("--engine", f"hosted@{server.url}")
        status, out, _ = run("analyze", results, *engine, "--prompts", prompts, "--json")
    document = json.loads(out)
    assert status == 0
    assert (document["video"]["name"], document["video"]["samples"], document["sampling"]) == (
        "results.json",
        8,
        {"fps": 2},
    )
    assert {metrics["label"]: metrics["peak_s"] for metrics in document["metrics"]} == {"red": 0.0, "blue": 2.0}

    status, out, err = run("analyze", results, "--engine", "demo", "--prompts", prompts)
    assert (status, out) == (1, "")
    assert "analyse it with --engine hosted" in err[-1]
