"""Frames read from a video, and their colours compared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lib.core.sampling import Sampling
from lib.media.frames import Frame, FrameReader
from tests.helpers.videos import Colour

EVERY_FRAME = Sampling.every(1)
LOSSY = 6
"""How far a colour may be off after lossy coding and 8-bit YUV, of 255."""


def read_frames(path: Path, sampling: Sampling = EVERY_FRAME, **options: Any) -> tuple[list[Frame], FrameReader]:
    """Return the sampled frames of a video and the reader, whose attributes are final."""
    with FrameReader(path, sampling, **options) as reader:
        return list(reader), reader


def assert_colours(
    frames: Sequence[Frame], colours: Sequence[Colour], *, tolerance: int = LOSSY, x: float = 0.5
) -> None:
    """Assert that each frame has its colour in the middle row, at the share ``x`` of its width."""
    actual = np.array([f.image[f.image.shape[0] // 2, int(f.image.shape[1] * x)] for f in frames], int)
    assert actual.shape == (len(colours), 3)
    assert np.abs(actual - np.array(colours)).max() <= tolerance
