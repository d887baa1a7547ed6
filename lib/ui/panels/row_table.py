"""Tables of which a row is chosen by a click anywhere in it.

Streamlit's own choice of rows takes a click on the box at their side only: one on a name marks that cell and leaves
another row chosen, so that an action is done to a row that nobody meant.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

MODE: Final[Literal["single-cell"]] = "single-cell"
"""The ``selection_mode`` of such a table."""


def choice(row: int | None, column: str) -> Any:
    """Return the ``selection_default`` that chooses a row, by a cell of it; that chooses none with None."""
    return {"selection": {"rows": [], "columns": [], "cells": [] if row is None else [(row, column)]}}


def chosen(event: Mapping[str, Any], count: int) -> int | None:
    """Return the index of the row that is chosen, or None.

    Args:
        event: what ``st.dataframe`` returned, or the state of its key.
        count: how many rows there are; a choice beyond them was made before the rows changed.
    """
    cells = event["selection"]["cells"]
    return int(cells[0][0]) if cells and cells[0][0] < count else None
