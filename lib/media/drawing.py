"""Text drawn into pictures with Supervision and Pillow, in any script that a font on the machine has."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFont

from lib.core.formatting import format_time
from lib.media.fonts import font

with warnings.catch_warnings():
    warnings.simplefilter("ignore", UserWarning)  # that OpenCV is missing, which is intended
    import supervision as sv

__all__ = ["Caption", "Font", "draw_captions", "shortened", "sv"]

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

_TIME_COLOUR = "#1f2328"


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


def draw_captions(image: NDArray[np.uint8], captions: Sequence[Caption], *, time_s: float) -> NDArray[np.uint8]:
    """Return a copy of an RGB picture with captions at the top left and the time, in seconds, at the bottom left.

    Captions come topmost first; those without room are left out.
    """
    height, width = image.shape[:2]
    size = max(12, height // 24)
    padding, margin = size // 3, size // 2
    pitch = size + 2 * padding + margin // 2
    text_font = font(size)
    room = max(1, (height - 2 * margin) // pitch - 1)
    lines = [*captions[:room], Caption(format_time(time_s), None, _TIME_COLOUR)]
    bottoms = [margin + (i + 1) * pitch for i in range(len(lines) - 1)] + [height - margin]
    anchors = [[margin, bottom, margin + 1, bottom + 1] for bottom in bottoms]
    colours = [sv.Color.from_hex(line.colour) for line in lines]
    annotator = sv.RichLabelAnnotator(
        color=sv.ColorPalette(colours),
        text_color=sv.ColorPalette([_contrasting_with(colour) for colour in colours]),
        font_size=size,
        text_padding=padding,
        border_radius=padding,
    )
    annotator.font = text_font
    scene: Image.Image = annotator.annotate(
        Image.fromarray(image),
        sv.Detections(xyxy=np.array(anchors, float), class_id=np.arange(len(lines))),
        labels=[shortened(line.text, text_font, width - 2 * (margin + padding) - 1) for line in lines],
    )
    return np.array(scene)


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
