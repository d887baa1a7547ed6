"""Steps and measures of the component tests, and the page they run against."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.helpers.browser import Watch, wait_idle
from tests.helpers.dashboard import Dashboard, serving_dashboard
from tests.helpers.http import wait_for
from tests.helpers.videos import make_video

SCRIPT = Path(__file__).parents[1] / "browser" / "components_app.py"
NO_PICTURE = "status of 404.*/thumb/"  # the gallery's picture 13 is missing on purpose
RATE = 12


def red_of(frame: int) -> int:
    """Red of a frame: neighbours differ by 37 or more."""
    return 20 + frame * 37 % 200


def clip(path: Path, green: int, seconds: int) -> None:
    colours = [(red_of(frame), green, 90) for frame in range(seconds * RATE)]
    make_video(path, colours=colours, size=(160, 90), rate=RATE, gop=6, faststart=True)


def make_home(home: Path) -> Path:
    (home / "thumbnails").mkdir(parents=True)
    clip(home / "one.mp4", 40, seconds=10)
    clip(home / "two.mp4", 160, seconds=2)
    (home / "nonsense.mp4").write_bytes(b"this is no video " * 50)
    for frame in range(13):
        picture = BytesIO()
        Image.new("RGB", (160, 90), (40 + frame * 15, 80, 160)).save(picture, "JPEG")
        (home / "thumbnails" / f"{frame}.jpg").write_bytes(picture.getvalue())
    return home


@pytest.fixture(scope="session")
def components_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """Serve the components' page, once for the whole run."""
    home = make_home(tmp_path_factory.mktemp("components") / "home")
    with serving_dashboard(home, SCRIPT) as dashboard:
        yield dashboard


def reported(page: Page, name: str) -> Any:
    """Return a value that the page reports as having reached Python."""
    wait_idle(page)
    text = page.get_by_text(re.compile(f"^{name}: ")).inner_text()
    return json.loads(text.partition(": ")[2])


def expect_reported(page: Page, name: str, value: object) -> None:
    shown = page.get_by_text(f"{name}: {json.dumps(value, ensure_ascii=False)}", exact=True)
    expect(shown).to_be_visible()


def expect_position(page: Page, seconds: float) -> None:
    """Wait until Python knows the player to rest at ``seconds``."""
    near = pytest.approx([seconds], abs=0.01)
    assert wait_for(lambda: reported(page, "player")[:1] == near), reported(page, "player")


def slow_down(page: Page, bytes_per_s: int) -> Callable[[], None]:
    """Slow the page's uploads down; returns a function that ends it."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")

    def throttle(rate: int) -> None:
        conditions = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": rate}
        session.send("Network.emulateNetworkConditions", conditions)

    throttle(bytes_per_s)
    return lambda: throttle(-1)


def contrast(locator: Locator) -> float:
    """Return the WCAG contrast of an element's text with the nearest opaque background behind it."""
    colours = locator.evaluate(
        """element => {
          const context = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
          const rgba = colour => {
            context.clearRect(0, 0, 1, 1); context.fillStyle = colour; context.fillRect(0, 0, 1, 1);
            return [...context.getImageData(0, 0, 1, 1).data];
          };
          let behind = element;
          while (behind && rgba(getComputedStyle(behind).backgroundColor)[3] < 255)
            behind = behind.parentElement ?? behind.getRootNode().host;
          return [rgba(getComputedStyle(element).color), rgba(getComputedStyle(behind).backgroundColor)];
        }"""
    )
    light, dark = sorted((_luminance(colour[:3]) for colour in colours), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(rgb: list[int]) -> float:
    linear = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def overflow(page: Page) -> int:
    """Return how many pixels the page is wider than its window."""
    return int(page.evaluate("document.scrollingElement.scrollWidth - window.innerWidth"))


def has_focus_ring(locator: Locator) -> bool:
    return bool(
        locator.evaluate(
            """e => {
              const style = getComputedStyle(e);
              return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
            }"""
        )
    )


def open_upload(page: Page, app: Dashboard) -> Locator:
    page.goto(app.url)
    wait_idle(page)
    picker = page.locator("input.picker")
    picker.wait_for(state="attached")
    return picker


def row(page: Page, name: str) -> Locator:
    return page.locator("li.file", has=page.get_by_text(name, exact=True))


def files_of(folder: Path, **sizes: int) -> dict[str, Path]:
    paths = {}
    for name, size in sizes.items():
        paths[name] = folder / f"{name}.mp4"
        paths[name].write_bytes(os.urandom(size))
    return paths


def open_player(page: Page, app: Dashboard) -> Locator:
    page.goto(f"{app.url}/player")
    wait_idle(page)
    video = page.locator("video")
    expect_ready(video)
    return video


def expect_ready(video: Locator) -> None:
    video.evaluate(
        """v => new Promise((done, fail) => {
          const look = () => v.readyState >= 2 && !v.seeking ? done() : setTimeout(look, 20);
          setTimeout(() => fail(new Error('the video did not get ready')), 15000); look();
        })"""
    )


def position(video: Locator) -> float:
    return float(video.evaluate("v => v.currentTime"))


def shown_frame(video: Locator) -> int:
    """Return which frame is on screen, by its colour."""
    red = video.evaluate(
        """v => new Promise(done => v.requestVideoFrameCallback ? setTimeout(() => {
          const canvas = new OffscreenCanvas(8, 8); const context = canvas.getContext('2d');
          context.drawImage(v, 0, 0, 8, 8); done(context.getImageData(4, 4, 1, 1).data[0]);
        }, 100) : done(-1))"""
    )
    near = round(position(video) * RATE)
    return min(range(max(0, near - 2), near + 3), key=lambda frame: abs(red_of(frame) - red))


def count_loads(video: Locator) -> None:
    video.evaluate("v => { v.loads = 0; v.addEventListener('loadstart', () => v.loads += 1); }")


def open_gallery(page: Page, app: Dashboard, watch: Watch) -> Locator:
    watch.allow(NO_PICTURE)
    page.goto(f"{app.url}/gallery")
    wait_idle(page)
    cards = page.get_by_role("list", name="Best frames").get_by_role("button")
    expect(cards).to_have_count(14)
    return cards
