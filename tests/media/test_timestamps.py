"""Presentation times: of odd clocks, edit lists, raw streams, wrong headers and broken files."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.media.containers import Family
from lib.media.frames import probe
from lib.media.timestamps import FrameTiming, Stamp, TimestampReconstructor
from tests.helpers.frames import assert_colours, read_frames
from tests.helpers.videos import NO_CUTS, find_box, make_video, palette, remuxed, set_edit_list


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
@pytest.mark.parametrize("b_frames", [0, 2])
def test_a_variable_frame_rate_keeps_each_frames_own_time(suffix: str, b_frames: int, tmp_path: Path) -> None:
    times = [Fraction(ms, 1000) for ms in (0, 40, 50, 55, 300, 301, 1000, 2500, 2533, 2567)]
    path = make_video(tmp_path / f"a.{suffix}", colours=palette(10), times=times, rate=30, b_frames=b_frames)
    frames, reader = read_frames(path)
    assert [frame.time_s for frame in frames] == [float(time) for time in times]
    assert_colours(frames, palette(10))
    assert probe(path).variable_rate is True
    assert reader.end_s > 2.567


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "webm", "ts"])
@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60)])
def test_broadcast_rates_are_exact(suffix: str, rate: Fraction, tmp_path: Path) -> None:
    codec = "libvpx-vp9" if suffix == "webm" else "libx264"
    path = make_video(tmp_path / f"a.{suffix}", colours=palette(30), rate=rate, codec=codec)
    frames, _ = read_frames(path)
    tick = {"mp4": 0, "ts": 1 / 90000}.get(suffix, 1 / 1000)
    expected = [float(i / rate) for i in range(30)]
    assert [frame.time_s for frame in frames] == pytest.approx(expected, abs=tick, rel=0)
    info = probe(path)
    assert info.rate == rate
    assert info.variable_rate is False


@pytest.mark.parametrize(
    ("suffix", "codec", "start", "first"),
    [
        ("mp4", "libx264", 0.52, 0.52),
        ("mkv", "libx264", 0.52, 0.52),
        ("webm", "libvpx-vp9", 0.52, 0.52),
        ("ts", "libx264", 9000, 0),
    ],
)
def test_a_first_frame_after_0_keeps_its_time_where_players_show_it(
    suffix: str, codec: str, start: float, first: float, tmp_path: Path
) -> None:
    path = make_video(tmp_path / f"a.{suffix}", colours=palette(10), rate=25, start=start, codec=codec)
    frames, reader = read_frames(path)
    assert [frame.time_s for frame in frames] == pytest.approx([first + i / 25 for i in range(10)], abs=1e-9)
    assert reader.end_s == pytest.approx(first + 0.4)


def test_pictures_that_start_after_the_sound_do_so_in_a_transport_stream_too(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.ts", colours=palette(30), rate=25, start=60.52, audio="mp2", audio_start=60)
    frames, _ = read_frames(path)
    assert frames[0].time_s == pytest.approx(0.52, abs=0.025)  # the encoder's first block of sound is earlier


def test_an_edit_list_that_cuts_the_beginning_starts_the_time_line_there(tmp_path: Path) -> None:
    path = set_edit_list(make_video(tmp_path / "a.mp4", colours=palette(24)), [(0.5, 12288 // 2)])
    frames, reader = read_frames(path)
    assert [frame.time_s for frame in frames] == [i / 24 for i in range(12)]
    assert_colours(frames, palette(24)[12:])
    assert reader.end_s == 0.5


def test_an_edit_list_that_cuts_within_a_group_of_pictures_keeps_only_what_is_shown(tmp_path: Path) -> None:
    path = make_video(
        tmp_path / "a.mp4",
        colours=palette(24),
        start=-0.25,
        gop=24,
        b_frames=2,
        options={"sc_threshold": "0"},
    )
    frames, _ = read_frames(path)
    assert [(frame.index, frame.time_s) for frame in frames] == [(i, i / 24) for i in range(18)]
    assert_colours(frames, palette(24)[6:])


B_FRAMES = {"b_frames": 2, "gop": 20, "options": NO_CUTS}
TICK = 512
EDITS: dict[str, tuple[list[tuple[float, int]], list[range]]] = {
    "between two B frames": ([(1.0, 6 * TICK + 1)], [range(5, 29)]),
    "behind an empty one": ([(0.5, -1), (1.0, 7 * TICK)], [range(5, 29)]),
    "two parts": ([(0.5, 7 * TICK), (0.5, 30 * TICK)], [range(5, 17), range(28, 40)]),
    "the later part first": ([(0.5, 32 * TICK), (0.5, 7 * TICK)], [range(30, 42), range(5, 17)]),
    "twice the same": ([(0.5, 2 * TICK), (0.5, 2 * TICK)], [range(12), range(12)]),
}


@pytest.mark.parametrize("what", EDITS)
def test_frames_that_an_edit_list_hides_are_neither_shown_nor_lost(what: str, tmp_path: Path) -> None:
    """The times that a browser shows; media times are two frames later than those of display."""
    edits, shown = EDITS[what]
    path = set_edit_list(make_video(tmp_path / "a.mp4", colours=palette(60), **B_FRAMES), edits)
    frames, reader = read_frames(path)
    assert_colours(frames, [palette(60)[i] for part in shown for i in part])
    starts = [sum(length for length, _ in edits[:place]) for place, (_, at) in enumerate(edits) if at >= 0]
    times = [start + i / 24 for start, part in zip(starts, shown, strict=True) for i in range(len(part))]
    assert [frame.time_s for frame in frames] == pytest.approx(times, abs=0.05)
    assert [frame.index for frame in frames] == list(range(len(frames)))
    assert (reader.gaps, reader.damage) == ([], None)
    assert reader.end_s == pytest.approx(sum(length for length, _ in edits), abs=0.05)


def test_an_edit_without_a_key_frame_before_it_begins_with_a_gap(tmp_path: Path) -> None:
    whole = make_video(tmp_path / "whole.mp4", colours=palette(60), gop=20, options=NO_CUTS)
    path = set_edit_list(remuxed(whole, tmp_path / "a.mp4", without=range(7)), [(1.0, 5 * TICK)])
    frames, reader = read_frames(path)  # as Chromium: media time 5 is frame 12, and frame 20 the first
    assert [(frame.index, frame.time_s) for frame in frames] == [(8 + i, (8 + i) / 24) for i in range(16)]
    assert_colours(frames, palette(60)[20:36])
    assert [(gap.start_s, gap.end_s, gap.missing) for gap in reader.gaps] == [(0, 8 / 24, 8)]


def test_an_empty_edit_delays_the_first_frame(tmp_path: Path) -> None:
    path = set_edit_list(make_video(tmp_path / "a.mov", colours=palette(24)), [(0.25, -1), (1, 0)])
    frames, reader = read_frames(path)
    assert [frame.time_s for frame in frames] == [float(Fraction(1, 4) + Fraction(i, 24)) for i in range(24)]
    assert_colours(frames, palette(24))
    assert reader.end_s == 1.25


def overwrite(path: Path, box: tuple[str, ...], offset: int, value: bytes) -> None:
    data = bytearray(path.read_bytes())
    at = find_box(data, *box)[-1][0] + offset
    data[at : at + len(value)] = value
    path.write_bytes(data)


@pytest.mark.parametrize("factor", [0, 0.1, 20])
def test_wrong_durations_in_an_mp4_header_change_nothing(factor: float, tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", colours=palette(24))
    overwrite(path, ("moov", "mvhd"), 8 + 16, struct.pack(">I", int(1000 * factor)))
    overwrite(path, ("moov", "trak", "tkhd"), 8 + 20, struct.pack(">I", int(1000 * factor)))
    overwrite(path, ("moov", "trak", "mdia", "mdhd"), 8 + 16, struct.pack(">I", int(12288 * factor)))
    overwrite(path, ("moov", "trak", "edts"), 0, struct.pack(">I4s", 36, b"free"))
    frames, reader = read_frames(path)
    assert (len(frames), reader.end_s, reader.damage) == (24, 1.0, None)


def test_a_wrong_duration_in_a_matroska_header_changes_nothing(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv", colours=palette(24))
    data = path.read_bytes()
    duration = b"\x44\x89\x88" + struct.pack(">d", 1000.0)
    assert duration in data
    path.write_bytes(data.replace(duration, b"\x44\x89\x88" + struct.pack(">d", 77000.0)))
    frames, reader = read_frames(path)
    assert (len(frames), reader.damage) == (24, None)
    assert reader.end_s == pytest.approx(1.0, abs=1e-3)
    assert probe(path).duration_s == 77.0


def test_a_wrong_frame_count_in_an_avi_header_changes_nothing(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.avi", colours=palette(24), codec="mpeg4")
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, data.index(b"avih") + 8 + 16, 5)
    struct.pack_into("<I", data, data.index(b"strh") + 8 + 32, 5)
    path.write_bytes(data)
    frames, reader = read_frames(path)
    assert (len(frames), reader.end_s, reader.damage) == (24, 1.0, None)
    assert probe(path).frame_count == 5


def test_a_recording_without_any_duration(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.webm", colours=palette(24), codec="libvpx-vp9", container_options={"live": "1"})
    frames, reader = read_frames(path)
    assert (len(frames), reader.damage) == (24, None)
    assert reader.end_s == pytest.approx(1.0, abs=2e-3)
    assert probe(path).duration_s is None


def test_raw_streams_take_their_times_from_the_rate(tmp_path: Path) -> None:
    for name, codec in (("a.h264", "libx264"), ("a.hevc", "libx265")):
        path = make_video(tmp_path / name, colours=palette(24), codec=codec, container=name[2:], b_frames=2)
        frames, reader = read_frames(path)
        assert [frame.time_s for frame in frames] == [i / 24 for i in range(24)]
        assert reader.end_s == 1.0


def test_joined_transport_streams_go_on_without_a_hole(tmp_path: Path) -> None:
    first = make_video(tmp_path / "1.ts", colours=palette(48), start=50)
    second = make_video(tmp_path / "2.ts", colours=palette(48, seed=1), start=3)
    path = tmp_path / "joined.ts"
    path.write_bytes(first.read_bytes() + second.read_bytes())
    frames, reader = read_frames(path)
    assert [frame.time_s for frame in frames] == pytest.approx([i / 24 for i in range(96)], abs=1e-4)
    assert reader.damage is None


def timecode_places(data: bytes) -> list[int]:
    """Offsets of the 16-bit times of a Matroska file's simple blocks of track 1."""
    at, places = data.index(b"\x1f\x43\xb6\x75"), []
    while (at := data.find(b"\x81", at + 1)) >= 0:
        if data[at - 3] == 0xA3 or data[at - 2] == 0xA3:
            places.append(at + 1)
    return places


@pytest.mark.parametrize(
    ("changed", "times"),
    [
        ({3: 80}, [0, 40, 80, 81, 160, 200]),  # a time twice
        ({3: 10}, [0, 40, 80, 81, 160, 200]),  # a step back
        ({1: 0, 2: 0, 3: 0}, [0, 1, 2, 3, 160, 200]),
        ({4: 9000}, [0, 40, 80, 120, 9000, 9001]),  # a jump ahead: the next one is late
    ],
)
def test_times_increase_strictly_in_a_broken_file(changed: dict[int, int], times: list[int], tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv", colours=palette(6), rate=25, gop=6, options={"sc_threshold": "0"})
    data = bytearray(path.read_bytes())
    places = timecode_places(data)
    assert len(places) == 6
    for frame, time in changed.items():
        struct.pack_into(">h", data, places[frame], time)
    path.write_bytes(data)
    frames, reader = read_frames(path)
    assert [frame.time_s for frame in frames] == [time / 1000 for time in times]
    assert reader.end_s > frames[-1].time_s


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.wmv", "wmv2"), ("a.flv", "flv"), ("a.ivf", "libvpx"), ("a.nut", "libx264"), ("a.ts", "libx264")],
)
def test_a_picture_that_is_shown_for_long_is_no_restart(name: str, codec: str, tmp_path: Path) -> None:
    times = [Fraction(n + 200 * (n >= 20), 10) for n in range(40)]
    frames, reader = read_frames(make_video(tmp_path / name, colours=palette(40), codec=codec, rate=10, times=times))
    assert [frame.time_s for frame in frames] == pytest.approx([float(time) for time in times], abs=1e-3)
    assert reader.end_s == pytest.approx(24.0, abs=1e-3)
    assert reader.damage is None


def test_a_picture_every_15_s_stays_one(tmp_path: Path) -> None:
    path = make_video(tmp_path / "slow.wmv", colours=palette(8), codec="wmv2", rate=Fraction(1, 15))
    frames, reader = read_frames(path)
    assert [frame.time_s for frame in frames] == [15.0 * i for i in range(8)]
    assert reader.end_s == 120.0


def test_a_single_picture_lasts_as_long_as_one_of_a_usual_rate(tmp_path: Path) -> None:
    frames, reader = read_frames(make_video(tmp_path / "one.wmv", colours=palette(1), codec="wmv2", rate=25))
    assert (len(frames), reader.end_s) == (1, 0.04)


def test_more_frames_than_ticks_keep_their_length(tmp_path: Path) -> None:
    frames, reader = read_frames(make_video(tmp_path / "a.mkv", colours=palette(200), rate=2000))
    assert [frame.time_s for frame in frames] == pytest.approx([i / 2000 for i in range(200)], abs=0.6e-3)
    assert reader.end_s == pytest.approx(0.1, abs=1e-3)


def write_avi(path: Path, pictures: int, chunks: Callable[[bytes], list[bytes]], rate: int = 25) -> Path:
    """Write an AVI file of MPEG-4 whose chunks are those that ``chunks`` makes of each picture's."""
    source = make_video(path.with_name("source.avi"), colours=palette(pictures), codec="mpeg4", rate=rate)
    with av.open(str(source)) as original:
        parts = [bytes(packet) for packet in original.demux(video=0) if packet.size]
    data = source.read_bytes()
    start = data.index(b"movi") - 8
    written = [chunk for part in parts for chunk in chunks(part)]
    body, index = b"movi", b""
    for chunk in written:
        index += struct.pack("<4sIII", b"00dc", 16 * (chunk in parts), len(body), len(chunk))
        body += struct.pack("<4sI", b"00dc", len(chunk)) + chunk + bytes(len(chunk) % 2)
    tail = struct.pack("<4sI", b"LIST", len(body)) + body + struct.pack("<4sI", b"idx1", len(index)) + index
    head = bytearray(data[:start])
    struct.pack_into("<I", head, 4, len(head) + len(tail) - 8)
    struct.pack_into("<I", head, head.index(b"avih") + 8 + 16, len(written))
    struct.pack_into("<I", head, head.index(b"strh") + 8 + 32, len(written))
    path.write_bytes(bytes(head) + tail)
    return path


UNCHANGED = bytes.fromhex("000001b650cf")
"""MPEG-4: nothing is coded, the picture before is shown again."""


@pytest.mark.parametrize("nothing", [UNCHANGED, b""])
def test_an_avi_chunk_without_a_picture_is_a_place_where_the_one_before_stays(nothing: bytes, tmp_path: Path) -> None:
    frames, reader = read_frames(write_avi(tmp_path / "a.avi", 50, lambda part: [part, nothing, nothing]))
    assert [frame.time_s for frame in frames] == [3 * i / 25 for i in range(50)]
    assert_colours(frames, palette(50))
    assert (reader.end_s, reader.damage) == (6.0, None)


@pytest.mark.parametrize("nothing", [UNCHANGED, b""])
def test_avi_chunks_without_a_picture_at_the_end_are_part_of_the_video(nothing: bytes, tmp_path: Path) -> None:
    left = iter(range(50))
    frames, reader = read_frames(
        write_avi(tmp_path / "a.avi", 50, lambda part: [part, *([nothing] * 100 if next(left) == 49 else [])])
    )
    assert [frame.time_s for frame in frames] == [i / 25 for i in range(50)]
    assert (reader.end_s, reader.damage) == (6.0, None)


def test_joined_recordings_whose_clock_and_sound_jump_ahead_go_on_without_a_hole(tmp_path: Path) -> None:
    first = make_video(tmp_path / "1.ts", colours=palette(48), start=3, audio="mp2", audio_start=3)
    second = make_video(tmp_path / "2.ts", colours=palette(48, seed=1), start=500, audio="mp2", audio_start=500)
    path = tmp_path / "joined.ts"
    path.write_bytes(first.read_bytes() + second.read_bytes())
    frames, reader = read_frames(path)
    start = frames[0].time_s
    assert [frame.time_s - start for frame in frames] == pytest.approx([i / 24 for i in range(96)], abs=1e-4)
    assert reader.damage is None


def test_a_long_picture_under_sound_that_goes_on_is_no_restart(tmp_path: Path) -> None:
    times = [Fraction(n + 20 * 24 * (n >= 24), 24) for n in range(48)]
    path = make_video(tmp_path / "a.ts", colours=palette(48), times=times, audio="mp2")
    frames, _ = read_frames(path)
    start = frames[0].time_s
    assert [frame.time_s - start for frame in frames] == pytest.approx([float(time) for time in times], abs=1e-4)


def timed(family: Family, stamps: Sequence[int | None], durations: list[int], **options: Any) -> list[FrameTiming]:
    """Return the times of frames with these stamps, of a time base of 1/90000 s."""
    options = {"rate": None, "origin_s": Fraction(0)} | options
    clock: TimestampReconstructor[None] = TimestampReconstructor(family, time_base=Fraction(1, 90000), **options)
    clock.is_reordered = True
    timings = []
    for pts, duration in zip(stamps, durations, strict=False):
        timings += clock.push(None, Stamp(pts, pts, duration))
    return [timing for _, timing in timings + clock.flush()]


@pytest.mark.parametrize(
    ("stamps", "times"),
    [
        ([-9000, -6000, -3000, 0, 3000], [0, 3000]),  # what lies before 0 isn't shown
        ([-9000, -5000, -1000, 3000], [0, 3000]),  # one is still shown at 0
        ([-9000], [0]),
        ([3000, 6000], [3000, 6000]),
    ],
)
def test_nothing_before_0_is_shown_where_browsers_show_the_file_s_own_times(
    stamps: list[int], times: list[int]
) -> None:
    families: list[Family] = ["mp4", "matroska"]
    for family in families:
        timings = timed(family, stamps, [4000] * 5)
        assert [timing.time * 90000 for timing in timings] == times
    moved = timed("other", stamps, [4000] * 5)
    assert [timing.time * 90000 for timing in moved] == [stamp - min(stamps[0], 0) for stamp in stamps]


def test_a_stamp_that_is_not_later_gives_way_to_the_decoding_time(tmp_path: Path) -> None:
    clock: TimestampReconstructor[int] = TimestampReconstructor(
        "matroska", time_base=Fraction(1, 1000), rate=Fraction(25), origin_s=Fraction(0)
    )
    stamps = [(0, 0), (40, 40), (40, 80), (40, 120), (160, 160)]
    timings = [timing for pts, dts in stamps for _, timing in clock.push(0, Stamp(pts, dts, 40))]
    assert [int(timing.time * 1000) for timing in timings] == [0, 40, 80, 120, 160]


def test_a_stamp_years_ahead_is_taken_for_none() -> None:
    timings = timed("other", [0, 3000, 1 << 60, 9000], [3000] * 4)
    assert [timing.time * 90000 for timing in timings] == [0, 3000, 6000, 9000]


STAMPS = st.lists(st.none() | st.integers(min_value=-(10**7), max_value=10**7), min_size=1, max_size=40)


@given(
    stamps=STAMPS,
    durations=st.lists(st.integers(min_value=0, max_value=10**5), min_size=40, max_size=40),
    family=st.sampled_from(["mp4", "matroska", "avi", "broadcast", "raw", "other"]),
    rate=st.none() | st.fractions(min_value=1, max_value=240, max_denominator=1001),
)
def test_whatever_the_stamps_times_increase_from_0_or_later(
    stamps: list[int | None], durations: list[int], family: Family, rate: Fraction | None
) -> None:
    timings = timed(family, stamps, durations, rate=rate)
    times = [timing.time for timing in timings]
    assert all(timing.duration > 0 for timing in timings)
    assert times[0] >= 0
    assert all(a < b and float(a) < float(b) for a, b in pairwise(times))
    assert len(times) == len(stamps) or family in ("mp4", "matroska")


def test_a_transport_stream_whose_stamps_wrap_goes_on(tmp_path: Path) -> None:
    frames, reader = read_frames(make_video(tmp_path / "a.ts", colours=palette(72), start=2**33 / 90_000 - 1))
    assert [frame.time_s for frame in frames] == pytest.approx([i / 24 for i in range(72)], abs=1e-4)
    assert (reader.end_s, reader.damage) == (pytest.approx(3.0, abs=1e-4), None)
