"""An opened media file: its video stream, where its time line starts, and why it can't be opened."""

from __future__ import annotations

import os
import stat
from fractions import Fraction
from pathlib import Path

import av
import av.audio.stream
import av.container
import av.error
import av.video.stream

from lib.core.errors import NoVideoStreamError, VideoUnreadableError
from lib.core.formatting import encodable
from lib.media.containers import FORMATS, Family, family_of, has_absurd_index, has_boxes_without_index
from lib.media.limits import DECODER_OPTIONS, check_references, check_size, limit_threads, reading, shown_name
from lib.media.picture import displayed_size
from lib.media.tracks import discard_others, picture_track, programme, sound_track

OPTIONS = {"format_whitelist": FORMATS, "protocol_whitelist": "file"}
"""Open nothing but this one file, as one of the known containers."""
_ENCRYPTED_TAGS = ("encv", "drmi")


class MediaFile:
    """One opened file and its video stream: the one that a browser plays (``lib.media.tracks``); others aren't read.

    Raises:
        VideoUnreadableError: missing, empty, cut off, no video, pictures beyond ``lib.media.limits``, or a
            codec that FFmpeg was built without.
        NoVideoStreamError: audio, subtitles or cover art only.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path).absolute()
        self.name = shown_name(self.path)
        self._decoder_options = DECODER_OPTIONS
        self._open()

    def _open(self) -> None:
        _check_readable(self.path)
        with reading(self.path):
            try:
                self._look_ahead()
                self.container = open_container(self.path)
            except av.error.FFmpegError as error:
                raise VideoUnreadableError(_why_not_opened(self.path, error)) from error
            try:
                self.stream = self._video_stream()
                self._streams = programme(self.container, self.path, self.stream)
                self.audio_stream = sound_track(self.container, self.path, self.stream) if self.may_restart else None
                discard_others(self.container, (self.stream, self.audio_stream))
            except BaseException:
                self.container.close()
                raise

    def _look_ahead(self) -> None:
        """Check what FFmpeg takes memory for while it opens: an index, or frames where tracks stand nowhere."""
        if has_absurd_index(self.path):
            raise VideoUnreadableError(
                f"{self.name} is damaged: its index tells of more samples than the file holds; "
                "copy or download it again."
            )
        with self.path.open("rb") as file:
            if file.read(3) != b"FLV":
                return
        with open_container(self.path, probesize="2048") as container:
            for stream in container.streams.video:
                if stream.codec_context is not None:
                    check_size(self.name, stream.codec_context.width, stream.codec_context.height)

    def _video_stream(self) -> av.video.stream.VideoStream:
        stream = picture_track(self.container)
        if stream is None:
            raise NoVideoStreamError(
                f"{self.name} has no video stream, only sound or a still picture; choose a video file."
            )
        if stream.codec_context is None:
            raise VideoUnreadableError(
                f"{self.name} uses a video codec that can't be decoded here; convert it to H.264 first."
            )
        self._check(stream)
        limit_threads(stream.codec_context)
        stream.codec_context.options = self._decoder_options
        return stream

    def _check(self, stream: av.video.stream.VideoStream) -> None:
        """Raise ``VideoUnreadableError`` for what can't be decoded, or not within the limits."""
        if (
            stream.codec_tag in _ENCRYPTED_TAGS
            or "enc_key_id" in stream.metadata  # Matroska
            or "ASF_Protection_Type" in self.container.metadata
        ):
            raise encrypted(self.name)
        context = stream.codec_context
        check_size(self.name, context.width, context.height)
        check_size(
            self.name, *displayed_size(context.width, context.height, stream.sample_aspect_ratio), what="displayed"
        )
        check_references(self.name, context)

    @property
    def codec(self) -> str:
        """FFmpeg's name of the codec, such as ``h264``."""
        return self.stream.codec_context.codec.canonical_name

    @property
    def may_restart(self) -> bool:
        """Whether the container's clock may start again in the middle, as where recordings were joined."""
        return self.family in ("broadcast", "other")

    @property
    def family(self) -> Family:
        """Family of the container."""
        return family_of(self.container.format.name)

    @property
    def time_base(self) -> Fraction:
        """Unit of the stream's presentation times, in seconds."""
        return self.stream.time_base or Fraction(1, 1_000_000)

    @property
    def rate(self) -> Fraction | None:
        """Frames per second as the header says or FFmpeg guesses; it guesses 1000 where times are in milliseconds."""
        average = self.stream.average_rate
        rates = (self.stream.guessed_rate, average, self.stream.base_rate)
        known = (Fraction(rate) for rate in rates if rate)
        return next((rate for rate in known if rate == average or rate * self.time_base != 1 or rate != 1000), None)

    @property
    def origin_s(self) -> Fraction:
        """Seconds to subtract from presentation times.

        Zero for what browsers play (MP4, MOV, Matroska, WebM): they show the file's own times, edit lists applied, also
        when the first one is not 0. Elsewhere, above all in transport streams, whose clock starts anywhere, the time
        line starts with the earliest stream of the picture's programme, as in players and converters.
        """
        if self.family in ("mp4", "matroska"):
            return Fraction(0)
        starts = [
            stream.start_time * stream.time_base
            for stream in self._streams
            if stream.type in ("video", "audio") and stream.start_time is not None and stream.time_base
        ]
        return min(starts, default=Fraction(0))

    @property
    def header_end_s(self) -> float | None:
        """End of the video in seconds as the header says; may be wrong."""
        stream = self.stream
        if stream.duration and stream.time_base:
            end = ((stream.start_time or 0) + stream.duration) * stream.time_base - self.origin_s
        elif self.container.duration:
            end = Fraction(self.container.duration, av.time_base)
            if self.family != "matroska":  # there the header's duration counts from 0
                end += Fraction(self.container.start_time or 0, av.time_base) - self.origin_s
        else:
            return None
        return float(end) if end > 0 else None

    def open_again(self) -> MediaFile:
        """Open the same stream of the same file once more."""
        media = MediaFile(self.path)
        media.stream.codec_context.options = self._decoder_options
        return media

    def reopen_without_concealment(self) -> None:
        """Open the file again, at its start, and let decoders leave what they take for damage as it is."""
        self._decoder_options = DECODER_OPTIONS | {"ec": "0"}
        self.reopen()

    def reopen(self) -> None:
        """Close the file and open it again, at its start."""
        self.close()
        self._open()

    def close(self) -> None:
        """Close the file; calling it twice is fine."""
        self.container.close()

    def __enter__(self) -> MediaFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def encrypted(name: str) -> VideoUnreadableError:
    """Return the error for a file that is encrypted."""
    return VideoUnreadableError(f"{name} is encrypted (DRM); choose a copy without copy protection.")


def open_container(path: Path, **options: str) -> av.container.InputContainer:
    """Open a file as one of the known containers, within the limits of what is decoded."""
    return av.open(
        os.fspath(path), "r", options=DECODER_OPTIONS, container_options=OPTIONS | options, metadata_errors="replace"
    )


def _check_readable(path: Path) -> None:
    """Raise ``VideoUnreadableError`` with the reason for a path that is no readable file."""
    name = shown_name(path)
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise VideoUnreadableError(f"{name} is a folder; choose a video file in it.")
        if not stat.S_ISREG(mode):  # reading a pipe or a device may never end
            raise VideoUnreadableError(f"{name} is no regular file but a pipe or device; choose a video file.")
        with path.open("rb") as file:
            head = file.read(1)
    except FileNotFoundError as error:
        raise VideoUnreadableError(
            f"{name} does not exist (any more); check the path {encodable(str(path))}."
        ) from error
    except PermissionError as error:
        raise VideoUnreadableError(f"{name} may not be read by this user; change its permissions.") from error
    except ValueError as error:
        raise VideoUnreadableError(f"{name!r} is no path of a file ({error}); choose a video file.") from error
    except OSError as error:
        raise VideoUnreadableError(f"{name} can't be read ({error.strerror}); copy it to another disk.") from error
    if not head:
        raise VideoUnreadableError(f"{name} is empty (0 bytes); copy or download it again.")


def _why_not_opened(path: Path, error: Exception) -> str:
    if isinstance(error, av.error.InvalidDataError | av.error.ArgumentError):  # ArgumentError: not in FORMATS
        if has_boxes_without_index(path):
            return (
                f"{shown_name(path)} is cut off: the index at its end is missing, so nothing in it can be read; "
                "copy, download or record it again."
            )
        return f"{shown_name(path)} is not a video that can be read; choose an MP4, MOV, MKV, WebM or AVI file."
    reason = getattr(error, "strerror", None) or str(error)
    return f"{shown_name(path)} can't be opened as a video ({reason}); try converting it to MP4 with H.264 first."
