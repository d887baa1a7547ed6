"""Ground truth edited in the player's lanes, with real mouse and keys: dragged, snapped, painted, undone."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, Route, expect

import lib.ui.components.player
from lib.core.labelled_intervals import TrueSegment, label_key, painted
from lib.services.ground_truth import video_truth
from lib.ui.components.registration import SHARED_MODULES
from tests.helpers.browser import NewPage, screenshot, wait_idle
from tests.helpers.components import expect_ready
from tests.helpers.dashboard import Dashboard
from tests.helpers.http import wait_for
from tests.helpers.lanes import playhead, point
from tests.helpers.pages import EXPERIMENT, Bench, put_truth

pytestmark = pytest.mark.browser
RED = TrueSegment("red", 1.0, 2.5)


def truth(bench: Bench) -> list[tuple[str, float, float]]:
    return [(one.label, one.start_s, one.end_s) for one in video_truth(bench.store, bench.video).segments]


def becomes(bench: Bench, *wanted: tuple[str, float, float]) -> None:
    if not wait_for(lambda: truth(bench) == list(wanted), seconds=30):
        assert truth(bench) == list(wanted)


def opened(page: Page, dashboard: Dashboard) -> Locator:
    """Return the lanes of Explore, drawn, with the video ready."""
    page.goto(f"{dashboard.url}/explore?experiment={EXPERIMENT}")
    wait_idle(page)
    page.locator(".label .pick").first.wait_for()
    expect_ready(page.locator("video").first)
    lanes = page.locator(".lanes").first
    lanes.scroll_into_view_if_needed()
    return lanes


def lane_y(lanes: Locator) -> float:
    """Return the middle of the first row of the lane of ground truth, in pixels below the lanes' top."""
    return float(lanes.evaluate("e => Number(e.dataset.decided)")) + 7 + 9


def drag(page: Page, lanes: Locator, start_s: float, end_s: float, *, y: float | None = None, key: str = "") -> None:
    at = lane_y(lanes) if y is None else y

    def over_the_edge() -> bool:
        x, y = point(lanes, start_s, at)
        page.mouse.move(x, y)
        under = "(e, [x, y]) => getComputedStyle(e.getRootNode().elementFromPoint(x, y)).cursor"
        return bool(lanes.evaluate(under, [x, y]) == "ew-resize")  # the edge, or its handle

    assert wait_for(over_the_edge)
    page.mouse.down()
    if key:
        page.keyboard.down(key)
    page.mouse.move(*point(lanes, (start_s + end_s) / 2, at), steps=3)
    page.mouse.move(*point(lanes, end_s, at), steps=3)
    page.mouse.up()
    if key:
        page.keyboard.up(key)


def edge(page: Page, name: str, label: str = "red") -> Locator:
    return page.get_by_role("slider", name=f"{name} of {label} in the ground truth")


def test_edges_are_dragged_and_snap_to_cuts_and_samples_and_every_step_is_undone(
    page: Page, dashboard: Dashboard, bench: Bench
) -> None:
    put_truth(bench, RED)
    lanes = opened(page, dashboard)
    drag(page, lanes, 2.5, 2.96)  # near the cut at 3.0
    becomes(bench, ("red", 1.0, 3.0))
    drag(page, lanes, 1.0, 1.47)  # near the sample at 1.5
    becomes(bench, ("red", 1.5, 3.0))
    drag(page, lanes, 3.0, 4.97, key="Control")
    assert wait_for(lambda: truth(bench)[0][2] == pytest.approx(4.97, abs=0.02), seconds=30)
    assert truth(bench)[0][2] not in (4.5, 5.0)
    wait_idle(page)
    screenshot(page, "truth-in-the-lanes")
    for times in ((1.5, 3.0), (1.0, 3.0), (1.0, 2.5)):
        page.keyboard.press("Control+z")
        becomes(bench, ("red", *times))
        wait_idle(page)


def test_an_edge_stops_at_the_other_one_and_at_the_ends_of_the_video_and_a_click_chooses(
    page: Page, dashboard: Dashboard, bench: Bench
) -> None:
    put_truth(bench, RED)
    lanes = opened(page, dashboard)
    drag(page, lanes, 2.5, 0.2)
    becomes(bench, ("red", 1.0, 1.02))
    drag(page, lanes, 1.02, 30)
    becomes(bench, ("red", 1.0, 9.0))
    page.mouse.click(*point(lanes, 4.2, lane_y(lanes)))
    expect(edge(page, "End")).to_have_attribute("aria-valuetext", "0:09.00")
    assert playhead(page) == pytest.approx(4.2, abs=0.1)  # it also goes there, as elsewhere
    expect(page.locator("video").first).to_have_js_property("paused", True)
    lanes.press("Escape")
    expect(edge(page, "End")).to_have_count(0)


def test_keys_and_a_finger_move_an_edge_and_delete_removes_the_segment(
    page: Page, dashboard: Dashboard, bench: Bench
) -> None:
    put_truth(bench, RED, TrueSegment("blue", 6.0, 8.0))
    lanes = opened(page, dashboard)
    lanes.focus()
    page.keyboard.press("n")
    end = edge(page, "End")
    end.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "Shift+ArrowRight", "Control+ArrowRight"):
        page.keyboard.press(key)
    expect(end).to_have_attribute("aria-valuetext", "0:04.01")
    becomes(bench, ("red", 1.0, 4.01), ("blue", 6.0, 8.0))
    expect(end).to_be_focused()
    edge(page, "Start").evaluate(
        """element => {
          const { x, y, width, height } = element.getBoundingClientRect();
          const fire = (type, by) => element.dispatchEvent(new PointerEvent(type, { pointerId: 7, pointerType: "touch",
            isPrimary: true, bubbles: true, button: 0, clientX: x + width / 2 + by, clientY: y + height / 2 }));
          element.setPointerCapture = () => {};
          fire("pointerdown", 0); fire("pointermove", -10); fire("pointermove", -9000); fire("pointerup", -9000);
        }"""
    )
    becomes(bench, ("red", 0.0, 4.01), ("blue", 6.0, 8.0))
    assert edge(page, "Start").evaluate("element => getComputedStyle(element).touchAction") == "none"
    end.press("Delete")
    becomes(bench, ("blue", 6.0, 8.0))
    wait_idle(page)
    page.keyboard.press("Control+z")
    becomes(bench, ("red", 0.0, 4.01), ("blue", 6.0, 8.0))


def test_marks_are_dragged_by_mouse_and_keys(page: Page, dashboard: Dashboard, bench: Bench) -> None:
    lanes = opened(page, dashboard)
    lanes.focus()
    for key in ("2", "[", "6", "]"):
        page.keyboard.press(key)
    drag(page, lanes, 1.8, 2.97, y=60)
    expect(page.locator(".marked")).to_contain_text("Marked 0:03.00 – 0:05.40")
    page.get_by_role("slider", name="End of the marked range").press("ArrowRight")
    expect(page.locator(".marked")).to_contain_text("Marked 0:03.00 – 0:05.50")
    page.keyboard.press("t")
    becomes(bench, ("red", 3.0, 5.5))


def test_a_label_is_painted_while_its_key_is_held_and_a_tap_seeks(
    page: Page, dashboard: Dashboard, bench: Bench
) -> None:
    put_truth(bench, TrueSegment("blue", 8.0, 8.5))
    lanes = opened(page, dashboard)
    lanes.focus()
    page.keyboard.press("Space")
    playing(page, lambda time: time > 0.6)
    page.keyboard.down("2")  # the second label
    playing(page, lambda time: time > 1.7)
    assert truth(bench) == [("blue", 8.0, 8.5)]  # it is sent when the key is let go of
    page.keyboard.up("2")
    assert wait_for(lambda: len(truth(bench)) == 2, seconds=30)
    label, start, end = truth(bench)[0]
    assert label == "green"
    assert (start, end) == (pytest.approx(0.75, abs=0.45), pytest.approx(2.1, abs=0.6))
    page.keyboard.down("t")  # the chosen label; the video is stopped before the key is let go of
    playing(page, lambda time: time > end + 0.6)
    page.keyboard.press("Space")
    assert wait_for(lambda: [one[0] for one in truth(bench)].count("red") == 1, seconds=30)
    page.keyboard.up("t")
    page.keyboard.press("Space")
    page.keyboard.press("8")  # a tap: to 8 tenths
    playing(page, lambda time: time >= 7.2)
    page.keyboard.press("Space")
    assert len(truth(bench)) == 3
    wait_idle(page)
    page.keyboard.press("Control+z")
    assert wait_for(lambda: {one[0] for one in truth(bench)} == {"green", "blue"}, seconds=30)


def playing(page: Page, reached: Callable[[float], bool]) -> None:
    video = page.locator("video").first
    assert wait_for(lambda: reached(float(video.evaluate("v => v.currentTime"))), seconds=30)


def test_n_and_p_go_through_what_is_found_and_true_of_the_chosen_label(
    page: Page, dashboard: Dashboard, bench: Bench
) -> None:
    put_truth(bench, TrueSegment("Green", 1.0, 2.0), TrueSegment("blue", 4.0, 5.0), TrueSegment("green", 7.0, 8.0))
    opened(page, dashboard)
    page.locator(".label .pick", has_text="green").click()
    page.get_by_role("heading", name="Explore").click()  # anywhere on the page
    said = page.get_by_role("log").first
    for words in ("true segment 1 of 2: 0:01.0", "found segment 1 of 1: 0:03.0", "true segment 2 of 2: 0:07.0"):
        page.keyboard.press("n")
        expect(said).to_contain_text(words)
    expect(edge(page, "Start", "green")).to_be_visible()
    page.keyboard.press("n")
    expect(said).to_contain_text("No further segment of green, found or true.")
    page.keyboard.press("p")
    expect(said).to_contain_text("found segment 1 of 1")
    page.get_by_role("button", name="Keys and gestures").click()
    expect(page.get_by_role("dialog")).to_contain_text(re.compile("hold.*T.*while the video plays"))


def test_an_edit_is_merged_with_another_tabs(page: Page, dashboard: Dashboard, bench: Bench, new_page: NewPage) -> None:
    put_truth(bench, RED, TrueSegment("blue", 6.0, 8.0))
    other = new_page()
    lanes, others = opened(page, dashboard), opened(other, dashboard)
    drag(page, lanes, 2.5, 3.0)
    becomes(bench, ("red", 1.0, 3.0), ("blue", 6.0, 8.0))
    drag(other, others, 1.0, 0.5)  # there it still ends at 2.5
    becomes(bench, ("red", 0.5, 3.0), ("blue", 6.0, 8.0))
    wait_idle(page)
    page.keyboard.press("Control+z")
    becomes(bench, ("red", 0.5, 2.5), ("blue", 6.0, 8.0))
    wait_idle(other)  # else its run, still on the way, would show that there is none
    bench.store.change_truth(bench.video, lambda _: [])
    drag(other, others, 8.0, 7.0)
    expect(other.get_by_text(re.compile("'blue' was changed or removed elsewhere meanwhile")).first).to_be_visible()
    becomes(bench)


JS = Path(lib.ui.components.player.__file__).parent / "js"


def modules(page: Page) -> None:
    """Open an empty page that can import the player's modules from ``/js``."""

    def serve(route: Route) -> None:
        name = Path(route.request.url).name
        found = [folder / name for folder in (JS, SHARED_MODULES) if (folder / name).is_file()]
        if found:
            route.fulfill(body=found[0].read_text(encoding="utf-8"), content_type="text/javascript")
        else:
            route.fulfill(body="<!doctype html>", content_type="text/html")

    page.route("http://127.0.0.1/modules/**", serve)
    page.goto("http://127.0.0.1/modules/page")


def test_what_python_has_drawn_is_not_sent_again(page: Page) -> None:
    modules(page)
    sent = page.evaluate(
        """async () => {
          const { Edits } = await import("/modules/js/edits.js");
          const sent = [];
          const setState = (_, { count, last }) => sent.push([count, last.join("")]);
          const edits = new Edits({ createdAt: 7, setState });
          for (const edit of "abc") edits.send(edit);
          edits.drawn([7, 2]);
          edits.send("d");
          edits.drawn([8, 4]);
          edits.drawn();
          edits.send("e");
          edits.drawn([7, 5]);
          edits.send("f");
          return sent;
        }"""
    )
    assert sent == [[1, "a"], [2, "ab"], [3, "abc"], [4, "cd"], [5, "cde"], [6, "f"]]


def test_what_is_painted_is_drawn_as_python_joins_it(page: Page) -> None:
    rng = np.random.default_rng(16)
    cases = []
    for _ in range(300):
        spans = [sorted(rng.choice(24, size=2, replace=False) / 2 - 2) for _ in range(int(rng.integers(1, 6)))]
        segments = [TrueSegment(str(rng.choice(["red", "Red", "blue"])), float(a), float(b)) for a, b in spans]
        cases.append((sorted(segments[1:], key=lambda one: (one.start_s, one.end_s, one.label)), segments[0]))

    def for_js(one: TrueSegment) -> dict[str, object]:
        return {"label": one.label, "key": label_key(one.label), "start": one.start_s, "end": one.end_s}

    modules(page)
    found = page.evaluate(
        """async (cases) => {
          const { edited } = await import("/modules/js/truth.js");
          return cases.map(([present, { label, key, start, end }]) => (
            edited(present, { kind: "paint", label, key, span: [start, end] })
              .map((one) => [one.label, one.start, one.end])
          ));
        }""",
        [[list(map(for_js, present)), for_js(new)] for present, new in cases],
    )
    wanted = [[(one.label, one.start_s, one.end_s) for one in painted(present, new)] for present, new in cases]
    assert [sorted(map(tuple, one)) for one in found] == [sorted(one) for one in wanted]


def test_edges_snap_to_cuts_then_samples_gaps_and_ends_also_before_zero(page: Page) -> None:
    modules(page)
    snap = """async ([calls]) => {
      const { snapped, stepped } = await import("/modules/js/snap.js");
      const times = [-0.5, -0.4, 0.1, 0.35, 2.0, 2.1];
      const scene = { times, spikes: [2], sides: [{ gaps: [[0.6, 2.0]], last: 2.5 }] };
      const view = { first: -0.5, last: 3.0 };
      return calls.map(([kind, ...of]) => (
        (kind === "snap" ? snapped : stepped)(kind === "bare" ? null : scene, view, ...of, 0.04)
      ));
    }"""
    wanted = {
        ("snap", -0.46, 0.05): -0.5,
        ("snap", 0.24, 0.2): 0.1,  # the cut, though the sample at 0.35 is nearer
        ("snap", 0.24, 0.12): 0.35,
        ("snap", 0.2, 0.05): 0.2,
        ("snap", 0.55, 0.1): 0.6,
        ("snap", 2.97, 0.1): 3.0,
        ("step", -0.4, 1): 0.1,
        ("step", 0.35, 1): 0.6,
        ("step", 0.6, 1): 2.0,
        ("step", 2.0, -1): 0.6,
        ("step", -0.5, -1): -0.5,
        ("step", 2.5, 1): 3.0,
        ("bare", 1.0, 1): 1.04,
    }
    found = page.evaluate(snap, [[list(call) for call in wanted]])
    assert found == pytest.approx(list(wanted.values()))
