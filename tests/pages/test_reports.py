"""The buttons that make a report: each makes the one of what its page shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from lib.core.labelled_intervals import TrueSegment
from lib.services import experiments, ground_truth, versions
from lib.ui.panels import reports
from tests.helpers.pages import Bench, by_key, open_page
from tests.helpers.reports import Page, read

pytestmark = pytest.mark.usefixtures("framed")
Made = dict[str, tuple[str, Callable[[], bytes]]]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Made:
    """What each button drawn would make, by its key."""
    drawn: Made = {}
    monkeypatch.setattr(reports, "button", lambda make, stem, *, key: drawn.update({key: (stem, make)}))
    return drawn


def page_of(made: Made, key: str) -> tuple[str, Page]:
    stem, make = made[key]
    return stem, read(make())


def test_of_an_experiment_with_its_title_note_truth_and_version(bench: Bench, made: Made) -> None:
    experiment = replace(bench.experiment, title="Walls & more", note="Seen <twice>")
    experiments.save(bench.store.home, experiment)
    version = versions.keep(bench.store, experiment, "saved", name="As sent")
    assert version is not None
    video = bench.store.videos()[0]
    ground_truth.change_truth(bench.store, video, lambda _: (TrueSegment("red", 0, 1),))
    app = open_page()
    by_key(app.get("button_group"), "explore_view").set_value("Export").run()
    stem, page = page_of(made, "report")

    assert stem == "colours-Walls & more"
    assert "Walls & more · colours.mp4" in page.words
    assert "Seen <twice>" in page.words
    assert f"Saved version As sent ({version.id})" in page.words
    assert "Against the ground truth" in page.words
    assert [tag for tag, _ in page.tags if tag == "img"]


def test_of_both_sides_of_a_comparison(bench: Bench, made: Made) -> None:
    open_page("pages/compare.py")
    _, page = page_of(made, "compare_report")

    assert "Which is better A and B give the same label all the time." in page.words
    assert "Nothing differs." in page.words


def test_of_an_archive(bench: Bench, made: Made) -> None:
    open_page("pages/archive.py")
    stem, page = page_of(made, "archive_report")

    assert stem == "archive-colours"
    assert "Videos by category" in page.words
