"""Colours of labels on screen, light and dark."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lib.charts.palette import DARK_PALETTE, LIGHT_PALETTE, Colour, label_colours
from lib.prompts.model import Prompt


def colours(prompts: Sequence[Prompt]) -> dict[str, Colour]:
    """Return label -> colour on the theme in use."""
    return label_colours(prompts, DARK_PALETTE if st.context.theme.type == "dark" else LIGHT_PALETTE)
