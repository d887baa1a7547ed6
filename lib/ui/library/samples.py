"""The bundled sample videos, as cards."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from lib.core.errors import PromptreelError
from lib.core.formatting import as_text
from lib.media.frames import frame_at
from lib.prompts.model import PromptSet
from lib.services import catalogue
from lib.services.ground_truth import annotation_file
from lib.ui.background import embedding as work
from lib.ui.panels import guide
from lib.ui.session import cache, opening
from lib.ui.session.folders import SAMPLES

_CARD_WIDTH = 232
_PICTURE_HEIGHT = 116


def draw() -> None:
    """Draw a card for each bundled video: a picture, a caption and a button."""
    files = sample_files(SAMPLES)
    if not files:
        st.info("The folder sample_videos is empty in this copy of the project.")
        return
    with st.container(horizontal=True):
        for file in files:
            with st.container(border=True, width=_CARD_WIDTH, height="stretch"):
                _sample_card(file)


def _sample_card(file: Path) -> None:
    card = sample_card(file)
    # A fixed height: pictures load late, and would move what is below them away from a click.
    with st.container(height=_PICTURE_HEIGHT, border=False):
        st.image(card.picture, width="stretch", alt=f"A frame of {card.title}")
    st.markdown(f"**{card.title}**")
    st.caption(card.caption)
    st.space("stretch")  # the buttons of all cards stand in one row
    opened = st.button("Open", key=f"open_sample_{file.stem}", type="primary", width="stretch")
    guided = card.guided is not None and st.button(
        "What it shows, in 3 steps", key=f"guide_sample_{file.stem}", icon=":material/signpost:", width="stretch"
    )
    if opened or guided:
        work.say_opening(card.title)
        try:
            video = cache.store().add_file(file)
            if guided and card.guided is not None:
                guide.begin(video, card.guided)
            else:
                opening.open_sample(video)
        except PromptreelError as error:
            st.error(as_text(str(error)))
            return
        work.go_to_explore()


@dataclass(frozen=True)
class SampleCard:
    """What the library shows of a bundled video."""

    title: str
    caption: str
    picture: NDArray[np.uint8]
    guided: PromptSet | None
    """Its prompts, where its ground truth names something that they don't."""


@st.cache_data(show_spinner=False, max_entries=2)
def sample_files(folder: Path) -> list[Path]:
    """Return the bundled videos, the shortest first: it gives the quickest first result."""

    def length_s(file: Path) -> float:
        return max((segment.end_s for segment in annotation_file(file).segments), default=0.0)

    return sorted(folder.glob("*.mp4"), key=lambda file: (length_s(file), file.name))


@st.cache_data(show_spinner=False, max_entries=32)
def sample_card(file: Path) -> SampleCard:
    """Return title, caption and picture of a bundled video, from its ground truth beside it.

    The caption is the comment that its prompt set begins with; its labels where there is none.
    """
    segments = annotation_file(file).segments
    middle = segments[len(segments) // 2] if segments else None
    frame = frame_at(file, (middle.start_s + middle.end_s) / 2 if middle else 0.5, short_side=270)
    prompts = file.with_suffix(".prompts.yaml")
    lines = prompts.read_text(encoding="utf-8").splitlines() if prompts.exists() else []
    about = [line[1:].strip() for line in itertools.takewhile(lambda line: line.startswith("#"), lines)]
    caption = " ".join(about) or ", ".join(dict.fromkeys(segment.label for segment in segments))
    title = file.stem.replace("_vfr", "").replace("_", " ").capitalize()
    own = catalogue.sample_prompts(file)
    guided = own if own is not None and guide.has_finding(own, segments) else None
    return SampleCard(title, caption, frame.image, guided)
