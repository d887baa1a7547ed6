"""The threshold, dragged on a histogram of all scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lib.prompts.model import WIDEST_THRESHOLDS
from lib.search.distribution import SCORE_DIGITS, Histogram
from lib.search.relative import SearchScore
from lib.ui.components.registration import draw, register

_ABOUT: dict[SearchScore, str] = {
    "relative": "score relative to unrelated phrases",
    "cosine": "score: cosine with the query",
}
_COMPONENT = register(Path(__file__).parent)


@dataclass(frozen=True)
class Moved:
    """What the browser sent last."""

    of: str
    number: int
    value: float | None


def threshold_histogram(
    histogram: Histogram,
    value: float | None,
    *,
    kind: SearchScore,
    key: str,
    of: str,
    ack: int,
    on_change: Callable[[Moved], None],
) -> Moved | None:
    """Draw the histogram with the threshold (None is automatic) on it; return what the browser sent last.

    ``of`` names the search; for another one the browser takes the threshold from Python. Until ``ack``, the
    number of the last move that Python has, is the latest, the browser keeps its own. ``kind`` says what scores are.
    """
    data = {
        "of": of,
        "ack": ack,
        "threshold": value,
        "suggestion": round(histogram.suggestion, SCORE_DIGITS[kind]),
        "digits": SCORE_DIGITS[kind],
        "low": histogram.low,
        "high": histogram.high,
        "counts": list(histogram.counts),
        "estimated": histogram.estimated,
        "about": _ABOUT[kind],
    }
    return draw(_COMPONENT, key, data, "moved", _read, on_change)


def _read(sent: object) -> Moved | None:
    if not isinstance(sent, dict) or not isinstance(sent.get("number"), int):
        return None
    return Moved(str(sent.get("of")), sent["number"], _score(sent.get("value")))


def _score(sent: object) -> float | None:
    if not isinstance(sent, int | float) or isinstance(sent, bool) or sent != sent:
        return None
    low, high = WIDEST_THRESHOLDS
    return round(min(high, max(low, float(sent))), 4)
