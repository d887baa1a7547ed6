"""The upload component in a real browser."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from playwright.sync_api import FileChooser, Page, expect

from tests.helpers.browser import Watch
from tests.helpers.components import NO_PICTURE, SCRIPT, files_of, has_focus_ring, open_upload, reported, row, slow_down
from tests.helpers.dashboard import Dashboard, StartDashboard
from tests.helpers.http import wait_for

pytestmark = pytest.mark.browser


def test_three_uploads_two_at_a_time_with_progress_and_each_reported_once(
    page: Page, components_app: Dashboard, watch: Watch, tmp_path: Path
) -> None:
    watch.allow(NO_PICTURE)
    picker = open_upload(page, components_app)
    paths = files_of(tmp_path, first=6_000_000, second=6_000_000, third=900_000)
    full_speed = slow_down(page, 2_000_000)
    picker.set_input_files(list(paths.values()))
    figures = row(page, "first.mp4").locator(".figures")
    expect(figures).to_have_text(re.compile(r"^\d\.\d MB of 6\.0 MB · \d{3} kB/s · \d+ s left$|^.* MB/s · \d+ s left$"))
    expect(row(page, "third.mp4").locator(".figures")).to_have_text("Waiting · 900 kB")
    bar = row(page, "first.mp4").get_by_role("progressbar", name="Upload of first.mp4")
    early = int(bar.get_attribute("aria-valuenow") or "")
    assert 0 < early < 90
    expect(bar).not_to_have_attribute("aria-valuenow", str(early))
    assert int(bar.get_attribute("aria-valuenow") or "") > early
    expect(page.locator(".total")).to_have_text(re.compile(r"^0 of 3 files added · .* of 12\.9 MB$"))
    expect(page.locator(".announce")).to_have_text(re.compile("^Uploading: 0 of 3 files added"))
    full_speed()
    for name in paths:
        expect(row(page, f"{name}.mp4")).to_have_attribute("data-state", "done")
    expect(page.locator(".total")).to_have_text("3 files added")
    expect(page.locator(".announce")).to_have_text("3 files added")
    sha256 = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in paths.items()}
    expected = sorted(f"{name}.mp4 {paths[name].stat().st_size} {sha256[name][:8]}" for name in paths)
    expect(page.get_by_text(re.compile("^uploaded: .*third.*"))).to_be_visible()
    assert sorted(reported(page, "uploaded")) == expected
    assert all((components_app.home / digest).exists() for digest in sha256.values())

    page.get_by_role("link", name="Gallery").click()
    page.get_by_role("link", name="Upload").click()
    expect(page.locator("li.file")).to_have_count(3)
    assert sorted(reported(page, "uploaded")) == expected
    page.get_by_role("button", name="Clear the list").click()
    expect(page.locator("li.file")).to_have_count(0)
    assert sorted(reported(page, "uploaded")) == expected


def test_what_cannot_be_added_says_why_and_the_rest_arrives(
    page: Page, components_app: Dashboard, watch: Watch, tmp_path: Path
) -> None:
    watch.allow("status of 422")
    picker = open_upload(page, components_app)
    paths = files_of(tmp_path, broken=2000, empty=0, fine=3000)
    picker.set_input_files(list(paths.values()))
    broken = row(page, "broken.mp4")
    expect(broken.locator(".trouble")).to_have_text("“broken.mp4” is not a video; choose another file.")
    expect(row(page, "empty.mp4").locator(".trouble")).to_have_text(
        "“empty.mp4” is empty; choose a file with a video in it."
    )
    expect(row(page, "fine.mp4")).to_have_attribute("data-state", "done")
    expect(page.locator(".total")).to_have_text("1 file added, 2 not added")
    expect(page.get_by_text(re.compile("^uploaded: .*fine.mp4"))).to_be_visible()
    assert [line.split()[0] for line in reported(page, "uploaded")] == ["fine.mp4"]
    broken.get_by_role("button", name="Upload broken.mp4 again").click()
    expect(broken.locator(".trouble")).to_have_text("“broken.mp4” is not a video; choose another file.")
    broken.get_by_role("button", name="Remove broken.mp4 from the list").click()
    expect(broken).to_have_count(0)


def test_a_cancelled_upload_leaves_nothing_and_can_be_started_again(
    page: Page, components_app: Dashboard, tmp_path: Path
) -> None:
    picker = open_upload(page, components_app)
    full_speed = slow_down(page, 1_500_000)
    picker.set_input_files(files_of(tmp_path, long=8_000_000)["long"])
    line = row(page, "long.mp4")
    expect(line.locator(".figures")).to_contain_text("left")
    assert list((components_app.home / "incoming").iterdir())
    line.get_by_role("button", name="Cancel long.mp4").click()
    expect(line.locator(".figures")).to_have_text("Cancelled")
    assert wait_for(lambda: not list((components_app.home / "incoming").iterdir()))
    assert reported(page, "uploaded") == []
    full_speed()
    line.get_by_role("button", name="Upload long.mp4 again").click()
    expect(line).to_have_attribute("data-state", "done")
    expect(page.get_by_text(re.compile("^uploaded: .*long.mp4 8000000"))).to_be_visible()


def test_an_upload_goes_on_while_another_page_is_shown(
    page: Page, components_app: Dashboard, watch: Watch, tmp_path: Path
) -> None:
    watch.allow(NO_PICTURE)
    picker = open_upload(page, components_app)
    full_speed = slow_down(page, 2_000_000)
    picker.set_input_files(files_of(tmp_path, travelling=5_000_000)["travelling"])
    expect(row(page, "travelling.mp4").locator(".figures")).to_contain_text("left")
    page.get_by_role("link", name="Gallery").click()
    expect(page.get_by_text("No frame is near the threshold.")).to_be_visible()
    full_speed()
    digest = hashlib.sha256((tmp_path / "travelling.mp4").read_bytes()).hexdigest()
    assert wait_for((components_app.home / digest).exists)
    page.get_by_role("link", name="Upload").click()
    expect(page.get_by_text(re.compile("^uploaded: .*travelling.mp4 5000000"))).to_be_visible()
    assert len(reported(page, "uploaded")) == 1
    expect(row(page, "travelling.mp4").locator(".figures")).to_have_text("Added · 5.0 MB")


def test_a_name_is_shown_as_text_and_dropping_works_like_choosing(page: Page, components_app: Dashboard) -> None:
    open_upload(page, components_app)
    name = "<img src=x onerror=alert(1)>.mp4"
    data = page.evaluate_handle(
        """name => {
          const data = new DataTransfer();
          data.items.add(new File(['content'], name));
          return data;
        }""",
        name,
    )
    zone = page.locator(".zone")
    zone.dispatch_event("dragenter", {"dataTransfer": data})
    expect(zone).to_have_class(re.compile("over"))
    zone.dispatch_event("drop", {"dataTransfer": data})
    expect(zone).not_to_have_class(re.compile("over"))
    expect(row(page, name)).to_have_attribute("data-state", "done")
    assert page.locator("li.file img").count() == 0
    expect(page.get_by_text(re.compile("^uploaded: .*onerror"))).to_be_visible()


def test_the_file_dialog_opens_from_the_keyboard_with_a_visible_focus(page: Page, components_app: Dashboard) -> None:
    open_upload(page, components_app)
    choosers: list[FileChooser] = []
    page.on("filechooser", lambda chooser: choosers.append(chooser))
    button = page.get_by_role("button", name="Choose files")
    for _ in range(30):
        page.keyboard.press("Tab")
        if button.evaluate("e => e.getRootNode().activeElement === e"):
            break
    assert has_focus_ring(button)
    page.keyboard.press("Enter")
    assert wait_for(lambda: page.wait_for_timeout(50) or choosers)
    assert choosers[0].is_multiple()


def test_the_limit_is_stated_before_and_by_the_server(
    page: Page, start_dashboard: StartDashboard, watch: Watch, tmp_path: Path
) -> None:
    watch.allow("status of 413")
    small = start_dashboard(SCRIPT, home=tmp_path / "home", options=["--server.maxUploadSize", "1"])
    picker = open_upload(page, small)
    expect(page.locator(".hint")).to_have_text("Up to 1.0 MB per file")
    picker.set_input_files(files_of(tmp_path, big=1_100_000)["big"])
    expect(row(page, "big.mp4").locator(".trouble")).to_have_text(
        "“big.mp4” is 1.1 MB; the largest allowed here is 1.0 MB."
    )
    # Without the page's own check the server's answer arrives, also when more is on its way than it reads.
    answer = page.evaluate(
        """async () => {
          const token = document.cookie.match(/_streamlit_xsrf=([^;]+)/)[1];
          const body = new Blob(Array(120).fill(new Uint8Array(1e6)));
          const headers = {'X-XSRF-Token': token};
          const answer = await fetch('/promptreel/upload/big.mp4', {method: 'PUT', headers, body});
          return [answer.status, (await answer.json()).error];
        }"""
    )
    assert answer == [413, "“big.mp4” is larger than the 1.0 MB allowed here (server.maxUploadSize); shorten it."]


def test_a_lost_dashboard_is_reported(
    page: Page, start_dashboard: StartDashboard, watch: Watch, tmp_path: Path
) -> None:
    watch.allow("ERR_|WebSocket|server endpoint|server is not responding")
    doomed = start_dashboard(SCRIPT, home=tmp_path / "home")
    picker = open_upload(page, doomed)
    picker.set_input_files(files_of(tmp_path, endless=1000)["endless"])
    expect(row(page, "endless.mp4").locator(".figures")).to_have_text("Checking the video… · 1.0 kB")
    doomed.kill()
    expect(row(page, "endless.mp4").locator(".trouble")).to_have_text(
        "The connection to the dashboard was lost; check that it is running, then try again."
    )
