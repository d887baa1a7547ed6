"""Annotated clips: a part of a video with captions drawn in and its sound, as H.264 and AAC in MP4."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av

from lib.core.errors import Cancelled, SettingsError
from lib.core.formatting import format_time
from lib.media.audio import AudioReader
from lib.media.decoding import DecodedFrame, decoding_from, with_next
from lib.media.drawing import Caption, draw_captions
from lib.media.frames import probe
from lib.media.limits import reading
from lib.media.media_file import MediaFile
from lib.media.picture import FrameConverter
from lib.media.playable_copy import AudioTrack, VideoTrack, new_video

_MIN_RATE, _MAX_RATE, _RATE_IF_VARIABLE = 5, 60, Fraction(30)
_MIN_LINES = 240
"""Smaller videos are enlarged, or captions would not fit."""
_MAX_WIDTH = 8192
"""A wider clip is one that few players take."""
_FRAMES_PER_PROGRESS = 8


def annotated_clip(
    source: Path | str,
    target: Path | str,
    caption_at: Callable[[float], Sequence[Caption]],
    *,
    start_s: float = 0.0,
    end_s: float | None = None,
    max_height: int = 720,
    on_progress: Callable[[float, float | None], None] | None = None,
    cancel: threading.Event | None = None,
) -> None:
    """Write a part of a video with captions and the time drawn in, as H.264 in MP4 that browsers play.

    The clip has a constant frame rate: each of its pictures is the source's frame nearest below its time, to half a
    frame, and the time drawn in is the source's. The sound becomes stereo, as in a playable copy. The file appears
    whole or not at all. Where frames of the source are lost, the one before them stays.

    Args:
        source: the video.
        target: the MP4 file to write; an existing one is replaced.
        caption_at: captions, topmost first, for a time of the source in seconds.
        start_s: where to begin, in seconds.
        end_s: where to end, in seconds; the end of the video by default.
        max_height: most lines of the clip; larger pictures are scaled down.
        on_progress: called every few frames with the seconds written, and in total if the header says.
        cancel: once set, the work stops within a frame and leaves no file.

    Raises:
        Cancelled: ``cancel`` was set.
        VideoUnreadableError, NoVideoStreamError, VideoDamagedError: nothing in ``source`` can be decoded.
        VideoError: ``target`` can't be written.
        SettingsError: an empty part, or a height out of range.
    """
    if start_s < 0 or (end_s is not None and end_s <= start_s):
        raise SettingsError("A clip must end after it starts; choose a later end or an earlier start.")
    if not 16 <= max_height <= 4320:
        raise SettingsError(f"A clip can't be {max_height} lines high; choose 16 to 4320.")
    target = Path(target)
    rate = _clip_rate(source)
    with new_video(target, "The clip") as finished, MediaFile(source) as media:
        decoded, decoder = decoding_from(media, start_s)
        frames = _at_constant_rate(decoded, rate, start_s, end_s)
        first = next(frames, None)
        if first is None:
            raise SettingsError(f"{media.name} has no frame from {format_time(start_s)} on; choose an earlier start.")
        until_s = media.header_end_s if end_s is None else end_s
        total_s = None if until_s is None else max(0.0, until_s - float(first[0]))
        with AudioReader(media.path, origin_s=media.origin_s, restarts=decoder.restarts, start_s=first[0]) as audio:
            _encode(
                finished,
                _captioned(media, chain([first], frames), caption_at, max_height),
                rate,
                audio,
                on_progress=lambda done_s: on_progress and on_progress(done_s, total_s),
                cancel=cancel or threading.Event(),
            )


def _clip_rate(source: Path | str) -> Fraction:
    """Return the frame rate of the clip: the source's within what players like, or 30 where it varies."""
    info = probe(source)
    rate = info.rate if info.rate and not info.variable_rate else _RATE_IF_VARIABLE
    while rate > _MAX_RATE:
        rate /= 2
    while rate < _MIN_RATE:
        rate *= 2
    return rate


def _at_constant_rate(
    frames: Iterator[DecodedFrame], rate: Fraction, start_s: float, end_s: float | None
) -> Iterator[tuple[Fraction, DecodedFrame]]:
    """Yield times 1 / ``rate`` seconds apart, each with the frame shown then, to half a step."""
    step = 1 / rate
    until = None if end_s is None else Fraction(end_s) - step / 4
    time: Fraction | None = None
    for current, following in with_next(frames):
        time = max(Fraction(start_s), current.time) if time is None else time
        current_until = current.end - step / 4 if following is None else following.time - step / 2
        while time < current_until and (until is None or time < until):
            yield time, current
            time += step
        if until is not None and time >= until:
            return


def _captioned(
    media: MediaFile,
    frames: Iterator[tuple[Fraction, DecodedFrame]],
    caption_at: Callable[[float], Sequence[Caption]],
    max_height: int,
) -> Iterator[tuple[Fraction, av.VideoFrame]]:
    """Yield each time and its frame, of the clip's size and with the captions of that time."""
    converter = FrameConverter(
        media.stream.sample_aspect_ratio, lambda size: _clip_size(size, max_height), keeps_size=True
    )
    converted: DecodedFrame | None = None
    for time, decoded in frames:
        if decoded is not converted:
            with reading(media.path):
                picture, converted = converter.yuv420(decoded.frame), decoded
        yield time, draw_captions(picture, caption_at(float(time)), time_s=float(time))


def _clip_size(displayed: tuple[int, int], max_height: int) -> tuple[int, int]:
    """Return even sides: at most ``max_height`` lines, at least enough for captions."""
    lines = min(max(displayed[1], _MIN_LINES), max_height)
    scale = min(Fraction(lines, displayed[1]), Fraction(_MAX_WIDTH, displayed[0]))
    width, height = (max(2, round(side * scale) // 2 * 2) for side in displayed)
    return width, height


def _encode(
    path: Path,
    pictures: Iterator[tuple[Fraction, av.VideoFrame]],
    rate: Fraction,
    audio: AudioReader,
    *,
    on_progress: Callable[[float], object],
    cancel: threading.Event,
) -> None:
    """Write at least one picture, with its time in the source, as a video of a constant rate, and the sound."""
    ticks = str(rate.numerator)
    options = {"movflags": "+faststart", "movie_timescale": ticks, "video_track_timescale": ticks}
    with av.open(os.fspath(path), "w", format="mp4", container_options=options) as output:
        tracks: tuple[VideoTrack, AudioTrack] | None = None
        for count, (time, picture) in enumerate(pictures):
            if cancel.is_set():
                raise Cancelled("The annotated clip was cancelled.")
            if tracks is None:
                video = VideoTrack(output, rate, rate.numerator, picture, threads=os.cpu_count())
                tracks = video, AudioTrack(output, audio)
            tracks[0].write(picture, count / rate, (count + 1) / rate)
            tracks[1].write_until(time + 1 / rate)
            if count % _FRAMES_PER_PROGRESS == 0:
                on_progress(float((count + 1) / rate))
        for track in tracks or ():
            track.finish()
