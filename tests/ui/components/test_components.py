"""What the components hand to Python, without a browser: their state is seeded as a browser would set it."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lib.ui.components.player import MarkedTruth, MovedTruth, PaintedTruth, read_truth

pytestmark = pytest.mark.usefixtures("components_scanned_once")


def _player_page() -> None:
    import streamlit as st

    from lib.ui.components.player import Seek, player

    asked = st.session_state.get("asked", ("/a", None, None))
    src, seek_id, time_s = asked
    seek = None if seek_id is None else Seek(seek_id, time_s)
    st.session_state["at"] = player(src, key="p", width=16, height=9, seek=seek)


class _Player:
    """A page with a player; ``ask`` runs it with what Python passes and what the browser reported."""

    def __init__(self) -> None:
        self.page = AppTest.from_function(_player_page)
        self.count = 0

    def ask(
        self,
        src: str | None = "/a",
        seek: tuple[int, float] | None = None,
        *,
        report: tuple[float, str, str | None] | None = None,
    ) -> tuple[float, str | None]:
        self.page.session_state["asked"] = (src, *(seek or (None, None)))
        if report:
            self.count += 1
            time_s, of, problem = report
            value = {"time_s": time_s, "src": of, "problem": problem, "n": self.count}
            self.page.session_state["p"] = {"report": value}
        self.page.run()
        assert not self.page.exception
        state = self.page.session_state["at"]
        return state.time_s, state.problem


def test_the_player_starts_at_the_beginning_and_rests_where_the_browser_says() -> None:
    player = _Player()
    assert player.ask() == (0.0, None)
    assert player.ask(report=(4.25, "/a", None)) == (4.25, None)
    assert player.ask() == (4.25, None)


def test_a_new_command_counts_until_the_next_report() -> None:
    player = _Player()
    player.ask(report=(4.25, "/a", None))
    assert player.ask(seek=(1, 7.0)) == (7.0, None)
    assert player.ask(seek=(1, 7.0), report=(2.0, "/a", None)) == (2.0, None)
    assert player.ask(seek=(2, 7.0)) == (7.0, None)
    assert player.ask(seek=(3, 9.0), report=(1.0, "/a", None)) == (9.0, None)


def test_another_video_starts_from_zero_and_reports_of_the_one_before_are_ignored() -> None:
    player = _Player()
    player.ask(seek=(1, 7.0), report=(3.0, "/a", "unsupported"))
    assert player.ask("/b", seek=(1, 7.0)) == (0.0, None)
    assert player.ask("/b", seek=(1, 7.0), report=(5.0, "/a", None)) == (0.0, None)
    assert player.ask("/b", seek=(2, 6.0)) == (6.0, None)


def test_a_command_given_while_a_copy_is_made_holds_when_it_is_there() -> None:
    player = _Player()
    assert player.ask(None) == (0.0, None)
    assert player.ask(None, seek=(1, 7.0)) == (7.0, None)
    assert player.ask("/copy", seek=(1, 7.0)) == (7.0, None)


def test_marks_and_the_chosen_label_come_with_the_report_of_this_video() -> None:
    player = _Player()
    player.ask()
    value = {"time_s": 2, "src": "/a", "problem": None, "mark": [2, 5.5], "label": "shipyard", "n": 1}
    player.page.session_state["p"] = {"report": value}
    player.ask()
    state = player.page.session_state["at"]
    assert (state.mark, state.label) == ((2.0, 5.5), "shipyard")
    player.ask("/b")
    state = player.page.session_state["at"]
    assert (state.mark, state.label) == (None, None)


def test_a_problem_is_reported_for_its_own_source_only() -> None:
    player = _Player()
    assert player.ask(report=(0.0, "/a", "unsupported")) == (0.0, "unsupported")
    assert player.ask() == (0.0, "unsupported")
    assert player.ask(None) == (0.0, None)
    assert player.ask("/b") == (0.0, None)


def _upload_page() -> None:
    import streamlit as st

    from lib.ui.components.upload import upload

    st.session_state["new"] = [(done.name, done.size_bytes, done.sha256) for done in upload(key="u")]


def test_each_finished_upload_is_returned_once_though_the_list_grows() -> None:
    page = AppTest.from_function(_upload_page).run()
    assert page.session_state["new"] == []
    one = {"id": "1", "sha256": "aa", "name": "a.mp4", "size": 10}
    same_content = {"id": "2", "sha256": "aa", "name": "b.mp4", "size": 10}
    third = {"id": "3", "sha256": "cc", "name": "c.mp4", "size": 30}
    seen: list[Any] = []
    for finished in ([one], [one], [one, same_content, third], [third]):
        page.session_state["u"] = {"finished": finished}
        seen.append(page.run().session_state["new"])
    assert not page.exception
    assert seen == [[("a.mp4", 10, "aa")], [], [("b.mp4", 10, "aa"), ("c.mp4", 30, "cc")], []]


def _gallery_page() -> None:
    import streamlit as st

    from lib.ui.components.gallery import GalleryItem, gallery

    items = [GalleryItem("7", "/t/7", "seven", time_s=7.12), GalleryItem("8", "/t/8", "eight")]
    st.session_state["picked"] = gallery(items, key="g", label="Frames")


def test_the_gallery_returns_the_item_that_was_clicked() -> None:
    page = AppTest.from_function(_gallery_page).run()
    assert page.session_state["picked"] is None
    page.session_state["g"] = {"picked": {"id": "7", "n": "1"}}
    picked = page.run().session_state["picked"]
    assert (picked.id, picked.time_s) == ("7", 7.12)
    page.session_state["g"] = {"picked": {"id": "no longer there", "n": "2"}}
    assert page.run().session_state["picked"] is None
    assert not page.exception


def test_times_and_alternatives_are_ready_for_the_browser() -> None:
    from lib.ui.components.gallery import GalleryItem, _to_json

    shown = _to_json(GalleryItem("7", "/t/7", "seven", time_s=67.12))
    assert (shown["time"], shown["alt"]) == ("1:07.1", "seven, 1:07.1")
    assert _to_json(GalleryItem("8", "/t/8", "eight", alt="a crane"))["alt"] == "a crane"


def test_edits_of_ground_truth_are_read_and_what_is_none_is_passed_over() -> None:
    assert read_truth({"kind": "mark", "label": "", "chosen": True, "mark": [1, 2], "time_s": 3}) == MarkedTruth(
        None, True, (1.0, 2.0), 3.0
    )
    assert read_truth({"kind": "paint", "label": "red", "span": [-0.5, 2]}) == PaintedTruth("red", (-0.5, 2.0))
    move = {"kind": "move", "label": "red", "before": [1, 2], "after": None}
    assert read_truth(move) == MovedTruth("red", (1.0, 2.0), None)
    assert read_truth(move | {"after": [1, 3]}) == MovedTruth("red", (1.0, 2.0), (1.0, 3.0))


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": "other"},
        {"label": None},
        {"label": ["red"]},
        {"label": ""},
        {"before": None},
        {"before": [1]},
        {"before": [1, "2"]},
        {"before": {"start": 1}},
        {"after": [float("nan"), 2]},
        {"after": [1, float("inf")]},
        {"after": [1, 1e300]},
        {"after": [True, 2]},
        {"after": [1, 2, 3]},
        {"after": False},
    ],
)
def test_no_edit_of_ground_truth(changed: dict[str, Any]) -> None:
    assert read_truth({"kind": "move", "label": "red", "before": [1, 2], "after": [1, 3]} | changed) is None
    assert read_truth([changed]) is None
