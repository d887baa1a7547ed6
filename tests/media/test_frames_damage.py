"""Files that can't be used, and files that break in the middle: what is said, and what is kept."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from lib.core.errors import NoVideoStreamError, VideoDamagedError, VideoError, VideoUnreadableError
from lib.core.sampling import Sampling
from lib.media.frames import Frame, FrameReader, frame_at, probe
from tests.helpers.videos import find_box, make_video, palette

RATE = 24
LENGTH = 120
SIZE = (160, 96)


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def cut_before_index(path: Path) -> Path:
    make_video(path, colours=palette(24))
    return write(path, path.read_bytes()[: find_box(path.read_bytes(), "moov")[0][0] - 10])


def sound_only(path: Path) -> Path:
    with av.open(str(path), "w") as output:
        stream: Any = output.add_stream("aac", rate=48000)
        for i in range(40):
            frame = av.AudioFrame.from_ndarray(
                np.zeros((2, 1024), np.float32), format="fltp", layout="stereo"
            )
            frame.sample_rate, frame.pts, frame.time_base = 48000, i * 1024, Fraction(1, 48000)
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return path


def without_frames(path: Path) -> Path:
    """A recording that was stopped before its first picture."""
    make_video(path, colours=palette(4), container_options={"movflags": "frag_keyframe+empty_moov"})
    data = path.read_bytes()
    return write(path, data[: find_box(data, "moof")[0][0]])


UNUSABLE: dict[str, tuple[str, Callable[[Path], Path], type[VideoError], str]] = {
    "missing": (
        "gone.mp4", lambda path: path, VideoUnreadableError,
        "gone.mp4 does not exist (any more); check the path",
    ),
    "folder": (
        "clips", lambda path: (path.mkdir(), path)[1], VideoUnreadableError,
        "clips is a folder; choose a video file in it.",
    ),
    "empty": (
        "empty.mp4", lambda path: write(path, b""), VideoUnreadableError,
        "empty.mp4 is empty (0 bytes); copy or download it again.",
    ),
    "text": (
        "notes.mp4", lambda path: write(path, b"This is only text.\n" * 50), VideoUnreadableError,
        "notes.mp4 is not a video that can be read; choose an MP4, MOV, MKV, WebM or AVI file.",
    ),
    "zeros": (
        "zeros.mkv", lambda path: write(path, bytes(5000)), VideoUnreadableError,
        "zeros.mkv is not a video that can be read",
    ),
    "without its index": (
        "cut.mp4", cut_before_index, VideoUnreadableError,
        "cut.mp4 is cut off: the index at its end is missing, so nothing in it can be read; "
        "copy, download or record it again.",
    ),
    "sound only": (
        "song.m4a", sound_only, NoVideoStreamError,
        "song.m4a has no video stream, only sound or a still picture; choose a video file.",
    ),
    "no frame": (
        "none.mp4", without_frames, VideoUnreadableError,
        "none.mp4 has a video stream without a single frame; export or record it again.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", UNUSABLE)
def test_a_file_that_is_no_video_says_why_and_what_to_do(kind: str, tmp_path: Path) -> None:
    name, make, error, message = UNUSABLE[kind]
    path = make(tmp_path / name)
    with pytest.raises(error, match="^" + re.escape(message)):
        probe(path)
    with pytest.raises(error, match="^" + re.escape(message)):
        list(FrameReader(path, Sampling.every(1)))
    with pytest.raises(error, match="^" + re.escape(message)):
        frame_at(path, 1.0)


def test_a_file_without_permission_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_video(tmp_path / "secret.mp4", colours=palette(4))
    path.chmod(0)
    if os.access(path, os.R_OK):  # the superuser may read anything
        opened = Path.open

        def refuse(self: Path, *args: Any, **options: Any) -> Any:
            if self == path:
                raise PermissionError(13, "Permission denied")
            return opened(self, *args, **options)

        monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(
        VideoUnreadableError, match=r"^secret\.mp4 may not be read by this user; change its perm"
    ):
        probe(path)


def test_a_playlist_cannot_pull_in_other_files(tmp_path: Path) -> None:
    make_video(tmp_path / "private.ts", colours=palette(24))
    playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nprivate.ts\n#EXT-X-ENDLIST\n"
    for name in ("list.mp4", "list.m3u8"):
        path = write(tmp_path / name, playlist.encode())
        with pytest.raises(VideoUnreadableError, match="is not a video that can be read"):
            probe(path)


def test_a_still_picture_is_no_video(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "photo.png"), "w", format="image2") as output:
        stream: Any = output.add_stream("png")
        stream.width, stream.height, stream.pix_fmt = 32, 24, "rgb24"
        output.mux(stream.encode(av.VideoFrame(32, 24, "rgb24")))
        output.mux(stream.encode())
    path = (tmp_path / "photo.png").rename(tmp_path / "photo.mp4")
    with pytest.raises(VideoUnreadableError, match=r"photo\.mp4 is not a video that can be read"):
        probe(path)


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
            path = make_video(
                folder / name, images=images, size=SIZE, rate=RATE, gop=24, options=options, **kind
            )
            with FrameReader(path, Sampling.every(1)) as reader:
                made[name] = path, list(reader)
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


DAMAGES = {"cut": cut, "overwritten": overwritten, "zeroed": zeroed}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", FORMATS)
def test_a_file_that_breaks_in_the_middle_keeps_what_came_before_and_says_how_far_it_got(
    name: str, damage: str, whole: Callable[[str], tuple[Path, list[Frame]]], tmp_path: Path
) -> None:
    source, expected = whole(name)
    path = write(tmp_path / name, DAMAGES[damage](source.read_bytes()))
    with FrameReader(path, Sampling.every(1)) as reader:
        frames = list(reader)
    assert LENGTH * 0.3 < len(frames) < LENGTH * 0.7
    for kept, original in zip(frames, expected, strict=False):
        assert (kept.index, kept.time_s) == (original.index, original.time_s)
    same = [
        np.array_equal(kept.image, original.image) for kept, original in zip(frames, expected, strict=False)
    ]
    if damage != "cut" and name in UNNOTICED:
        assert all(same[: -UNNOTICED[name]])
    else:
        assert all(same)  # nothing patched up, no rubbish
    assert reader.end_s == pytest.approx(frames[-1].time_s + 1 / RATE, abs=2e-3)
    assert isinstance(reader.damage, VideoDamagedError)
    assert reader.damage.reached_s == frames[-1].time_s
    assert re.fullmatch(
        rf"{re.escape(name)}: decoding broke at 0:0{frames[-1].time_s:.1f} of (0:0\d\.\d); "
        r"what came before is kept\. Copy, download or record it again to get the rest\.",
        str(reader.damage),
    )
    if name not in ("mpeg4.avi", "h264.ts"):  # their length is estimated from what is there
        assert "of 0:05.0;" in str(reader.damage)


@pytest.mark.parametrize("name", ["h264.mp4", "h264.mkv"])
def test_a_resumed_reading_breaks_at_the_same_place(
    name: str, whole: Callable[[str], tuple[Path, list[Frame]]], tmp_path: Path
) -> None:
    path = write(tmp_path / name, overwritten(whole(name)[0].read_bytes()))
    with FrameReader(path, Sampling.every(7)) as reader:
        frames = list(reader)
    with FrameReader(path, Sampling.every(7), resume_after=(frames[3].index, frames[3].time_s)) as resumed:
        rest = list(resumed)
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
    path = write(tmp_path / "black.mp4", data)
    message = (
        r"^black\.mp4: decoding broke at the first frame, so nothing is kept; copy or download it again\.$"
    )
    with pytest.raises(VideoDamagedError, match=message):
        probe(path)
    with FrameReader(path, Sampling.every(1)) as reader, pytest.raises(VideoDamagedError, match=message):
        list(reader)


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
    with FrameReader(path, Sampling.every(1)) as reader:
        assert len(list(reader)) == LENGTH
    assert reader.damage is None


def test_a_matroska_element_of_an_unknown_kind_is_no_damage(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv", colours=palette(24))
    data = path.read_bytes()
    at = data.rindex(b"\x1c\x53\xbb\x6b")  # in front of the cues, within a segment made longer by as much
    segment = data.index(b"\x18\x53\x80\x67") + 4
    length = int.from_bytes(data[segment + 1 : segment + 8], "big") + 8
    private = b"\x4d\x00\x85" + b"hello"
    data = data[: segment + 1] + length.to_bytes(7, "big") + data[segment + 8 : at] + private + data[at:]
    path.write_bytes(data)
    with FrameReader(path, Sampling.every(1)) as reader:
        assert len(list(reader)) == 24
    assert reader.damage is None
