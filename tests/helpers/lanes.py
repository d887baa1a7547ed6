"""The page of player and lanes, and how to point at a time in it."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page

from tests.helpers.browser import wait_idle
from tests.helpers.components import clip, expect_ready, red_of
from tests.helpers.dashboard import Dashboard, serving_dashboard
from tests.helpers.videos import make_video

SCRIPT = Path(__file__).parents[1] / "browser" / "lanes_app.py"
RIGHT = 8
"""Pixels right of the plot."""
VARIABLE_N = 96


def variable_times() -> list[Fraction]:
    """Return the frame times of the variable-rate clip: from 1/30 to 1/4 of a second apart, 10 s in all."""
    steps = [Fraction(1, 30), Fraction(1, 15), Fraction(1, 4), Fraction(1, 24), Fraction(1, 8)]
    times = [Fraction(0)]
    for index in range(1, VARIABLE_N):
        times.append(times[-1] + steps[index * 7 % len(steps)])
    return times


def make_home(home: Path) -> Path:
    """Write a clip of constant rate with ground truth, one of variable rate, and a thumbnail."""
    home.mkdir(parents=True, exist_ok=True)
    clip(home / "one.mp4", 40, seconds=10)
    truth = [{"label": "Label 0", "start_s": 0, "end_s": 1}, {"label": "other", "start_s": 1, "end_s": 4.5}]
    (home / "one.json").write_text(json.dumps({"segments": truth}), encoding="utf-8")
    colours = [(red_of(frame), 40, 90) for frame in range(VARIABLE_N)]
    make_video(home / "variable.mp4", colours=colours, size=(160, 90), times=variable_times(), gop=6, faststart=True)
    picture = io.BytesIO()
    Image.new("RGB", (160, 90), (40, 80, 160)).save(picture, "JPEG")
    (home / "thumbnail.jpg").write_bytes(picture.getvalue())
    return home


@pytest.fixture(scope="session")
def lanes_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """Serve the page of player and lanes, once for the whole run."""
    home = make_home(tmp_path_factory.mktemp("lanes") / "home")
    with serving_dashboard(home, SCRIPT) as dashboard:
        yield dashboard


def open_lanes(page: Page, app: Dashboard, query: str = "") -> Locator:
    """Open the page and return the lanes, drawn, with the video ready."""
    page.goto(f"{app.url}/?{query}")
    wait_idle(page)
    expect_ready(page.locator("video"))
    lanes = page.locator(".lanes")
    page.locator(".label .pick").first.wait_for()
    page.wait_for_function("() => true")
    return lanes


def view(lanes: Locator) -> tuple[float, float]:
    """Return start and end of what the lanes show, in seconds."""
    lanes.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    shown = lanes.evaluate("e => [Number(e.dataset.start), Number(e.dataset.end)]")
    return shown[0], shown[1]


def point(lanes: Locator, time_s: float, y: float = 60) -> tuple[float, float]:
    """Return where a time is on the page, at ``y`` pixels below the lanes' top."""
    start, end = view(lanes)
    box, left = lanes.bounding_box(), float(lanes.evaluate("e => Number(e.dataset.plot)"))
    assert box is not None
    plot = box["width"] - left - RIGHT
    return box["x"] + left + (time_s - start) / (end - start) * plot, box["y"] + y


def time_at(lanes: Locator, x: float) -> float:
    """Return the time at ``x`` on the page."""
    start, end = view(lanes)
    box, left = lanes.bounding_box(), float(lanes.evaluate("e => Number(e.dataset.plot)"))
    assert box is not None
    return start + (x - box["x"] - left) / (box["width"] - left - RIGHT) * (end - start)


def playhead(page: Page) -> float:
    """Return the time at which the playhead is drawn."""
    box = page.locator(".lanes > .head").bounding_box()
    assert box is not None
    return time_at(page.locator(".lanes"), box["x"] + box["width"] / 2)
