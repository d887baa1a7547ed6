"""Names are text: whatever a video, a label or a prompt set is called, no page draws it as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from google.protobuf.message import Message
from streamlit.testing.v1 import AppTest

from lib.core.errors import PromptreelError
from lib.core.labelled_intervals import TrueSegment
from lib.services import experiments
from lib.services.experiments import PromptRow
from lib.ui.components.upload import Uploaded
from lib.ui.library import add_videos
from lib.ui.session import cache
from tests.helpers.http import wait_for
from tests.helpers.pages import Bench, by_key, lay_out, open_page, press, put_truth

pytestmark = pytest.mark.usefixtures("framed")
HOSTILE = (
    "![i](http://pictures.example/p.png) :red[x] $x^2$ **b** `c` <img/src=x> :material/home: :smile: "
    "[l](//pictures.example) www.pictures.example a@pictures.example ~~s~~ &lt; _u_ -- -> >= \u202eturned"
)
FILE = "![i](https:pictures.example) :red[x] $x^2$ **b** `c` <img> :smile: www.pictures.example"
DRAWN = re.compile(
    r"""!\[ | (?<!\\)\]\( | :red | https?: (?!\u2060) | (?<!\\)\$ | (?<![\\*])\*\*b | (?<!\\)`c | (?<!\\)<img
    | :material/home | :smile | www\.p | a@p | (?<!\\)~~ | (?<!\\)&lt | (?<![\\\w])_u
    | (?<!\S)\\?-\\?-(?!\S) | (?<!\S)\\?-\\?>(?!\S) | (?<!\S)\\?>\\?=(?!\S) | \u202e""",
    re.VERBOSE,
)
PLAIN = {"arrow_data_frame", "arrow_vega_lite_chart", "bidi_component", "html"}  # escaped by what draws them
TEXTS = {"body", "label", "help", "text", "caption", "title", "name"}


@pytest.fixture
def hostile(home: Any, server: Any) -> Bench:
    """Lay out a store where everything that has a name has that name."""
    labels = f"red {HOSTILE}", HOSTILE
    rows = (*(PromptRow(label=label) for label in labels), PromptRow(label="two", texts=(HOSTILE, "green")))
    bench = lay_out(home, server.url, rows=rows, name=FILE)
    assert bench.video.name == f"{FILE}.mp4"
    experiments.save(bench.store.home, replace(bench.experiment, name=HOSTILE))
    put_truth(bench, TrueSegment(f"red {HOSTILE}", 0.0, 3.0), TrueSegment(f"missing {HOSTILE}", 3.0, 4.0))
    return bench


def texts(message: Message) -> Iterator[str]:
    """Return the texts of an element that Streamlit draws as Markdown, or may."""
    for field, value in message.ListFields():
        if isinstance(value, Message):
            yield from texts(value)
        elif field.name in TEXTS and isinstance(value, str):
            yield value


def drawn_as_markdown(app: AppTest) -> list[str]:
    """Return every text of the page in which the hostile name would be more than text."""
    found, unseen = [], [app._tree]
    while unseen:
        node = unseen.pop()
        unseen.extend(getattr(node, "children", {}).values())
        proto = getattr(node, "proto", None)
        if proto is not None and getattr(node, "type", "") not in PLAIN:
            found += [text for text in texts(proto) if DRAWN.search(text)]
    return found


def checked(app: AppTest) -> AppTest:
    assert not app.exception
    assert drawn_as_markdown(app) == []
    return app


def test_the_check_sees_what_is_drawn():
    assert all(DRAWN.search(part) for part in HOSTILE.split(" "))


@pytest.mark.parametrize("page", ["library", "explore", "compare", "matrix", "search"])
def test_no_page_draws_a_name_as_markdown(hostile, page):
    app = checked(open_page(f"pages/{page}.py"))
    for group in app.get("button_group"):
        if group.key and group.key.startswith(("explore_view", "compare_view", "matrix_mode")):
            for option in group.options:
                by_key(app.get("button_group"), group.key).set_value(option).run()
                checked(app)


def test_no_dialog_and_no_job_draws_a_name_as_markdown(hostile):
    other = experiments.fresh()
    experiments.save(hostile.store.home, replace(other, name=HOSTILE, rows=hostile.experiment.rows))

    def fail(**_: object) -> None:
        raise PromptreelError(f"{HOSTILE} can't be read; look at it.")

    app = open_page("pages/library.py")
    job = cache.jobs().submit(HOSTILE, ("hostile", "job"), fail)
    assert wait_for(lambda: not job.live)
    checked(app.run())
    assert any("can't be read" in error.value for error in app.sidebar.error)
    for key in ("delete_embedding", "delete_video"):
        checked(press(open_page("pages/library.py"), key))


@pytest.mark.parametrize("ending", [".mp4", ".json"])
def test_no_toast_draws_a_name_as_markdown(hostile, monkeypatch, ending):
    done = Uploaded("0" * 64, HOSTILE + ending, 1)
    monkeypatch.setattr(add_videos, "upload", lambda **_: [done])
    app = checked(open_page("pages/library.py"))
    assert [toast.value for toast in app.toast]
