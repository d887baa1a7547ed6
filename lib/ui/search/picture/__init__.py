"""A picture on which the part that counts is dragged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from lib.ui.component import register

__all__ = ["Region", "choose_region"]

Region = tuple[float, float, float, float]
"""Left, top, right, bottom, as shares of the picture."""
_COMPONENT = register("picture", Path(__file__).parent)


def choose_region(
    url: str,
    region: Region | None,
    *,
    key: str,
    of: str,
    alt: str,
    on_change: Callable[[Region | None], None],
) -> None:
    """Draw the picture.

    Args:
        url: of the whole picture.
        region: the part that counts; None is all of it.
        key: widget key.
        of: names the picture; another one takes the region over from Python.
        alt: what the picture is, for those who don't see it.
        on_change: called with each new region before the script runs again.
    """
    heard = st.session_state.to_dict().get(key, {}).get("region") or {}
    data = {
        "url": url,
        "region": region,
        "of": of,
        "heard": int(heard.get("number", 0)),
        "alt": alt,
    }

    def dragged() -> None:
        # to_dict: reading the state itself would end a run for which a newer one waits.
        sent = st.session_state.to_dict()[key].get("region")
        if isinstance(sent, dict) and sent.get("of") == of:
            on_change(_region(sent.get("region")))

    _COMPONENT(key=key, data=data, on_region_change=dragged)


def _region(sent: object) -> Region | None:
    if (
        not isinstance(sent, list)
        or len(sent) != 4
        or not all(isinstance(edge, int | float) for edge in sent)
    ):
        return None
    left, top, right, bottom = (min(1.0, max(0.0, float(edge))) for edge in sent)
    return (left, top, right, bottom) if left < right and top < bottom else None
