"""Annotated clips: a part of a video with captions drawn in.

Supervision writes the captions, in any script that Pillow's font has, and its ``VideoSink`` encodes the clip. No sound
is kept.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import av.error
import numpy as np
from av.bitstream import BitStreamFilterContext
from numpy.typing import NDArray
from PIL import Image, ImageFont

from lib.core.errors import Cancelled, SettingsError, VideoError
from lib.core.formatting import format_time
from lib.infra.files import atomic_file, temporary_file
from lib.media.contact_sheet import _MIN_LINES, _TIME_COLOUR, shortened
from lib.media.decoding import DecodedFrame, decode_from
from lib.media.frames import probe
from lib.media.media_file import MediaFile
from lib.media.picture import FrameConverter
from lib.media.playable_copy import make_proxy

with warnings.catch_warnings():
    warnings.simplefilter("ignore", UserWarning)  # it tells that OpenCV is missing, which is on purpose
    import supervision as sv

_MIN_RATE, _MAX_RATE, _VARIABLE_RATE = 5, 60, Fraction(30)
_PROGRESS_FRAMES = 8


@dataclass(frozen=True)
class Caption:
    """One line drawn into a clip."""

    label: str
    score: float | None
    colour: str
    """Background as ``#rrggbb``; the text is black or white, whichever reads better."""

    @property
    def text(self) -> str:
        """What is written: the label and its score with three decimals."""
        return self.label if self.score is None else f"{self.label}  {self.score:.3f}"


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
    """Write a stretch of a video with captions and the time drawn in, as H.264 in MP4 that browsers play.

    The clip has a constant frame rate: each of its pictures is the source's frame nearest below its time, to
    half a frame, and the time drawn in is the source's. It appears whole or not at all, and of a file that
    breaks in the middle it holds what comes before.

    Args:
        source: the video.
        target: the MP4 file to write; an existing one is replaced.
        caption_at: captions, topmost first, for a time of the source in seconds.
        start_s: where to begin, in seconds.
        end_s: where to end; the end of the video by default.
        max_height: most lines of the clip; larger pictures are scaled down.
        on_progress: called now and then with the seconds written, and in total as far as known.
        cancel: once set, the work stops within a frame and leaves no file.

    Raises:
        VideoUnreadableError, NoVideoStreamError, VideoDamagedError: nothing in ``source`` can be decoded.
        VideoError: ``target`` can't be written.
        SettingsError: an empty stretch, or a height out of range.
    """
    if start_s < 0 or (end_s is not None and end_s <= start_s):
        raise SettingsError("A clip must end after it starts; choose a later end or an earlier start.")
    if not 16 <= max_height <= 4320:
        raise SettingsError(f"A clip can't be {max_height} lines high; choose 16 to 4320.")
    target, cancel = Path(target), cancel or threading.Event()
    rate = _clip_rate(source)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(target) as finished, temporary_file(target, suffix=".mp4") as written:
            with MediaFile(source) as media:
                frames = _at_constant_rate(decode_from(media, start_s), rate, start_s, end_s)
                _write_frames(
                    media, written, frames, rate, caption_at, max_height, end_s, on_progress, cancel
                )
            if cancel.is_set():
                raise Cancelled
            _finish(written, finished)
    except Cancelled:
        return
    except (av.error.FFmpegError, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise VideoError(
            f"The clip can't be written to {target.parent} ({reason}); free some space there and try again."
        ) from error


def _clip_rate(source: Path | str) -> Fraction:
    """Return the constant rate of a clip: the source's, kept within what players like; 30 where it varies."""
    info = probe(source)
    rate = info.rate if info.rate and not info.variable_rate else _VARIABLE_RATE
    while rate > _MAX_RATE:
        rate /= 2
    while rate < _MIN_RATE:
        rate *= 2
    return rate


def _at_constant_rate(
    frames: Iterator[DecodedFrame], rate: Fraction, start_s: float, end_s: float | None
) -> Iterator[tuple[Fraction, DecodedFrame]]:
    """Yield times ``rate`` a second apart, each with the frame shown then, to half a step."""
    step = 1 / rate
    time: Fraction | None = None
    current: DecodedFrame | None = None
    until = None if end_s is None else Fraction(end_s)
    for following in frames:
        if current is not None:
            time = max(Fraction(start_s), current.time) if time is None else time
            while time + step / 2 < following.time and (until is None or time + step / 4 < until):
                yield time, current
                time += step
            if until is not None and time + step / 4 >= until:
                return
        current = following
    if current is not None:
        time = max(Fraction(start_s), current.time) if time is None else time
        last = current.end if until is None else min(until, current.end)
        while time + step / 4 < last:
            yield time, current
            time += step


def _write_frames(
    media: MediaFile,
    part: Path,
    frames: Iterator[tuple[Fraction, DecodedFrame]],
    rate: Fraction,
    caption_at: Callable[[float], Sequence[Caption]],
    max_height: int,
    end_s: float | None,
    on_progress: Callable[[float, float | None], None] | None,
    cancel: threading.Event,
) -> None:
    first = next(frames, None)
    if first is None:
        raise SettingsError(f"{media.path.name} ends before the clip starts; choose an earlier start.")
    start = first[0]
    until = end_s if end_s is not None else media.header_end_s
    total_s = None if until is None else max(0.0, until - float(start))
    kept: list[tuple[int, int]] = []  # the size of the first picture is that of all

    def size_for(shown: tuple[int, int]) -> tuple[int, int]:
        kept[:] = kept or [_clip_size(shown, max_height)]
        return kept[0]

    painter = FrameConverter(media.stream.sample_aspect_ratio, size_for)
    picture = painter.rgb(first[1].frame)
    with _sink(part, (picture.shape[1], picture.shape[0]), rate) as sink:
        painted = first[1]
        for number, (time, decoded) in enumerate(chain([first], frames)):
            if cancel.is_set():
                return
            if decoded is not painted:
                picture, painted = painter.rgb(decoded.frame), decoded
            drawn = draw_captions(picture, caption_at(float(time)), time_s=float(time))
            sink.write_frame(np.ascontiguousarray(drawn[..., ::-1]))  # the sink takes BGR
            if on_progress is not None and number % _PROGRESS_FRAMES == 0:
                on_progress(float(time - start + 1 / rate), total_s)


def _clip_size(shown: tuple[int, int], max_height: int) -> tuple[int, int]:
    """Return even sides: at most ``max_height`` lines, at least enough for captions."""
    lines = min(max(shown[1], _MIN_LINES), max_height)
    width, height = (max(2, round(side * Fraction(lines, shown[1])) // 2 * 2) for side in shown)
    return width, height


@contextmanager
def _sink(part: Path, size: tuple[int, int], rate: Fraction) -> Iterator[sv.VideoSink]:
    """Give a sink for H.264 or, where Supervision's backend has no such encoder, for MPEG-4."""
    info = sv.VideoInfo(width=size[0], height=size[1], fps=float(rate))
    with ExitStack() as stack:
        try:
            sink = stack.enter_context(sv.VideoSink(os.fspath(part), info, codec="avc1"))
        except RuntimeError:
            sink = stack.enter_context(sv.VideoSink(os.fspath(part), info, codec="mp4v"))
        yield sink


def draw_captions(
    image: NDArray[np.uint8], captions: Sequence[Caption], *, time_s: float
) -> NDArray[np.uint8]:
    """Return a copy of an RGB picture with captions at the top left and the time at the bottom left."""
    height, width = image.shape[:2]
    size = max(12, height // 24)
    padding, margin = size // 3, size // 2
    pitch = size + 2 * padding + margin // 2
    font = ImageFont.load_default(size)
    room = max(1, (height - 2 * margin) // pitch - 1)
    shown = [*captions[:room], Caption(format_time(time_s), None, _TIME_COLOUR)]
    bottoms = [margin + (i + 1) * pitch for i in range(len(shown) - 1)] + [height - margin]
    anchors = [[margin, bottom, margin + 1, bottom + 1] for bottom in bottoms]
    colours = [sv.Color.from_hex(caption.colour) for caption in shown]
    annotator = sv.RichLabelAnnotator(
        color=sv.ColorPalette(colours),
        text_color=sv.ColorPalette([_readable_on(colour) for colour in colours]),
        font_size=size,
        text_padding=padding,
        border_radius=padding,
    )
    scene: Image.Image = annotator.annotate(
        Image.fromarray(image),
        sv.Detections(xyxy=np.array(anchors, float), class_id=np.arange(len(shown))),
        labels=[shortened(caption.text, font, width - 2 * (margin + padding)) for caption in shown],
    )
    return np.array(scene)


def _readable_on(background: sv.Color) -> sv.Color:
    """Return black or white, whichever has more contrast (relative luminance of WCAG 2, threshold 0.179)."""
    linear = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (part / 255 for part in background.as_rgb())
    ]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return sv.Color.BLACK if luminance > 0.179 else sv.Color.WHITE


def _finish(written: Path, finished: Path) -> None:
    """Make what the sink wrote playable: index first, colours labelled; other codecs are encoded again."""
    if not probe(written).browser_playable:
        make_proxy(written, finished)
        return
    with (
        av.open(os.fspath(written)) as source,
        av.open(
            os.fspath(finished), "w", format="mp4", container_options={"movflags": "+faststart"}
        ) as output,
    ):
        stream = source.streams.video[0]
        copy = output.add_stream_from_template(stream)
        # The sink converts by BT.601 without saying so; from 720 lines on players would take it for BT.709.
        labelling = "h264_metadata=colour_primaries=6:transfer_characteristics=6:matrix_coefficients=6"
        labeller = BitStreamFilterContext(labelling, stream, copy)
        for packet in source.demux(stream):
            for labelled in labeller.filter(packet if packet.size else None):
                labelled.stream = copy
                output.mux(labelled)
