"""The threshold, dragged on a histogram of all scores."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from lib.search_charts import ScoreBars
from lib.ui.component import register

__all__ = ["threshold_histogram"]

_COMPONENT = register("threshold", Path(__file__).parent)


def threshold_histogram(
    bars: ScoreBars,
    value: float | None,
    *,
    key: str,
    of: str,
    on_change: Callable[[float | None], None],
) -> None:
    """Draw the histogram with the threshold on it.

    Args:
        bars: what to draw.
        value: the threshold; None is automatic.
        key: widget key.
        of: names the search; another one takes the threshold over from Python.
        on_change: called with each new threshold before the script runs again.
    """
    heard = st.session_state.to_dict().get(key, {}).get("moved") or {}
    data = {
        "of": of,
        "heard": int(heard.get("number", 0)),
        "threshold": value,
        "suggestion": round(bars.suggestion, 3),
        "low": bars.low,
        "high": bars.high,
        "counts": list(bars.counts),
        "estimated": bars.estimated,
        "about": "score: cosine with the query",
    }

    def moved() -> None:
        # to_dict: reading the state itself would end a run for which a newer one waits.
        sent = st.session_state.to_dict()[key].get("moved")
        if isinstance(sent, dict) and sent.get("of") == of:
            on_change(_score(sent.get("value")))

    _COMPONENT(key=key, data=data, on_moved_change=moved)


def _score(sent: object) -> float | None:
    if not isinstance(sent, int | float) or isinstance(sent, bool) or sent != sent:
        return None
    return round(min(1.0, max(-1.0, float(sent))), 4)
