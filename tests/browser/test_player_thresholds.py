"""Thresholds dragged in the lanes: the browser decides as Python does, and Python gets what was let go of."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

import lib.ui.components.player
from lib.analysis.analysis import Analysis
from lib.analysis.metrics import label_metrics
from lib.analysis.segments import decide, find_segments, merge_and_drop
from lib.core.formatting import format_duration, format_time, percent
from lib.core.samples import Samples
from lib.prompts.model import Prompt, PromptSet, Role, Settings
from lib.services import experiments
from lib.services.experiments import Experiment, PromptRow
from lib.ui.components.registration import SHARED_MODULES
from tests.helpers.browser import NewPage, wait_idle
from tests.helpers.components import reported
from tests.helpers.dashboard import Dashboard
from tests.helpers.http import wait_for
from tests.helpers.lanes import open_lanes, point
from tests.helpers.pages import EXPERIMENT, Bench, saved

pytestmark = pytest.mark.browser
BESIDE = "bbc123def456"

JS = Path(lib.ui.components.player.__file__).parent / "js"
CASES = 1_500
LOAD = """const load = (script) => import(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
  const load_all = async ({ decide, answers, format }) => {
    const url = URL.createObjectURL(new Blob([format], { type: "text/javascript" }));
    return { ...await load(format), ...await load(decide), ...await load(answers.replace("./format.js", url)) };
  };"""
DECIDE_ALL = """async ([scripts, cases]) => {
  LOAD
  const { Decider, endsOf, answer } = await load_all(scripts);
  const rounds = (decider, one) => {
    const { thresholds, last, backgrounds, peaks } = one;
    const all = decider.segments(thresholds);
    const changed = thresholds.map((value, row) => row === last.row ? last.value : value);
    const said = (found, limits) => found.map((segments, row) => (
      { ...segments, said: answer({ rest: backgrounds[row], peak: peaks[row] }, segments, limits[row], one.side) }
    ));
    return [said(all, thresholds), said(decider.segments(changed, all, last.row), changed)];
  };
  return cases.map((one) => {
    const times = Float64Array.from(one.times);
    const scores = Float32Array.from(one.scores);
    const side = { times, ends: endsOf(times, one.gaps, one.end), scores, backgrounds: one.backgrounds };
    return rounds(new Decider(side, one.settings), one).map((result) => (
      result.map(({ start, end, peak, said }) => [start.map((time, index) => [time, end[index], peak[index]]), said])
    ));
  });
}""".replace("LOAD", LOAD)
WRITE_ALL = """async ([scripts, values]) => {
  LOAD
  const { formatTime, formatDuration, formatPercent, formatFixed } = await load_all(scripts);
  return values.map((value) => [
    formatTime(value), formatTime(value, 0), formatTime(value, 2), formatDuration(Math.abs(value)),
    formatPercent(Math.abs(value) / 1e4), formatFixed(value, 0), formatFixed(value, 2), formatFixed(value, 4),
  ]);
}""".replace("LOAD", LOAD)


def scripts() -> dict[str, str]:
    """Return what the browser computes with, by name."""
    paths = JS / "decide.js", JS / "answers.js", SHARED_MODULES / "format.js"
    return {path.stem: path.read_text(encoding="utf-8") for path in paths}


def random_case(rng: np.random.Generator) -> tuple[dict[str, Any], list[Any]]:
    """Return a case for the browser, and Python's segments and answers, before and after a change."""
    n, p = int(rng.choice([0, 1, 2, 5, 20, 60])), int(rng.integers(1, 6))
    times = np.cumsum(rng.choice([0.1, 0.4, 0.5, 1.0], size=n))
    end_s = float(times[-1]) + 0.5 if n else 1.0
    gaps = [
        [float(start + (stop - start) * 0.3), float(stop if rng.random() < 0.5 else start + (stop - start) * 0.9)]
        for start, stop in itertools.pairwise(times)
        if rng.random() < 0.08
    ]
    if n and rng.random() < 0.2:
        gaps.append([end_s - 0.2, end_s])
    # Scores in steps of 1/8 lie on thresholds and equal each other often; those of a walk don't.
    walk = rng.normal(size=(n, p)).cumsum(axis=0) * 0.5
    scores = (rng.integers(-8, 9, size=(n, p)) / 8 if rng.random() < 0.5 else walk).astype(np.float32)
    settings = Settings(
        score="relative",
        decision=str(rng.choice(["threshold", "best_threshold", "best"])),  # type: ignore[arg-type]
        threshold=0.0,
        hysteresis=float(rng.choice([0, 0, 0.25, 0.5, 1.0])),
        bridge_s=float(rng.choice([0, 0, 0.5, 1.0, 1.5, 3.0])),
        min_duration_s=float(rng.choice([0, 0, 0.5, 1.0, 2.0])),
    )
    cuts = rng.random(n) < 0.1 if rng.random() < 0.4 else None
    roles: list[Role] = ["background" if rng.random() < 0.25 else "target" for _ in range(p)]
    thresholds = rng.integers(-8, 9, size=p) / 8
    row = int(rng.integers(p))
    changed = thresholds.copy()
    changed[row] = rng.integers(-8, 9) / 8
    samples = Samples(np.arange(n), times, np.zeros((n, 2), np.float32), end_s, np.reshape(gaps, (-1, 2)))
    labels = [str(number) for number in range(p)]

    doubles = scores.astype(np.float64)

    def of_python(limits: Any) -> list[Any]:
        decided = decide(doubles, limits, settings, samples, cuts)
        active = merge_and_drop(decided, roles, samples, settings, cuts)
        found = find_segments(active, doubles, samples, labels, bridge_s=settings.bridge_s)
        chosen = tuple(Prompt(*one) for one in zip(labels, labels, roles, limits.tolist(), strict=True))
        metrics = label_metrics(found, doubles, samples, chosen)
        still = np.zeros(n)
        result = Analysis(
            samples,
            PromptSet("test", chosen, settings=settings),
            *(doubles, doubles, doubles, decided, active, tuple(found), metrics, still),
        )
        times = [[[one.start_s, one.end_s, one.peak_score] for one in found if one.label == label] for label in labels]
        return [list(both) for both in zip(times, result.answers, strict=True)]

    names = ("decision", "hysteresis", "bridge_s", "min_duration_s")
    case = {
        "times": times.tolist(),
        "gaps": gaps,
        "end": end_s,
        "scores": scores.T.ravel().tolist(),
        "backgrounds": [role == "background" for role in roles],
        "peaks": doubles.max(axis=0).tolist() if n else [None] * p,
        "side": {
            "length": samples.duration_s,
            "decision": {"decision": settings.decision, "shortest": f"{settings.min_duration_s:g}"},
        },
        "thresholds": thresholds.tolist(),
        "last": {"row": row, "value": float(changed[row])},
        "settings": {name: getattr(settings, name) for name in names}
        | {"cuts": [] if cuts is None else np.flatnonzero(cuts).tolist()},
    }
    return case, [of_python(thresholds), of_python(changed)]


def test_the_browser_decides_as_python_does(page: Page) -> None:
    rng = np.random.default_rng(16)
    cases, wanted = zip(*(random_case(rng) for _ in range(CASES)), strict=True)
    found = page.evaluate(DECIDE_ALL, [scripts(), list(cases)])
    different = [json.dumps(each) for each in zip(cases, found, wanted, strict=True) if each[1] != each[2]]
    assert not different, different[0]
    assert sum(len(label[0]) for both in wanted for label in both[1]) > CASES  # they are about something
    reasons = {said.rpartition(", ")[2][:17] for both in wanted for _, said in both[1] if said.startswith("not found")}
    assert {"only in gaps that", "only in pieces sh"} < reasons


def test_the_browser_writes_numbers_as_python_does(page: Page) -> None:
    rng = np.random.default_rng(17)
    values = [0.0, -0.04, 59.95, 59.949999, 3599.5, 3600.0, 9949.9999999, 9950.0, 10_000.0, 12_345.65, -0.25, 0.125]
    values += rng.uniform(-20, 20_000, 2_000).tolist() + (rng.integers(-40, 80_000, 2_000) / 8).tolist()
    values += (rng.integers(-1_000, 200_000, 2_000) / 200).tolist()
    found = page.evaluate(WRITE_ALL, [scripts(), values])
    for value, shown in zip(values, found, strict=True):
        times = [format_time(value, decimals=decimals) for decimals in (1, 0, 2)]
        length, share = format_duration(abs(value)), percent(abs(value) / 1e4)
        assert shown == [*times, length, share, f"{value:.0f}", f"{value:.2f}", f"{value:.4f}"], value


def handle(page: Page) -> Locator:
    return page.locator(".threshold")


def present(page: Page) -> Locator:
    """Return the labels at the playhead."""
    return page.locator(".label.on")


def rule_y(page: Page) -> float:
    box = handle(page).bounding_box()
    assert box is not None
    return box["y"] + box["height"] / 2


def test_a_rule_dragged_with_the_mouse_acts_at_once_and_reaches_python_when_let_go(
    page: Page, lanes_app: Dashboard
) -> None:
    lanes = open_lanes(page, lanes_app)
    expect(present(page)).to_have_count(1)
    runs = reported(page, "runs")
    x, y = point(lanes, 5.2)[0], rule_y(page)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 20)
    page.mouse.move(x, y - 90, steps=5)
    expect(present(page)).to_have_count(0)  # the highest score is 0.6
    assert reported(page, "runs") == runs
    assert reported(page, "threshold") == 0.3
    dragged = float(handle(page).get_attribute("aria-valuenow") or 0)
    assert dragged > 0.61
    page.mouse.up()
    assert wait_for(lambda: reported(page, "threshold") == pytest.approx(dragged))
    assert reported(page, "segments") == 0
    assert float(handle(page).get_attribute("aria-valuenow") or 0) == pytest.approx(dragged)
    assert reported(page, "player")[0] == pytest.approx(0.0)  # it was no wish to seek


def test_a_click_on_a_rule_seeks(page: Page, lanes_app: Dashboard) -> None:
    lanes = open_lanes(page, lanes_app)
    page.mouse.click(point(lanes, 4.2)[0], rule_y(page))
    assert wait_for(lambda: reported(page, "player")[0] == pytest.approx(4.2, abs=0.05))
    assert reported(page, "threshold") == 0.3


def test_keys_move_a_threshold_by_steps(page: Page, lanes_app: Dashboard) -> None:
    open_lanes(page, lanes_app)
    handle(page).focus()
    for key in ("ArrowUp", "ArrowUp", "ArrowDown", "PageUp", "ArrowUp"):
        page.keyboard.press(key)
    expect(handle(page)).to_have_attribute("aria-valuenow", "0.36")
    assert wait_for(lambda: reported(page, "threshold") == pytest.approx(0.36))
    expect(handle(page)).to_be_focused()


def test_a_finger_drags_the_handle_and_not_the_page(page: Page, lanes_app: Dashboard) -> None:
    open_lanes(page, lanes_app)
    handle(page).evaluate(
        """(element) => {
          const { x, y, height } = element.getBoundingClientRect();
          const fire = (type, by) => element.dispatchEvent(new PointerEvent(type, { pointerId: 7, pointerType: "touch",
            isPrimary: true, bubbles: true, button: 0, clientX: x + 12, clientY: y + height / 2 + by }));
          element.setPointerCapture = () => {};
          fire("pointerdown", 0); fire("pointermove", -10); fire("pointermove", -90); fire("pointerup", -90);
        }"""
    )
    assert wait_for(lambda: reported(page, "threshold") > 0.6)
    assert handle(page).evaluate("element => getComputedStyle(element).touchAction") == "none"


def test_a_rule_of_a_label_and_one_of_side_b_change_where_they_belong(
    page: Page, dashboard: Dashboard, bench: Bench
) -> None:
    settings = Settings(decision="threshold", threshold=0.1)
    rows = (PromptRow(label="red", threshold=0.2), PromptRow(label="green"))
    a = replace(bench.experiment, rows=rows, settings=settings, beside=BESIDE)
    experiments.save(bench.store.home, a)
    experiments.save(bench.store.home, replace(a, id=BESIDE, beside=None, side="b"))
    page.goto(f"{dashboard.url}/compare?experiment={EXPERIMENT}")
    wait_idle(page)

    def press(name: str) -> None:
        page.get_by_role("slider", name=name, exact=True).focus()
        page.keyboard.press("PageUp")
        wait_idle(page)

    press("Threshold of red on side A")
    assert wait_for(lambda: saved(bench).rows[0].threshold == pytest.approx(0.25))
    press("Shared threshold on side B")

    def of_b() -> Experiment:
        found = experiments.load(bench.store.home, BESIDE)
        assert found is not None
        return found

    assert wait_for(lambda: of_b().settings.threshold == pytest.approx(0.15))
    assert (of_b().rows[0].threshold, saved(bench).settings.threshold) == (0.2, 0.1)
    expect(page.get_by_role("textbox", name="Threshold of prompt 1").first).to_have_value("0.25")


def test_another_threshold_from_python_is_shown(page: Page, lanes_app: Dashboard) -> None:
    open_lanes(page, lanes_app)
    slider = page.get_by_role("slider", name=re.compile("^Threshold"))
    slider.focus()
    page.keyboard.press("ArrowRight")
    wait_idle(page)
    expect(handle(page)).to_have_attribute("aria-valuenow", "0.301")


def test_the_lanes_follow_the_slider_before_python_has_answered(lanes_app: Dashboard, page: Page) -> None:
    lanes = open_lanes(page, lanes_app, "samples=40&prompts=3&step=0.25")
    page.evaluate(
        """() => {
          window.order = [];
          const find = (what, node = document) => node.querySelector(what)
            ?? [...node.querySelectorAll("*")].map(e => e.shadowRoot && find(what, e.shadowRoot)).find(Boolean);
          const tell = (who) => new MutationObserver(() => window.order.push(who));
          tell("lanes").observe(find(".lanes .threshold"), { attributeFilter: ["aria-valuenow"] });
          const shown = [...document.querySelectorAll("code")].find(e => e.textContent.startsWith("threshold:"));
          tell("python").observe(shown, { subtree: true, childList: true, characterData: true });
        }"""
    )
    page.get_by_role("slider", name=re.compile("^Threshold")).first.focus()
    page.keyboard.press("ArrowRight")
    assert wait_for(lambda: "python" in page.evaluate("window.order"))
    assert page.evaluate("window.order[0]") == "lanes"
    expect(lanes.get_by_role("slider", name="Shared threshold")).to_have_attribute("aria-valuenow", "0.301")
    assert reported(page, "threshold") == 0.301


def test_thresholds_dragged_in_lanes_and_rows_stay_until_python_answers_all(
    page: Page, dashboard: Dashboard, bench: Bench
) -> None:
    rows = tuple(PromptRow(label=label, threshold=0.2) for label in ("red", "green", "blue"))
    settings = Settings(decision="threshold", threshold=0.1)
    experiments.save(bench.store.home, replace(bench.experiment, rows=rows, settings=settings))
    page.goto(f"{dashboard.url}/explore?experiment={EXPERIMENT}")
    wait_idle(page)
    names = ("Threshold of red", "Mark of prompt 2", "Threshold of blue", "Threshold of red")
    page.get_by_role("slider", name=names[0], exact=True).wait_for()
    os.kill(dashboard.pid, signal.SIGSTOP)  # it takes what it is sent, and answers late
    try:
        for name in names:
            page.get_by_role("slider", name=name, exact=True).focus()
            page.keyboard.press("PageUp")
        shown = [("red", "0.3"), ("green", "0.25"), ("blue", "0.25")]
        for label, value in shown:
            handle = page.get_by_role("slider", name=f"Threshold of {label}", exact=True)
            expect(handle).to_have_attribute("aria-valuenow", value)
    finally:
        os.kill(dashboard.pid, signal.SIGCONT)
    wait_for(lambda: [row.threshold for row in saved(bench).rows] == [0.3, 0.25, 0.25], seconds=15)
    assert [row.threshold for row in saved(bench).rows] == [0.3, 0.25, 0.25]
    wait_idle(page)
    for label, value in shown:
        handle = page.get_by_role("slider", name=f"Threshold of {label}", exact=True)
        expect(handle).to_have_attribute("aria-valuenow", value)


def test_a_threshold_is_that_of_its_label_also_where_a_row_above_goes_meanwhile(
    page: Page, dashboard: Dashboard, bench: Bench, new_page: NewPage
) -> None:
    rows = tuple(PromptRow(label=label, threshold=0.2) for label in ("red", "green", "blue"))
    rows = (rows[0], replace(rows[1], threshold=0.6), rows[2])
    settings = Settings(decision="threshold", threshold=0.1)
    experiments.save(bench.store.home, replace(bench.experiment, rows=rows, settings=settings))
    other = new_page()
    for one in (page, other):
        one.goto(f"{dashboard.url}/explore?experiment={EXPERIMENT}")
        wait_idle(one)
    handle = page.get_by_role("slider", name="Threshold of green", exact=True)
    box = handle.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + 6, steps=2)
    other.get_by_role("button", name="Remove prompt 1").first.click()
    assert wait_for(lambda: len(saved(bench).rows) == 2)
    page.keyboard.press("t")  # a run, which brings what the other tab has changed
    expect(page.get_by_role("slider", name="Threshold of red", exact=True)).to_have_count(0)
    page.mouse.move(x, y + 12, steps=2)
    page.mouse.up()
    assert wait_for(lambda: saved(bench).rows[0].threshold != 0.6)
    wait_idle(page)
    assert [(row.label, row.threshold == 0.2) for row in saved(bench).rows] == [("green", False), ("blue", True)]
