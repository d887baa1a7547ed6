"""What is known of a video before it is decoded; importing it loads no decoder."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path


@dataclass(frozen=True)
class VideoInfo:
    """What a file's header and first frame say about its video."""

    path: Path
    size_bytes: int
    start_s: float
    """Start of the video in seconds: the presentation time of its first frame."""
    end_s: float | None
    """End of the video in seconds as the header says; may be wrong."""
    rate: Fraction | None
    """Frames per second as the header says; of a variable rate, the average."""
    variable_rate: bool | None
    """Whether frames are shown for different lengths of time; None where the first frames leave it open."""
    width: int
    """Displayed width in pixels, after pixel aspect and rotation."""
    height: int
    """Displayed height in pixels, after pixel aspect and rotation."""
    rotation: int
    """Degrees the stored picture is turned counter-clockwise for display: 0, 90, 180 or 270."""
    codec: str
    """FFmpeg's name, such as ``h264``."""
    pixel_format: str
    """FFmpeg's name, such as ``yuv420p``."""
    container: str
    """``mp4``, ``mov``, ``mkv``, ``webm``, ``avi`` or FFmpeg's name."""
    frame_count: int | None
    """Number of frames as the header says; may be wrong."""
    browser_playable: bool
    """Whether current browsers play the video as it is; otherwise see ``lib.media.playable_copy``."""

    @property
    def copy_offset_s(self) -> float:
        """Time of the video, in seconds, that its playable copy shows at 0.

        0 where the video begins within a second; a browser can't be relied on to play an MP4 that begins later.
        """
        return self.start_s if self.start_s >= 1 else 0.0

    @property
    def duration_s(self) -> float | None:
        """Length of the video in seconds as the header says; may be wrong."""
        return None if self.end_s is None else max(0.0, self.end_s - self.start_s)
