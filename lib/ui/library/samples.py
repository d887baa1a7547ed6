"""The bundled sample videos, as the Library shows them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from lib.media.frames import frame_at
from lib.store.sidecar import read_sidecar


@dataclass(frozen=True)
class SampleCard:
    """What the library shows of a bundled video."""

    title: str
    caption: str
    picture: NDArray[np.uint8]


@st.cache_data(show_spinner=False, max_entries=2)
def sample_files(folder: Path) -> list[Path]:
    """Return the bundled videos, the shortest first: it gives the quickest first result."""

    def length_s(file: Path) -> float:
        return max((segment.end_s for segment in read_sidecar(file)), default=0.0)

    return sorted(folder.glob("*.mp4"), key=lambda file: (length_s(file), file.name))


@st.cache_data(show_spinner=False, max_entries=32)
def sample_card(file: Path) -> SampleCard:
    """Return title, caption and picture of a bundled video, from its ground truth beside it.

    The caption is the comment that its prompt set begins with; its labels where there is none.
    """
    segments = read_sidecar(file)
    middle = segments[len(segments) // 2] if segments else None
    frame = frame_at(file, (middle.start_s + middle.end_s) / 2 if middle else 0.5, short_side=270)
    prompts = file.with_suffix(".prompts.yaml")
    lines = prompts.read_text(encoding="utf-8").splitlines() if prompts.exists() else []
    about = [line[1:].strip() for line in itertools.takewhile(lambda line: line.startswith("#"), lines)]
    caption = " ".join(about) or ", ".join(dict.fromkeys(segment.label for segment in segments))
    title = file.stem.replace("_vfr", "").replace("_", " ").capitalize()
    return SampleCard(title, caption, frame.image)
