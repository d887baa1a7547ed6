"""Which of a file's tracks is the video: the one that Chromium plays."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.stream import Disposition
from PIL import Image

from lib.core.errors import NoVideoStreamError, VideoUnreadableError
from lib.media.audio import AudioReader
from lib.media.frames import Frame, frame_at, probe
from lib.media.media_file import MediaFile
from lib.media.playable_copy import make_playable_copy
from lib.media.programmes import programme_of
from tests.helpers.browser import NewPage
from tests.helpers.frames import assert_colours, read_frames
from tests.helpers.player import serving_files
from tests.helpers.videos import BLUE, GREEN, RED, WHITE, make_video, palette, quadrants


def times_of(frames: Sequence[Frame]) -> list[float]:
    """Return the times of frames in seconds."""
    return [frame.time_s for frame in frames]


SMALL, LARGE = (160, 120), (320, 240)
OFF, ON = Disposition(0), Disposition.default
Track = tuple[str, tuple[int, int], Disposition]
_FORMATS = {"mjpeg": "yuvj420p", "prores_ks": "yuv422p10le"}


def write_tracks(path: Path, tracks: Sequence[Track], *, frames: int = 20, container: str | None = None) -> Path:
    """Write a file with several picture tracks of 10 frames per second, packets in the order of time."""
    quiet = {"libx265": {"x265-params": "log-level=none"}, "libsvtav1": {"preset": "12", "svtav1-params": "lp=1"}}
    with av.open(str(path), "w", format=container) as output:
        streams: list[Any] = []
        for codec, (width, height), disposition in tracks:
            stream: Any = output.add_stream(codec, rate=10, options=quiet.get(codec, {}))
            stream.width, stream.height, stream.pix_fmt = width, height, _FORMATS.get(codec, "yuv420p")
            stream.codec_context.thread_count, stream.disposition = 1, disposition
            streams.append(stream)
        output.start_encoding()
        packets = []
        for stream in streams:
            for i in range(frames):
                frame = av.VideoFrame(stream.width, stream.height, stream.pix_fmt)
                for number, plane in enumerate(frame.planes):
                    plane.update(bytes([20 + 9 * i if number == 0 else 128]) * plane.buffer_size)
                frame.pts, frame.time_base = i, Fraction(1, 10)
                packets += stream.encode(frame)
            packets += stream.encode()
        output.mux(sorted(packets, key=lambda packet: packet.dts * packet.time_base))
    return path


# What Chromium's videoWidth says of each
PLAYED: dict[str, tuple[str, list[Track], tuple[int, int]]] = {
    "a preview before the video": ("a.mp4", [("mjpeg", SMALL, OFF), ("libx264", LARGE, ON)], LARGE),
    "a preview that isn't disabled": ("a.mp4", [("mjpeg", SMALL, ON), ("libx264", LARGE, OFF)], LARGE),
    "a preview in Matroska": ("a.mkv", [("mjpeg", SMALL, ON), ("libvpx-vp9", LARGE, OFF)], LARGE),
    "the first is disabled": ("a.mp4", [("libx264", SMALL, OFF), ("libx264", LARGE, ON)], LARGE),
    "the first is disabled in MOV": ("a.mov", [("libx264", SMALL, OFF), ("libx264", LARGE, ON)], LARGE),
    "the second is disabled": ("a.mp4", [("libx264", SMALL, ON), ("libx264", LARGE, OFF)], SMALL),
    "two that are enabled": ("a.mp4", [("libx264", SMALL, ON), ("libx264", LARGE, ON)], SMALL),
    "Matroska's flag": ("a.mkv", [("libx264", SMALL, OFF), ("libx264", LARGE, ON)], SMALL),
    "WebM's flag": ("a.webm", [("libvpx", SMALL, OFF), ("libvpx-vp9", LARGE, ON)], SMALL),
    "a codec that no browser has": ("a.mp4", [("mpeg4", SMALL, ON), ("libx264", LARGE, OFF)], LARGE),
    "such a codec in Matroska": ("a.mkv", [("mpeg4", SMALL, ON), ("libx264", LARGE, OFF)], LARGE),
    "ProRes and a proxy": ("a.mov", [("prores_ks", SMALL, ON), ("libx264", LARGE, OFF)], LARGE),
    "HEVC, which few browsers have": ("a.mp4", [("libx265", SMALL, ON), ("libx264", LARGE, OFF)], LARGE),
    # none is played: what players show
    "a preview beside ProRes": ("a.mov", [("mjpeg", SMALL, ON), ("prores_ks", LARGE, OFF)], LARGE),
    "two of a codec that no browser has": ("a.mkv", [("mpeg4", SMALL, OFF), ("mpeg4", LARGE, ON)], LARGE),
}


@pytest.mark.parametrize("kind", PLAYED)
def test_the_track_that_a_browser_plays_is_the_video(kind: str, tmp_path: Path) -> None:
    name, tracks, (width, height) = PLAYED[kind]
    path = write_tracks(tmp_path / name, tracks)
    info = probe(path)
    frames, reader = read_frames(path)
    assert (info.width, info.height) == (width, height)
    assert len(frames) == 20
    assert reader.damage is None
    assert {frame.image.shape for frame in frames} == {(height, width, 3)}
    assert frame_at(path, 1.05).image.shape == (height, width, 3)
    make_playable_copy(path, tmp_path / "copy.mp4")
    assert (probe(tmp_path / "copy.mp4").width, probe(tmp_path / "copy.mp4").height) == (width, height)


def test_of_an_image_sequence_the_sequence_is_the_video_and_a_still_is_none(tmp_path: Path) -> None:
    path = write_tracks(tmp_path / "a.avif", [("libsvtav1", LARGE, ON)], container="avif")
    frames, _ = read_frames(path)
    assert times_of(frames) == pytest.approx([i / 10 for i in range(20)])
    still = write_tracks(tmp_path / "still.avif", [("libsvtav1", LARGE, ON)], frames=1, container="avif")
    with pytest.raises(NoVideoStreamError, match=r"^still\.avif has no video stream, only sound or a still picture;"):
        probe(still)


# Photos

_EXIF = {1: (0, False), 2: (0, True), 3: (2, False), 4: (2, True), 5: (1, True), 6: (3, False), 7: (3, True)}
_EXIF |= {8: (1, False)}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photos_in_a_film_stand_upright(orientation: int, tmp_path: Path) -> None:
    """The picture is stored turned, as a camera does it, and EXIF says how to turn it back (CIPA DC-008, 4.6.5)."""
    turns, mirrored = _EXIF[orientation]
    upright = quadrants((64, 48))
    stored = np.rot90(upright, -turns)
    photo, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(stored[:, ::-1] if mirrored else stored).save(photo, "JPEG", quality=95, subsampling=0, exif=exif)
    with av.open(str(tmp_path / "lapse.mov"), "w") as output:
        stream: Any = output.add_stream("mjpeg", rate=10)
        stream.height, stream.width = stored.shape[:2]
        stream.pix_fmt = "yuvj444p"
        for i in range(30):
            packet = av.Packet(photo.getvalue())
            packet.stream, packet.pts, packet.dts, packet.time_base = stream, i, i, Fraction(1, 10)
            packet.is_keyframe, packet.duration = True, 1
            output.mux(packet)
    frames, reader = read_frames(tmp_path / "lapse.mov")
    assert times_of(frames) == pytest.approx([i / 10 for i in range(30)])
    assert reader.end_s == 3.0
    image = frames[-1].image
    assert image.shape == (48, 64, 3)
    corners = [image[12, 16], image[12, 48], image[36, 16], image[36, 48]]
    assert np.abs(np.array(corners, int) - [RED, GREEN, BLUE, WHITE]).max() <= 12
    info = probe(tmp_path / "lapse.mov")
    assert (info.width, info.height) == (64, 48)
    make_playable_copy(tmp_path / "lapse.mov", tmp_path / "copy.mp4")
    assert probe(tmp_path / "copy.mp4").width == 64


# Transport streams of several programmes


def _crc(data: bytes) -> bytes:
    """Return the checksum of a table (ISO/IEC 13818-1, annex A)."""
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value & 0x80000000 else 0)) & 0xFFFFFFFF
    return struct.pack(">I", value)


def _table_of_programmes(*programmes: tuple[int, int]) -> bytes:
    """Return the packet of a table with number and table's id of each programme."""
    entries = b"".join(struct.pack(">HH", number, 0xE000 | pid) for number, pid in programmes)
    section = struct.pack(">BHHBBB", 0, 0xB000 | (9 + len(entries)), 1, 0xC1, 0, 0) + entries
    return (b"\x47\x40\x00\x10\x00" + section + _crc(section)).ljust(188, b"\xff")


def two_programmes(folder: Path) -> Path:
    """A picture, its sound a quarter of a second later, and another programme that began ten seconds earlier."""
    packets = []
    starts: list[dict[str, Any]] = [{"start": 10, "audio_start": 10.25}, {"start": 0, "audio_start": 0.0}]
    for number, start in enumerate(starts):
        pids = {"mpegts_start_pid": str(0x100 + 0x20 * number), "mpegts_pmt_start_pid": str(0x1000 + number)}
        path = folder / f"{number}.ts"
        make_video(path, colours=palette(48), audio="aac", container_options=pids, **start)
        data = path.read_bytes()
        packets.append([data[i : i + 188] for i in range(0, len(data), 188)])
    pid_of = [[int.from_bytes(packet[1:3]) & 0x1FFF for packet in one] for one in packets]
    kept = [
        [packet for packet, pid in zip(one, pids, strict=True) if pid not in (0, 17, 0x120)]
        for one, pids in zip(packets, pid_of, strict=True)
    ]
    table = _table_of_programmes((1, 0x1000), (2, 0x1001))
    mixed = [packet for i in range(max(map(len, kept))) for one in kept for packet in one[i : i + 1]]
    path = folder / "both.ts"
    path.write_bytes(table + b"".join(mixed))
    return path


def test_only_the_pictures_own_programme_starts_the_time_line(tmp_path: Path) -> None:
    path = two_programmes(tmp_path)
    with MediaFile(path) as media:
        assert len(media.container.streams.audio) == 2
    frames, _ = read_frames(path)
    assert times_of(frames) == pytest.approx([i / 24 for i in range(48)], abs=1e-4)
    with MediaFile(path) as media, AudioReader(path, origin_s=media.origin_s) as audio:
        sound = np.concatenate([block.to_ndarray() for block in audio.blocks(Fraction(2))], axis=1)[0]
    begin = np.flatnonzero(np.abs(sound) > 0.02)[0] / 48000
    assert begin == pytest.approx(0.25, abs=0.06)


# Streams that nobody wants


def test_sound_that_is_not_in_the_file_ends_no_picture(tmp_path: Path) -> None:
    """Its chunks lie where the file was cut off, as where it was written track by track."""
    path = make_video(tmp_path / "a.mp4", colours=palette(48), audio="aac", faststart=True)
    data = bytearray(path.read_bytes())
    at = data.rfind(b"stco") + 8
    for entry in range(int.from_bytes(data[at : at + 4])):
        struct.pack_into(">I", data, at + 4 * (entry + 1), len(data) + 1000 * entry)
    path.write_bytes(data)
    frames, reader = read_frames(path)
    assert_colours(frames, palette(48))
    assert reader.damage is None


# Encrypted files


def _element(name: str, content: bytes) -> bytes:
    return bytes.fromhex(name) + (0x4000 | len(content)).to_bytes(2) + content


def test_an_encrypted_matroska_file_is_called_that(tmp_path: Path) -> None:
    """The element with the track's name gives way to one that says how it is encrypted (RFC 9559, 5.1.4.1.31)."""
    key = _element("5035", _element("47E1", b"\5") + _element("47E2", b"0123456789abcdef"))
    encodings = _element("6240", _element("5031", b"\0") + _element("5032", b"\1") + _element("5033", b"\1") + key)
    name = "x" * (len(encodings) + 1)
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as output:
        stream: Any = output.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.metadata["title"] = name
        for _ in range(4):
            output.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        output.mux(stream.encode())
    data = path.read_bytes()
    written = bytes.fromhex("536E") + bytes([0x80 | len(name)]) + name.encode()
    assert data.count(written) == 1
    path.write_bytes(data.replace(written, _element("6D80", encodings)))
    with pytest.raises(VideoUnreadableError, match=r"^a\.mkv is encrypted \(DRM\); choose a copy without"):
        probe(path)


@pytest.mark.parametrize("options", [{"movflags": "frag_keyframe+empty_moov"}, {}])
def test_encrypted_mp4_files_are_called_that(options: dict[str, str], tmp_path: Path) -> None:
    key = {"encryption_scheme": "cenc-aes-ctr", "encryption_key": "76a6c65c5ea762046bd749a2e632ccbb"}
    key["encryption_kid"] = "a7e61c373e219033c21091fa607bf3b8"
    path = make_video(tmp_path / "a.mp4", colours=palette(24), container_options=key | options)
    with pytest.raises(VideoUnreadableError, match=r"^a\.mp4 is encrypted \(DRM\); choose a copy without"):
        probe(path)


def test_an_encrypted_wmv_file_is_called_that(tmp_path: Path) -> None:
    """The header gets a content encryption object (ASF specification 3.14)."""
    path = make_video(tmp_path / "a.wmv", colours=palette(4), codec="wmv2")
    data = path.read_bytes()
    fields = [b"secret", b"DRM\0", b"KEY\0", b"http://127.0.0.1/\0"]
    content = b"".join(struct.pack("<I", len(field)) + field for field in fields)
    guid = bytes.fromhex("FBB3112223BDD211B4B700A0C955FC6E")
    added = guid + struct.pack("<Q", 24 + len(content)) + content
    size, count = struct.unpack_from("<QI", data, 16)
    header = data[:16] + struct.pack("<QI", size + len(added), count + 1) + data[28:size] + added
    path.write_bytes(header + data[size:])
    with pytest.raises(VideoUnreadableError, match=r"^a\.wmv is encrypted \(DRM\); choose a copy without"):
        probe(path)


# Tables that are no tables


def test_whatever_a_transport_stream_holds_for_tables_its_programme_is_told_or_not(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.ts", colours=palette(4), audio="aac")
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    assert programme_of(path, 0x100) == {0x100, 0x101}
    assert programme_of(path, 0x777) == frozenset()
    for _ in range(100):
        data = bytearray(whole[: 188 * 20])
        for at in rng.integers(0, 188 * 4, 40):
            data[at] = rng.integers(256)
        path.write_bytes(data)
        assert programme_of(path, 0x100) <= set(range(1 << 13))
    path.write_bytes(b"G")
    assert programme_of(path, 0x100) == frozenset()


# Beside a browser


@pytest.mark.browser
def test_chromium_plays_the_same_track(new_page: NewPage, tmp_path: Path) -> None:
    names = list(PLAYED)[:13]
    for number, kind in enumerate(names):
        name, tracks, _ = PLAYED[kind]
        write_tracks(tmp_path / f"{number}_{name}", tracks)
    with serving_files(tmp_path) as address:
        page = new_page()
        page.goto(address)
        for number, kind in enumerate(names):
            name, _, size = PLAYED[kind]
            shown = page.evaluate(
                """source => new Promise((resolve, reject) => {
                    const video = document.createElement("video");
                    video.onloadeddata = () => resolve([video.videoWidth, video.videoHeight]);
                    video.onerror = () => reject(video.error.message);
                    video.src = source;
                })""",
                f"{address}/{number}_{name}",
            )
            assert tuple(shown) == size, kind
