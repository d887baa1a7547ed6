"""A playable copy of a video that browsers can't play: H.264 in MP4, at most 720 lines, with the same times.

The copy is for looking at; analysis always uses the original. It holds the frames that ``lib.media.decoding``
gives, turned upright, with square pixels, in 8-bit BT.709, each at its presentation time (a variable frame
rate stays variable). Key frames are at most a second apart, so that seeks are quick, and the index comes
first, so that playing starts before everything is loaded. The first sound track becomes stereo AAC; where it
can't be decoded, it is silent.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from fractions import Fraction
from math import lcm
from pathlib import Path
from typing import Any

import av
import av.error
from av.audio.stream import AudioStream
from av.codec.context import Flags
from av.container import OutputContainer
from av.video.frame import PictureType

from lib.core.errors import Cancelled, VideoError
from lib.infra.files import atomic_file
from lib.media.audio import SAMPLE_RATE, AudioReader
from lib.media.decoding import DecodedFrame, Decoder
from lib.media.frames import VideoInfo
from lib.media.media_file import MediaFile
from lib.media.picture import FrameConverter

MAX_LINES = 720
_MAX_LONG_SIDE = 4096
_KEY_FRAMES_S = Fraction(1)
_MAX_SCALE, _USUAL_SCALE, _MIN_SCALE = 1_000_000, 90_000, 10_000
_OPTIONS = {"preset": "veryfast", "crf": "23", "forced-idr": "1", "bf": "0"}
_PROGRESS_FRAMES = 8

Progress = Callable[[float, float | None], None]


def needs_proxy(info: VideoInfo) -> bool:
    """Return whether browsers need a copy of this video to play it."""
    return not info.browser_playable


def make_proxy(
    source: Path | str,
    target: Path | str,
    *,
    on_progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> None:
    """Write the playable copy of ``source`` to ``target``, which appears whole or not at all.

    Of a file that breaks in the middle the copy holds what comes before.

    Args:
        source: the video.
        target: the MP4 file to write; an existing one is replaced.
        on_progress: called now and then with the seconds done, and in total as far as the header tells.
        cancel: once set, the work stops within a frame and leaves no file.

    Raises:
        VideoUnreadableError, NoVideoStreamError, VideoDamagedError: nothing in ``source`` can be decoded.
        VideoError: ``target`` can't be written.
    """
    target = Path(target)
    with MediaFile(source) as media:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with suppress(Cancelled), atomic_file(target) as temporary:
                _write(media, temporary, on_progress, cancel or threading.Event())
        except (av.error.FFmpegError, OSError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise VideoError(
                f"The playable copy of {media.path.name} can't be written to {target.parent} ({reason}); "
                "free some space there and try again."
            ) from error


def _write(media: MediaFile, part: Path, on_progress: Progress | None, cancel: threading.Event) -> None:
    frames = iter(Decoder(media))
    first = next(frames)
    scale = _scale(media)
    options = {"movflags": "+faststart", "movie_timescale": str(scale), "video_track_timescale": str(scale)}
    with (
        AudioReader(media.path, origin_s=media.origin_s) as sound,
        av.open(os.fspath(part), "w", format="mp4", container_options=options) as output,
    ):
        painter = FrameConverter(media.stream.sample_aspect_ratio, _once(_proxy_size))
        stream = _picture_stream(output, media, scale, painter.yuv420(first.frame))
        track = output.add_stream("aac", rate=SAMPLE_RATE, layout="stereo") if sound.exists else None
        key_due = Fraction(0)
        stamp = -1
        total_s = media.header_end_s
        for number, (decoded, until) in enumerate(_with_ends(first, frames)):
            if cancel.is_set():
                raise Cancelled
            picture = painter.yuv420(decoded.frame)
            stamp = max(stamp + 1, round(decoded.time * scale))
            picture.pts, picture.time_base = stamp, Fraction(1, scale)
            picture.duration = max(1, round(until * scale) - stamp)
            is_key = until > key_due
            picture.pict_type = PictureType.I if is_key else PictureType.NONE
            if is_key:
                key_due = decoded.time + _KEY_FRAMES_S
            output.mux(stream.encode(picture))
            if track is not None:
                _write_sound(output, track, sound, until)
            if on_progress is not None and number % _PROGRESS_FRAMES == 0:
                on_progress(float(until), total_s)
        output.mux(stream.encode())
        if track is not None:
            output.mux(track.encode())
        if on_progress is not None:
            on_progress(float(until), float(until))


def _picture_stream(output: OutputContainer, media: MediaFile, scale: int, sample: av.VideoFrame) -> Any:
    rate = min(max(media.rate or Fraction(25), Fraction(1)), Fraction(240))
    stream: Any = output.add_stream("libx264", rate=rate, options=_OPTIONS)
    stream.width, stream.height, stream.pix_fmt = sample.width, sample.height, "yuv420p"
    context = stream.codec_context
    context.time_base = Fraction(1, scale)
    context.flags |= Flags.frame_duration  # so that the last frame lasts as long as in the source
    context.gop_size = 1000  # key frames are set by time
    context.thread_count = max(1, (os.cpu_count() or 2) // 2)  # made in the background, beside other work
    context.colorspace = context.color_primaries = context.color_trc = 1  # BT.709
    context.color_range = 1
    return stream


def _scale(media: MediaFile) -> int:
    """Return a number of ticks a second in which all times of the source are whole."""
    units = [media.time_base.denominator, media.origin_s.denominator]
    if media.family == "raw" and media.rate:
        units = [media.rate.numerator]
    scale = lcm(*units)
    if scale > _MAX_SCALE:
        return _USUAL_SCALE
    return scale * -(-_MIN_SCALE // scale)


def _with_ends(first: DecodedFrame, rest: Iterator[DecodedFrame]) -> Iterator[tuple[DecodedFrame, Fraction]]:
    """Yield each frame with the time at which the next one follows."""
    current = first
    for following in rest:
        yield current, following.time
        current = following
    yield current, current.end


def _write_sound(output: OutputContainer, track: AudioStream, sound: AudioReader, until: Fraction) -> None:
    for block in sound.blocks(until):
        output.mux(track.encode(block))


def _proxy_size(size: tuple[int, int]) -> tuple[int, int]:
    """Return even sides, the shorter at most 720 pixels, not larger than ``size``."""
    scale = min(Fraction(1), Fraction(MAX_LINES, min(size)), Fraction(_MAX_LONG_SIDE, max(size)))
    width, height = (max(2, int(side * scale) // 2 * 2) for side in size)
    return width, height


def _once(
    function: Callable[[tuple[int, int]], tuple[int, int]],
) -> Callable[[tuple[int, int]], tuple[int, int]]:
    """Return ``function`` of the first argument whatever comes later: a file keeps its size throughout."""
    kept: list[tuple[int, int]] = []

    def first_only(size: tuple[int, int]) -> tuple[int, int]:
        if not kept:
            kept.append(function(size))
        return kept[0]

    return first_only
