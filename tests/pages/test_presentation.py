"""The presentation without a browser: what the address opens, what it says, and what is in the way of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from lib.services import experiments, versions
from lib.services.experiments import PromptRow
from tests.helpers.pages import Bench, open_page, passed, press, with_rows, words

pytestmark = pytest.mark.usefixtures("framed")


def presents(app: AppTest) -> bool:
    return any(data.get("presented") for data in passed(app, "presented"))


def opened(**parameters: str) -> AppTest:
    app = open_page()
    for name, value in parameters.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def test_the_address_opens_it_and_names_the_version_before(bench: Bench) -> None:
    kept = []
    for label in ("green", "blue"):
        one = versions.keep(bench.store, replace(bench.experiment, rows=(PromptRow(label=label),)), "import")
        assert one is not None
        kept.append(one)
    for version, label in zip(kept, ("green", "blue"), strict=True):
        app = opened(present=version.id)
        assert not app.sidebar.children
        (data,) = [data for data in passed(app, "presented") if data["presented"]]
        lines = data["presented"]["lines"]
        assert {name for name, (_, answer, _) in lines.items() if not answer.startswith("new")} == {label}


def test_a_run_that_was_on_its_way_does_not_take_the_press_back(bench: Bench) -> None:
    app = open_page()
    press(app, "present")
    assert presents(app)
    app.query_params.pop("present", None)
    assert presents(app.run())  # it brought the address of before
    app.query_params["present"] = "1"
    assert presents(app.run())
    app.query_params.pop("present")
    assert not presents(app.run())  # the browser's Back


def test_without_prompts_it_says_so_and_leaves(bench: Bench) -> None:
    with_rows(bench)
    app = opened(present="1")
    assert "There is nothing to present yet" in words(app)
    press(app, "leave_presentation")
    assert "nothing to present" not in words(app)


def test_without_a_video_it_says_so(bench: Bench) -> None:
    experiments.save(bench.store.home, replace(bench.experiment, video="0" * 64))
    assert "There is no video to present" in words(opened(present="1"))
