"""Moments as cards or on a strip for each video; a click plays one in place, in the browser alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

from lib.core.formatting import format_time
from lib.ui.components.registration import register
from lib.ui.server import routes
from lib.ui.session.peek import peek_state

_FOLDER = Path(__file__).parent
_COMPONENT = register(_FOLDER)

ActionKind = Literal["like", "prompt", "crop", "explore", "copy", "refused"]
"""More like this; use as prompt; search for the picture; open in Explore; the video needs a playable copy, or the
browser refused it."""


@dataclass(frozen=True)
class Hit:
    """One moment as it is shown."""

    id: str
    """Unique among those shown; the same moment has the same id."""
    video: str
    """Key into the clips."""
    url: str
    """Of its best frame."""
    start_s: float
    end_s: float
    best_s: float
    score: float
    folded: int = 0
    """Near-duplicates left out."""
    own: bool = False
    """Whether the frame that is searched for lies in it."""


@dataclass(frozen=True)
class Clip:
    """A video that moments are in."""

    name: str
    duration_s: float
    src: str | None
    """URL from ``routes.url_for_video``; None where a playable copy has to be made first."""
    problem: str | None = None
    """Why there is none, and what to do."""


@dataclass(frozen=True)
class MomentAction:
    """What a person wants done with a hit."""

    kind: ActionKind
    id: str
    video: str
    n: str
    """Another one each time."""


def hits(
    found: Sequence[Hit],
    clips: Mapping[str, Clip],
    *,
    key: str,
    label: str,
    layout: Literal["cards", "strips"],
    scale: tuple[float, float],
    unpromptable: str,
    empty: str,
    on_deed: Callable[[MomentAction], None],
) -> MomentAction | None:
    """Draw moments, best first; return what was wanted just now, for one run only.

    Args:
        found: what to show.
        clips: their videos.
        key: widget key.
        label: names the list for screen readers.
        layout: cards with pictures, or one strip a video with its moments as bars.
        scale: scores of the lowest and of the highest bar.
        unpromptable: why “Use as prompt” can't be pressed; empty when it can.
        empty: shown when there are none.
        on_deed: called before the script runs again.
    """
    data = {
        "modules": routes.url_for_modules(_FOLDER / "js"),
        "label": label,
        "layout": layout,
        "scale": [round(edge, 5) for edge in scale],
        "unpromptable": unpromptable,
        "empty": empty,
        "hits": [_hit(one, rank) for rank, one in enumerate(found, start=1)],
        "videos": {name: _clip(clip) for name, clip in clips.items()},
    }

    def done() -> None:
        deed = _read(peek_state()[key].get("deed"))
        if deed is not None:
            on_deed(deed)

    return _read(_COMPONENT(key=key, data=data, on_deed_change=done).deed)


def _hit(hit: Hit, rank: int) -> dict[str, Any]:
    return {
        "id": hit.id,
        "video": hit.video,
        "url": hit.url,
        "rank": rank,
        "start": hit.start_s,
        "end": hit.end_s,
        "at": format_time(hit.best_s),
        "range": f"{format_time(hit.start_s)} – {format_time(hit.end_s)}",
        "score": f"{hit.score:.3f}".replace("-", "−"),
        "value": round(hit.score, 5),
        "folded": hit.folded,
        "own": hit.own,
    }


def _clip(clip: Clip) -> dict[str, Any]:
    return {
        "name": clip.name,
        "duration": clip.duration_s,
        "src": clip.src,
        "problem": clip.problem,
    }


def _read(sent: object) -> MomentAction | None:
    if not isinstance(sent, dict) or sent.get("kind") not in get_args(ActionKind):
        return None
    return MomentAction(
        cast(ActionKind, sent["kind"]), str(sent.get("id")), str(sent.get("video")), str(sent.get("n"))
    )
