"""A picture on which the part to search for is dragged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lib.ui.components.registration import draw, register

Region = tuple[float, float, float, float]
"""Left, top, right, bottom, as shares of the picture."""
_COMPONENT = register(Path(__file__).parent)


@dataclass(frozen=True)
class Dragged:
    """What the browser sent last."""

    of: str
    number: int
    region: Region | None


def choose_region(
    url: str,
    region: Region | None,
    *,
    key: str,
    of: str,
    ack: int,
    alt: str,
    on_change: Callable[[Dragged], None],
) -> Dragged | None:
    """Draw the picture at ``url``; return what the browser sent last.

    ``region`` None is the whole picture. ``of`` names the picture; for another one the browser takes the region from
    Python. Until ``ack``, the number of the last region that Python has, is the latest, the browser keeps its own.
    """
    data = {"url": url, "region": region, "of": of, "ack": ack, "alt": alt}
    return draw(_COMPONENT, key, data, "region", _read, on_change)


def _read(sent: object) -> Dragged | None:
    if not isinstance(sent, dict) or not isinstance(sent.get("number"), int):
        return None
    return Dragged(str(sent.get("of")), sent["number"], _region(sent.get("region")))


def _region(sent: object) -> Region | None:
    if not isinstance(sent, list) or len(sent) != 4 or not all(isinstance(edge, int | float) for edge in sent):
        return None
    left, top, right, bottom = (min(1.0, max(0.0, float(edge))) for edge in sent)
    return (left, top, right, bottom) if left < right and top < bottom else None
