"""Text drawn into pictures with Supervision and Pillow, in any script that a font on the machine has."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import av
import numpy as np
from av.video.plane import VideoPlane
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray
from PIL import Image, ImageFont

from lib.core.formatting import format_time
from lib.media.fonts import font
from lib.media.picture import BT709, LIMITED

with warnings.catch_warnings():
    warnings.simplefilter("ignore", UserWarning)  # that OpenCV is missing, which is intended
    import supervision as sv

__all__ = ["Caption", "Font", "draw_captions", "shortened", "sv"]

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

_TIME_COLOUR = "#1f2328"
_CAPTIONS_KEPT = 128


@dataclass(frozen=True)
class Caption:
    """One line drawn into a picture."""

    label: str
    score: float | None
    colour: str
    """Background as ``#rrggbb``; the text is black or white, whichever has more contrast."""

    @property
    def text(self) -> str:
        """The label and its score with three decimals."""
        return self.label if self.score is None else f"{self.label}  {self.score:.3f}"


def draw_captions(picture: av.VideoFrame, captions: Sequence[Caption], *, time_s: float) -> av.VideoFrame:
    """Return a copy of a picture with captions at the top left and the time, in seconds, at the bottom left.

    Captions come topmost first; those without room are left out. The picture is BT.709 of limited range in 4:2:0, 8
    bits, and so is what is returned.
    """
    size = max(12, picture.height // 24)
    margin, pitch = size // 2, size + 2 * (size // 3) + size // 4
    room = max(1, (picture.height - 2 * margin) // pitch - 1)
    lines = [*captions[:room], Caption(format_time(time_s), None, _TIME_COLOUR)]
    bottoms = [margin + (i + 1) * pitch for i in range(len(lines) - 1)] + [picture.height - margin]
    drawn = _copy_of(picture)
    planes = [_pixels(plane) for plane in drawn.planes]
    for line, bottom in zip(lines, bottoms, strict=True):
        _caption(line.text, line.colour, size, picture.width).put(planes, bottom // 2 * 2)
    return drawn


@dataclass(frozen=True)
class _Drawn:
    """A caption as a piece of a picture in 4:2:0: its planes, and how much of each pixel they are, from 0 to 1."""

    planes: Sequence[NDArray[np.uint8]]
    shares: Sequence[NDArray[np.float32]]
    above: int
    """Lines from its top to the line that it stands on, even."""
    left: int
    """Even."""

    def put(self, planes: Sequence[NDArray[np.uint8]], bottom: int) -> None:
        """Draw it into the planes of a picture, standing on the line ``bottom``, which is even."""
        top = max(0, bottom - self.above)
        for plane, own, share, step in zip(planes, self.planes, self.shares, (1, 2, 2), strict=True):
            y, x = top // step, self.left // step
            under = plane[y : y + own.shape[0], x : x + own.shape[1]]
            own, share = own[: under.shape[0], : under.shape[1]], share[: under.shape[0], : under.shape[1]]
            under[:] = np.rint(under + (own - under.astype(np.float32)) * share)


@lru_cache(maxsize=_CAPTIONS_KEPT)
def _caption(text: str, colour: str, size: int, width: int) -> _Drawn:
    """Return a caption for a picture of a width; most are those of the frame before."""
    padding, margin, fill = size // 3, size // 2, sv.Color.from_hex(colour)
    annotator = sv.RichLabelAnnotator(
        color=sv.ColorPalette([fill]),
        text_color=sv.ColorPalette([_contrasting_with(fill)]),
        font_size=size,
        text_padding=padding,
        border_radius=padding,
    )
    annotator.font = font(size)
    text = shortened(text, annotator.font, width - 2 * (margin + padding) - 1)
    needed = margin + 2 * padding + int(annotator.font.getlength(text)) + 2 * size
    height, width = 4 * size, max(2, min(width, needed) // 2 * 2)
    empty = tuple((value + shift) % 256 for value, shift in zip(fill.as_rgb(), (128, 96, 160), strict=True))
    scene: Image.Image = annotator.annotate(
        Image.new("RGB", (width, height), empty),
        sv.Detections(xyxy=np.array([[margin, height, margin + 1, height + 1]], float), class_id=np.array([0])),
        labels=[text],
    )
    image = np.array(scene)
    is_drawn = np.logical_or.reduce([image[..., i] != value for i, value in enumerate(empty)])
    top, left = (int(np.argmax(is_drawn.any(axis))) // 2 * 2 for axis in (1, 0))
    right = width - int(np.argmax(is_drawn.any(0)[::-1]))
    area = np.s_[top:, left : right + (right - left) % 2]
    is_drawn, image = (
        is_drawn[area],
        np.where(is_drawn[area][..., None], image[area], np.array(fill.as_rgb(), np.uint8)),
    )
    yuv = VideoReformatter().reformat(
        av.VideoFrame.from_ndarray(np.ascontiguousarray(image), "rgb24"),
        format="yuv420p",
        dst_colorspace=BT709,
        dst_color_range=LIMITED,
    )
    share = is_drawn.astype(np.float32)
    halved = share.reshape(share.shape[0] // 2, 2, -1, 2).mean((1, 3))
    return _Drawn([_pixels(plane).copy() for plane in yuv.planes], [share, halved, halved], height - top, left)


def _copy_of(picture: av.VideoFrame) -> av.VideoFrame:
    copy = av.VideoFrame(picture.width, picture.height, "yuv420p")
    for source, target in zip(picture.planes, copy.planes, strict=True):
        _pixels(target)[:] = _pixels(source)
    copy.colorspace, copy.color_range = picture.colorspace, picture.color_range
    return copy


def _pixels(plane: VideoPlane) -> NDArray[np.uint8]:
    """Return a plane's bytes, ``(height, width)``, to be read and written."""
    return np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]


def _contrasting_with(background: sv.Color) -> sv.Color:
    """Return black or white, whichever has more contrast (relative luminance of WCAG 2, threshold 0.179)."""
    linear = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (channel / 255 for channel in background.as_rgb())
    ]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return sv.Color.BLACK if luminance > 0.179 else sv.Color.WHITE


def shortened(text: str, font: Font, width: float) -> str:
    """Return ``text`` in one line, cut with an ellipsis where it is wider than ``width`` pixels."""
    text = " ".join(text.split())
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text.rstrip() + "…"
