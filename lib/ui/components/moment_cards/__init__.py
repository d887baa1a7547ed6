"""Moments as cards, or as bars on one strip per video; a click plays one in place, in the browser alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

from lib.core.formatting import format_time
from lib.ui.components.registration import SHARED_MODULES, draw, register
from lib.ui.server import routes

_FOLDER = Path(__file__).parent
_COMPONENT = register(_FOLDER)

ActionKind = Literal["like", "prompt", "crop", "explore", "copy", "refused"]
"""More like this; use as prompt; search for the picture; open in Explore; the video needs a playable copy, or the
browser refused it."""


@dataclass(frozen=True)
class MomentCard:
    """One moment as it is shown."""

    id: str
    """Unique among the cards; the same for the same moment."""
    video: str
    """Key into the clips."""
    url: str
    """Of its best frame."""
    start_s: float
    end_s: float
    best_s: float
    score: str
    """As it is shown."""
    value: float
    """The same as a number."""
    about: str
    """What it is, in words."""
    folded: int = 0
    """Near-duplicates left out."""
    own: bool = False
    """Whether it contains the frame that is searched for."""


@dataclass(frozen=True)
class Clip:
    """A video that moments are in."""

    name: str
    span_s: tuple[float, float]
    """Start and end of the video in seconds."""
    src: str | None
    """URL from ``routes.url_for_video``; None where a playable copy is needed first."""
    problem: str | None = None
    """Why there is none, and what to do."""
    offset_s: float = 0.0
    """Time of the video, in seconds, that the source shows at 0."""


@dataclass(frozen=True)
class MomentAction:
    """What a person asked for with a moment."""

    kind: ActionKind
    id: str
    video: str
    n: str
    """Unique to this action."""


def moment_cards(
    cards: Sequence[MomentCard],
    clips: Mapping[str, Clip],
    *,
    key: str,
    label: str,
    layout: Literal["cards", "strips"],
    scale: tuple[float, float],
    unpromptable: str,
    empty: str,
    on_action: Callable[[MomentAction], None],
) -> MomentAction | None:
    """Draw moments, best first; return the action that was just asked for, in one run only.

    ``layout`` is cards with pictures, or one strip per video with its moments as bars, lowest and highest at the scores
    ``scale``. ``unpromptable`` says why “Use as prompt” can't be pressed, ``label`` names the list for screen readers,
    ``empty`` is shown when there are no moments; ``on_action`` is called with each action before the script runs.
    """
    data = {
        "modules": routes.url_for_modules(_FOLDER / "js", SHARED_MODULES),
        "label": label,
        "layout": layout,
        "scale": [round(edge, 5) for edge in scale],
        "unpromptable": unpromptable,
        "empty": empty,
        "moments": [_to_json(card, rank) for rank, card in enumerate(cards, start=1)],
        "videos": {video: _clip(clip) for video, clip in clips.items()},
    }
    return draw(_COMPONENT, key, data, "action", _read, on_action)


def _to_json(card: MomentCard, rank: int) -> dict[str, Any]:
    return {
        "id": card.id,
        "video": card.video,
        "url": card.url,
        "rank": rank,
        "start": card.start_s,
        "end": card.end_s,
        "at": format_time(card.best_s),
        "range": f"{format_time(card.start_s)} – {format_time(card.end_s)}",
        "score": card.score,
        "value": round(card.value, 5),
        "about": card.about,
        "folded": card.folded,
        "own": card.own,
    }


def _clip(clip: Clip) -> dict[str, Any]:
    return {
        "name": clip.name,
        "first": clip.span_s[0],
        "last": clip.span_s[1],
        "offset": clip.offset_s,
        "src": clip.src,
        "problem": clip.problem,
    }


def _read(sent: object) -> MomentAction | None:
    if not isinstance(sent, dict) or sent.get("kind") not in get_args(ActionKind):
        return None
    return MomentAction(cast(ActionKind, sent["kind"]), str(sent.get("id")), str(sent.get("video")), str(sent.get("n")))
