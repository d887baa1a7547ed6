"""The timecode of a file's first frame, as cameras and editors write it beside the pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lib.media.limits import reading
from lib.media.media_file import MediaFile

_LONGEST = 20


def start_timecode(path: Path | str) -> str | None:
    """Return the timecode of the first frame, such as ``01:00:00;00``; None where the file has none.

    It stands in a QuickTime timecode track, or in the metadata of the pictures or of the file. Nothing is decoded.

    Raises:
        VideoError: as ``MediaFile``.
    """
    with MediaFile(path) as media, reading(media.path):
        places: tuple[Any, ...] = (media.stream, *media.container.streams.data, media.container)
        tags = ((key, value) for place in places for key, value in place.metadata.items())
        found = (str(value).strip() for key, value in tags if key.lower() == "timecode")  # Matroska: in capitals
        return next((value for value in found if 0 < len(value) <= _LONGEST), None)
