"""Memory: a long video takes no more than a short one. Scaled down from ``python -m benchmarks memory``."""

from __future__ import annotations

from pathlib import Path

from benchmarks._videos import make_video, repeat_video
from benchmarks.memory import measure


def test_memory_stays_flat_over_thousands_of_samples(tmp_path: Path) -> None:
    """3,600 samples of 398×224 pixels are 960 MB, their thumbnails 50 MB: keeping either would show.

    The last step, which writes the table as one file, takes some 30 MB, however fast the rest was.
    """
    short = make_video(tmp_path / "short.mp4", seconds=5, size=(320, 180))
    video = repeat_video(short, tmp_path / "long.mp4", seconds=300)
    usage = measure(tmp_path / "home", video, stride=2)
    assert usage.samples == 3600
    first, last = usage.quarters
    assert last - first < 60e6, f"{first / 1e6:.0f} MB in the first quarter, {last / 1e6:.0f} in the last"
    assert usage.above_idle < 300e6
