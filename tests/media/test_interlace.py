"""Interlaced frames become pictures of their first field; progressive ones aren't touched."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.filter import Graph

from lib.media.interlace import deinterlaced
from lib.media.picture import FrameConverter
from lib.media.playable_copy import make_playable_copy
from tests.helpers.frames import read_frames
from tests.helpers.videos import make_video

_WIDTH, _HEIGHT, _BAR, _STEP = 160, 64, 16, 24
_N_FRAMES = 4


def _bar_at(frame: int, field: int) -> int:
    """Return the left side of the bar, which moves in each field."""
    return 8 + _STEP * frame + _BAR * field


def _interlaced(path: Path, first: str, pixel_format: str = "yuv420p") -> Path:
    """Write a moving bar whose ``first`` field (``top`` or ``bottom``) comes first."""
    graph = Graph()
    source = graph.add_buffer(width=_WIDTH, height=_HEIGHT, format=pixel_format, time_base=Fraction(1, 25))
    graph.link_nodes(source, graph.add("setfield", "tff" if first == "top" else "bff"), graph.add("buffersink"))
    graph.configure()
    options = {"flags": "+ilme+ildct", "crf": "4", "bf": "0"}
    with av.open(str(path), "w") as output:
        stream: Any = output.add_stream("libx264", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = _WIDTH, _HEIGHT, pixel_format
        for number in range(_N_FRAMES):
            image = np.zeros((_HEIGHT, _WIDTH, 3), np.uint8)
            for row in range(2):
                left = _bar_at(number, row if first == "top" else 1 - row)
                image[row::2, left : left + _BAR] = 255
            frame = av.VideoFrame.from_ndarray(image, "rgb24").reformat(format=pixel_format)
            frame.pts, frame.time_base = number, Fraction(1, 25)
            graph.push(frame)
            output.mux(stream.encode(graph.vpull()))
        output.mux(stream.encode())
    return path


def _assert_first_field_only(image: np.ndarray[Any, np.dtype[np.uint8]], number: int) -> None:
    left = _bar_at(number, 0)
    rows = image[4:-4, :, 1].astype(int)
    assert rows[:, left + 4 : left + _BAR - 4].min() > 200
    assert rows[:, left + _BAR + 4 : left + 2 * _BAR - 4].max() < 55


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p10le"])
@pytest.mark.parametrize("first", ["top", "bottom"])
def test_interlaced_frames_show_their_first_field(first: str, pixel_format: str, tmp_path: Path) -> None:
    frames, _ = read_frames(_interlaced(tmp_path / "a.mp4", first, pixel_format))
    assert len(frames) == _N_FRAMES
    for number, frame in enumerate(frames):
        _assert_first_field_only(frame.image, number)


def test_playable_copies_are_deinterlaced_at_the_same_times(tmp_path: Path) -> None:
    source = _interlaced(tmp_path / "a.mkv", "top")
    make_playable_copy(source, tmp_path / "b.mp4")
    original, copied = (read_frames(path)[0] for path in (source, tmp_path / "b.mp4"))
    assert [frame.time_s for frame in copied] == [frame.time_s for frame in original]
    for number, frame in enumerate(copied):
        _assert_first_field_only(frame.image, number)


def test_progressive_frames_are_not_touched(tmp_path: Path) -> None:
    with av.open(str(make_video(tmp_path / "a.mp4"))) as container:
        frame = next(container.decode(video=0))
        assert deinterlaced(frame) is frame


def test_interlaced_frames_keep_range_and_place_of_lines(tmp_path: Path) -> None:
    with av.open(str(_interlaced(tmp_path / "a.mp4", "bottom"))) as container:
        frame = next(container.decode(video=0))
        result = deinterlaced(frame)
        assert (result.color_range, result.colorspace) == (frame.color_range, frame.colorspace)
        stored, shown = (f.to_ndarray()[:_HEIGHT] for f in (frame, result))
        assert np.array_equal(stored[1::2], shown[1::2])
        assert FrameConverter(None).rgb(frame).shape == (_HEIGHT, _WIDTH, 3)
