"""The search box: a text field that submits what is typed after a short pause, and never loses the last word.

While the box is on screen, the browser's text counts. Each submission has a sequence number and is sent again until
Python acknowledges it; what is not acknowledged yet is kept in the tab's storage.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lib.ui.components.registration import ACKED_INPUT, draw, register

MAX_TEXT = 1000
"""Characters of a query; longer ones are cut."""
_COMPONENT = register(Path(__file__).parent, before=(ACKED_INPUT,))


@dataclass(frozen=True)
class SubmittedQuery:
    """What the browser sent last."""

    of: str
    number: int
    """Sequence number."""
    text: str
    go: bool
    """Whether to search for it; False where it is only stored until somebody presses Enter."""


def search_box(
    text: str,
    *,
    key: str,
    of: str,
    ack: int,
    live: bool | Literal["list"],
    label: str,
    placeholder: str,
    on_change: Callable[[SubmittedQuery], None],
) -> SubmittedQuery | None:
    """Draw the box and return what the browser sent last; None while that is nothing.

    Args:
        text: shown at first; used only when ``of`` changes and when the page is reloaded.
        key: widget key.
        of: ``<experiment>.<session>.<version>``; another version replaces what the browser shows.
        ack: sequence number of the last submission that Python has.
        live: whether to search while somebody types; otherwise on Enter. ``"list"``: it does, and is as low as a text
            field, as above a list.
        label: names the box for screen readers.
        placeholder: shown while it is empty.
        on_change: called with each submission before the script runs, also when it runs for another page.
    """
    data = {
        "key": key,
        "of": of,
        "text": text,
        "ack": ack,
        "live": bool(live),
        "compact": live == "list",
        "label": label,
        "placeholder": placeholder,
        "max_length": MAX_TEXT,
    }
    return draw(_COMPONENT, key, data, "sent", _read, on_change)


def _read(sent: object) -> SubmittedQuery | None:
    if not isinstance(sent, dict):
        return None
    of, number, text = sent.get("of"), sent.get("number"), sent.get("text")
    if not isinstance(of, str) or not isinstance(number, int) or not isinstance(text, str):
        return None
    # JavaScript strings may contain half a surrogate pair, which UTF-8 can't encode.
    clean = text[:MAX_TEXT].encode("utf-8", "replace").decode("utf-8")
    return SubmittedQuery(of, number, clean, sent.get("go") is True)
