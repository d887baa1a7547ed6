"""The annotation file that may lie beside a video, ``<video>.json``; ``lib.ground_truth`` reads what is in it."""

from __future__ import annotations

from pathlib import Path

from lib.core.errors import InputError

_MAX_BYTES = 20_000_000


def sidecar_path(video: Path) -> Path | None:
    """Return where the annotation file of ``video`` would lie; None for a video without a file (an empty path)."""
    return video.with_suffix(".json") if video.name else None


def read_sidecar(video: Path) -> bytes | None:
    """Return what the annotation file of ``video`` holds; None where there is none.

    Raises:
        InputError: it can't be read, or is too long.
    """
    path = sidecar_path(video)
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its name"
        raise InputError(
            f"The annotation file {path.name} can't be read ({reason}); mend it or move it away."
        ) from error
    if len(data) > _MAX_BYTES:
        raise InputError(f"The annotation file {path.name} is longer than {_MAX_BYTES:,} bytes; move it away.")
    return data
