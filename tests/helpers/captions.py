"""Pictures with captions drawn in."""

from __future__ import annotations

from collections.abc import Sequence

import av
import numpy as np
from numpy.typing import NDArray

from lib.media.drawing import Caption, draw_captions
from lib.media.picture import BT709, LIMITED


def drawn_on(image: NDArray[np.uint8], captions: Sequence[Caption], *, time_s: float) -> NDArray[np.uint8]:
    """Return an RGB picture of even sides with captions drawn in, coded in 4:2:0 meanwhile."""
    picture = av.VideoFrame.from_ndarray(image, "rgb24").reformat(
        format="yuv420p", dst_colorspace=BT709, dst_color_range=LIMITED
    )
    drawn = draw_captions(picture, captions, time_s=time_s)
    return drawn.reformat(format="rgb24", src_colorspace=BT709, src_color_range=LIMITED).to_ndarray()
