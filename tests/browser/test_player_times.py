"""What the reader says is what a browser's player shows: times, colours, size and orientation of frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from lib.core.sampling import Sampling
from lib.media.frames import Frame, FrameReader, probe
from tests.helpers.player import seek_each, serving_files
from tests.helpers.videos import make_video, palette, quadrants, set_edit_list

pytestmark = pytest.mark.browser

CLOCK = 2e-6
"""Seconds: the player counts microseconds."""
COLOUR = 10
"""Of 255: the player scales and converts with rounding of its own."""
N = 24
BF: dict[str, Any] = {"b_frames": 2, "options": {"sc_threshold": "0"}}
VARIABLE = [Fraction(ms, 1000) for ms in (0, 100, 120, 150, 500, 1000, 1040, 1500, 2250, 2300)]

FILES: dict[str, dict[str, Any]] = {
    "constant.mp4": {},
    "ntsc.mp4": {"rate": Fraction(30000, 1001)},
    "b-frames.mp4": BF,
    "b-frames without edit list.mp4": {**BF, "container_options": {"use_editlist": "0"}},
    "late.mp4": {"start": 0.5},
    "late b-frames.mp4": {"start": 0.5, **BF},
    "late behind sound.mp4": {"start": 0.5, "audio": "aac"},
    "sound later.mp4": {"audio": "aac", "audio_start": 0.4},
    "negative start.mp4": {"start": -0.25, "gop": 24, **BF},
    "fragments.mp4": {**BF, "container_options": {"movflags": "frag_keyframe+empty_moov"}},
    "variable.mp4": {"times": VARIABLE, **BF},
    "constant.mov": {},
    "vp9.webm": {"codec": "libvpx-vp9"},
    "late.webm": {"codec": "libvpx-vp9", "start": 0.52},
    "variable.webm": {"codec": "libvpx-vp9", "times": VARIABLE},
    "sound.webm": {"codec": "libvpx-vp9", "audio": "libopus"},
    "av1.webm": {"codec": "libsvtav1"},
    "av1.mp4": {"codec": "libsvtav1"},
    "b-frames.mkv": BF,
    "late.mkv": {"start": 0.52},
    "negative start.mkv": {"start": -0.25},
}
EDITED = {
    "edit cut.mp4": ({}, [(0.5, 6144)]),
    "edit cut within a group.mp4": (BF, [(0.75, 3328)]),
    "edit in two parts.mp4": ({}, [(0.25, 6144), (0.25, 0)]),
    "edit delay.mp4": ({}, [(0.25, -1), (1, 0)]),
    "edit delay with sound.mp4": ({"audio": "aac"}, [(0.25, -1), (1, 0)]),
}
PICTURES: dict[str, dict[str, Any]] = {
    "full range bt709.mp4": {"full_range": True, "matrix": "bt709"},
    "bt709.mp4": {"matrix": "bt709"},
    "bt601.mp4": {"matrix": "bt601"},
    "untagged small.mp4": {"tag_colours": False},
    "untagged large.mp4": {"tag_colours": False, "size": (96, 720), "matrix": "bt709"},
    "rotated 90.mp4": {"rotation": 90},
    "rotated 180.mp4": {"rotation": 180},
    "rotated 270.mov": {"rotation": 270},
    "wide pixels.mp4": {"sar": Fraction(4, 3)},
    "narrow pixels.mp4": {"sar": Fraction(3, 4)},
    "wide pixels rotated.mp4": {"sar": Fraction(4, 3), "rotation": 90},
    "odd.webm": {"size": (63, 47), "codec": "libvpx-vp9"},
}

Compare = Callable[[Path], None]


@pytest.fixture
def compare(new_page: Callable[..., Page], tmp_path: Path) -> Iterator[Compare]:
    """A function that asserts that reader and player agree on each frame of a file in ``tmp_path``."""
    with serving_files(tmp_path) as address:
        page = new_page()
        page.goto(address)

        def assert_same(path: Path) -> None:
            with FrameReader(path, Sampling.every(1)) as reader:
                frames = list(reader)
            assert len(frames) >= 6
            ends = [frame.time_s for frame in frames[1:]] + [reader.end_s]
            order = list(reversed(range(len(frames))))  # backwards, so that each seek shows another frame
            between = [(frames[i].time_s + ends[i]) / 2 for i in order]
            shown = seek_each(page, f"{address}/{path.name}", between)
            found, asked = [], 0
            for i, at, seen in zip(order, between, shown["frames"], strict=True):
                if at >= shown["duration"]:
                    continue  # some headers make the player end before its last frame
                asked += 1
                near = min(frames, key=lambda frame: abs(frame.time_s - seen["time"]))
                assert seen["time"] == pytest.approx(near.time_s, abs=CLOCK)
                assert np.abs(np.array(seen["spots"]) - spots(near)).max() <= COLOUR
                found.append(near.index == i)
            assert asked >= len(frames) - 1
            assert sum(found) >= 0.85 * asked  # now and then a seek of the player's ends a frame off
            info = probe(path)
            assert (shown["width"], shown["height"]) == (info.width, info.height)

        yield assert_same


def spots(frame: Frame) -> np.ndarray:
    height, width = frame.image.shape[:2]
    places = ((0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75))
    return np.array([frame.image[int(y * height), int(x * width)].astype(int) for x, y in places])


@pytest.mark.parametrize("name", FILES)
def test_times_are_those_of_the_player(name: str, compare: Compare, tmp_path: Path) -> None:
    options = FILES[name]
    n = len(options["times"]) if "times" in options else N
    compare(make_video(tmp_path / name.replace(" ", "-"), colours=palette(n), **options))


@pytest.mark.parametrize("name", EDITED)
def test_times_behind_an_edit_list_are_those_of_the_player(name: str, compare: Compare, tmp_path: Path) -> None:
    options, edits = EDITED[name]
    path = make_video(tmp_path / name.replace(" ", "-"), colours=palette(N), **options)
    compare(set_edit_list(path, edits))


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_are_those_of_the_player(name: str, compare: Compare, tmp_path: Path) -> None:
    options = {"size": (64, 48), **PICTURES[name]}
    picture = quadrants(options["size"])
    images = [picture if i % 2 else picture[::-1] for i in range(8)]
    compare(make_video(tmp_path / name.replace(" ", "-"), images=images, **options))
