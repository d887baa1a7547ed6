"""Colours of labels on screen, light and dark."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lib.charts.palette import DARK_PALETTE, LIGHT_PALETTE, label_colours
from lib.prompts.model import Prompt


def colours(prompts: Sequence[Prompt]) -> dict[str, str]:
    """Return label -> hex colour on the theme in use."""
    return label_colours(prompts, DARK_PALETTE if st.context.theme.type == "dark" else LIGHT_PALETTE)
