"""A few samples of a long video, without decoding all of it: the same samples."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any
from unittest.mock import patch

import av
import numpy as np
import pytest

from lib.core.sampling import Sampling
from lib.media import sparse_reading
from lib.media.frames import Frame, FrameReader
from tests.helpers.videos import make_video, palette

OPEN_GOP = {"x264-params": "open-gop=1:scenecut=0:bframes=3:keyint=12:min-keyint=12"}
OPEN_HEVC = {"x265-params": "log-level=none:pools=none:frame-threads=1:open-gop=1:keyint=12:min-keyint=12:bframes=3"}
VARIABLE = [Fraction(i * i, 500) + Fraction(i, 30) for i in range(150)]
FILES: dict[str, dict[str, Any]] = {
    "b.mp4": {"b_frames": 3},
    "b.mkv": {"b_frames": 3},
    "b.mov": {"b_frames": 2, "start": 0.5},
    "open.mp4": {"b_frames": 3, "options": OPEN_GOP},
    "open.mkv": {"b_frames": 3, "options": OPEN_GOP},
    "hevc.mp4": {"codec": "libx265", "options": OPEN_HEVC},
    "vp9.webm": {"codec": "libvpx-vp9"},
    "av1.mp4": {"codec": "libsvtav1"},
    "variable.mp4": {"times": VARIABLE, "b_frames": 2},
    "variable.mkv": {"times": VARIABLE},
    "sound.mp4": {"audio": "aac", "b_frames": 2},
}
SAMPLINGS = [Sampling.every(31), Sampling.every(74), Sampling.per_second("0.9"), Sampling.per_second("0.3")]


@pytest.fixture(autouse=True)
def _short_ones_too() -> Iterator[None]:
    with patch.object(sparse_reading, "LEAST_PACKETS", 2):
        yield


def _read(path: Path, sampling: Sampling, **options: Any) -> tuple[list[Frame], FrameReader]:
    with FrameReader(path, sampling, **options) as reader:
        return list(reader), reader


def _read_all(path: Path, sampling: Sampling) -> tuple[list[Frame], FrameReader]:
    with patch.object(sparse_reading, "plan", return_value=None):
        return _read(path, sampling)


def _assert_same(frames: list[Frame], others: list[Frame]) -> None:
    assert [(frame.index, frame.time_s) for frame in frames] == [(frame.index, frame.time_s) for frame in others]
    for frame, other in zip(frames, others, strict=True):
        np.testing.assert_array_equal(frame.image, other.image)


@pytest.mark.parametrize("name", FILES)
def test_the_samples_are_those_of_decoding_everything(name: str, tmp_path: Path) -> None:
    path = make_video(tmp_path / name, colours=palette(150), gop=12, **FILES[name])
    sparse = 0
    for sampling in SAMPLINGS:
        whole, all_of_it = _read_all(path, sampling)
        with patch.object(sparse_reading, "decode", wraps=sparse_reading.decode) as decode:
            frames, reader = _read(path, sampling)
        sparse += decode.call_count
        _assert_same(frames, whole)
        for field in ("start_s", "end_s", "frames_decoded", "gaps", "damage"):
            assert getattr(reader, field) == getattr(all_of_it, field), field
        for number, last in enumerate(whole, start=1):
            _assert_same(_read(path, sampling, resume_after=(last.index, last.time_s))[0], whole[number:])
    assert sparse


@pytest.mark.parametrize("name", ["b.mp4", "open.mkv", "hevc.mp4", "vp9.webm"])
def test_only_what_samples_need_is_decoded(name: str, tmp_path: Path) -> None:
    path = make_video(tmp_path / name, colours=palette(150), gop=12, **FILES[name])
    with (
        patch("lib.media.frames.Decoder", side_effect=AssertionError("decodes everything")),
        FrameReader(path, Sampling.every(74)) as reader,
    ):
        assert [frame.index for frame in reader] == [0, 74, 148]


def test_what_comes_out_otherwise_is_decoded_whole(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", colours=palette(150), gop=12, size=(128, 96))
    data = bytearray(path.read_bytes())
    whole, _ = _read_all(path, Sampling.every(37))
    with av.open(str(path)) as container:
        packets = [(p.pos, p.size) for p in container.demux(video=0) if p.pos is not None]
    position, size = packets[74]
    data[position : position + size] = b"\xff" * size
    path.write_bytes(data)
    expected, all_of_it = _read_all(path, Sampling.every(37))
    frames, reader = _read(path, Sampling.every(37))
    assert len(expected) < len(whole)
    _assert_same(frames, expected)
    assert reader.gaps == all_of_it.gaps
    assert str(reader.damage) == str(all_of_it.damage)
