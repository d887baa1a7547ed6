"""What each row of the prompt table says of its label, and its threshold, dragged where it is drawn."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from playwright.sync_api import Locator, Page, expect

from lib.core.labelled_intervals import TrueSegment
from lib.prompts.model import Settings
from lib.services import experiments
from lib.services.experiments import PromptRow
from tests.helpers.browser import wait_idle
from tests.helpers.dashboard import Dashboard
from tests.helpers.http import wait_for
from tests.helpers.lanes import point
from tests.helpers.pages import EXPERIMENT, Bench, put_truth, saved
from tests.helpers.prompt_table import answer, part

pytestmark = pytest.mark.browser
BESIDE = "bbc123def456"
ROWS = (PromptRow(label="red"), PromptRow(label="green", threshold=0.8), PromptRow(label="blue", role="background"))


def opened(page: Page, dashboard: Dashboard, bench: Bench, name: str = "explore") -> Page:
    settings = Settings(decision="threshold", threshold=0.5)
    a = replace(bench.experiment, rows=ROWS, settings=settings, beside=BESIDE)
    experiments.save(bench.store.home, a)
    experiments.save(bench.store.home, replace(a, id=BESIDE, beside=None, side="b"))
    page.goto(f"{dashboard.url}/{name}?experiment={EXPERIMENT}")
    wait_idle(page)
    expect(answer(page, "red")).to_have_text("3.0 s, 33 %, first 0:00.0")
    return page


def mark(page: Page, number: int = 1, side: int = 0) -> Locator:
    return page.get_by_role("slider", name=f"Mark of prompt {number}", exact=True).nth(side)


def scores(page: Page) -> list[str]:
    return page.locator(".live .score").all_inner_texts()


def threshold(bench: Bench, number: int = 1) -> float | None:
    return saved(bench).rows[number - 1].threshold


def drag(page: Page, handle: Locator, to: float) -> None:
    """Drag a mark to a part of its bar, and hold it there."""
    bar, at = handle.locator("..").bounding_box(), handle.bounding_box()
    assert bar is not None
    assert at is not None
    page.mouse.move(at["x"] + at["width"] / 2, at["y"] + at["height"] / 2)
    page.mouse.down()
    page.mouse.move(bar["x"] + bar["width"] * to, at["y"] + at["height"] / 2, steps=5)


def test_each_row_says_its_score_at_the_playhead_and_what_is_found(
    page: Page, dashboard: Dashboard, bench: Bench
) -> None:
    opened(page, dashboard, bench)
    expect(answer(page, "blue")).to_have_text("rest: 33 %")
    first = scores(page)
    assert float(first[0]) > 0.9
    assert [float(one) < 0.4 for one in first[1:]] == [True, True]
    page.mouse.click(*point(page.locator(".lanes"), 4.2))
    assert wait_for(lambda: float(scores(page)[1]) > 0.9 and float(scores(page)[0]) < 0.4)
    expect(page.locator(".live.has")).to_have_count(1)
    page.get_by_role("checkbox", name="Prompt 2 on").uncheck()
    expect(answer(page, "green")).to_be_hidden()


def test_a_mark_dragged_acts_at_once_in_rows_and_lanes_and_reaches_python_when_let_go(
    page: Page, dashboard: Dashboard, bench: Bench
) -> None:
    opened(page, dashboard, bench)
    drag(page, mark(page), 0.999)
    expect(answer(page, "red")).to_have_text(re.compile(r"not found \(best score 0\.9\d+, threshold "))
    expect(answer(page, "green")).to_have_text("3.0 s, 33 %, first 0:03.0")  # its own threshold
    expect(page.get_by_role("slider", name="Threshold of red")).to_be_visible()  # in the lanes
    field = part(page, "Threshold", 1)
    dragged = float(field.input_value())
    assert dragged > 0.95
    page.mouse.up()
    assert wait_for(lambda: threshold(bench) == pytest.approx(dragged))
    wait_idle(page)
    expect(answer(page, "red")).to_contain_text("not found")
    assert saved(bench).settings.threshold == 0.5
    page.get_by_role("button", name="Undo").click()
    assert wait_for(lambda: threshold(bench) is None)
    expect(answer(page, "red")).to_have_text("3.0 s, 33 %, first 0:00.0")


def test_a_rule_dragged_in_the_lanes_changes_the_answers_before_python_knows(
    page: Page, dashboard: Dashboard, bench: Bench
) -> None:
    opened(page, dashboard, bench)
    handle = page.get_by_role("slider", name="Threshold of green").bounding_box()
    assert handle is not None
    x, y = handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 100, steps=5)
    expect(answer(page, "green")).to_contain_text("not found")
    assert threshold(bench, 2) == 0.8
    assert float(mark(page, 2).get_attribute("aria-valuenow") or 0) > 0.9
    page.mouse.up()
    assert wait_for(lambda: (threshold(bench, 2) or 0) > 0.9)


def test_keys_and_a_finger_move_a_mark(page: Page, dashboard: Dashboard, bench: Bench) -> None:
    opened(page, dashboard, bench)
    mark(page, 2).focus()
    for key in ("ArrowRight", "ArrowUp", "ArrowLeft", "PageUp", "ArrowRight"):
        page.keyboard.press(key)
    expect(mark(page, 2)).to_have_attribute("aria-valuenow", "0.86")
    assert wait_for(lambda: threshold(bench, 2) == pytest.approx(0.86))
    expect(mark(page, 2)).to_be_focused()
    mark(page, 2).evaluate(
        """(element) => {
          const { x, y, width } = element.parentElement.getBoundingClientRect();
          const fire = (type, at) => element.dispatchEvent(new PointerEvent(type, { pointerId: 7, pointerType: "touch",
            isPrimary: true, bubbles: true, button: 0, clientX: x + width * at, clientY: y }));
          element.setPointerCapture = () => {};
          fire("pointerdown", 0.4); fire("pointermove", 0.5); fire("pointermove", 0.999); fire("pointerup", 0.999);
        }"""
    )
    assert wait_for(lambda: (threshold(bench, 2) or 0) > 0.9)
    assert mark(page, 2).evaluate("element => getComputedStyle(element).touchAction") == "none"


def test_suggest_sets_the_threshold_of_its_row_and_keeps_the_focus(
    page: Page, dashboard: Dashboard, bench: Bench
) -> None:
    put_truth(bench, TrueSegment("red", 0.0, 3.0))
    opened(page, dashboard, bench)
    suggest = page.get_by_role("button", name="Suggest a threshold for prompt 1")
    suggest.click()
    expect(page.get_by_text("By the ground truth: threshold")).to_be_visible()
    assert wait_for(lambda: threshold(bench) == pytest.approx(0.58, abs=0.1))
    expect(part(page, "Threshold", 1)).to_have_value(f"{threshold(bench):g}")
    expect(suggest).to_be_focused()


def test_rows_of_both_sides_speak_for_their_own_side(page: Page, dashboard: Dashboard, bench: Bench) -> None:
    opened(page, dashboard, bench, "compare")
    expect(answer(page, "red", 1)).to_have_text("3.0 s, 33 %, first 0:00.0")
    drag(page, mark(page, 1, 1), 0.999)
    expect(answer(page, "red", 1)).to_contain_text("not found")
    expect(answer(page, "red")).to_have_text("3.0 s, 33 %, first 0:00.0")
    page.mouse.up()

    def of_b() -> float | None:
        found = experiments.load(bench.store.home, BESIDE)
        assert found is not None
        return found.rows[0].threshold

    assert wait_for(lambda: (of_b() or 0) > 0.9)
    assert threshold(bench) is None
