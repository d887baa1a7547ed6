"""A component that Streamlit draws at a new place before it removes the one at the old place goes on at the new one.

Which of both is mounted last is chance, so here it is done in both orders, without Streamlit.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, Route

COMPONENTS = Path(__file__).parents[2] / "lib" / "ui" / "components"
PLAYER = COMPONENTS / "player"
ORIGIN = "http://127.0.0.1:9"  # nothing listens there; the route below answers

pytestmark = pytest.mark.browser

_OBJECTS = """async ([source, stayFirst]) => {
  const { mounting } = new Function(`${source}; return { mounting }`)();
  const drawn = {}; // by key, who draws: as a queue or a registry has it
  class Part {
    constructor(root) { this.root = root; }
    update({ data }) { drawn[(this.key = data.key)] = this; }
    destroy() { if (drawn[this.key] === this) delete drawn[this.key]; }
  }
  const call = mounting(Part);
  const place = (key) => {
    const root = document.body.appendChild(document.createElement("div"));
    return { root, mount: () => call({ parentElement: root, data: { key } }) };
  };
  const [stay, go, other] = [place("a"), place("a"), place("b")];
  other.mount();
  let leave;
  if (stayFirst) { stay.mount(); leave = go.mount(); } else { leave = go.mount(); stay.mount(); }
  go.root.remove();
  leave();
  await new Promise((resolve) => setTimeout(resolve, 20));
  return [drawn.a?.root === stay.root, drawn.b?.root === other.root];
}"""

_PLAYER = """async ([source, html, doomedLast]) => {
  const { mountingModule } = new Function(`${source}; return { mountingModule }`)();
  const call = mountingModule("instrument.js", () => { throw new Error("not loaded"); });
  const heard = [];
  const place = (part) => {
    const host = document.body.appendChild(document.createElement("div"));
    const root = host.attachShadow({ mode: "open" });
    root.innerHTML = html;
    const data = { key: "k", part, modules: "/js", src: null, end: 17, aspect: 1.5, lanes: null, done: [], seek: null };
    return { root, host, mount: () => call({ parentElement: root, data, setStateValue() {} }) };
  };
  const rest = () => new Promise((resolve) => setTimeout(resolve, 300));
  const [staying, doomed, video] = [place("%PART%"), place("%PART%"), place("%OTHER%")];
  const order = doomedLast ? [video, staying, doomed] : [video, doomed, staying];
  const leaving = new Map();
  for (const one of order) { leaving.set(one, one.mount()); await rest(); }
  doomed.host.remove();
  leaving.get(doomed)();
  await rest();
  const lanes = "%PART%" === "lanes" ? staying : video;
  const shown = () => lanes.root.querySelector("[role=slider][aria-label=Timeline]");
  shown().removeAttribute("aria-valuemax"); // a player that lives writes it again, as its place is another size
  lanes.host.style = "display: block; width: 500px";
  await rest();
  return shown().getAttribute("aria-valuemax");
}"""


@pytest.fixture
def empty(page: Page) -> Page:
    """An empty page that can load the player's modules."""

    def answer(route: Route) -> None:
        name = route.request.url.removeprefix(f"{ORIGIN}/")
        if not name:
            route.fulfill(content_type="text/html", body="<!doctype html><title>empty</title>")
        else:
            route.fulfill(content_type="text/javascript", path=_module(name.removeprefix("js/")))

    page.route(f"{ORIGIN}/**", answer)
    page.goto(f"{ORIGIN}/")
    return page


def _module(name: str) -> Path:
    return next(place / name for place in (PLAYER / "js", COMPONENTS / "js") if (place / name).is_file())


@pytest.mark.parametrize("stay_first", [True, False])
def test_what_a_removed_component_took_over_goes_back(empty: Page, stay_first: bool) -> None:
    source = (COMPONENTS / "mounting.js").read_text()
    assert empty.evaluate(_OBJECTS, [source, stay_first]) == [True, True]


@pytest.mark.parametrize("doomed_last", [True, False])
@pytest.mark.parametrize(("part", "other"), [("video", "lanes"), ("lanes", "video")])
def test_the_player_goes_on_with_the_part_that_stays(empty: Page, part: str, other: str, doomed_last: bool) -> None:
    source, html = (COMPONENTS / "mounting.js").read_text(), (PLAYER / "player.html").read_text()
    script = _PLAYER.replace("%PART%", part).replace("%OTHER%", other)
    assert empty.evaluate(script, [source, html, doomed_last]) == "17.00"
