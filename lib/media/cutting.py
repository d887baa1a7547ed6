"""Parts of a video as a file of their own: packets copied where that is exact, else frames encoded again.

A part ``[start, end)`` in seconds is the frames that are shown in it, whole: from the one shown at ``start`` to the
last that begins before ``end``. Packets can be copied where the part begins at a key frame, and where what is decoded
up to its last frame is shown before its end. Elsewhere its frames are encoded again, in the size of the video, upright,
with square pixels, in 8-bit BT.709, each with its own duration. Or the part is made longer until it can be copied.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import av
import av.error
from av.container import InputContainer, OutputContainer
from av.video.stream import VideoStream

from lib.core.errors import Cancelled, SettingsError
from lib.core.formatting import format_time
from lib.core.samples import TIME_TOLERANCE_S
from lib.media.audio import AudioReader
from lib.media.containers import SEEKABLE
from lib.media.decoding import DecodedFrame, decoding_from, with_next
from lib.media.limits import reading
from lib.media.media_file import MediaFile, open_container
from lib.media.picture import FrameConverter
from lib.media.playable_copy import AudioTrack, VideoTrack, new_video, timescale_of
from lib.media.tracks import discard_others, picture_track, sound_track

_COPIED_VIDEO = ("h264", "hevc", "av1", "vp9", "mpeg4")
_COPIED_SOUND = ("aac", "mp3", "ac3", "eac3", "opus", "flac", "alac")
_TOLERANCE = Fraction(TIME_TOLERANCE_S)
_CRF = 18
"""Hardly to be told from the source."""
_LOOK_AHEAD = 64
"""Packets behind the end of a part among which the place is looked for where everything before is shown earlier."""
_FRAMES_PER_PROGRESS = 8

Span = tuple[float, float]
"""Start and end in seconds."""


@dataclass(frozen=True)
class CutPart:
    """A part as it was written."""

    start_s: float
    """Presentation time of its first frame in the source, in seconds."""
    end_s: float
    """End of its last frame there."""
    copied: bool
    """Whether its packets are those of the source."""


class PacketStamp(NamedTuple):
    """A packet's times in ticks, and whether it is a key frame."""

    pts: int
    dts: int
    duration: int
    is_key: bool


class PacketSpan(NamedTuple):
    """Packets to copy, in order of decoding: from the ``first`` one, a key frame, to before ``stop``."""

    first: int
    stop: int


def cut(
    source: Path | str,
    target: Path | str,
    parts: Sequence[Span],
    *,
    widen: bool = False,
    on_progress: Callable[[float, float | None], None] | None = None,
    cancel: threading.Event | None = None,
) -> list[CutPart]:
    """Write parts of a video, one behind the other, with their sound, as MP4; it appears whole or not at all.

    Args:
        source: the video.
        target: the MP4 file to write; an existing one is replaced.
        parts: start and end of each in seconds; at least one.
        widen: whether parts may begin earlier, at a key frame, and end later, so that nothing is encoded again.
        on_progress: called with the seconds done, and in total.
        cancel: once set, the work stops within a frame and leaves no file.

    Returns:
        What became of each part.

    Raises:
        Cancelled: ``cancel`` was set.
        SettingsError: a part is empty, or no frame lies in it.
        VideoUnreadableError, NoVideoStreamError, VideoDamagedError: nothing in ``source`` can be decoded.
        VideoError: ``target`` can't be written.
    """
    if not parts or any(not 0 <= start_s < end_s for start_s, end_s in parts):
        raise SettingsError("A part of a video must end after it starts; choose a later end or an earlier start.")
    work = _Work(Path(source), parts, on_progress or (lambda *_: None), cancel or threading.Event())
    with new_video(Path(target), "The cut video") as finished:
        return work.copy(finished, widen=widen) or work.encode(finished)


def packets_of(stamps: Sequence[PacketStamp], start: Fraction, end: Fraction, *, widen: bool) -> PacketSpan | None:
    """Return which packets are a part ``[start, end)``, in ticks; None where that part can't be copied.

    ``stamps`` are in order of decoding, from a key frame at or before the start, to behind the end.
    """
    keys = [place for place, stamp in enumerate(stamps) if stamp.is_key and stamp.pts <= start]
    if not keys:
        keys = [0] if stamps and stamps[0].is_key and stamps[0].pts == min(stamp.pts for stamp in stamps) else []
    if not keys:
        return None
    first = keys[-1]
    begin = stamps[first].pts
    if not widen and any(begin < stamp.pts <= start for stamp in stamps):
        return None
    last = max((place for place in range(first, len(stamps)) if begin <= stamps[place].pts < end), default=first)
    for stop in range(last + 1, len(stamps) + 1):
        shown = max(stamp.pts for stamp in stamps[first:stop])
        if widen and all(stamp.pts > shown for stamp in stamps[stop:]):
            return PacketSpan(first, stop)
        if not widen:
            is_clean = shown < end and all(stamp.pts >= begin for stamp in stamps[first:stop])
            return PacketSpan(first, stop) if is_clean else None
    return None


@dataclass(frozen=True)
class _Work:
    source: Path
    parts: Sequence[Span]
    on_progress: Callable[[float, float | None], None]
    cancel: threading.Event

    def _tell(self, done_s: float) -> None:
        if self.cancel.is_set():
            raise Cancelled("Cutting the video was cancelled.")
        self.on_progress(done_s, sum(end_s - start_s for start_s, end_s in self.parts))

    # --- copying

    def copy(self, target: Path, *, widen: bool) -> list[CutPart]:
        """Copy the packets of all parts; empty where one of them can't be copied."""
        spans = self._spans(widen=widen)
        if not spans:
            return []
        with reading(self.source), open_container(self.source) as container:
            video = picture_track(container)
            if video is None or video.time_base is None:
                return []
            with _new_mp4(target, video.time_base.denominator) as output:
                copier = _Copier(container, video, output, self.source, self._tell)
                written = [copier.copy(stamps, span) for stamps, span in spans]
            return written if copier.is_whole else []

    def _spans(self, *, widen: bool) -> list[tuple[Sequence[PacketStamp], PacketSpan]]:
        with MediaFile(self.source) as media, reading(self.source):
            sound = sound_track(media.container, self.source, media.stream)
            if (
                media.family not in SEEKABLE
                or media.codec not in _COPIED_VIDEO
                or (
                    sound is not None and (sound.codec_context is None or sound.codec_context.name not in _COPIED_SOUND)
                )
            ):
                return []
            found: list[tuple[Sequence[PacketStamp], PacketSpan]] = []
            for start_s, end_s in self.parts:
                start, end = (
                    (Fraction(time) + shift) / media.time_base
                    for time, shift in ((start_s, _TOLERANCE), (end_s, -_TOLERANCE))
                )
                stamps = _stamps(media, start, end)
                span = packets_of(stamps, start, end, widen=widen)
                if span is None:
                    return []
                found.append((stamps, span))
            return found if _follow(found) else []

    # --- encoding

    def encode(self, target: Path) -> list[CutPart]:
        """Encode the frames of all parts again."""
        with MediaFile(self.source) as media:
            timescale = timescale_of(media)
            converter = FrameConverter(media.stream.sample_aspect_ratio, _even, keeps_size=True)
            with _new_mp4(target, timescale) as output:
                encoder = _Encoder(media, output, timescale, converter, self._tell)
                written = [encoder.write(*part) for part in self.parts]
                encoder.finish()
                return written


def _new_mp4(path: Path, ticks: int) -> OutputContainer:
    """Return a new MP4 file whose times are in as many ticks a second."""
    scale = {"movie_timescale": str(ticks), "video_track_timescale": str(ticks)}
    return av.open(os.fspath(path), "w", format="mp4", container_options={"movflags": "+faststart"} | scale)


def _stamps(media: MediaFile, start: Fraction, end: Fraction) -> list[PacketStamp]:
    """Return the packets from a key frame at or before the start to behind the end; none where that isn't sure."""
    if start > 0:
        try:
            media.container.seek(int(start), stream=media.stream, backward=True)
        except av.error.FFmpegError:
            return []
    else:
        media.reopen()
    stamps: list[PacketStamp] = []
    behind = 0
    for packet in media.container.demux(media.stream):
        if packet.size == 0:
            break
        if packet.pts is None or packet.dts is None or packet.is_corrupt or packet.is_discard:
            return []
        stamps.append(PacketStamp(packet.pts, packet.dts, packet.duration or 0, bool(packet.is_keyframe)))
        behind += packet.dts >= end
        if behind >= _LOOK_AHEAD or (packet.is_keyframe and packet.pts >= end):
            break
    return stamps


def _follow(spans: Sequence[tuple[Sequence[PacketStamp], PacketSpan]]) -> bool:
    """Return whether decoding times still rise where parts are put one behind the other."""
    latest: int | None = None
    offset = 0
    for stamps, span in spans:
        copied = stamps[span.first : span.stop]
        if latest is not None and copied[0].dts - copied[0].pts + offset <= latest:
            return False
        latest = copied[-1].dts - copied[0].pts + offset
        offset += _end_of(stamps, span) - copied[0].pts
    return True


def _end_of(stamps: Sequence[PacketStamp], span: PacketSpan) -> int:
    """Return when the last frame that is copied ends, in ticks: where the next begins, or after its own duration."""
    last = max(stamps[span.first : span.stop], key=lambda stamp: stamp.pts)
    following = (stamp.pts for stamp in stamps[span.stop :] if stamp.pts > last.pts)
    return min(following, default=last.pts + max(1, last.duration))


class _Copier:
    """Copies packets of an opened file, part after part."""

    def __init__(
        self,
        container: InputContainer,
        video: VideoStream,
        output: OutputContainer,
        path: Path,
        tell: Callable[[float], None],
    ) -> None:
        sound = sound_track(container, path, video)
        discard_others(container, (video, sound))
        self._container, self._output, self._tell = container, output, tell
        self._from, self._to = video, output.add_stream_from_template(video)
        self._sound: tuple[Any, Any] | None = (sound, output.add_stream_from_template(sound)) if sound else None
        self._unit: Fraction = video.time_base or Fraction(1)
        self._offset = Fraction(0)
        self._latest_sound = -1
        self.is_whole = True
        """Whether all packets were found again."""

    def copy(self, stamps: Sequence[PacketStamp], span: PacketSpan) -> CutPart:
        """Copy the packets of a part."""
        wanted = stamps[span.first : span.stop]
        begin, end = wanted[0].pts * self._unit, _end_of(stamps, span) * self._unit
        left = len(wanted)
        has_sound = self._sound is not None
        self._container.seek(wanted[0].dts, stream=self._from, backward=True)
        for packet in self._container.demux([self._from, *(self._sound or ())[:1]]):
            if packet.size == 0 or packet.pts is None or packet.dts is None:
                continue
            if packet.stream is self._from:
                if left and (left < len(wanted) or packet.pts == wanted[0].pts):
                    left -= 1
                    if packet.pts >= wanted[0].pts:  # pictures shown before a key frame may refer to what is left out
                        self._mux(packet, self._to, begin)
                    self._tell(float(self._offset + packet.pts * self._unit - begin))
            elif packet.pts * packet.time_base >= end:
                has_sound = False
            elif packet.pts * packet.time_base >= begin - _TOLERANCE and self._sound is not None:
                self._mux_sound(packet, self._sound[1], begin)
            if not left and (not has_sound or packet.dts * packet.time_base > end + 1):
                break
        self._offset += end - begin
        self.is_whole = self.is_whole and not left
        return CutPart(float(begin), float(end), True)

    def _mux(self, packet: Any, stream: Any, begin: Fraction) -> None:
        shift = round((self._offset - begin) / packet.time_base)
        packet.pts, packet.dts, packet.stream = packet.pts + shift, packet.dts + shift, stream
        self._output.mux(packet)

    def _mux_sound(self, packet: Any, stream: Any, begin: Fraction) -> None:
        place = round((self._offset - begin) / packet.time_base) + packet.dts
        if place > self._latest_sound:
            self._latest_sound = place
            self._mux(packet, stream, begin)


class _Encoder:
    """Encodes parts of a file again, part after part."""

    def __init__(
        self,
        media: MediaFile,
        output: OutputContainer,
        timescale: int,
        converter: FrameConverter,
        tell: Callable[[float], None],
    ) -> None:
        self._media, self._output, self._timescale = media, output, timescale
        self._converter, self._tell = converter, tell
        self._video: VideoTrack | None = None
        self._sound: AudioTrack | None = None
        self._offset = Fraction(0)

    def write(self, start_s: float, end_s: float) -> CutPart:
        """Encode the frames of a part, and its sound."""
        media = self._media
        media.reopen()
        start, end = Fraction(start_s) + _TOLERANCE, Fraction(end_s) - _TOLERANCE
        frames, decoder = decoding_from(media, float(start))
        shown = _shown(frames, start, end)
        head = next(shown, None)
        if head is None:
            raise SettingsError(f"{media.name} has no frame from {format_time(start_s)} on; choose an earlier start.")
        begin = until = head[0].time
        with AudioReader(media.path, origin_s=media.origin_s, restarts=decoder.restarts, start_s=begin) as audio:
            for number, (decoded, following) in enumerate(chain([head], shown)):
                until = decoder.end if following is None else following
                with reading(media.path):
                    picture = self._converter.yuv420(decoded.frame)
                if self._video is None or self._sound is None:
                    self._video = VideoTrack(
                        self._output, media.rate, self._timescale, picture, crf=_CRF, threads=os.cpu_count()
                    )
                    self._sound = AudioTrack(self._output, audio)
                elif number == 0:
                    self._sound.go_on(audio, self._offset)
                self._video.write(picture, self._offset + decoded.time - begin, self._offset + until - begin)
                self._sound.write_until(until)
                if number % _FRAMES_PER_PROGRESS == 0:
                    self._tell(float(self._offset + until - begin))
        self._offset += until - begin
        return CutPart(float(begin), float(until), False)

    def finish(self) -> None:
        """Write what the encoders still hold."""
        for track in (self._video, self._sound):
            if track is not None:
                track.finish()


def _shown(
    frames: Iterator[DecodedFrame], start: Fraction, end: Fraction
) -> Iterator[tuple[DecodedFrame, Fraction | None]]:
    """Yield the frames that are shown in ``[start, end)``, each with the time of the next; None after the last."""
    for decoded, following in with_next(frames):
        if decoded.time >= end:
            return
        if (decoded.end if following is None else following.time) > start:
            yield decoded, None if following is None else following.time


def _even(size: tuple[int, int]) -> tuple[int, int]:
    width, height = (max(2, side // 2 * 2) for side in size)
    return width, height
