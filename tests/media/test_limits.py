"""Memory is bounded by bytes: large and long pictures are refused or cropped before they take it."""

from __future__ import annotations

import gc
import json
import os
import random
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any
from unittest.mock import patch

import av
import numpy as np
import pytest

from lib.core.errors import NoVideoStreamError, VideoError, VideoUnreadableError
from lib.core.sampling import Sampling
from lib.media import limits
from lib.media.frames import FrameReader, frame_at, probe
from lib.media.limits import MAX_PIXELS, limit_threads, reading, size_problem
from lib.media.media_file import MediaFile
from lib.media.picture import FrameConverter, SampleConverter, fitted_size
from lib.media.playable_copy import make_playable_copy
from lib.media.references import reference_frames
from tests.helpers.videos import make_video, palette

EVERY_FRAME = Sampling("stride", Fraction(1))
MANY_REFERENCES = {"preset": "ultrafast", "crf": "40", "x264-params": "ref=16:scenecut=0"}
LARGE = (6144, 5888)
_READ = """
import json, sys
from fractions import Fraction
from lib.core.errors import VideoError
from lib.core.sampling import Sampling
from lib.media import limits
from lib.media.frames import FrameReader
from tests.helpers.memory import peak_bytes
start = peak_bytes()
try:
    reader = FrameReader(sys.argv[1], Sampling("stride", Fraction(1)), short_side=224)
    said = [list(frame.image.shape) for frame in reader][-1]
except VideoError as error:
    said = str(error)
print(json.dumps([said, peak_bytes() - start]))
"""


def read_apart(path: Path) -> tuple[object, int]:
    """Read a video in a process of its own; return the last picture's shape or the sentence, and the bytes taken."""
    answer = subprocess.run([sys.executable, "-c", _READ, path], capture_output=True, check=True, cwd=Path.cwd())
    said, grown = json.loads(answer.stdout)
    return said, grown


def read_all(path: Path) -> list[Any]:
    with FrameReader(path, EVERY_FRAME, short_side=32) as reader:
        return list(reader)


def flat(path: Path, size: tuple[int, int], frames: int, **more: object) -> Path:
    image = np.full((size[1], size[0], 3), 90, np.uint8)
    return make_video(path, images=(image for _ in range(frames)), size=size, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write two pictures beyond 8K as MP4, and beside it as a raw stream."""
    path = tmp_path_factory.mktemp("large") / "h.mp4"
    with av.open(str(path), "w") as output:
        stream: Any = output.add_stream("libx264", rate=24, options={"preset": "ultrafast", "crf": "51"})
        stream.width, stream.height = LARGE
        for _ in range(2):
            output.mux(stream.encode(av.VideoFrame(*LARGE, "yuv420p")))
        output.mux(stream.encode())
    with av.open(str(path)) as source, av.open(str(path.with_suffix(".h264")), "w") as output:
        remux(source, output)
    return path


def remux(source: av.container.InputContainer, output: av.container.OutputContainer) -> None:
    stream = source.streams.video[0]
    copy = output.add_stream_from_template(stream)
    for packet in source.demux(stream):
        if packet.dts is not None:
            packet.stream = copy
            output.mux(packet)


@pytest.mark.parametrize("size", [(7680, 4320), (8192, 4320), (4320, 7680), (400, 20), (20, 400), (1920, 1080), (1, 1)])
def test_up_to_8k_and_20_to_1_is_read(size: tuple[int, int]) -> None:
    assert size_problem(*size) is None


@pytest.mark.parametrize("size", [(8192, 4321), (8000, 8000), (16384, 2), (2, 16384), (2000, 2), (401, 20)])
def test_beyond_that_size_and_limit_are_named(size: tuple[int, int]) -> None:
    said = size_problem(*size)
    assert said is not None
    assert f"{size[0]} × {size[1]} pixels" in said
    assert f"{MAX_PIXELS:,}" in said or "20 times" in said


def test_a_long_video_is_refused_everywhere_in_one_sentence(tmp_path: Path) -> None:
    path = flat(tmp_path / "w.mkv", (2000, 2), 3, codec="ffv1", pixel_format="yuv420p")
    message = r"^w\.mkv: its pictures are stored as 2000 × 2 pixels, and one side .* 20 times .*; scale or crop"
    for use in (probe, lambda p: FrameReader(p, EVERY_FRAME), lambda p: frame_at(p, 0)):
        with pytest.raises(VideoUnreadableError, match=message):
            use(path)
    with pytest.raises(VideoUnreadableError, match=message):
        make_playable_copy(path, tmp_path / "copy.mp4")


def test_pixel_aspect_counts(tmp_path: Path) -> None:
    path = flat(tmp_path / "a.mp4", (320, 32), 2, sar=Fraction(8))
    with pytest.raises(VideoUnreadableError, match="displayed as 2560 × 32 pixels"):
        probe(path)


@pytest.mark.parametrize("container", ["mp4", "mpegts", "matroska", "flv"])
def test_a_large_video_takes_no_memory_before_it_is_refused(container: str, large: Path, tmp_path: Path) -> None:
    """FFmpeg decodes some frames while it opens a file; one of these pictures has 54 MB."""
    path = tmp_path / "h.bin"
    with av.open(str(large)) as source, av.open(str(path), "w", format=container) as output:
        remux(source, output)
    said, grown = read_apart(path)
    assert str(said).startswith("h.bin: its pictures are stored as 6144 × 5888 pixels, and at most 35,389,440")
    assert grown < 150e6


def test_memory_follows_the_frames_that_a_decoder_needs(tmp_path: Path) -> None:
    """16 references and what is on its way, whatever the number of processors."""
    path = flat(tmp_path / "a.mp4", (2048, 1080), 20, options=MANY_REFERENCES, gop=100)
    said, grown = read_apart(path)
    frame_bytes = 2048 * 1080 * 3 // 2
    assert said == [224, 425, 3]
    assert grown < (16 + 8 + 2) * frame_bytes + 40e6


@pytest.mark.parametrize(
    "use",
    [
        probe,
        lambda path: frame_at(path, 0.5),
        read_all,
        lambda path: make_playable_copy(path, path.with_suffix(".copy.mp4")),
    ],
    ids=["probe", "frame_at", "FrameReader", "copy"],
)
@pytest.mark.parametrize("rotation", [0, 90])
def test_what_was_decoded_is_let_go_without_the_garbage_collector(use: Any, rotation: int, tmp_path: Path) -> None:
    """Eight looks at a file of 15 kB took 4 GB: a frame that is left keeps its decoder's others."""
    path = make_video(tmp_path / "a.mp4", colours=palette(24), rotation=rotation)
    gc.collect()
    gc.disable()
    try:
        use(path)
        # By type: "isinstance" looks through the dead proxies that other tests leave.
        left = [one for one in gc.get_objects() if issubclass(type(one), av.VideoFrame | av.VideoCodecContext)]
        assert not [one for one in left if isinstance(one, av.VideoFrame) and one.format is not None]
        assert not [one for one in left if isinstance(one, av.VideoCodecContext) and one.is_decoder]
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("size", "bits", "references", "passes"),
    [
        ((8192, 4320), 12, 12, True),
        ((8192, 4320), 12, 16, False),
        ((7680, 4320), 24, 6, True),
        ((8192, 4320), 24, 16, False),
        ((4096, 2160), 24, 16, True),
        ((8192, 4320), 12, 10**30, False),
    ],
)
def test_reference_frames_are_counted_in_bytes(
    size: tuple[int, int], bits: int, references: int, passes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = av.CodecContext.create("h264", "r")
    context.width, context.height = size
    monkeypatch.setattr(limits, "_bits", lambda _: bits)
    monkeypatch.setattr(limits, "reference_frames", lambda *_: references)
    if passes:
        limits.check_references("a.mp4", context)
        return
    with pytest.raises(VideoUnreadableError, match=r"build on 16 others, which takes .* GB, and at most 1\.0 GB"):
        limits.check_references("a.mp4", context)


@pytest.mark.parametrize(
    ("codec", "container", "options", "count"),
    [
        ("libx264", "mp4", {"x264-params": "ref=16"}, 16),
        ("libx264", "mpegts", {"x264-params": "ref=5:cqm=jvt"}, 5),
        ("libx264", "flv", {"preset": "ultrafast"}, 1),
        ("libx265", "mp4", {"x265-params": "log-level=none:pools=none:frame-threads=1:ref=4:temporal-layers=3"}, 4),
        ("libx265", "matroska", {"x265-params": "log-level=none:pools=none:frame-threads=1:ref=4"}, 4),
        ("mpeg4", "mp4", {}, 0),
    ],
)
def test_reference_frames_are_read_as_announced(
    codec: str, container: str, options: dict[str, str], count: int, tmp_path: Path
) -> None:
    path = make_video(tmp_path / "a.bin", colours=palette(4), codec=codec, container=container, options=options)
    with MediaFile(path) as media:
        context = media.stream.codec_context
        assert reference_frames(context.codec.canonical_name, context.extradata) == count


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_parameter_sets_of_noise_announce_something_or_nothing(codec: str) -> None:
    rng = random.Random(12)
    heads = (b"", b"\1", b"\0\0\1\x67\x64", b"\0\0\1\x42\1")
    for number in range(2000):
        assert reference_frames(codec, heads[number % 4] + rng.randbytes(rng.randrange(90))) >= 0
    assert reference_frames(codec, None) == 0


@pytest.mark.parametrize("cores", [1, 2, 64])
@pytest.mark.parametrize("size", [(320, 240), (3840, 2160), (8192, 4320)])
def test_frames_decoded_at_once_are_bounded_by_their_bytes(cores: int, size: tuple[int, int]) -> None:
    context = av.CodecContext.create("h264", "r")
    context.width, context.height = size
    with patch.object(os, "cpu_count", return_value=cores):
        limit_threads(context)
    frames = context.thread_count if context.thread_type.name == "AUTO" else 1
    assert frames <= 8
    assert frames * size[0] * size[1] * 3 // 2 <= 128 << 20
    assert size != (320, 240) or context.thread_count == min(8, cores + (cores > 1))


@pytest.mark.parametrize(("size", "what"), [((400, 10), "20 times"), (LARGE, "35,389,440")])
def test_pictures_that_become_too_large_end_the_video_there(
    size: tuple[int, int], what: str, large: Path, tmp_path: Path
) -> None:
    small = flat(tmp_path / "s.h264", (64, 48), 24).read_bytes()
    other = (large.with_suffix(".h264") if size == LARGE else flat(tmp_path / "o.h264", size, 2)).read_bytes()
    path = tmp_path / "changes.h264"
    path.write_bytes(small + other + small)
    reader = FrameReader(path, EVERY_FRAME, short_side=32)
    assert len(list(reader)) == 24
    said = str(reader.damage)
    assert said.startswith(f"changes.h264: from 0:01.0 on its pictures are stored as {size[0]} × {size[1]} pixels")
    assert what in said
    assert "what came before is kept" in said


def converted(path: Path, short_side: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the first frame scaled as a whole, and as samples are."""
    with MediaFile(path) as media:
        frame = next(media.container.decode(media.stream))
        aspect = media.stream.sample_aspect_ratio
        whole = FrameConverter(aspect, lambda size: fitted_size(size, short_side=short_side)).rgb(frame)
        return whole, SampleConverter(aspect, short_side).rgb(frame)


def noise(size: tuple[int, int]) -> list[np.ndarray]:
    coarse = np.random.default_rng(3).integers(0, 255, (size[1] // 4, size[0] // 4, 3), np.uint8)
    return [np.kron(coarse, np.ones((4, 4, 1), np.uint8))]


@pytest.mark.parametrize("size", [(64, 48), (48, 64), (256, 64), (640, 360), (1200, 80)])
def test_samples_of_ordinary_shapes_and_reduced_ones_are_the_same_to_the_bit(
    size: tuple[int, int], tmp_path: Path
) -> None:
    path = make_video(tmp_path / "a.mp4", images=noise(size), size=size)
    whole, sample = converted(path, 80)
    assert (whole == sample).all()


@pytest.mark.parametrize("size", [(400, 20), (20, 400), (480, 40)])
def test_long_pictures_are_cropped_before_they_are_enlarged(size: tuple[int, int], tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv", images=noise(size), size=size, codec="ffv1")
    whole, sample = converted(path, 80)
    assert sorted(sample.shape[:2]) == [80, 320]
    top, left = ((a - b) // 2 for a, b in zip(whole.shape[:2], sample.shape[:2], strict=True))
    middle = whole[top:, left:][: sample.shape[0], : sample.shape[1]].astype(int)
    assert np.abs(middle - sample).mean() < 3  # the chroma of 4:2:0 is enlarged in two steps


def test_a_copy_of_a_long_video_is_made(tmp_path: Path) -> None:
    path = flat(tmp_path / "a.mkv", (400, 20), 3, codec="ffv1")
    make_playable_copy(path, tmp_path / "copy.mp4")
    assert (probe(tmp_path / "copy.mp4").width, probe(tmp_path / "copy.mp4").height) == (400, 20)


def test_only_regular_files_are_opened_whatever_their_name(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(VideoUnreadableError, match=r"^pipe\.mp4 is no regular file but a pipe or device; choose"):
        probe(tmp_path / "pipe.mp4")
    made = make_video(tmp_path / "a.mp4", colours=palette(2))
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/latin1_\xe9.mp4"))
    made.rename(odd)
    assert probe(odd).width
    with pytest.raises(VideoUnreadableError, match=r"is no path of a file"):
        probe("a\0b.mp4")


def test_an_encrypted_file_is_called_that(tmp_path: Path) -> None:
    key = {"encryption_scheme": "cenc-aes-ctr", "encryption_key": "76a6c65c5ea762046bd749a2e632ccbb"}
    path = make_video(
        tmp_path / "a.mp4",
        colours=palette(4),
        container_options={**key, "encryption_kid": "a7e61c373e219033c21091fa607bf3b8"},
    )
    with pytest.raises(VideoUnreadableError, match=r"^a\.mp4 is encrypted \(DRM\); choose a copy without"):
        probe(path)


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (MemoryError(), "there is not enough memory to decode it; close other programs"),
        (ValueError("29 is not a valid Type"), r"can't be read as a video \(29 is not a valid Type\); try converting"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), "can't be read as a video"),
        (OverflowError(), r"can't be read as a video \(OverflowError\)"),
        (av.error.ArgumentError(22, "Invalid argument"), "can't be read as a video"),
    ],
)
def test_whatever_a_reader_raises_becomes_its_sentence(raised: Exception, said: str) -> None:
    with pytest.raises(VideoError, match=said), reading(Path("a.mp4")):
        raise raised


def test_an_error_that_has_its_sentence_keeps_it() -> None:
    with pytest.raises(NoVideoStreamError, match="no video"), reading(Path("a.mp4")):
        raise NoVideoStreamError("no video")
