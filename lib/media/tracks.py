"""Which tracks of a file are looked at: the picture that a browser plays, and the sound that goes with it.

Tried with Chromium on MP4, MOV, MKV and WebM: of the tracks that it can decode it plays the first; in MP4 and MOV
disabled ones come last (``tkhd``, ISO/IEC 14496-12, 8.3.2; FFmpeg calls the others ``default``), in Matroska the flag
doesn't count. Cover art, thumbnails and the still pictures of AVIF and HEIC are no video. Where a browser can play
none, what is marked as default comes first, as in other players, and codecs of single pictures last.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Discard, Disposition, Stream
from av.video.stream import VideoStream

from lib.media.containers import family_of
from lib.media.programmes import programme_of

BROWSER_CODECS = frozenset(("h264", "vp8", "vp9", "av1"))
"""What Chromium, Firefox and Safari all play."""
_PICTURE_CODECS = frozenset(("mjpeg", "png", "gif", "webp", "bmp", "tiff", "jpeg2000", "jpegls", "ljpeg"))
_STILLS = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
_STILL_BRANDS = frozenset(
    ("avif", "avis", "mif1", "mif2", "msf1", "miaf", "heic", "heix", "heim", "heis", "hevc", "hevx")
)
"""Of files that hold single pictures, some with a sequence beside them (ISO/IEC 23008-12)."""


def picture_track(container: InputContainer) -> VideoStream | None:
    """Return the track with the video; one without decoder where there is no other, None where there is none."""
    still_brand = bool(_STILL_BRANDS & _brands(container))
    tracks = [
        track
        for track in container.streams.video
        if not track.disposition & _STILLS and not (still_brand and track.frames == 1)
    ]
    family = family_of(container.format.name)
    return min(tracks, key=lambda track: _preference(track, family), default=None)


def sound_track(container: InputContainer, path: Path, picture: VideoStream | None) -> AudioStream | None:
    """Return the first audio track that can be decoded, of the picture's programme, if possible not disabled."""
    tracks = [track for track in container.streams.audio if track.codec_context is not None]
    if picture is not None:
        beside = programme(container, path, picture)
        tracks = [track for track in tracks if track in beside]
    is_mp4 = family_of(container.format.name) == "mp4"
    return min(tracks, key=lambda track: is_mp4 and not track.disposition & Disposition.default, default=None)


def programme(container: InputContainer, path: Path, picture: VideoStream) -> list[Stream]:
    """Return the streams that are broadcast together with the picture; elsewhere all."""
    streams = list(container.streams)
    if container.format.name != "mpegts":
        return streams
    ids = programme_of(path, picture.id)
    return [stream for stream in streams if not ids or stream.id in ids]


def discard_others(container: InputContainer, wanted: Collection[Stream | None]) -> None:
    """Have FFmpeg skip all streams but these: what isn't there of the others ends nothing, and takes no time."""
    kept = {stream.index for stream in wanted if stream is not None}
    for stream in container.streams:
        if stream.index not in kept:
            stream.discard = Discard.all


def _preference(track: VideoStream, family: str) -> tuple[bool, ...]:
    """Return what speaks against a track, most important first."""
    codec = track.codec_context.codec.canonical_name if track.codec_context is not None else ""
    is_played = codec in BROWSER_CODECS
    is_off = not track.disposition & Disposition.default
    return (
        not codec,
        not is_played,
        codec in _PICTURE_CODECS,
        bool(track.disposition & Disposition.dependent),
        is_off and not (is_played and family == "matroska"),
    )


def _brands(container: InputContainer) -> set[str]:
    named = container.metadata.get("compatible_brands", "")
    return {container.metadata.get("major_brand", ""), *(named[i : i + 4] for i in range(0, len(named), 4))}
