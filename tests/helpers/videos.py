"""Small videos of every kind, made with PyAV, whose times and colours are known.

RGB is converted to YUV here, not by the scaler that the code under test uses, so that a wrong matrix or range is
noticed.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("SVT_LOG", "1")  # errors only: the AV1 encoder writes its whole configuration to stderr

Colour = tuple[int, int, int]

RED, GREEN, BLUE = (200, 30, 40), (30, 170, 60), (40, 60, 200)
WHITE = (235, 235, 235)
NO_CUTS = {"sc_threshold": "0"}
"""Encoder option of x264: key frames at their distance alone."""

_KR_KB = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722), "bt2020": (0.2627, 0.0593)}
_MATRIX_TAG = {"bt601": 6, "bt709": 1, "bt2020": 9}  # AVCOL_SPC_*
_DEFAULT_OPTIONS = {
    "libx264": {"crf": "8", "preset": "veryfast"},
    "libx265": {"crf": "8", "preset": "ultrafast", "x265-params": "log-level=none:pools=none:frame-threads=1"},
    "libvpx-vp9": {"crf": "8", "b": "0", "deadline": "realtime", "cpu-used": "8"},
    "libvpx": {"crf": "4", "b": "2M", "deadline": "realtime", "cpu-used": "8"},
    "libsvtav1": {"crf": "8", "preset": "12", "svtav1-params": "lp=1:enable-tf=0"},
    "mpeg4": {"qmin": "1", "qmax": "2"},
    "prores_ks": {"profile": "3"},
}


def palette(n: int, *, seed: int = 0) -> list[Colour]:
    """Return ``n`` colours, each clearly different from its neighbours, the same for the same seed."""
    rng = np.random.default_rng(seed)
    colours: list[Colour] = []
    while len(colours) < n:
        colour = tuple(int(v) for v in rng.integers(20, 236, 3))
        if not colours or max(abs(a - b) for a, b in zip(colour, colours[-1], strict=True)) > 60:
            colours.append(colour)
    return colours


def scenes(*parts: tuple[Colour, int]) -> list[Colour]:
    """Return the colour of each frame for scenes given as ``(colour, number of frames)``."""
    return [colour for colour, n in parts for _ in range(n)]


def plain_picture(colour: Colour = (99, 99, 99), *, height: int = 224, width: int = 398) -> NDArray[np.uint8]:
    """Return a picture of one colour."""
    return np.full((height, width, 3), colour, np.uint8)


def quadrants(size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return a picture that differs in all eight orientations: red and green above blue and white."""
    width, height = size
    image = np.empty((height, width, 3), np.uint8)
    image[: height // 2, : width // 2], image[: height // 2, width // 2 :] = RED, GREEN
    image[height // 2 :, : width // 2], image[height // 2 :, width // 2 :] = BLUE, WHITE
    return image


def make_video(
    path: Path,
    *,
    colours: Sequence[Colour] | None = None,
    images: Iterable[NDArray[np.uint8]] | None = None,
    size: tuple[int, int] = (64, 48),
    rate: Fraction | int = 24,
    codec: str = "libx264",
    container: str | None = None,
    pixel_format: str = "yuv420p",
    times: Sequence[Fraction | float] | None = None,
    start: Fraction | float = 0,
    matrix: str = "bt601",
    full_range: bool = False,
    tag_colours: bool = True,
    colour_tags: tuple[int, int] | None = None,
    sar: Fraction | None = None,
    rotation: int = 0,
    hflip: bool = False,
    gop: int = 12,
    b_frames: int = 0,
    audio: str | None = None,
    audio_start: float = 0.0,
    audio_rate: int = 48000,
    faststart: bool = False,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
) -> Path:
    """Write one video and return its path.

    Args:
        path: the file; its suffix chooses the container unless ``container`` (FFmpeg's name) is given.
        colours: one flat colour per frame (default: 24 different ones).
        images: RGB pictures ``(height, width, 3)`` instead of colours; may be a generator.
        size: width and height as stored, before rotation and pixel aspect.
        rate: frames per second as written into the header; also gives the times unless ``times`` is given.
        codec: FFmpeg's encoder name.
        container: FFmpeg's muxer name.
        pixel_format: planar YUV format, 8 or 10 bits.
        times: presentation time of each frame in seconds (variable frame rate).
        start: added to all times; may be negative where the container allows it.
        matrix: ``bt601``, ``bt709`` or ``bt2020``.
        full_range: luma from 0 to 255 instead of 16 to 235.
        tag_colours: write matrix and range into the file.
        colour_tags: primaries and transfer (AVCOL_PRI_*, AVCOL_TRC_*); those of the matrix by default.
        sar: width of a stored pixel divided by its height.
        rotation: degrees the player turns the picture counter-clockwise.
        hflip: mirrored left to right after that.
        gop: distance of key frames in frames.
        b_frames: B-frames between two other frames.
        audio: encoder name of a tone as long as the video, such as ``aac``.
        audio_start: when the tone starts, in seconds.
        audio_rate: its samples per second.
        faststart: MP4's index before the media data.
        options: encoder options on top of the defaults.
        container_options: muxer options.
    """
    rate = Fraction(rate)
    if images is None:
        colours = palette(24) if colours is None else colours
        flat = {colour: np.full((size[1], size[0], 3), colour, np.uint8) for colour in set(colours)}
        images = (flat[colour] for colour in colours)
    muxer_options = dict(container_options or {})
    if faststart:
        muxer_options["movflags"] = "+faststart"
    with av.open(str(path), "w", format=container, container_options=muxer_options) as output:
        stream: Any = output.add_stream(codec, rate=rate, options=_DEFAULT_OPTIONS.get(codec, {}) | (options or {}))
        stream.width, stream.height = size
        stream.pix_fmt = pixel_format
        context = stream.codec_context
        context.time_base = 1 / rate if times is None else Fraction(1, 90000)
        context.gop_size = gop
        context.max_b_frames = b_frames
        context.thread_count = 1
        if tag_colours:
            context.colorspace = _MATRIX_TAG[matrix]
            context.color_range = 2 if full_range else 1
            context.color_primaries, context.color_trc = colour_tags or (_MATRIX_TAG[matrix],) * 2
        if sar is not None:
            stream.sample_aspect_ratio = sar
        if rotation or hflip:
            stream.set_display_rotation(rotation, hflip=hflip)
        sound: Any = output.add_stream(audio, rate=audio_rate) if audio else None
        last = Fraction(0)
        previous: NDArray[np.uint8] | None = None
        for index, image in enumerate(images):
            at = Fraction(times[index]) if times is not None else Fraction(index) / rate
            last = at + 1 / rate
            if image is not previous:
                frame = to_yuv(image, pixel_format, matrix=matrix, full_range=full_range)
                previous = image
            frame.time_base = context.time_base
            frame.pts = round((at + Fraction(start)) / context.time_base)
            if tag_colours:
                frame.colorspace, frame.color_range = _MATRIX_TAG[matrix], 2 if full_range else 1
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
        if sound is not None:
            _write_tone(output, sound, float(last), audio_start, audio_rate)
    return path


def remuxed(source: Path, target: Path, *, without: range = range(0), junk: dict[int, bytes] | None = None) -> Path:
    """Write the packets of a video again, some left out, some with other bytes."""
    with av.open(str(source)) as original, av.open(str(target), "w") as output:
        stream = output.add_stream_from_template(original.streams.video[0])
        packets = (packet for packet in original.demux(original.streams.video[0]) if packet.size)
        for number, packet in enumerate(packets):
            if number in without:
                continue
            written = av.Packet((junk or {}).get(number) or bytes(packet))
            written.pts, written.dts, written.duration = packet.pts, packet.dts, packet.duration
            written.is_keyframe, written.time_base, written.stream = packet.is_keyframe, packet.time_base, stream
            output.mux(written)
    return target


def _write_tone(output: Any, stream: Any, seconds: float, start: float, rate: int) -> None:
    context = stream.codec_context  # opened with the header
    block = context.frame_size or 1024
    layout, sample_format = context.layout.name, context.format.name
    channels = context.layout.nb_channels
    for first in range(0, int(seconds * rate), block):
        wave = 0.2 * np.sin(2 * np.pi * 440 * np.arange(first, first + block) / rate)
        planes = np.repeat(wave[None].astype(np.float32), channels, 0)
        if sample_format.startswith("s16"):
            planes = (planes * 32767).astype(np.int16)
        if not sample_format.endswith("p"):
            planes = planes.T.reshape(1, -1).copy()
        frame = av.AudioFrame.from_ndarray(planes, format=sample_format, layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, first + round(start * rate), Fraction(1, rate)
        output.mux(stream.encode(frame))
    output.mux(stream.encode())


def to_yuv(
    image: NDArray[np.uint8], pixel_format: str, *, matrix: str = "bt601", full_range: bool = False
) -> av.VideoFrame:
    """Return an RGB picture as a planar YUV frame, by the formula of ITU-T H.273, section 8.3."""
    height, width = image.shape[:2]
    frame = av.VideoFrame(width, height, pixel_format)
    bits = frame.format.components[0].bits
    unit = 1 << (bits - 8)
    kr, kb = _KR_KB[matrix]
    rgb = image.astype(np.float64) / 255
    luma = rgb @ np.array([kr, 1 - kr - kb, kb])
    blue = (rgb[..., 2] - luma) / (2 * (1 - kb))
    red = (rgb[..., 0] - luma) / (2 * (1 - kr))
    if full_range:
        peak = (1 << bits) - 1
        values = [luma * peak, blue * peak + 128 * unit, red * peak + 128 * unit]
    else:
        values = [(luma * 219 + 16) * unit, (blue * 224 + 128) * unit, (red * 224 + 128) * unit]
    for plane, value in zip(frame.planes, values, strict=True):
        step_y, step_x = -(-height // plane.height), -(-width // plane.width)
        padded = np.pad(value, ((0, plane.height * step_y - height), (0, plane.width * step_x - width)), mode="edge")
        mean = padded.reshape(plane.height, step_y, plane.width, step_x).mean((1, 3))
        dtype = np.uint8 if bits == 8 else np.dtype("<u2")
        rows = np.zeros((plane.height, plane.line_size // np.dtype(dtype).itemsize), dtype)
        rows[:, : plane.width] = np.clip(np.rint(mean), 0, (1 << bits) - 1)
        plane.update(rows.tobytes())
    return frame


def _boxes(data: bytes | bytearray, start: int, end: int) -> list[tuple[str, int, int]]:
    """Return ``(type, start, end)`` of the boxes between two offsets."""
    boxes = []
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, start)
        if size == 1:
            size = struct.unpack_from(">Q", data, start + 8)[0]
        size = size or end - start
        boxes.append((kind.decode("latin-1"), start, start + size))
        start += size
    return boxes


def find_box(data: bytes | bytearray, *path: str) -> list[tuple[int, int]]:
    """Return start and end of each of the boxes nested from the top, such as ``"moov", "trak", "edts"``.

    The first box of each type is followed; raises ``LookupError`` where one is missing.
    """
    start, end, nested = 0, len(data), []
    for kind in path:
        matches = [(s, e) for k, s, e in _boxes(data, start, end) if k == kind]
        if not matches:
            raise LookupError(f"no box {kind} in {path}")
        nested.append(matches[0])
        start, end = matches[0][0] + 8, matches[0][1]
    return nested


def set_edit_list(path: Path, entries: Sequence[tuple[float, int]]) -> Path:
    """Give the first track of an MP4 or MOV file (its index at the end) this edit list.

    Args:
        path: file to change in place.
        entries: each a duration in seconds and a media time in track units; -1 is an empty edit.
    """
    data = bytearray(path.read_bytes())
    moov, mvhd = find_box(data, "moov", "mvhd")
    if moov[1] != len(data):
        raise ValueError("the index must be the last box, or chunk offsets would be wrong afterwards")
    scale = struct.unpack_from(">I", data, mvhd[0] + 8 + 4 + 8)[0]
    body = b"".join(struct.pack(">IiI", round(seconds * scale), at, 0x10000) for seconds, at in entries)
    elst = struct.pack(">I4sII", 16 + len(body), b"elst", 0, len(entries)) + body
    edts = struct.pack(">I4s", 8 + len(elst), b"edts") + elst
    trak = find_box(data, "moov", "trak")[1]
    try:
        begin, end = find_box(data, "moov", "trak", "edts")[2]
    except LookupError:
        begin = end = find_box(data, "moov", "trak", "tkhd")[2][1]
    data[begin:end] = edts
    grown = len(edts) - (end - begin)
    for start, stop in (moov, trak):
        struct.pack_into(">I", data, start, stop - start + grown)
    path.write_bytes(data)
    return path
