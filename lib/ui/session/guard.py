"""Errors as sentences on the page. In a page's body, a fragment and a callback alike, no error takes the page away."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec

import streamlit as st

from lib.core.errors import PromptreelError
from lib.core.formatting import as_text
from lib.ui.session.peek import peek_state
from lib.ui.session.saving import reason

_P = ParamSpec("_P")


def sentence(error: PromptreelError | OSError) -> str:
    """Return what is wrong and what to do."""
    if isinstance(error, PromptreelError):
        return str(error)
    why = reason(error)
    return f"{why[0].upper()}{why[1:]}, then try again."


@contextmanager
def as_sentences() -> Iterator[None]:
    """Draw an error of the block, or of the decorated function, where the block has got to."""
    try:
        yield
    except (PromptreelError, OSError) as error:
        st.error(as_text(sentence(error)), icon=":material/error:")


def told(callback: Callable[_P, object]) -> Callable[_P, None]:
    """Make a callback leave its error to the run that follows; ``state.callback`` does the same."""

    @functools.wraps(callback)
    def run(*args: _P.args, **options: _P.kwargs) -> None:
        try:
            callback(*args, **options)
        except (PromptreelError, OSError) as error:
            peek_state()["session"].told.append(sentence(error))

    return run
