"""The hosted service in a real browser: a job that outlives the server, and results dropped onto the page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from lib.core.sampling import Sampling
from lib.hosted import job_records
from lib.hosted.job_records import hosted_key
from lib.services import experiments
from lib.services.experiments import Experiment, PromptRow
from lib.store.store import Store
from tests.helpers.browser import Watch, wait_idle
from tests.helpers.dashboard import Dashboard, StartDashboard
from tests.helpers.fake_hosted import FakeHosted, results_of
from tests.helpers.fake_server import FakeServer
from tests.helpers.http import wait_for
from tests.helpers.pages import EXPERIMENT
from tests.helpers.videos import BLUE, RED, make_video, scenes

pytestmark = pytest.mark.browser
KEY = "rf-browser-key"


def nothing_holds(home: Path, key: str) -> bool:
    return not [path for path in home.rglob("*") if path.is_file() and key.encode() in path.read_bytes()]


def library(page: Page, dashboard: Dashboard) -> None:
    page.goto(f"{dashboard.url}/?experiment={EXPERIMENT}")
    wait_idle(page)


def test_a_hosted_job_goes_on_after_the_server_was_killed(
    page: Page, start_dashboard: StartDashboard, tmp_path: Path
) -> None:
    store = Store(tmp_path / "home")
    film = make_video(tmp_path / "film.mp4", colours=scenes((RED, 20), (BLUE, 20)), rate=10)
    video = store.add_file(film)
    key = hosted_key(video.sha256, Sampling.per_second(3))
    with FakeHosted() as service:
        service.faults.key, service.faults.polls = KEY, 10**6
        first = start_dashboard(home=store.home, environment={"PROMPTREEL_HOSTED_URL": service.url})
        library(page, first)
        page.get_by_role("button", name=re.compile("Embed with the hosted service")).click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("API key", exact=True).fill(KEY)
        dialog.get_by_label("API key", exact=True).press("Enter")
        dialog.get_by_role("button", name="Upload and embed").click()
        expect(page.get_by_text(re.compile("the hosted service is at work, "))).to_be_visible()
        assert wait_for(lambda: job_records.find(store.home, key) is not None)
        assert nothing_holds(store.home, KEY)
        page.goto("about:blank")  # a tab that is closed; the job has been outliving it
        first.kill()

        service.faults.polls = 0
        environment = {"PROMPTREEL_HOSTED_URL": service.url, "ROBOFLOW_API_KEY": KEY}
        library(page, start_dashboard(home=store.home, environment=environment))
        assert wait_for(lambda: store.find_embedding(key) is not None, seconds=30)

        assert store.embedding(key).samples == 12
        assert len(service.jobs) == len(service.paths("PUT")) == 1
        assert job_records.pending(store.home) == []
        assert nothing_holds(store.home, KEY)


def test_results_dropped_onto_the_page_show_in_explore(
    page: Page, start_dashboard: StartDashboard, watch: Watch, tmp_path: Path
) -> None:
    watch.allow(r"404 \(Not Found\)")
    document = results_of([(RED, 3.0), (BLUE, 3.0)], video_fps=10, infer_fps=2)
    document["clip"][2] = None
    path = tmp_path / "monday.json"
    path.write_text(json.dumps(document))
    store = Store(tmp_path / "home")
    with FakeServer() as server:
        rows = (PromptRow(label="red"), PromptRow(label="blue"))
        experiments.save(store.home, Experiment(id=EXPERIMENT, server_url=server.url, rows=rows))
        library(page, start_dashboard(home=store.home))
        page.get_by_role("button", name="Import results").click()
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name="Choose files").last.click()
        chooser.value.set_files(path)
        expect(page.get_by_text("monday.json is here.")).to_be_visible()
        wait_idle(page)
        page.get_by_role("button", name="Import", exact=True).click()
        expect(page.get_by_text(re.compile("1 sample failed at the hosted service, of 12")).first).to_be_visible()
        wait_idle(page)
        page.get_by_role("button", name="Open in Explore").click()

        expect(page.get_by_text(re.compile("was imported without its video"))).to_be_visible()
        expect(page.get_by_text("3.0 s, 50 %, first 0:03.0")).to_be_visible()
        expect(page.locator('[data-testid="stVegaLiteChart"]').first).to_be_visible()
        expect(page.locator("video")).to_have_count(0)
