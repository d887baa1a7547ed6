"""Versions as files: what comes with them, and what is not believed."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from lib.core.errors import InputError
from lib.core.labelled_intervals import TrueSegment
from lib.services import experiments, picture_examples, version_files, versions
from lib.services.experiments import Experiment, PromptRow
from lib.services.ground_truth import change_truth, video_truth
from lib.services.version_files import export, import_file
from lib.services.versions import Version
from lib.store.store import Store
from lib.store.videos import Video
from tests.helpers.videos import BLUE, RED, make_video, scenes

TRUTH = (TrueSegment("wall", 0.0, 1.0),)
MINE = Experiment("abc123", rows=(PromptRow(label="wall"),), title="Mine")


@pytest.fixture
def here(tmp_path: Path) -> Store:
    return Store(tmp_path / "here")


@pytest.fixture
def there(tmp_path: Path) -> Store:
    return Store(tmp_path / "there")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("film") / "walls.mp4", colours=scenes((RED, 10), (BLUE, 10)))


def jpeg(grey: int = 90) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (32, 32), (grey, grey, grey)).save(file, "JPEG")
    return file.getvalue()


def kept(store: Store, experiment: Experiment = MINE, **known: Any) -> Version:
    version = versions.keep(store, experiment, "saved", name="first", **known)
    assert version is not None
    return version


def test_a_version_travels_with_its_pictures_and_its_truth_and_is_not_doubled(
    here: Store, there: Store, film: Path
) -> None:
    sha256 = picture_examples.add(here, jpeg(), "a.jpg")
    video = here.add_file(film)
    mine = replace(MINE, video=video.sha256, rows=(PromptRow(label="wall", pictures=(sha256,), enabled=False),))
    version = kept(here, mine, truth=TRUTH)
    text = export(here, version.id).text.encode()

    without = import_file(there, text, "v.json")
    assert (without.new, without.video) == (True, None)
    (problem,) = without.problems
    assert problem.startswith(f"The video “{video.name}” (")
    assert f"SHA-256 {video.sha256[:12]}…) is not on this machine" in problem

    arrived = there.add_file(film)
    again = import_file(there, text, "v.json")
    assert (again.new, again.problems) == (False, ())
    assert again.version == version
    assert len(versions.listed(there.home).versions) == 1
    assert picture_examples.picture_file(there, sha256).read_bytes() == jpeg()
    assert video_truth(there, arrived).segments == TRUTH
    assert experiments.load(there.home, "abc123") == mine == again.experiment
    assert export(there, version.id).text.encode() == text


def test_another_truth_of_the_video_stays_and_is_said(here: Store, there: Store, film: Path) -> None:
    video: Video = here.add_file(film)
    version = kept(here, replace(MINE, video=video.sha256), truth=TRUTH)
    there.add_file(film)
    other = (TrueSegment("wall", 0.0, 0.5),)
    change_truth(there, video, lambda _: other)

    done = import_file(there, export(here, version.id).text.encode(), "v.json")
    assert "ground truth" in done.problems[0]
    assert video_truth(there, video).segments == other


def test_truth_that_is_stored_meanwhile_is_not_overwritten(
    here: Store, there: Store, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = kept(here, replace(MINE, video=here.add_file(film).sha256), truth=TRUTH)
    other = (TrueSegment("wall", 0.0, 0.5),)

    def late(store: Store, video: Video, change: Any) -> Any:
        change_truth(store, video, lambda _: other)  # as another process does
        return change_truth(store, video, change)

    monkeypatch.setattr(version_files, "change_truth", late)
    video = there.add_file(film)
    done = import_file(there, export(here, version.id).text.encode(), "v.json")
    assert video_truth(there, video).segments == other
    assert "ground truth" in done.problems[0]


def test_an_experiment_that_is_there_is_not_overwritten(here: Store, there: Store) -> None:
    text = export(here, kept(here).id).text.encode()
    mine = replace(MINE, rows=(PromptRow(label="edited since"),))
    experiments.save(there.home, mine)
    assert import_file(there, text, "v.json").experiment == mine

    experiments.save(there.home, replace(mine, side="b"))
    made = import_file(there, text, "v.json").experiment
    assert made.id != MINE.id
    assert made.rows == MINE.rows
    experiments.path_of(there.home, MINE.id).write_text("broken")
    assert import_file(there, text, "v.json").experiment == made
    assert experiments.path_of(there.home, MINE.id).read_text() == "broken"


def test_a_file_that_was_changed_is_another_version(here: Store, there: Store) -> None:
    version = kept(here)
    file = json.loads(export(here, version.id).text)
    file["version"]["note"] = "edited by hand"
    done = import_file(there, json.dumps(file).encode(), "v.json")
    assert done.version.id != version.id
    assert done.version.note == "edited by hand"
    assert "changed after its export" in done.problems[0]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"kind": "promptreel version", "format": 1}',
        b'{"kind": "promptreel version", "format": 2, "version": {}, "pictures": {}}',
        b'{"kind": "promptreel version", "format": 1, "version": {"id": "x"}, "pictures": []}',
        b'{"kind": "promptreel version", "format": 1, "version": [], "pictures": {}}',
        b'{"kind": "promptreel version", "format": 1, "version": {"id": "x", "created_at": NaN}}',
        b'{"kind": "promptreel version", "format": 1, "version": {"id": "x", "created_at": 1e999}}',
        b'{"kind": "promptreel version", "format": 1, "version": {"id": "x", "created_at": ' + b"9" * 5000 + b"}}",
    ],
)
def test_what_is_no_version_is_one_sentence_and_leaves_nothing(there: Store, content: bytes) -> None:
    with pytest.raises(InputError, match=r"v\.json is no version") as caught:
        import_file(there, content, "v.json")
    assert "\n" not in str(caught.value)
    assert not there.paths.versions.exists()
    assert not there.paths.experiments.exists()


def test_pictures_are_believed_by_their_hash_and_within_a_bound(
    here: Store, there: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, second = (picture_examples.add(here, jpeg(grey), "a.jpg") for grey in (90, 120))
    no_picture = b"<svg/>"
    evil = hashlib.sha256(no_picture).hexdigest()
    rows = (PromptRow(label="wall", pictures=(good, second, evil)), PromptRow(label="x", pictures=("../../secret",)))
    version = kept(here, replace(MINE, rows=rows))
    (here.home / "secret.jpg").write_bytes(b"secret")

    monkeypatch.setattr(version_files, "MAX_PICTURE_BYTES", len(jpeg()) + 10)
    exported = export(here, version.id)
    file = json.loads(exported.text)
    assert list(file["pictures"]) == [good]
    assert exported.left_out == 2

    file["pictures"] = {
        good: base64.b64encode(jpeg(120)).decode(),
        evil: base64.b64encode(no_picture).decode(),
        second: "no Base64",
        "../../evil": base64.b64encode(no_picture).decode(),
    }
    done = import_file(there, json.dumps(file).encode(), "v.json")
    assert done.problems == (
        "3 picture examples are neither in the file nor on this machine, so the prompts go without; add them again.",
    )
    assert not there.paths.pictures.exists()


def test_a_version_that_is_gone_is_said(here: Store) -> None:
    with pytest.raises(InputError, match="no version"):
        export(here, "0" * 16)
