"""Picture examples on the Explore page, without a browser."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from lib.services.experiments import PromptRow
from lib.services.picture_examples import add, picture_file
from tests.helpers.fake_server import FakeServer
from tests.helpers.pages import Bench, by_key, lay_out, open_page, passed, press, saved, with_rows, words

pytestmark = pytest.mark.usefixtures("framed")


@pytest.fixture
def bench(home: Path, server: FakeServer) -> Bench:
    return lay_out(home, server.url, rows=(PromptRow(label="wall", texts=("green",)), PromptRow(label="sky")))


def test_the_frame_at_the_player_becomes_an_example_and_is_taken_back(bench: Bench) -> None:
    app = press(press(open_page(), "picture_frame"), "picture_add")
    (sha256,) = saved(bench).rows[0].pictures

    assert picture_file(bench.store, sha256).is_file()
    assert passed(app, "unknown")[0]["unknown"] == {"wall": "Looks like 1 picture, too."}
    assert saved(bench).rows[1].pictures == ()
    press(app, "undo")
    assert saved(bench).rows[0].pictures == ()
    press(app, "redo")
    press(app, "picture_remove.0")
    assert saved(bench).rows[0].pictures == ()


def test_another_label_can_have_it_and_a_choice_can_be_cancelled(bench: Bench) -> None:
    app = open_page()
    by_key(app.selectbox, "picture_label").set_value("sky").run()
    press(press(app, "picture_frame"), "picture_cancel")
    assert not [button for button in app.button if button.key == "picture_add"]

    press(press(app, "picture_frame"), "picture_add")
    assert [len(row.pictures) for row in saved(bench).rows] == [0, 1]


def test_a_missing_picture_is_named_and_counts_when_it_is_there(bench: Bench) -> None:
    file = io.BytesIO()
    Image.new("RGB", (64, 48), (255, 0, 0)).save(file, "JPEG")
    sha256 = add(bench.store, file.getvalue(), "red.jpg")
    kept = picture_file(bench.store, sha256).read_bytes()
    picture_file(bench.store, sha256).unlink()
    with_rows(bench, replace(bench.experiment.rows[0], pictures=(sha256,)))

    app = open_page()
    assert f"The picture {sha256[:12]}… is not on this machine" in words(app)
    picture_file(bench.store, sha256).write_bytes(kept)
    app.run()
    assert "not on this machine" not in words(app)
    assert not app.exception
