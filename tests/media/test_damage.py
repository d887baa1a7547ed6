"""Files that break in the middle: what is kept, and what is no damage."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from lib.core.errors import VideoDamagedError
from lib.core.sampling import Sampling
from lib.media.decoding import Decoder
from lib.media.frames import Frame, frame_at, probe
from lib.media.media_file import MediaFile
from lib.media.timestamps import Stamp
from tests.helpers.frames import assert_colours, read_frames
from tests.helpers.videos import NO_CUTS, find_box, make_video, palette, remuxed

RATE = 24
LENGTH = 120
SIZE = (160, 96)


def textured(rng: np.random.Generator) -> list[NDArray[np.uint8]]:
    """Pictures with so much in them that damage shows, and that move."""
    blocks = rng.integers(0, 255, (12, 20, 3))
    base = np.kron(blocks, np.ones((8, 8, 1))).astype(np.uint8)
    return [np.roll(base, (i * 3, i * 2), (0, 1)) for i in range(LENGTH)]


FORMATS: dict[str, dict[str, Any]] = {
    "h264.mp4": {"b_frames": 2, "faststart": True},
    "h264.mkv": {"b_frames": 2},
    "h264.ts": {"b_frames": 2},
    "hevc.mp4": {"codec": "libx265", "b_frames": 2, "faststart": True},
    "hevc.mkv": {"codec": "libx265", "b_frames": 2},
    "vp9.webm": {"codec": "libvpx-vp9"},
    "vp9.mp4": {"codec": "libvpx-vp9", "faststart": True},
    "av1.mkv": {"codec": "libsvtav1"},
    "mpeg4.avi": {"codec": "mpeg4"},
    "mpeg4.mp4": {"codec": "mpeg4", "faststart": True, "b_frames": 2},
    "prores.mov": {"codec": "prores_ks", "pixel_format": "yuv422p10le", "faststart": True},
}
CRF = {"crf": "20"}
UNNOTICED = {"vp9.mp4": 1, "av1.mkv": 4}
"""Frames of rubbish before the decoder notices: these codecs tell damage late, if no structure tells it."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, list[Frame]]]:
    """A function from a format's name to an undamaged video and its frames."""
    folder = tmp_path_factory.mktemp("whole")
    images = textured(np.random.default_rng(5))
    made: dict[str, tuple[Path, list[Frame]]] = {}

    def get(name: str) -> tuple[Path, list[Frame]]:
        if name not in made:
            kind = FORMATS[name]
            options = CRF if kind.get("codec", "libx264") not in ("mpeg4", "prores_ks") else None
            path = make_video(folder / name, images=images, size=SIZE, rate=RATE, gop=24, options=options, **kind)
            made[name] = path, read_frames(path)[0]
        return made[name]

    return get


def cut(data: bytes) -> bytes:
    return data[: int(len(data) * 0.6)]


def overwritten(data: bytes) -> bytes:
    start, length = len(data) // 2, len(data) // 50
    noise = np.random.default_rng(7).integers(0, 255, length).astype(np.uint8).tobytes()
    return data[:start] + noise + data[start + length :]


def zeroed(data: bytes) -> bytes:
    start, length = len(data) // 2, len(data) // 50
    return data[:start] + bytes(length) + data[start + length :]


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_that_is_cut_off_keeps_what_came_before_and_says_how_far_it_got(
    name: str, whole: Callable[[str], tuple[Path, list[Frame]]], tmp_path: Path
) -> None:
    source, expected = whole(name)
    path = tmp_path / name
    path.write_bytes(cut(source.read_bytes()))
    frames, reader = read_frames(path)
    assert LENGTH * 0.3 < len(frames) < LENGTH * 0.7
    assert_same(frames, expected[: len(frames)])
    assert reader.end_s == pytest.approx(frames[-1].time_s + 1 / RATE, abs=2e-3)
    assert reader.gaps == []
    assert isinstance(reader.damage, VideoDamagedError)
    assert reader.damage.reached_s == frames[-1].time_s
    assert re.fullmatch(
        rf"{re.escape(name)}: decoding broke at 0:0{frames[-1].time_s:.1f} of (0:0\d\.\d); "
        r"what came before is kept\. Copy, download or record it again to get the rest\.",
        str(reader.damage),
    )
    if name not in ("mpeg4.avi", "h264.ts"):  # their length is estimated from what is there
        assert "of 0:05.0;" in str(reader.damage)


def assert_same(frames: list[Frame], originals: list[Frame]) -> None:
    assert [(frame.index, frame.time_s) for frame in frames] == [(other.index, other.time_s) for other in originals]
    for frame, original in zip(frames, originals, strict=True):
        np.testing.assert_array_equal(frame.image, original.image)


@pytest.mark.parametrize("damage", [overwritten, zeroed])
@pytest.mark.parametrize("name", FORMATS)
def test_a_file_that_breaks_in_the_middle_goes_on_at_the_next_key_frame_and_says_what_is_lost(
    name: str, damage: Callable[[bytes], bytes], whole: Callable[[str], tuple[Path, list[Frame]]], tmp_path: Path
) -> None:
    source, expected = whole(name)
    path = tmp_path / name
    path.write_bytes(damage(source.read_bytes()))
    frames, reader = read_frames(path)
    by_time = {round(original.time_s * RATE): original for original in expected}
    kept = [round(frame.time_s * RATE) for frame in frames]
    missing = sorted(set(by_time) - set(kept))
    assert 0 < len(missing) <= 24 + 3
    assert missing == list(range(missing[0], missing[-1] + 1))
    unnoticed = range(missing[0] - UNNOTICED.get(name, 0), missing[0])
    sound = [(frame, by_time[place]) for frame, place in zip(frames, kept, strict=True) if place not in unnoticed]
    assert_same([frame for frame, _ in sound], [original for _, original in sound])
    (gap,) = reader.gaps
    assert gap.start_s == pytest.approx(missing[0] / RATE, abs=2e-3)
    assert gap.end_s == by_time[missing[-1] + 1].time_s
    assert gap.missing == len(missing)
    assert reader.end_s == pytest.approx(5.0, abs=2e-3)
    assert isinstance(reader.damage, VideoDamagedError)
    assert reader.damage.reached_s == gap.start_s
    assert re.fullmatch(
        rf"{re.escape(name)}: \d\.\d+ s of 5\.0 s can’t be decoded, 0:0\d\.\d to 0:0\d\.\d; "
        r"all else is kept\. Copy, download or record it again to get the rest\.",
        str(reader.damage),
    )


@pytest.mark.parametrize("name", ["h264.mp4", "h264.mkv"])
def test_a_resumed_reading_breaks_at_the_same_place(
    name: str, whole: Callable[[str], tuple[Path, list[Frame]]], tmp_path: Path
) -> None:
    path, sampling = tmp_path / name, Sampling.every(7)
    path.write_bytes(overwritten(whole(name)[0].read_bytes()))
    frames, reader = read_frames(path, sampling)
    rest, resumed = read_frames(path, sampling, resume_after=(frames[3].index, frames[3].time_s))
    assert resumed.has_seeked
    assert [frame.index for frame in rest] == [frame.index for frame in frames[4:]]
    assert str(resumed.damage) == str(reader.damage)
    assert resumed.end_s == reader.end_s


def test_a_file_that_is_broken_from_the_first_frame_on_says_so(
    whole: Callable[[str], tuple[Path, list[Frame]]], tmp_path: Path
) -> None:
    data = bytearray(whole("vp9.mp4")[0].read_bytes())
    start, end = find_box(data, "mdat")[0]
    data[start + 8 : end] = bytes(end - start - 8)
    path = tmp_path / "black.mp4"
    path.write_bytes(data)
    message = r"^black\.mp4: decoding broke at the first frame, so nothing is kept; copy or download it again\.$"
    with pytest.raises(VideoDamagedError, match=message):
        probe(path)
    with pytest.raises(VideoDamagedError, match=message):
        read_frames(path)


def test_bytes_that_are_no_picture_between_the_frames_are_no_damage(tmp_path: Path) -> None:
    """A packet that can't be decoded but takes no frame with it, as some recorders write."""
    path, source = tmp_path / "junk.mkv", make_video(tmp_path / "a.mkv", colours=palette(LENGTH))
    with av.open(str(source)) as original, av.open(str(path), "w") as output:
        stream = output.add_stream_from_template(original.streams.video[0])
        for number, packet in enumerate(original.demux(original.streams.video[0])):
            if packet.size == 0:
                continue
            if number == 40:
                junk = av.Packet(b"\x00\x00\x00\x05\x0c\xff\xff\xff\x80")  # a unit of filler alone
                junk.pts = junk.dts = packet.dts
                junk.time_base, junk.stream = packet.time_base, stream
                output.mux(junk)
            packet.stream = stream
            output.mux(packet)
    frames, reader = read_frames(path)
    assert (len(frames), reader.damage) == (LENGTH, None)


def test_a_matroska_element_of_an_unknown_kind_is_no_damage(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv", colours=palette(24))
    data = path.read_bytes()
    at = data.rindex(b"\x1c\x53\xbb\x6b")  # in front of the cues, within a segment made longer by as much
    segment = data.index(b"\x18\x53\x80\x67") + 4
    length = int.from_bytes(data[segment + 1 : segment + 8], "big") + 8
    private = b"\x4d\x00\x85" + b"hello"
    data = data[: segment + 1] + length.to_bytes(7, "big") + data[segment + 8 : at] + private + data[at:]
    path.write_bytes(data)
    frames, reader = read_frames(path)
    assert (len(frames), reader.damage) == (24, None)


def test_a_transport_stream_may_begin_in_the_middle_of_a_group_of_pictures(tmp_path: Path) -> None:
    whole = make_video(tmp_path / "whole.ts", colours=palette(60), gop=20, options={"sc_threshold": "0"})
    data = whole.read_bytes()
    path = tmp_path / "late.ts"
    path.write_bytes(data[len(data) // 188 // 3 * 188 :])
    frames, reader = read_frames(path)
    assert reader.damage is None
    assert 20 <= len(frames) < 60
    assert np.diff([frame.time_s for frame in frames]) == pytest.approx(1 / 24, abs=1e-4)
    assert_colours(frames, palette(60)[-len(frames) :])


BEGINNINGS = {
    "vp8.webm": "libvpx",
    "vp9.webm": "libvpx-vp9",
    "h264.mkv": "libx264",
    "h264.mp4": "libx264",
    "hevc.mkv": "libx265",
}


@pytest.mark.parametrize("name", BEGINNINGS)
def test_a_file_that_begins_between_key_frames_begins_at_the_next_one_and_says_so(name: str, tmp_path: Path) -> None:
    codec, options = BEGINNINGS[name], NO_CUTS if BEGINNINGS[name] == "libx264" else None
    source = make_video(tmp_path / f"whole {name}", colours=palette(60), codec=codec, gop=20, options=options)
    frames, reader = read_frames(remuxed(source, tmp_path / name, without=range(7)))
    assert [frame.time_s for frame in frames] == pytest.approx([i / 24 for i in range(20, 60)], abs=1.5e-3)
    assert_colours(frames, palette(60)[20:])
    (gap,) = reader.gaps
    assert (gap.start_s, gap.end_s) == (pytest.approx(7 / 24, abs=1.5e-3), frames[0].time_s)
    assert (reader.start_s, gap.missing) == (gap.start_s, 13)
    assert str(reader.damage).startswith(f"{name}: 0.5 s of 2.2 s can’t be decoded, 0:00.3 to 0:00.8;")


@pytest.mark.parametrize("name", BEGINNINGS)
@pytest.mark.parametrize(("number", "lost"), [(0, range(20)), (25, range(25, 40)), (59, range(59, 60))])
def test_one_broken_packet_costs_the_frames_up_to_the_next_key_frame(
    number: int, lost: range, name: str, tmp_path: Path
) -> None:
    codec, options = BEGINNINGS[name], NO_CUTS if BEGINNINGS[name] == "libx264" else None
    source = make_video(tmp_path / f"whole {name}", colours=palette(60), codec=codec, gop=20, options=options)
    frames, reader = read_frames(remuxed(source, tmp_path / name, junk={number: b"\xff\1\2\3\4\5\6"}))
    kept = [i for i in range(60) if i not in lost]
    assert [frame.time_s for frame in frames] == pytest.approx([i / 24 for i in kept], abs=1.5e-3)
    assert_colours(frames, [palette(60)[i] for i in kept])
    assert [gap.missing for gap in reader.gaps] in ([len(lost)], [len(lost) - 1])  # VP9's first may not be a packet
    assert reader.end_s == pytest.approx(2.5, abs=1.5e-3)


@pytest.mark.parametrize("number", [25, 37, 38])
@pytest.mark.parametrize("count", [2, 4, 8])
def test_a_vp9_decoder_that_is_stuck_goes_on_at_the_next_key_frame(number: int, count: int, tmp_path: Path) -> None:
    """Broken frames in one superframe (VP9 specification, annex B): the decoder takes no packet until all are out."""
    source = make_video(tmp_path / "whole.webm", colours=palette(60), codec="libvpx-vp9", gop=20)
    marker = bytes([0xD8 + count - 1])
    index = marker + (20).to_bytes(4, "little") * count + marker
    frames, reader = read_frames(remuxed(source, tmp_path / "a.webm", junk={number: b"\xff" * 20 * count + index}))
    assert [frame.index for frame in frames] == [i for i in range(60) if not number <= i < 40]
    assert_colours(frames, [palette(60)[frame.index] for frame in frames])
    assert [gap.missing for gap in reader.gaps] == [40 - number]


OPEN_GROUPS = {"x264-params": "open-gop=1:scenecut=0"}
SEVERAL: dict[str, dict[str, Any]] = {
    "vp9.webm": {"codec": "libvpx-vp9"},
    "closed.mp4": {"b_frames": 2, "options": NO_CUTS},
    "open.mkv": {"b_frames": 2, "options": OPEN_GROUPS},
    "hevc.mkv": {"codec": "libx265", "b_frames": 2},
    "closed.flv": {"options": NO_CUTS},
    "prores.mov": {"codec": "prores_ks", "pixel_format": "yuv422p10le"},
}


@pytest.mark.parametrize("sampling", [Sampling.every(1), Sampling.every(7), Sampling.per_second(4)])
@pytest.mark.parametrize("name", SEVERAL)
def test_each_of_several_broken_places_is_a_gap_of_its_own(name: str, sampling: Sampling, tmp_path: Path) -> None:
    source = make_video(tmp_path / f"whole {name}", colours=palette(120), gop=20, **SEVERAL[name])
    path = remuxed(source, tmp_path / name, junk=dict.fromkeys((25, 70, 71, 105), b"\xff\1\2\3\4\5\6"))
    whole, _ = read_frames(source, sampling)
    frames, reader = read_frames(path, sampling)
    kept = {frame.index: frame for frame in frames}
    assert_colours(frames, [palette(120)[index] for index in kept])
    assert [frame.time_s for frame in frames] == pytest.approx([index / 24 for index in kept], abs=1.5e-3)
    spans = [(gap.start_s, gap.end_s) for gap in reader.gaps]
    assert len(spans) == 3
    assert "in 3 places, the first at 0:01" in str(reader.damage)
    lost = [sum(start - 2e-3 < frame.time_s < end - 2e-3 for frame in whole) for start, end in spans]
    assert [gap.missing for gap in reader.gaps] == lost
    for frame in frames[::3]:
        rest, resumed = read_frames(path, sampling, resume_after=(frame.index, frame.time_s))
        assert [other.index for other in rest] == [index for index in kept if index > frame.index]
        assert [gap for gap in resumed.gaps if gap.start_s > frame.time_s] == [
            gap for gap in reader.gaps if gap.start_s > frame.time_s
        ]
    everything, _ = read_frames(path)
    for start, end in spans:
        shown = frame_at(path, (start + end) / 2)
        before = [frame for frame in everything if frame.time_s < start][-1]
        assert shown.time_s == before.time_s
        np.testing.assert_array_equal(shown.image, before.image)


def test_frames_that_a_decoder_drops_without_a_word_are_lost(tmp_path: Path) -> None:
    source = make_video(tmp_path / "whole.mkv", colours=palette(60), codec="libx265", gop=20)
    frames, reader = read_frames(remuxed(source, tmp_path / "a.mkv", without=range(25, 26)))
    assert len(frames) == 45
    (gap,) = reader.gaps
    assert (gap.start_s, gap.end_s) == (pytest.approx(25 / 24, abs=1.5e-3), pytest.approx(40 / 24, abs=1.5e-3))


def test_pictures_that_are_all_marked_for_the_junk_behind_them_are_kept_as_they_are(tmp_path: Path) -> None:
    """FFmpeg takes MPEG-2 with other bytes behind each picture for damage, and paints over what is whole."""
    source, path = tmp_path / "a.ts", tmp_path / "junk.ts"
    make_video(source, images=textured(np.random.default_rng(5))[:36], size=SIZE, codec="mpeg2video")
    with av.open(str(source)) as container:
        parts = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    remuxed(source, path, junk={number: part + b"\xff" * 40 for number, part in enumerate(parts)})
    frames, reader = read_frames(path)
    assert_same(frames, read_frames(source)[0])
    assert (reader.end_s, reader.damage) == (1.5, None)
    info, original = probe(path), probe(source)  # after the file was opened a second time
    assert (info.width, info.height, info.rate) == (original.width, original.height, original.rate)


@pytest.mark.parametrize("name", ["h264.mp4", "h264.mkv", "hevc.mp4", "hevc.mkv", "prores.mov"])
def test_where_the_first_frames_are_lost_the_video_begins_with_a_gap(
    name: str, whole: Callable[[str], tuple[Path, list[Frame]]], tmp_path: Path
) -> None:
    source, expected = whole(name)
    data, path = bytearray(source.read_bytes()), tmp_path / name
    with av.open(str(source)) as container:
        first = bytes(next(container.demux(video=0)))
    at = data.index(first)
    data[at : at + len(first)] = b"\xff" * len(first)
    path.write_bytes(data)
    frames, reader = read_frames(path)
    lost = LENGTH - len(frames)
    assert lost == (1 if name == "prores.mov" else 24)
    assert_same(frames, expected[lost:])
    assert [(gap.start_s, gap.missing) for gap in reader.gaps] == [(0, lost)]
    assert (reader.start_s, reader.gaps[0].end_s) == (0, frames[0].time_s)


def resized(data: bytes, at: int, size: bytes) -> bytes:
    return data[:at] + size + data[at + 4 :]


def through_a_pipe(data: bytes) -> bytes:
    """An AVI file as written where one can't go back: without an index and without sizes."""
    data = data[: data.index(b"idx1")]
    return resized(resized(data, 4, b"\xff" * 4), data.index(b"movi") - 4, b"\xff" * 4)


WHOLE: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "text behind the last box": ("mp4", lambda data: data + b"GPS:N48.1,E11.5 2020-01-01 12:00:00\n" * 20),
    "a last box that says too much": ("mp4", lambda data: data + b"\x7f\xff\xff\xffgps " + b"x" * 100),
    "mdat that says too much": ("mp4", lambda data: resized(data, data.index(b"mdat") - 4, b"\0\x0f\xff\xff")),
    "mdat up to the end": ("mp4", lambda data: resized(data, data.index(b"mdat") - 4, bytes(4))),
    "RIFF of size 0": ("avi", lambda data: resized(data, 4, bytes(4))),
    "RIFF that says too much": ("avi", lambda data: resized(data, 4, b"\xff\xff\xff\0")),
    "AVI through a pipe": ("avi", through_a_pipe),
    "AVI without its index": ("avi", lambda data: data[: data.index(b"idx1")]),
    "bytes behind an AVI": ("avi", lambda data: data + b"rubbish " * 50),
}


@pytest.mark.parametrize("what", WHOLE)
def test_an_outer_size_is_no_proof_of_damage_where_all_samples_are_there(what: str, tmp_path: Path) -> None:
    suffix, change = WHOLE[what]
    codec = {"codec": "mpeg4"} if suffix == "avi" else {"faststart": True}
    path = make_video(tmp_path / f"a.{suffix}", colours=palette(48), **codec)
    path.write_bytes(change(path.read_bytes()))
    frames, reader = read_frames(path)
    assert (len(frames), reader.end_s, reader.damage) == (48, 2.0, None)


@pytest.mark.parametrize("suffix", ["mp4", "avi"])
def test_a_file_without_its_last_samples_is_cut_off(suffix: str, tmp_path: Path) -> None:
    codec = {"codec": "mpeg4"} if suffix == "avi" else {"faststart": True}
    path = make_video(tmp_path / f"a.{suffix}", colours=palette(48), **codec)
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"idx1") - 300] if suffix == "avi" else data[:-200])
    frames, reader = read_frames(path)
    assert 30 < len(frames) < 48
    assert "decoding broke at" in str(reader.damage)


@pytest.mark.parametrize(("name", "b_frames"), [("h264", 0), ("h264", 2), ("hevc", 0)])
def test_a_raw_stream_keeps_its_times_behind_what_is_lost(name: str, b_frames: int, tmp_path: Path) -> None:
    images, path = textured(np.random.default_rng(5)), tmp_path / f"a.{name}"
    codec = {"h264": "libx264", "hevc": "libx265"}[name]
    make_video(path, images=images, size=SIZE, gop=24, codec=codec, container=name, b_frames=b_frames, options=CRF)
    original, whole = read_frames(path)
    with av.open(str(path)) as container:
        parts = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    kept, noise = {"h264": 12, "hevc": 6}[name], np.random.default_rng(7).integers(1, 255, 4000).astype(np.uint8)
    filling = noise.tobytes() if name == "h264" else b"\xff" * 4000  # HEVC decodes noise without an error
    parts[50] = parts[50][:kept] + filling[: len(parts[50]) - kept]
    path.write_bytes(b"".join(parts))
    frames, reader = read_frames(path)
    (gap,) = reader.gaps
    assert LENGTH - 25 <= len(frames) == LENGTH - gap.missing
    assert_same(frames, [original[frame.index] for frame in frames])
    first = next(i for i, frame in enumerate(frames) if frame.index != i)
    assert (gap.start_s, gap.end_s) == (pytest.approx(original[first].time_s), frames[first].time_s)
    assert reader.end_s == whole.end_s


def test_a_lost_b_frame_of_an_avi_is_a_gap(tmp_path: Path) -> None:
    source = make_video(tmp_path / "whole.avi", colours=palette(60), codec="mpeg4", gop=20, b_frames=2)
    frames, reader = read_frames(remuxed(source, tmp_path / "a.avi", junk={26: b"\xff\1\2\3\4\5\6"}))
    assert (len(frames), [gap.missing for gap in reader.gaps], reader.end_s) == (59, [1], 2.5)
    assert reader.gaps[0].start_s == pytest.approx(25 / 24, abs=1.1 / 24)
    assert_colours(frames[27:], palette(60)[28:])
    assert [frame.time_s for frame in frames[27:]] == [i / 24 for i in range(28, 60)]


def test_a_gap_at_the_beginning_starts_at_0_where_nothing_earlier_is_shown(tmp_path: Path) -> None:
    with MediaFile(make_video(tmp_path / "a.mp4", colours=palette(24))) as media:
        decoder = Decoder(media)
        decoder._reader.first = Stamp(-6000, -6000, 512)
        assert decoder._lost_from() == (0, 0)


@pytest.mark.parametrize("name", ["h264.flv", "sound.flv", "vp8.ivf"])
def test_a_file_that_ends_within_a_packet_is_cut_off(name: str, tmp_path: Path) -> None:
    options = {"codec": "libvpx"} if name == "vp8.ivf" else {"audio": "aac" if name == "sound.flv" else None}
    path = make_video(tmp_path / name, colours=palette(60), **options)
    path.write_bytes(path.read_bytes()[: -1000 if name == "sound.flv" else -30])
    frames, reader = read_frames(path)
    assert_colours(frames, palette(60)[: len(frames)])
    assert (len(frames) > 20, reader.gaps) == (True, [])
    assert re.match(
        rf"{re.escape(name)}: decoding broke at 0:0\d\.\d of 0:02\.\d; what came before", str(reader.damage)
    )


@pytest.mark.parametrize("number", [121, 122, 123, 124])
def test_indices_go_on_behind_a_late_loss_as_if_nothing_was_lost(number: int, tmp_path: Path) -> None:
    source = make_video(tmp_path / "whole.mp4", colours=palette(160), gop=20, b_frames=2, options=NO_CUTS)
    frames, reader = read_frames(remuxed(source, tmp_path / "a.mp4", junk={number: b"\xff\1\2\3\4\5\6"}))
    assert len(reader.gaps) == 1
    assert [frame.index for frame in frames] == [round(frame.time_s * 24) for frame in frames]


class Marked:
    """A frame that says it is damaged."""

    is_corrupt = True

    def __init__(self, frame: av.VideoFrame) -> None:
        self._frame = frame

    def __getattr__(self, name: str) -> Any:
        return getattr(self._frame, name)


class MarksWithThreads:
    """A decoder that marks frames as damaged as long as it has several threads, as FFmpeg does with coded fields."""

    def __init__(self, context: av.VideoCodecContext) -> None:
        self._context = context

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def decode(self, packet: Any) -> list[Any]:
        frames = self._context.decode(packet)
        return [Marked(frame) if frame.pts and frame.pts % 3 == 0 else frame for frame in frames]


def test_a_mark_that_one_thread_does_not_confirm_is_no_damage(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv", colours=palette(60), gop=20, b_frames=2)
    with MediaFile(path) as media:
        decoder = Decoder(media)
        decoder._pictures._context = MarksWithThreads(media.stream.codec_context)  # type: ignore[assignment]
        frames = list(decoder)
        assert [frame.index for frame in frames] == list(range(60))
        assert [float(frame.time) for frame in frames] == pytest.approx([i / 24 for i in range(60)], abs=1e-3)
        assert (decoder.gaps, decoder.is_cut_off) == ([], False)
