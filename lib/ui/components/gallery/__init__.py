"""Frames as a grid of thumbnails that are buttons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lib.core.formatting import format_time
from lib.ui.components.registration import ignore, register

_COMPONENT = register(Path(__file__).parent)


@dataclass(frozen=True)
class GalleryItem:
    """One thumbnail.

    Attributes:
        id: unique within the gallery.
        url: of the picture, such as ``routes.url_for_thumbnails(...)`` + ``/<frame>``.
        title: bold line below the picture.
        subtitle: softer line below it; several when it has line breaks.
        time_s: shown on the picture, in seconds.
        colour: CSS colour of its label, drawn as a bar below the picture.
        alt: text alternative of the picture; title and time when empty.
    """

    id: str
    url: str
    title: str
    subtitle: str = ""
    time_s: float | None = None
    colour: str | None = None
    alt: str = ""


def gallery(
    items: Sequence[GalleryItem],
    *,
    key: str,
    label: str,
    empty: str = "No frames to show.",
) -> GalleryItem | None:
    """Draw ``items`` and return the one that was just clicked, in one run only.

    ``label`` names the group for screen readers; ``empty`` is shown when there are no items.
    """
    data = {
        "items": [_to_json(item) for item in items],
        "label": label,
        "empty": empty,
    }
    picked = _COMPONENT(key=key, data=data, on_picked_change=ignore).picked
    if not picked:
        return None
    return next((item for item in items if item.id == picked["id"]), None)


def _to_json(item: GalleryItem) -> dict[str, str | None]:
    time = None if item.time_s is None else format_time(item.time_s)
    return {
        "id": item.id,
        "url": item.url,
        "title": item.title,
        "subtitle": item.subtitle,
        "time": time,
        "colour": item.colour,
        "alt": item.alt or (f"{item.title}, {time}" if time else item.title),
    }
