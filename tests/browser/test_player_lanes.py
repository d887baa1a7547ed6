"""Player and lanes as one instrument, in a real browser. Timings belong to ``python -m benchmarks player``."""

from __future__ import annotations

import re
from bisect import bisect_right

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.helpers.browser import NewPage, screenshot, wait_idle
from tests.helpers.components import (
    RATE,
    count_loads,
    expect_ready,
    expect_reported,
    has_focus_ring,
    overflow,
    position,
    red_of,
    reported,
)
from tests.helpers.dashboard import Dashboard
from tests.helpers.http import wait_for
from tests.helpers.lanes import open_lanes, playhead, point, variable_times, view

pytestmark = pytest.mark.browser

SEGMENTS_Y = 20 + 2 + 132 + 7
"""Top of the lane of segments, which has 19 pixels a label."""


def row_y(row: int) -> float:
    return SEGMENTS_Y + 19 * row + 9


def paused(video: Locator) -> bool:
    return bool(video.evaluate("v => v.paused"))


def near(value: float, tolerance: float = 0.02) -> object:
    return pytest.approx(value, abs=tolerance)


def shown_red(video: Locator) -> int:
    return int(
        video.evaluate(
            """v => new Promise(done => setTimeout(() => {
              const pen = new OffscreenCanvas(8, 8).getContext('2d');
              pen.drawImage(v, 0, 0, 8, 8); done(pen.getImageData(4, 4, 1, 1).data[0]);
            }, 120))"""
        )
    )


@pytest.mark.parametrize(
    ("name", "times"),
    [("one", [frame / RATE for frame in range(10 * RATE)]), ("variable", [float(time) for time in variable_times()])],
)
def test_a_click_goes_to_the_frame_pointed_at(page: Page, lanes_app: Dashboard, name: str, times: list[float]) -> None:
    lanes = open_lanes(page, lanes_app, f"video={name}")
    video = page.locator("video")
    for wanted in (7.3, 1.07, 4.61):
        x, y = point(lanes, wanted)
        page.mouse.click(x, y)
        expect_ready(video)
        frame = bisect_right(times, position(video)) - 1
        length = times[frame + 1] - times[frame]
        assert position(video) == near(wanted, length)
        assert abs(shown_red(video) - red_of(frame)) < 18
        assert playhead(page) == near(position(video), 0.03)
        page.wait_for_timeout(500)  # or the next click would be the second of a double one


def test_the_playhead_follows_the_video_and_python_hears_of_it_once(page: Page, lanes_app: Dashboard) -> None:
    lanes = open_lanes(page, lanes_app)
    video = page.locator("video")
    video.evaluate("v => { v.muted = true; }")
    runs = reported(page, "runs")
    lanes.focus()
    page.keyboard.press("Space")
    assert wait_for(lambda: position(video) > 0.5)
    far = page.evaluate(
        """() => new Promise(done => {
          const find = (node, what) => node.querySelector?.(what) ??
            [...node.querySelectorAll('*')].map(e => e.shadowRoot && find(e.shadowRoot, what)).find(Boolean);
          const [video, head, lanes] = ['video', '.head', '.lanes'].map(what => find(document, what));
          const seen = [];
          const look = () => {
            const left = Number(lanes.dataset.plot), plot = lanes.clientWidth - left - 8;
            const x = new DOMMatrix(getComputedStyle(head).transform).m41;
            seen.push(Math.abs((x - left) / plot * Number(lanes.dataset.end) - video.currentTime));
            seen.length < 60 ? requestAnimationFrame(look) : done(seen.sort((a, b) => a - b));
          };
          requestAnimationFrame(look);
        })"""
    )
    assert far[len(far) // 2] < 0.05
    expect(page.locator(".now")).not_to_have_text("0:00.0")
    assert reported(page, "runs") == runs
    page.keyboard.press("Space")
    expect_reported(page, "runs", runs + 1)
    assert reported(page, "player")[0] == near(position(video))


def test_the_readout_says_each_labels_score_and_whether_it_holds(page: Page, lanes_app: Dashboard) -> None:
    lanes = open_lanes(page, lanes_app)
    x, y = point(lanes, 4.5)  # the fifth second is label 1's
    page.mouse.click(x, y)
    rows = page.locator(".labels .label")
    expect(rows.nth(1)).to_contain_text("0.600")
    expect(rows.nth(0)).to_contain_text("0.100")
    on = [row.evaluate("e => e.classList.contains('on')") for row in rows.all()]
    assert on == [False, True, False]
    assert "label 1 0.600" in (lanes.get_attribute("aria-valuetext") or "")


def test_pointing_shows_a_thumbnail_with_time_and_scores(page: Page, lanes_app: Dashboard) -> None:
    lanes = open_lanes(page, lanes_app)
    x, y = point(lanes, 2.5)
    page.mouse.move(x, y)
    tip = page.locator(".tip")
    expect(tip).to_be_visible()
    expect(tip).to_contain_text("0:02.5")
    expect(tip.locator(".on")).to_have_text(["label 20.600"])
    expect(tip.locator("img.loaded")).to_be_visible()
    page.mouse.move(5, 5)
    expect(tip).to_be_hidden()
    assert position(page.locator("video")) == 0


def test_dragging_seeks_and_the_video_plays_on_afterwards(page: Page, lanes_app: Dashboard) -> None:
    lanes = open_lanes(page, lanes_app)
    video = page.locator("video")
    video.evaluate("v => { v.muted = true; return v.play(); }")
    page.mouse.move(*point(lanes, 1.0))
    page.mouse.down()
    page.mouse.move(*point(lanes, 5.0), steps=8)
    expect_ready(video)
    assert position(video) == near(5.0, 0.05)
    assert paused(video)
    page.mouse.up()
    assert wait_for(lambda: not paused(video))


def test_the_wheel_zooms_around_the_pointer_shift_drag_pans_and_a_double_click_resets(
    page: Page, lanes_app: Dashboard
) -> None:
    lanes = open_lanes(page, lanes_app)
    page.mouse.click(*point(lanes, 2.0))
    assert wait_for(lambda: reported(page, "player")[0] == near(2.0))
    page.wait_for_timeout(500)
    at = point(lanes, 6.0)
    page.mouse.move(*at)
    page.mouse.wheel(0, -600)
    assert wait_for(lambda: view(lanes)[1] - view(lanes)[0] < 6)
    assert point(lanes, 6.0)[0] == near(at[0], 2)
    before = view(lanes)
    page.keyboard.down("Shift")
    page.mouse.down()
    page.mouse.move(at[0] - 80, at[1], steps=4)
    page.mouse.up()
    page.keyboard.up("Shift")
    assert wait_for(lambda: view(lanes)[0] > before[0])
    assert view(lanes)[1] - view(lanes)[0] == near(before[1] - before[0], 1e-4)
    assert position(page.locator("video")) == near(2.0)
    page.mouse.dblclick(*at)
    assert wait_for(lambda: view(lanes) == (0.0, 10.0))
    assert position(page.locator("video")) == near(2.0)


def test_the_strip_below_chooses_and_moves_what_is_shown(page: Page, lanes_app: Dashboard) -> None:
    lanes = open_lanes(page, lanes_app)
    height = lanes.bounding_box()["height"]
    across = [point(lanes, time, height - 12) for time in (2.0, 4.0, 3.0, 6.0)]
    page.mouse.move(*across[0])
    page.mouse.down()
    page.mouse.move(*across[1], steps=4)
    page.mouse.up()
    assert wait_for(lambda: view(lanes) == (near(2.0), near(4.0)))
    page.mouse.move(*across[2])
    page.mouse.down()
    page.mouse.move(*across[3], steps=4)
    page.mouse.up()
    assert wait_for(lambda: view(lanes) == (near(5.0), near(7.0)))
    assert position(page.locator("video")) == 0


def test_the_wheel_over_the_whole_video_scrolls_the_page(page: Page, lanes_app: Dashboard) -> None:
    lanes = open_lanes(page, lanes_app)
    main = page.get_by_test_id("stMain")
    page.mouse.move(*point(lanes, 6.0))
    page.mouse.wheel(0, 200)
    assert wait_for(lambda: main.evaluate("e => e.scrollTop") > 100)
    assert view(lanes) == (0.0, 10.0)


def test_a_click_on_a_segment_plays_just_it_and_l_loops_it(page: Page, lanes_app: Dashboard) -> None:
    lanes = open_lanes(page, lanes_app)
    video = page.locator("video")
    video.evaluate("v => { v.muted = true; v.playbackRate = 2; }")
    page.mouse.click(*point(lanes, 4.5, row_y(1)))
    expect_reported(page, "label", "label 1")
    assert wait_for(lambda: paused(video) and position(video) > 4.8)
    assert position(video) == near(5.0, 0.09)
    assert position(video) < 5.0
    page.keyboard.press("l")
    page.mouse.click(*point(lanes, 4.5, row_y(1)))
    page.wait_for_timeout(1600)
    assert not paused(video)
    assert 3.9 < position(video) < 5.1
    expect(page.get_by_role("button", name="Loop")).to_have_attribute("aria-pressed", "true")


def test_keys_step_by_samples_seconds_segments_and_tenths(page: Page, lanes_app: Dashboard) -> None:
    lanes = open_lanes(page, lanes_app)
    video = page.locator("video")
    lanes.focus()
    for key, wanted in (
        ("3", 3.0),
        ("ArrowRight", 3 + 1 / 6),
        ("ArrowRight", 3 + 2 / 6),
        ("ArrowLeft", 3 + 1 / 6),
        ("Shift+ArrowRight", 4 + 1 / 6),
        ("Home", 0.0),
        ("ArrowDown", 3.0),
        ("ArrowDown", 6.0),
        ("ArrowUp", 3.0),
        ("End", 10.0),
        ("0", 0.0),
    ):
        page.keyboard.press(key)
        expect_ready(video)
        assert wait_for(lambda wanted=wanted: position(video) == near(wanted, 0.01)), (key, position(video))
    expect(page.get_by_role("log")).to_contain_text("label 0, segment 2 of 4")
    assert has_focus_ring(lanes)


def test_shift_and_up_or_down_go_by_shots(page: Page, lanes_app: Dashboard) -> None:
    lanes = open_lanes(page, lanes_app, "cuts=2,4.5")
    video = page.locator("video")
    lanes.focus()
    for key, wanted in (
        ("Shift+ArrowDown", 2.0),
        ("Shift+ArrowDown", 4.5),
        ("ArrowDown", 6.0),  # without shift still by segments
        ("3", 3.0),
        ("Shift+ArrowUp", 2.0),
        ("Shift+ArrowUp", 0.0),
        ("9", 9.0),
        ("Shift+ArrowUp", 4.5),
    ):
        page.keyboard.press(key)
        expect_ready(video)
        assert wait_for(lambda wanted=wanted: position(video) == near(wanted, 0.01)), (key, position(video))
    expect(page.get_by_role("log")).to_contain_text("Shot 3 of 3: 0:04.5 to 0:10.0")
    page.keyboard.press("Shift+ArrowDown")
    expect(page.get_by_role("log")).to_contain_text("No further shot.")


def test_brackets_mark_a_range_that_python_hears_of_once_it_is_whole(page: Page, lanes_app: Dashboard) -> None:
    lanes = open_lanes(page, lanes_app)
    lanes.focus()
    page.keyboard.press("2")
    expect_reported(page, "player", [2.0, None])
    page.keyboard.press("[")
    expect(page.get_by_text("Start marked at 0:02.00")).to_be_visible()
    page.keyboard.press("5")
    expect_reported(page, "player", [5.0, None])
    expect_reported(page, "marked", None)
    runs = reported(page, "runs")
    page.keyboard.press("]")
    expect_reported(page, "marked", [2.0, 5.0])
    assert reported(page, "runs") == runs + 1
    expect(page.get_by_text("Marked 0:02.00 – 0:05.00 (3.0 s)")).to_be_visible()
    page.get_by_role("button", name="Clear").click()
    expect_reported(page, "marked", None)


def test_the_sheet_of_keys_opens_and_closes_by_key(page: Page, lanes_app: Dashboard) -> None:
    open_lanes(page, lanes_app).focus()
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keys and gestures")
    expect(sheet).to_be_visible()
    expect(sheet).to_contain_text("previous, next segment")
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()


def test_twenty_thresholds_while_playing_neither_reload_nor_pause_and_none_is_lost(
    page: Page, lanes_app: Dashboard
) -> None:
    lanes = open_lanes(page, lanes_app)
    video = page.locator("video")
    page.mouse.move(*point(lanes, 3.0))
    page.mouse.wheel(0, -300)
    assert wait_for(lambda: view(lanes)[1] < 10)
    shown = view(lanes)
    count_loads(video)
    video.evaluate(
        "v => { v.pauses = 0; v.addEventListener('pause', () => v.pauses += 1); v.muted = true; v.loop = true;"
        " v.playbackRate = 0.25; return v.play(); }"
    )
    page.get_by_role("slider", name=re.compile("^Threshold")).focus()
    for _ in range(20):
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(60)
    expect_reported(page, "threshold", 0.32)
    assert video.evaluate("v => [v.loads, v.pauses, v.paused]") == [0, 0, False]
    start, end = view(lanes)
    assert end - start == near(shown[1] - shown[0], 1e-4)


def test_other_scores_and_prompts_are_drawn_without_touching_video_playhead_or_zoom(
    page: Page, lanes_app: Dashboard
) -> None:
    lanes = open_lanes(page, lanes_app)
    video = page.locator("video")
    count_loads(video)
    page.mouse.click(*point(lanes, 4.02))
    expect_ready(video)
    row = page.locator(".labels .label").nth(1)
    before = row.inner_text()
    page.get_by_role("button", name="Brush 2 to 4").click()
    assert wait_for(lambda: view(lanes) == (near(2.0), near(4.0)))
    wait_idle(page)
    page.get_by_role("button", name="Smoother").click()
    assert wait_for(lambda: row.inner_text() != before)
    wait_idle(page)
    page.get_by_role("button", name="Fewer prompts").click()
    expect(page.locator(".labels .label")).to_have_count(2)
    assert view(lanes) == (near(2.0), near(4.0))
    assert position(video) == near(4.02, 0.05)
    assert video.evaluate("v => v.loads") == 0


def test_a_brush_in_the_charts_is_the_zoom_and_a_click_there_moves_the_playhead(
    page: Page, lanes_app: Dashboard
) -> None:
    lanes = open_lanes(page, lanes_app)
    page.get_by_role("button", name="Brush 2 to 4").click()
    assert wait_for(lambda: view(lanes) == (near(2.0), near(4.0)))
    page.get_by_role("button", name="Show all").click()
    assert wait_for(lambda: view(lanes) == (0.0, 10.0))
    page.get_by_role("button", name="Go to 5").click()
    expect_ready(page.locator("video"))
    assert wait_for(lambda: playhead(page) == near(5.0, 0.03))


def test_a_hundred_thousand_samples_keep_the_peak_of_one(page: Page, lanes_app: Dashboard) -> None:
    lanes = open_lanes(page, lanes_app, "samples=100000&prompts=10&step=0.1")
    canvas = page.locator(".lanes canvas")
    at_the_top = """canvas => {
      const pen = canvas.getContext('2d'), left = Math.round(112 * canvas.width / canvas.clientWidth);
      const width = canvas.width - left - 8, x = left + Math.round(width / 2);
      const seen = pen.getImageData(x - 3, 24, 7, 30).data;
      const found = [];
      for (let i = 0; i < seen.length; i += 4) if (seen[i + 3]) found.push([...seen.slice(i, i + 4)]);
      return found;
    }"""
    # Label 0 reaches 0.95 there, and no other score reaches that high.
    assert [0, 114, 178, 255] in canvas.evaluate(at_the_top)
    page.get_by_role("button", name="Smoother").click()  # to 0.5: the peak is drawn as it was, faintly behind

    def is_faint() -> bool:
        blues = [pixel for pixel in canvas.evaluate(at_the_top) if pixel[2] - pixel[0] > 120]
        return bool(blues) and max(alpha for *_, alpha in blues) < 200

    assert wait_for(is_faint)
    page.mouse.move(*point(lanes, 5000.0))
    for _ in range(12):
        page.mouse.wheel(0, -400)
    assert wait_for(lambda: view(lanes)[1] - view(lanes)[0] < 60)
    start, end = view(lanes)
    assert start < 5000 < end


def test_thumbnails_are_asked_for_only_where_they_are_seen(page: Page, lanes_app: Dashboard) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/thumb/" in request.url else None)
    open_lanes(page, lanes_app, "samples=2000&prompts=2&step=0.1")
    for _ in range(100):  # waiting in Python alone would keep Playwright from hearing of requests
        page.wait_for_timeout(100)
        if len(asked) >= 3:
            break
    page.wait_for_timeout(1000)
    assert 3 <= len(asked) <= 20


def test_touch_pans_with_one_finger_over_time_and_pinches(new_page: NewPage, lanes_app: Dashboard) -> None:
    page = new_page(has_touch=True)
    lanes = open_lanes(page, lanes_app)
    x, y = point(lanes, 6.0)
    page.touchscreen.tap(x, y)
    expect_ready(page.locator("video"))
    assert position(page.locator("video")) == near(6.0, 0.05)
    lanes.evaluate(
        """(lanes, [x, y]) => {
          lanes.setPointerCapture = () => {};
          const send = (kind, id, at) => lanes.dispatchEvent(new PointerEvent(kind, {
            pointerId: id, pointerType: 'touch', clientX: at, clientY: y, bubbles: true, button: 0 }));
          send('pointerdown', 11, x - 40); send('pointerdown', 12, x + 40);
          for (let i = 55; i <= 160; i += 15) {
            send('pointermove', 11, x - i); send('pointermove', 12, x + i);
          }
          send('pointerup', 11, x - 160); send('pointerup', 12, x + 160);
        }""",
        [x, y],
    )
    assert wait_for(lambda: view(lanes)[1] - view(lanes)[0] == near(2.5, 0.2))
    start, end = view(lanes)
    assert start < 6.0 < end


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 1440), ("light", 900), ("dark", 390)])
def test_it_fits_its_width_in_both_themes(new_page: NewPage, lanes_app: Dashboard, scheme: str, width: int) -> None:
    page = new_page(color_scheme=scheme, width=width, height=1000)
    lanes = open_lanes(page, lanes_app)
    page.mouse.move(*point(lanes, 9.5))
    page.wait_for_timeout(300)
    screenshot(page, f"lanes-{scheme}-{width}")
    assert overflow(page) <= 0
