"""The search box: one text field that sends what is typed after a moment's rest, and never loses the last word.

The browser holds the truth while the box is on screen. It numbers what it sends, sends it again until Python says
which number it heard, and keeps a note in the tab of what was not heard yet.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lib.ui.components.registration import ACKED_INPUT, register
from lib.ui.session.peek import peek_state

MAX_TEXT = 1000
"""Characters of a query; what is longer is cut."""
_COMPONENT = register(Path(__file__).parent, before=(ACKED_INPUT,))


@dataclass(frozen=True)
class SubmittedQuery:
    """What the browser sent last."""

    of: str
    number: int
    text: str
    go: bool
    """Whether to search for it; False where it is only to be kept until somebody presses Enter."""


def search_box(
    text: str,
    *,
    key: str,
    of: str,
    heard: int,
    live: bool,
    label: str,
    placeholder: str,
    on_change: Callable[[SubmittedQuery], None],
) -> SubmittedQuery | None:
    """Draw the box and return what the browser sent last; None while that is nothing.

    Args:
        text: what stands in it first; looked at only when ``of`` changes and when the page is loaded anew.
        key: widget key.
        of: ``<experiment>.<session>.<number>``; another number replaces what the browser shows.
        heard: number of the last send that Python has.
        live: whether words are searched for while somebody types; otherwise on Enter.
        label: names the box for screen readers.
        placeholder: shown while it is empty.
        on_change: called with each send before the script runs again, so also when it runs for another page.
    """
    data = {
        "key": key,
        "of": of,
        "text": text,
        "heard": heard,
        "live": live,
        "label": label,
        "placeholder": placeholder,
        "max_length": MAX_TEXT,
    }

    def sent() -> None:
        found = _read(peek_state()[key].get("sent"))
        if found is not None:
            on_change(found)

    return _read(_COMPONENT(key=key, data=data, on_sent_change=sent).sent)


def _read(sent: object) -> SubmittedQuery | None:
    if not isinstance(sent, dict):
        return None
    of, number, text = sent.get("of"), sent.get("number"), sent.get("text")
    if not isinstance(of, str) or not isinstance(number, int) or not isinstance(text, str):
        return None
    # Half a surrogate pair is a string in JavaScript, but no file takes it.
    clean = text[:MAX_TEXT].encode("utf-8", "replace").decode("utf-8")
    return SubmittedQuery(of, number, clean, sent.get("go") is True)
