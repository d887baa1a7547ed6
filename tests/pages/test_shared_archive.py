"""The shared archive on the pages: listed in the Library, pulled when it is opened, its videos played from there."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from lib.remote import pulling, videos
from lib.remote.publishing import publish
from lib.remote.records import Published, find, video_path
from lib.remote.storage import Remote
from lib.services import experiments
from lib.store.store import Store
from lib.store.videos import Video
from lib.ui.library import shared
from lib.ui.session import cache
from tests.helpers.pages import Bench, open_page, passed, press, words
from tests.helpers.storing import key_of, put, unit_rows
from tests.helpers.videos import make_video, palette

pytestmark = pytest.mark.usefixtures("framed")


@pytest.fixture
def published(bench: Bench, tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> Video:
    """A video of somebody else's library, in a shared folder that the environment names."""
    (tmp_path / "shared").mkdir()
    remote = Remote(f"file://{tmp_path}/shared")
    theirs = Store(tmp_path / "theirs")
    video = theirs.add_file(make_video(tmp_path / "theirs.mp4", colours=palette(12)))
    put(theirs, key_of(video), unit_rows(rng, 5))
    publish(theirs, key_of(video), remote, with_video=True)
    monkeypatch.setenv("PROMPTREEL_REMOTE", remote.url)
    return video


def listed() -> AppTest:
    """Return the Library with the list read."""
    app = open_page("pages/library.py")
    assert all(job.wait(30) for job in cache.jobs().jobs())
    return app.run()


def test_the_library_lists_it_and_a_click_pulls_and_opens(
    published: Video, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = listed()
    assert not app.exception
    table = app.dataframe[-1]
    assert table.value["Video"].tolist() == ["theirs.mp4"]
    assert table.value["State"].tolist() == ["not in the library"]

    opened: list[Video] = []  # maybe in the run that the click begins
    monkeypatch.setattr(shared.work, "open_in_explore", lambda video, info: opened.append(video))
    app.session_state[table.key] = {"selection": {"rows": [], "columns": [], "cells": [(0, "Video")]}}
    app.run()
    assert all(job.wait(30) for job in cache.jobs().jobs())
    app.run()
    assert [video.sha256 for video in opened] == [published.sha256]
    assert app.dataframe[-1].value["State"].tolist() == ["in the library"]
    there = videos.noted(bench.store, published.sha256)
    assert there is not None
    assert (there.width, there.height, there.size_bytes) == (
        published.width,
        published.height,
        published.size_bytes,
    )


def test_a_list_that_cannot_be_read_is_one_sentence(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMPTREEL_REMOTE", "s3://key:secret@bucket")
    said = words(open_page("pages/library.py"))
    assert "Keys don't belong into an address" in said
    assert "secret" not in said
    monkeypatch.setenv("PROMPTREEL_REMOTE", "file:///not/there")
    assert "There is no folder /not/there" in words(listed())


@pytest.mark.parametrize("plays", [True, False])
def test_explore_plays_it_from_there_or_offers_its_file(published: Video, bench: Bench, plays: bool) -> None:
    remote = Remote(os.environ["PROMPTREEL_REMOTE"])
    (one,) = pulling.published(remote)
    assert isinstance(one, Published)
    pulled = pulling.pull(bench.store, replace(one, browser_playable=plays), remote).video
    experiments.save(bench.store.home, replace(bench.experiment, video=pulled.sha256))
    app = open_page()

    assert not app.exception
    players = [data for data in passed(app, "src") if data["src"]]
    if plays:
        assert [data["src"].startswith("/promptreel/remote/") for data in players] == [True]
        return
    assert players == []
    press(app, f"fetch_{pulled.sha256}")
    assert all(job.wait(30) for job in cache.jobs().jobs())
    assert bench.store.file_path(pulled.sha256).read_bytes() == published.path.read_bytes()
    assert bench.store.video(pulled.sha256).has_file


def test_rows_of_the_library_are_published(published: Video, bench: Bench) -> None:
    app = listed()
    table = app.dataframe[0]
    app.session_state[table.key] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    app.run()
    app.checkbox(key="publish_files").check()
    press(app, "publish_chosen")
    assert all(job.wait(30) for job in cache.jobs().jobs())
    app.run()

    (info,) = [info for info in bench.store.embeddings() if info.complete]
    remote = Remote(os.environ["PROMPTREEL_REMOTE"])
    assert find(remote, info.key.id) is not None
    assert remote.find(video_path(info.key.sha256)) is not None
    assert app.dataframe[-1].value["State"].tolist().count("in the library") == 1
