"""Parts of a video as files: exactly the frames that are shown in them, copied where that is exact."""

from __future__ import annotations

import threading
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from lib.core.errors import Cancelled, SettingsError, VideoUnreadableError
from lib.media.cutting import PacketSpan, PacketStamp, cut, packets_of
from lib.media.frames import Frame, probe
from tests.helpers.frames import assert_colours, read_frames
from tests.helpers.videos import NO_CUTS, make_video, palette, remuxed

COLOURS = palette(60)
TOLERANCE = 14
"""Of 255: coded twice, with loss."""
CODINGS: dict[str, dict[str, Any]] = {
    "ntsc film": {"rate": Fraction(24000, 1001)},
    "pal": {"rate": 25},
    "ntsc": {"rate": Fraction(30000, 1001)},
    "sixty": {"rate": 60},
    "variable": {"times": [Fraction(n * (n + 40), 900) for n in range(60)]},
    "late": {"rate": 25, "start": 0.4},
}


def video(tmp_path: Path, suffix: str = "mp4", **coding: Any) -> tuple[Path, list[Frame]]:
    """A video with a key frame every 12 frames, and B-frames."""
    path = make_video(
        tmp_path / f"a.{suffix}", colours=COLOURS, gop=12, options=NO_CUTS, **{"size": (64, 48), **coding}
    )
    return path, read_frames(path)[0]


def assert_is(path: Path, frames: list[Frame], first: int, stop: int) -> None:
    """Check that a file shows the frames ``[first, stop)``, the first one at 0, each as long as in the source."""
    shown, reader = read_frames(path)
    times = [frame.time_s - frames[first].time_s for frame in frames[first:stop]]
    assert [frame.time_s for frame in shown] == pytest.approx(times, abs=1e-4)
    assert_colours(shown, COLOURS[first:stop], tolerance=TOLERANCE)
    if stop < len(frames):
        assert reader.end_s == pytest.approx(frames[stop].time_s - frames[first].time_s, abs=1e-3)


@pytest.mark.parametrize("name", CODINGS)
@pytest.mark.parametrize(("first", "stop"), [(0, 60), (7, 31), (12, 33), (24, 36), (59, 60)])
def test_a_part_is_exactly_the_frames_that_are_shown_in_it(name: str, first: int, stop: int, tmp_path: Path) -> None:
    source, frames = video(tmp_path, **CODINGS[name])
    between = (frames[first].time_s, frames[stop].time_s if stop < 60 else frames[-1].time_s + 0.001)
    (part,) = cut(source, tmp_path / "cut.mp4", [between])
    assert_is(tmp_path / "cut.mp4", frames, first, stop)
    assert part.start_s == pytest.approx(frames[first].time_s, abs=1e-6)
    assert part.copied == ((first, stop) not in ((7, 31), (59, 60)))
    assert probe(tmp_path / "cut.mp4").browser_playable


def test_a_part_begins_with_the_frame_that_is_shown_then(tmp_path: Path) -> None:
    source, frames = video(tmp_path, rate=10)
    cut(source, tmp_path / "cut.mp4", [(0.79, 1.21)])
    assert_is(tmp_path / "cut.mp4", frames, 7, 13)


@pytest.mark.parametrize(("first", "stop", "became"), [(7, 31, (0, None)), (12, 36, (12, 36)), (30, 60, (24, 60))])
def test_a_part_may_be_made_longer_so_that_nothing_is_encoded(
    first: int, stop: int, became: tuple[int, int | None], tmp_path: Path
) -> None:
    source, frames = video(tmp_path, rate=10)
    (part,) = cut(source, tmp_path / "cut.mp4", [(first / 10, stop / 10)], widen=True)
    end = round(part.end_s * 10)
    assert part.copied
    assert round(part.start_s * 10) == became[0]
    assert end == became[1] or (became[1] is None and stop <= end <= stop + 3)
    assert_is(tmp_path / "cut.mp4", frames, became[0], end)


@pytest.mark.parametrize("suffix", ["mkv", "ts", "avi"])
def test_other_containers_are_cut_too(suffix: str, tmp_path: Path) -> None:
    source, frames = video(tmp_path, suffix, rate=10, **({"codec": "mpeg4"} if suffix == "avi" else {}))
    (part,) = cut(source, tmp_path / "cut.mp4", [(1.2, 2.4)])
    assert_is(tmp_path / "cut.mp4", frames, 12, 24)
    assert part.copied == (suffix == "mkv")


@pytest.mark.parametrize(("spans", "copied"), [([(12, 24), (36, 48), (0, 12)], True), ([(3, 8), (40, 45)], False)])
def test_parts_follow_each_other_in_a_reel(spans: list[tuple[int, int]], copied: bool, tmp_path: Path) -> None:
    source, _ = video(tmp_path, rate=10, audio="aac")
    parts = cut(source, tmp_path / "reel.mp4", [(first / 10, stop / 10) for first, stop in spans])
    assert [part.copied for part in parts] == [copied] * len(spans)
    shown, reader = read_frames(tmp_path / "reel.mp4")
    expected = [COLOURS[i] for first, stop in spans for i in range(first, stop)]
    assert_colours(shown, expected, tolerance=TOLERANCE)
    assert [frame.time_s for frame in shown] == pytest.approx([i / 10 for i in range(len(expected))], abs=1e-3)
    assert reader.end_s == pytest.approx(len(expected) / 10, abs=1e-3)
    with av.open(str(tmp_path / "reel.mp4")) as container:
        sound = sum(frame.samples for frame in container.decode(audio=0)) / 48000
    assert sound == pytest.approx(len(expected) / 10, abs=0.05 * len(spans))


@pytest.mark.parametrize("first", [12, 15])
def test_the_sound_is_that_of_the_part(first: int, tmp_path: Path) -> None:
    """A tone from 2 s on."""
    source, _ = video(tmp_path, rate=10, audio="aac", audio_start=2.0)
    (part,) = cut(source, tmp_path / "cut.mp4", [(first / 10, 3.6)])
    assert part.copied == (first == 12)
    with av.open(str(tmp_path / "cut.mp4")) as container:
        pieces = [(frame.pts * frame.time_base, frame.to_ndarray().mean(0)) for frame in container.decode(audio=0)]
    loud = next(float(time) + np.abs(piece).argmax() / 48000 for time, piece in pieces if np.abs(piece).max() > 0.05)
    assert loud == pytest.approx(2 - first / 10, abs=0.05)


def test_a_turned_video_with_oblong_pixels_keeps_its_shape(tmp_path: Path) -> None:
    source = make_video(
        tmp_path / "a.mp4", colours=COLOURS, rate=10, gop=12, options=NO_CUTS, rotation=90, sar=Fraction(4, 3)
    )
    for start_s, copied in ((1.2, True), (1.5, False)):
        (part,) = cut(source, tmp_path / "cut.mp4", [(start_s, 2.4)])
        info, before = probe(tmp_path / "cut.mp4"), probe(source)
        assert part.copied == copied
        assert info.width == pytest.approx(before.width, abs=1)
        assert info.height == pytest.approx(before.height, abs=1)


def test_a_gap_is_filled_with_the_frame_before_it(tmp_path: Path) -> None:
    source, _ = video(tmp_path, rate=10)
    broken = remuxed(source, tmp_path / "broken.mp4", junk=dict.fromkeys((17,), b"\xff\1\2\3\4\5\6"))
    cut(broken, tmp_path / "cut.mp4", [(1.5, 3.0)])
    frames, reader = read_frames(tmp_path / "cut.mp4")
    assert reader.end_s == pytest.approx(1.5, abs=1e-3)
    assert len(frames) < 15


def test_packets_are_copied_only_where_that_is_exact() -> None:
    def stamps(text: str) -> list[PacketStamp]:
        """In order of decoding: each one's place in order of display, key frames with a star."""
        return [
            PacketStamp(int(word.rstrip("*")), place - 2, 1, "*" in word) for place, word in enumerate(text.split())
        ]

    def found(text: str, start: int, end: int, *, widen: bool = False) -> PacketSpan | None:
        return packets_of(stamps(text), Fraction(start), Fraction(end), widen=widen)

    closed, leading = "0* 3 1 2 4* 7 5 6 8*", "0* 3 1 2 6* 4 5 9 7 8"
    assert found(closed, 0, 4) == (0, 4)
    assert found(closed, 4, 8) == (4, 8)
    assert found(closed, 1, 4) is None
    assert found(closed, 0, 2) is None  # 3 is decoded first
    assert found(closed, 0, 2, widen=True) == (0, 4)
    assert found(closed, 5, 6, widen=True) == (4, 8)
    assert found(leading, 6, 10) is None  # 4 and 5 would come along
    assert found(leading, 6, 10, widen=True) == (4, 10)
    assert found("1 2 3*", 1, 2) is None
    assert found("", 0, 1) is None


def test_what_cannot_be_cut_says_why_and_leaves_no_file(tmp_path: Path) -> None:
    source, _ = video(tmp_path, rate=10)
    (tmp_path / "notes.mp4").write_text("nothing here " * 100)
    target = tmp_path / "out" / "cut.mp4"
    with pytest.raises(SettingsError, match=r"must end after it starts"):
        cut(source, target, [(2, 2)])
    with pytest.raises(SettingsError, match=r"^a\.mp4 has no frame from 1:30.0 on; choose an earlier start\.$"):
        cut(source, target, [(90, 91)])
    with pytest.raises(VideoUnreadableError, match=r"^notes\.mp4 is not a video"):
        cut(tmp_path / "notes.mp4", target, [(0, 1)])
    for first in (1.2, 1.5):
        cancel = threading.Event()
        with pytest.raises(Cancelled):
            cut(source, target, [(first, 2.4)], on_progress=lambda *_: cancel.set(), cancel=cancel)  # noqa: B023
    assert list(target.parent.iterdir()) == []
