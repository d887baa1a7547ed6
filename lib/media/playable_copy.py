"""A playable copy of a video that browsers can't play: H.264 in MP4, at most 720 lines, with the same times.

The copy is for looking at; analysis always uses the original. It holds the frames that ``lib.media.decoding`` gives,
turned upright, with square pixels, in 8-bit BT.709, each at its presentation time (a variable frame rate stays
variable). Key frames are at most a second apart, for quick seeks, and the index comes first, so that it plays while it
is loading. The first audio track becomes stereo AAC, silent where it can't be decoded.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from itertools import chain
from math import lcm
from pathlib import Path
from typing import Any

import av
import av.error
from av.codec.context import Flags
from av.container import OutputContainer
from av.video.frame import PictureType

from lib.core.errors import Cancelled, VideoError
from lib.infra.files import atomic_file
from lib.media.audio import SAMPLE_RATE, AudioReader
from lib.media.decoding import Decoder, with_next
from lib.media.limits import reading
from lib.media.media_file import MediaFile
from lib.media.picture import FrameConverter

_MAX_SHORT_SIDE, _MAX_LONG_SIDE = 720, 4096
_KEY_FRAME_INTERVAL_S = Fraction(1)
_MAX_TIMESCALE, _USUAL_TIMESCALE, _MIN_TIMESCALE = 1_000_000, 90_000, 10_000
_ENCODER_OPTIONS = {"preset": "veryfast", "forced-idr": "1", "bf": "0"}
_FRAMES_PER_PROGRESS = 8
_ADVICE = {
    errno.ENOSPC: "free some space there and try again",
    errno.EDQUOT: "free some space there and try again",
    errno.EACCES: "change its permissions and try again",
    errno.EROFS: "choose a folder that can be written to",
}

Progress = Callable[[float, float | None], None]


def make_playable_copy(
    source: Path | str,
    target: Path | str,
    *,
    offset_s: float = 0.0,
    on_progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> None:
    """Write the playable copy of ``source`` to ``target``, which appears whole or not at all.

    Of a damaged source the copy shows the frame before each gap until the gap ends.

    Args:
        source: the video.
        target: the MP4 file to write; an existing one is replaced.
        offset_s: time of the source, in seconds, that the copy shows at 0; what comes before is left out.
        on_progress: called every few frames with the seconds done, and in total if the header says.
        cancel: once set, the work stops within a frame and leaves no file.

    Raises:
        Cancelled: ``cancel`` was set.
        VideoUnreadableError, NoVideoStreamError, VideoDamagedError: nothing in ``source`` can be decoded.
        VideoError: ``target`` can't be written.
    """
    with (
        MediaFile(source) as media,
        new_video(Path(target), f"The playable copy of {media.name}") as temporary,
    ):
        _write(media, temporary, Fraction(offset_s), on_progress, cancel or threading.Event())


@contextmanager
def new_video(target: Path, name: str) -> Iterator[Path]:
    """Give a file to write to that replaces ``target`` when the block ends without an error.

    Raises:
        VideoError: it can't be written; the message begins with ``name``.
    """
    try:
        target.parent.mkdir(exist_ok=True)
        with atomic_file(target) as temporary:
            yield temporary
    except MemoryError as error:
        raise VideoError(f"{name} can't be made: there is not enough memory; close other programs first.") from error
    except OSError as error:
        reason = error.strerror or str(error)
        advice = _ADVICE.get(error.errno or 0, "check that folder and try again")
        raise VideoError(f"{name} can't be written to {target.parent} ({reason}); {advice}.") from error
    except (av.error.FFmpegError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise VideoError(f"{name} can't be encoded ({reason}); scale or convert the video first.") from error


def _write(
    media: MediaFile, path: Path, offset: Fraction, on_progress: Progress | None, cancel: threading.Event
) -> None:
    decoder = Decoder(media)
    frames = iter(decoder)
    first = next(frames)
    timescale = timescale_of(media)
    ticks = str(timescale)
    options = {"movflags": "+faststart", "movie_timescale": ticks, "video_track_timescale": ticks}
    with (
        AudioReader(media.path, origin_s=media.origin_s, restarts=decoder.restarts, start_s=offset) as audio,
        av.open(os.fspath(path), "w", format="mp4", container_options=options) as output,
    ):
        converter = FrameConverter(media.stream.sample_aspect_ratio, _copy_size, keeps_size=True)
        with reading(media.path):
            sample = converter.yuv420(first.frame)
        video_track = VideoTrack(output, media.rate, timescale, sample)
        audio_track = AudioTrack(output, audio)
        for number, (decoded, following) in enumerate(with_next(chain([first], frames))):
            if cancel.is_set():
                raise Cancelled("The playable copy was cancelled.")
            end = (decoder.end if following is None else following.time) - offset
            with reading(media.path):
                picture = converter.yuv420(decoded.frame)
            video_track.write(picture, decoded.time - offset, end)
            audio_track.write_until(end + offset)
            if on_progress is not None and number % _FRAMES_PER_PROGRESS == 0:
                total_s = media.header_end_s
                on_progress(float(end), None if total_s is None else total_s - float(offset))
        video_track.finish()
        audio_track.finish()
        if on_progress is not None:
            on_progress(float(end), float(end))


class VideoTrack:
    """Encodes pictures of the size of ``sample`` as H.264, each at its time, with a key frame at least every second.

    ``crf`` is x264's quality, from 0, without loss, to 51.
    """

    def __init__(
        self,
        output: OutputContainer,
        source_rate: Fraction | None,
        timescale: int,
        sample: av.VideoFrame,
        *,
        crf: int = 23,
        threads: int | None = None,
    ) -> None:
        rate = min(max(source_rate or Fraction(25), Fraction(1)), Fraction(240))  # only a hint for the encoder
        stream: Any = output.add_stream("libx264", rate=rate, options=_ENCODER_OPTIONS | {"crf": str(crf)})
        stream.width, stream.height, stream.pix_fmt = sample.width, sample.height, "yuv420p"
        context = stream.codec_context
        context.time_base = Fraction(1, timescale)
        context.flags |= Flags.frame_duration  # so that the last frame lasts as long as in the source
        context.gop_size = 1000  # key frames are set by time
        context.thread_count = threads or max(1, (os.cpu_count() or 2) // 2)  # in the background, beside other work
        context.colorspace = context.color_primaries = context.color_trc = 1  # BT.709
        context.color_range = 1
        self._output, self._stream, self._timescale = output, stream, timescale
        self._last_pts = -1
        self._key_frame_due = Fraction(0)

    def write(self, picture: av.VideoFrame, time: Fraction, end: Fraction) -> None:
        """Encode the picture that is shown from ``time`` to ``end``, in seconds."""
        pts = max(self._last_pts + 1, round(time * self._timescale))
        self._last_pts = pts
        picture.pts, picture.time_base = pts, Fraction(1, self._timescale)
        picture.duration = max(1, round(end * self._timescale) - pts)
        picture.pict_type = PictureType.NONE
        if end > self._key_frame_due:
            picture.pict_type = PictureType.I
            self._key_frame_due = time + _KEY_FRAME_INTERVAL_S
        self._output.mux(self._stream.encode(picture))

    def finish(self) -> None:
        """Write what the encoder still holds."""
        self._output.mux(self._stream.encode())


class AudioTrack:
    """Encodes the source's audio, if it has any, as AAC."""

    def __init__(self, output: OutputContainer, audio: AudioReader) -> None:
        self._output, self._audio = output, audio
        self._stream = output.add_stream("aac", rate=SAMPLE_RATE, layout="stereo") if audio.exists else None
        self._begin = 0

    def go_on(self, audio: AudioReader, at: Fraction) -> None:
        """Let other audio follow, which begins at a time of the track, in seconds."""
        self._audio, self._begin = audio, round(at * SAMPLE_RATE)

    def write_until(self, end: Fraction) -> None:
        """Encode the audio up to a time of the source in seconds; times rise."""
        if self._stream is not None:
            for block in self._audio.blocks(end):
                block.pts = self._begin + (block.pts or 0)
                self._output.mux(self._stream.encode(block))

    def finish(self) -> None:
        """Write what the encoder still holds."""
        if self._stream is not None:
            self._output.mux(self._stream.encode())


def timescale_of(media: MediaFile) -> int:
    """Return a number of ticks per second in which all times of the source are whole."""
    units = [media.time_base.denominator, media.origin_s.denominator]
    if media.family == "raw" and media.rate:
        units = [media.rate.numerator]
    timescale = lcm(*units)
    if timescale > _MAX_TIMESCALE:
        return _USUAL_TIMESCALE
    return timescale * -(-_MIN_TIMESCALE // timescale)


def _copy_size(size: tuple[int, int]) -> tuple[int, int]:
    """Return even sides, the shorter at most 720 pixels, not larger than ``size``."""
    scale = min(Fraction(1), Fraction(_MAX_SHORT_SIDE, min(size)), Fraction(_MAX_LONG_SIDE, max(size)))
    width, height = (max(2, int(side * scale) // 2 * 2) for side in size)
    return width, height
