"""Hints on the wording of prompts, below the prompt table."""

from __future__ import annotations

import streamlit as st

from lib.analysis.analysis import Analysis
from lib.analysis.reference import Reference, reference_vectors
from lib.analysis.wording import high_everywhere, unlike_phrasings
from lib.core.errors import PromptreelError
from lib.core.formatting import as_text
from lib.prompts.reference_phrases import PHRASES
from lib.ui.panels.video import VideoSelection
from lib.ui.session import cache, state

_MOST_SHOWN = 3


def hints(selection: VideoSelection, analysis: Analysis, reference: Reference | None) -> None:
    """Draw a sentence for each wording that may mislead, and the way to try others; nothing without the reference."""
    if reference is None:
        return
    said = [
        f":material/vertical_align_top: “{as_text(label)}” is high on nearly all frames (relative score "
        f"{mean:.1f} on average, {peak:.1f} at its peaks). Unless it is there all the time, the wording is: "
        "say it more exactly, or add what it is mistaken for."
        for label, (mean, peak) in high_everywhere(analysis, reference).items()
    ] + [
        f":material/call_split: “{as_text(phrasing)}” is unlike the other phrasings of “{as_text(label)}”. The "
        "mean of several kinds is near none of them; give each kind a label, and keep phrasings that mean the same."
        for label, phrasing in _unlike(selection, analysis).items()
    ]
    for sentence in said[:_MOST_SHOWN]:
        st.caption(sentence)
    if len(said) > _MOST_SHOWN:
        with st.expander(f"{len(said) - _MOST_SHOWN} more hints on wording", key="wording.more"):
            for sentence in said[_MOST_SHOWN:]:
                st.caption(sentence)
    if analysis.prompts and all(len(prompt.texts) == 1 for prompt in analysis.prompts):
        st.page_link(
            "pages/matrix.py",
            label="Several phrasings find more than one: try wordings",
            icon=":material/format_list_bulleted_add:",
            help="Phrasings that mean the same help: with four instead of one, CLIP finds 93 of 100 pictures by their "
            "captions instead of 84.",
            query_params=state.address(),
        )


def _unlike(selection: VideoSelection, analysis: Analysis) -> dict[str, str]:
    store, prompt_set = cache.store(), analysis.prompt_set
    if all(len(prompt.texts) == 1 for prompt in analysis.prompts):
        return {}
    vectors = store.text_vectors(selection.engine.id, (*prompt_set.texts, *PHRASES))
    try:
        return unlike_phrasings(prompt_set, vectors, reference_vectors(vectors))
    except PromptreelError:  # the phrases are on their way
        return {}
