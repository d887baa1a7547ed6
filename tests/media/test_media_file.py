"""Files that can't be used as videos: what the errors say."""

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
from av.stream import Disposition

from lib.core.errors import NoVideoStreamError, VideoError, VideoUnreadableError
from lib.media.frames import frame_at, probe
from tests.helpers.frames import assert_colours, read_frames
from tests.helpers.videos import find_box, make_video, palette


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
            frame = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), format="fltp", layout="stereo")
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
        read_frames(path)
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
    with pytest.raises(VideoUnreadableError, match=r"^secret\.mp4 may not be read by this user; change its perm"):
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


def test_cover_art_is_not_taken_for_the_video(tmp_path: Path) -> None:
    source, path = make_video(tmp_path / "a.mp4", colours=palette(8)), tmp_path / "covered.mp4"
    with av.open(str(source)) as original, av.open(str(path), "w") as output:
        cover: Any = output.add_stream("mjpeg")
        cover.width, cover.height, cover.pix_fmt = 32, 24, "yuvj420p"
        cover.disposition = Disposition.attached_pic
        video = output.add_stream_from_template(original.streams.video[0])
        output.mux(cover.encode(av.VideoFrame(32, 24, "yuvj420p")))
        output.mux(cover.encode())
        for packet in original.demux(original.streams.video[0]):
            if packet.size:
                packet.stream = video
                output.mux(packet)
    frames, _ = read_frames(path)
    assert_colours(frames, palette(8))
