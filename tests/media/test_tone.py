"""HDR and wide gamut: the values are what Chromium 156 draws of such files on an SDR screen."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from lib.media.picture import FrameConverter
from tests.helpers.frames import read_frames
from tests.helpers.videos import Colour, make_video

_PQ, _HLG = 16, 18
_GREY_TOLERANCE, _COLOUR_TOLERANCE = 4, 9

_GREYS = {
    _PQ: [0, 1, 6, 18, 34, 54, 80, 112, 153, 200, 229, 250, 255, 255, 255, 255],
    _HLG: [0, 3, 16, 31, 46, 61, 76, 91, 106, 126, 148, 177, 206, 224, 240, 254],
}
_COLOURS: dict[tuple[int, int], list[tuple[Colour, Colour]]] = {
    (9, _PQ): [
        ((148, 0, 0), (235, 0, 0)),
        ((0, 148, 0), (0, 201, 0)),
        ((0, 0, 148), (0, 0, 194)),
        ((148, 76, 64), (229, 0, 8)),
        ((128, 115, 102), (149, 100, 74)),
    ],
    (9, _HLG): [((148, 0, 0), (133, 0, 0)), ((148, 76, 64), (132, 46, 44)), ((128, 115, 102), (103, 86, 76))],
    (9, 14): [((148, 0, 0), (185, 0, 0)), ((148, 76, 64), (175, 62, 60)), ((128, 115, 102), (135, 112, 99))],
    (12, 1): [((148, 0, 0), (162, 0, 0)), ((148, 76, 64), (157, 72, 60)), ((128, 115, 102), (130, 113, 100))],
}


def _video(path: Path, colours: list[Colour], tags: tuple[int, int], *, full_range: bool = True) -> Path:
    matrix = "bt2020" if tags[0] == 9 else "bt709"
    return make_video(
        path, colours=colours, matrix=matrix, full_range=full_range, pixel_format="yuv420p10le", colour_tags=tags
    )


@pytest.mark.parametrize("full_range", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize("transfer", [_PQ, _HLG], ids=["pq", "hlg"])
def test_hdr_greys_are_those_of_a_browser(transfer: int, full_range: bool, tmp_path: Path) -> None:
    path = _video(tmp_path / "a.mp4", [(17 * i,) * 3 for i in range(16)], (9, transfer), full_range=full_range)
    shown = [frame.image[20, 20].astype(int) for frame in read_frames(path)[0]]
    expected = np.repeat(np.array(_GREYS[transfer])[:, None], 3, 1)
    assert np.abs(np.array(shown) - expected).max() <= _GREY_TOLERANCE


@pytest.mark.parametrize("tags", _COLOURS, ids=["pq", "hlg", "bt2020", "p3"])
def test_wide_colours_are_those_of_a_browser(tags: tuple[int, int], tmp_path: Path) -> None:
    stored, expected = zip(*_COLOURS[tags], strict=True)
    path = _video(tmp_path / "a.mp4", list(stored), tags)
    shown = [frame.image[20, 20].astype(int) for frame in read_frames(path)[0]]
    assert np.abs(np.array(shown) - np.array(expected)).max() <= _COLOUR_TOLERANCE


def test_playable_copies_of_hdr_have_the_same_colours(tmp_path: Path) -> None:
    path = _video(tmp_path / "a.mp4", [(148, 76, 64)], (9, _PQ))
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        converter = FrameConverter(None)
        copied = converter.yuv420(frame).to_ndarray(format="rgb24")
        assert np.abs(copied[20, 20].astype(int) - converter.rgb(frame)[20, 20]).max() <= _GREY_TOLERANCE
