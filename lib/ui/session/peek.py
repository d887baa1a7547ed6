"""The widgets' state, read without side effects."""

from __future__ import annotations

from typing import Any

import streamlit as st


def peek_state() -> dict[Any, Any]:
    """Return a copy of ``st.session_state``; unlike it, the copy can be read without ending a run that is outdated.

    Streamlit ends a run at the next access to the state once a newer run waits. A callback that read it would be lost
    half-way.
    """
    return st.session_state.to_dict()
