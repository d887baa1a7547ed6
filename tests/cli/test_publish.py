"""The commands ``publish`` and ``pull``, through a shared folder; ``tests/remote`` tests object storage."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from lib.store.store import Store
from tests.helpers.fixtures import Run
from tests.helpers.storing import key_of, put, unit_rows
from tests.helpers.videos import make_video, palette


@pytest.fixture
def store(home: Path, tmp_path: Path, rng: np.random.Generator) -> Store:
    """A library of two videos: one embedded twice, one not to its end."""
    store = Store(home)
    for name, kinds in (("first.mp4", {"stride-10": True, "stride-20": True}), ("second.mp4", {"stride-10": False})):
        video = store.add_file(make_video(tmp_path / name, colours=palette(6 + len(name))))
        for sampling, finish in kinds.items():
            put(store, key_of(video, sampling_key=sampling), unit_rows(rng, 5), finish=finish)
    return store


@pytest.fixture
def address(tmp_path: Path) -> str:
    (tmp_path / "shared").mkdir()
    return f"file://{tmp_path}/shared"


def test_what_is_complete_is_published_once_and_pulled(
    run: Run, store: Store, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("pull", "--remote", address)[2] == [f"Nothing is published in {address}."]
    status, out, _ = run("publish", "--all", "--remote", address, "--json")
    assert (status, [(one["sampling"], one["new"]) for one in json.loads(out)]) == (
        0,
        [("stride-10", True), ("stride-20", True)],
    )
    monkeypatch.setenv("PROMPTREEL_REMOTE", address)
    assert "before" in run("publish", "first.mp4", "--videos")[1]

    monkeypatch.setenv("PROMPTREEL_HOME", str(tmp_path / "other"))
    status, out, _ = run("pull")
    assert (status, out.count("first.mp4"), out.count(" no\n")) == (0, 2, 2)
    status, out, _ = run("pull", "first*", "--videos", "--json")
    assert (status, [one["new"] for one in json.loads(out)]) == (0, [True, True])
    other = Store(tmp_path / "other")
    assert [video.owned for video in other.videos()] == [True]
    assert {info.key for info in other.embeddings()} == {info.key for info in store.embeddings() if info.complete}
    assert run("pull", "--all")[1].count("before") == 2


def test_one_that_is_damaged_costs_one_line(run: Run, store: Store, address: str, tmp_path: Path) -> None:
    run("publish", "--all", "--remote", address)
    (document, _) = sorted((tmp_path / "shared" / "done").iterdir())
    document.write_text("{")
    status, out, err = run("pull", "--all", "--remote", address)
    assert status == 1
    assert out.count("first.mp4") == 1
    assert len(err) == 1
    assert document.stem[:8] in err[0]


def test_one_whose_samples_are_gone_costs_one_line_and_the_exit_status(
    run: Run, store: Store, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("publish", "--all", "--remote", address)
    shutil.rmtree(min((tmp_path / "shared" / "lance").iterdir()))
    monkeypatch.setenv("PROMPTREEL_HOME", str(tmp_path / "other"))
    status, out, err = run("pull", "--all", "--remote", address)
    assert (status, out.count("first.mp4")) == (1, 1)
    assert "damaged or gone" in err[-1]
    assert len(Store(tmp_path / "other").embeddings()) == 1


def test_what_is_begun_in_the_library_is_not_listed_as_there(
    run: Run, store: Store, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    run("publish", "--all", "--remote", address)
    other = Store(tmp_path / "other")
    put(other, key_of(other.add_file(tmp_path / "first.mp4")), unit_rows(rng, 2), finish=False)
    monkeypatch.setenv("PROMPTREEL_HOME", str(tmp_path / "other"))
    assert run("pull", "--remote", address)[1].count(" no\n") == 2


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("publish", "--all"), 2, "PROMPTREEL_REMOTE"),
        (("publish", "--remote", "file:///tmp"), 2, "--all"),
        (("publish", "second.mp4", "--remote", "{}"), 1, "No embedding of these is complete"),
        (("publish", "first.mp4", "--engine", "clip", "--remote", "{}"), 1, "--engine"),
        (("pull", "third", "--remote", "{}"), 1, "called third"),
        (("pull", "--remote", "s3://key:secret@bucket/x"), 1, "Keys don't belong"),
    ],
    ids=str,
)
def test_what_is_refused(
    run: Run, store: Store, address: str, arguments: tuple[str, ...], status: int, words: str
) -> None:
    found, out, err = run(*(argument.format(address) for argument in arguments))
    assert (found, out) == (status, "")
    assert words in err[-1]
    assert "secret" not in err[-1]
