"""From a decoded frame to a picture as a player shows it: pixel aspect, orientation, colours and size.

Scaling and colour conversion run in C (swscale, bicubic; its filter widens with the scale, so that scaling down
averages). What a file leaves open is decided as Chromium decides it: pixel aspect never shrinks a side, orientation is
the nearest of the eight that quarter turns and mirroring give, and untagged YUV is BT.601 below 720 lines and BT.709
from there on. HDR and wide gamut are converted to sRGB (``lib.media.tone``) and interlaced frames are deinterlaced
(``lib.media.interlace``): colours after scaling, so that it costs little, fields before it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, cast

import av
import numpy as np
from av.sidedata.sidedata import SideDataContainer, Type
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from lib.media.interlace import deinterlaced
from lib.media.tone import needs_tone, shown_on_sdr

_QUALITY = int(Interpolation.BICUBIC) | int(Interpolation.ACCURATE_RND) | int(Interpolation.FULL_CHR_H_INT)
_PLANES = "gbrp"
"""The same values as ``rgb24`` in half the time: FFmpeg has vector code for whole chroma in planes alone. From RGB of 5
or 6 bits they may differ by rounding."""
LIMITED, _FULL = 1, 2  # AVCOL_RANGE_*
BT709, _BT601 = 1, 5  # SWS_CS_*
_MATRICES = {1: BT709, 4: 4, 5: _BT601, 6: _BT601, 7: 7, 9: 9, 10: 9}  # AVCOL_SPC_* -> SWS_CS_*
_HD_LINES = 720
_MAX_ASPECT = 16
_MAX_ENLARGED_SHAPE = 4


@dataclass(frozen=True)
class Orientation:
    """How a stored picture is turned for display: mirrored left to right if ``mirrored``, then turned.

    ``quarter_turns`` counts counter-clockwise quarter turns, 0 to 3.
    """

    quarter_turns: int = 0
    mirrored: bool = False

    @property
    def swaps_sides(self) -> bool:
        """Whether width and height change places."""
        return self.quarter_turns % 2 == 1

    def apply(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return ``image`` ``(h, w, …)`` turned for display, contiguous."""
        if self.mirrored:
            image = image[:, ::-1]
        return np.ascontiguousarray(np.rot90(image, self.quarter_turns))


def _nameless(kinds: type[Type], value: object) -> Type:
    """Return a member for a kind of side data that is newer than PyAV, which would refuse the whole list for it."""
    kind: Any = object.__new__(kinds)
    kind._name_, kind._value_ = f"KIND_{value}", value
    return cast(Type, kind)


Type._missing_ = classmethod(_nameless)  # type: ignore[assignment]


def orientation_of(frame: av.VideoFrame) -> Orientation:
    """Return the orientation in a frame's display matrix, which comes from the container or from EXIF."""
    # Not frame.side_data: what that returns and the frame keep each other, and the decoder's frames, until the garbage
    # collector runs, which may be hours later.
    matrix: Any = SideDataContainer(frame).get("DISPLAYMATRIX")  # type: ignore[call-arg]
    if matrix is None:
        return Orientation()
    a, b, _, c, d = struct.unpack_from("=5i", bytes(matrix))
    # (x, y) goes to (a x + c y, b x + d y), y pointing down
    mirrored = a * d - b * c < 0
    if mirrored:
        a, b = -a, -b  # undo the mirroring of x that comes first
    turns = round(np.arctan2(-b, a) / (np.pi / 2)) % 4
    return Orientation(int(turns), mirrored)


def displayed_size(
    width: int, height: int, aspect: Fraction | None, orientation: Orientation = Orientation()
) -> tuple[int, int]:
    """Return width and height as displayed, of a stored size in pixels and an orientation.

    ``aspect`` is the width of a stored pixel divided by its height; None is 1, and so is anything absurd.
    """
    if aspect and Fraction(1, _MAX_ASPECT) <= aspect <= _MAX_ASPECT:
        if aspect > 1:
            width = round(width * aspect)
        else:
            height = round(height / aspect)
    return (height, width) if orientation.swaps_sides else (width, height)


def fitted_size(size: tuple[int, int], *, short_side: int) -> tuple[int, int]:
    """Return ``size`` (width, height) scaled so that the shorter side is ``short_side``."""
    scale = Fraction(short_side, min(size))
    width, height = (max(1, round(side * scale)) for side in size)
    return width, height


class FrameConverter:
    """Turns decoded frames into pictures; keeps the scaler between frames of the same kind. Not thread-safe.

    Args:
        aspect: width of a stored pixel divided by its height, as the stream says.
        size_for: from the displayed size to the wanted size, both (width, height); the displayed one by default.
        keeps_size: whether all pictures get the size of the first.
    """

    def __init__(
        self,
        aspect: Fraction | None,
        size_for: Callable[[tuple[int, int]], tuple[int, int]] = lambda size: size,
        *,
        keeps_size: bool = False,
    ) -> None:
        self._aspect = aspect
        self._size_for = size_for
        self._scaler, self._from_rgb = VideoReformatter(), VideoReformatter()
        self._keeps_size = keeps_size
        self._size: tuple[int, int] | None = None
        self._last_orientation: tuple[int, Orientation] | None = None  # with the rotation it was read at

    def rgb(self, frame: av.VideoFrame) -> NDArray[np.uint8]:
        """Return the picture as RGB, ``(height, width, 3)``, contiguous."""
        if needs_tone(frame):
            scaled, orientation = self._scaled(frame, "rgb48le")
            image = shown_on_sdr(
                scaled.to_ndarray().astype(np.uint16, copy=False), int(frame.color_trc), int(frame.color_primaries)
            )
        else:
            scaled, orientation = self._scaled(frame, "rgb24" if frame.format.is_rgb else _PLANES)
            image = scaled.to_ndarray().astype(np.uint8, copy=False)
        return orientation.apply(image)

    def yuv420(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Return the picture as limited-range BT.709 in 4:2:0, 8 bits; the wanted size must be even."""
        bt709 = {"dst_colorspace": BT709, "dst_color_range": LIMITED}
        if needs_tone(frame):
            upright = av.VideoFrame.from_ndarray(self.rgb(frame), "rgb24")
            return self._from_rgb.reformat(upright, format="yuv420p", interpolation=_QUALITY, threads=1, **bt709)
        scaled, orientation = self._scaled(frame, "yuv420p", **bt709)
        if orientation == Orientation():
            return scaled
        swap = orientation.swaps_sides
        turned = av.VideoFrame(*((scaled.height, scaled.width) if swap else (scaled.width, scaled.height)), "yuv420p")
        for source, target in zip(scaled.planes, turned.planes, strict=True):
            rows = np.frombuffer(memoryview(source), np.uint8).reshape(source.height, source.line_size)[
                :, : source.width
            ]
            padded = np.zeros((target.height, target.line_size), np.uint8)
            padded[:, : target.width] = orientation.apply(rows)
            target.update(padded.tobytes())
        turned.colorspace, turned.color_range = scaled.colorspace, scaled.color_range
        return turned

    def displayed_size(self, frame: av.VideoFrame) -> tuple[int, int]:
        """Return the frame's width and height as displayed, before scaling."""
        return displayed_size(frame.width, frame.height, self._aspect, self._orientation(frame))

    def _scaled(self, frame: av.VideoFrame, pixel_format: str, **target: int) -> tuple[av.VideoFrame, Orientation]:
        """Return the frame at its wanted size but still as stored, not turned."""
        orientation = self._orientation(frame)
        displayed = self.displayed_size(frame)
        if self._size is None or not self._keeps_size:
            self._size = self._size_for(displayed)
        width, height = self._size
        if orientation.swaps_sides:
            width, height = height, width
        is_rgb = frame.format.is_rgb
        matrix = None if is_rgb else _MATRICES.get(int(frame.colorspace)) or _guessed_matrix(displayed)
        scaled = self._scaler.reformat(
            deinterlaced(frame), width, height, pixel_format,
            src_colorspace=matrix, interpolation=_QUALITY, threads=1, **target,
        )  # fmt: skip
        return scaled, orientation

    def _orientation(self, frame: av.VideoFrame) -> Orientation:
        """Return a frame's orientation; its display matrix is read only when the rotation changes.

        PyAV's list of side data and its frame refer to each other: a frame whose list was read stays in memory until
        the garbage collector runs.
        """
        if self._last_orientation is None or self._last_orientation[0] != frame.rotation:
            self._last_orientation = frame.rotation, orientation_of(frame)
        return self._last_orientation[1]


class SampleConverter:
    """Turns decoded frames into pictures of a given shorter side. Not thread-safe.

    Of a long picture that has to be enlarged only the middle is, at most four times as long as it is wide: models see
    the middle square, and a strip of 400 × 20 pixels needn't become one of 4480 × 224.

    Args:
        aspect: width of a stored pixel divided by its height, as the stream says.
        short_side: in pixels.
    """

    def __init__(self, aspect: Fraction | None, short_side: int) -> None:
        self._short_side = short_side
        self._whole = FrameConverter(aspect, lambda size: fitted_size(size, short_side=short_side))
        self._unscaled = FrameConverter(aspect)
        self._enlarger = VideoReformatter()

    def rgb(self, frame: av.VideoFrame) -> NDArray[np.uint8]:
        """Return the picture as RGB, ``(height, width, 3)``, contiguous."""
        size = self._unscaled.displayed_size(frame)
        longest = _MAX_ENLARGED_SHAPE * min(size)
        if max(size) <= longest or min(size) >= self._short_side:
            return self._whole.rgb(frame)
        middle = _middle(self._unscaled.rgb(frame), longest)
        width, height = fitted_size((middle.shape[1], middle.shape[0]), short_side=self._short_side)
        enlarged = self._enlarger.reformat(
            av.VideoFrame.from_ndarray(middle, "rgb24"), width, height, "rgb24", interpolation=_QUALITY, threads=1
        )
        return enlarged.to_ndarray().astype(np.uint8, copy=False)


def _middle(image: NDArray[np.uint8], longest: int) -> NDArray[np.uint8]:
    """Return the middle of a picture, each side at most ``longest`` pixels, contiguous."""
    top, left = (max(0, side - longest) // 2 for side in image.shape[:2])
    return np.ascontiguousarray(image[top : top + longest, left : left + longest])


def _guessed_matrix(displayed: tuple[int, int]) -> int:
    return _BT601 if displayed[1] < _HD_LINES else BT709
