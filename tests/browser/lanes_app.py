"""Page script and app for the tests and benchmarks of player and lanes: chosen scores over a video of known frames.

The address says what is shown: ``video`` (a file in the home folder, less ``.mp4``), ``samples``, ``prompts``, ``step``
(seconds from sample to sample).
"""

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from lib.analysis.analysis import Analysis
from lib.prompts.model import Prompt, PromptSet, Settings, Smoothing
from lib.services.ground_truth import annotation_file
from lib.ui.components.player import Seek, player
from lib.ui.components.player.lanes_data import lanes
from lib.ui.server import routes
from tests.helpers.arrays import analyse_scores, samples_at, unit_rows

HOME = Path(os.environ["PROMPTREEL_HOME"])
COLOURS = ("#0072B2", "#D55E00", "#00855F", "#B25D91", "#B87700")


@dataclass(frozen=True)
class Shown:
    """What the address asks for."""

    samples: int
    prompts: int
    step_s: float
    cuts: tuple[float, ...] = ()


@st.cache_resource(show_spinner=False)
def scores_of(shown: Shown) -> Any:
    """Return scores ``(n, p)``: each label high in every p-th second, or a slow walk where there are many."""
    rng = np.random.default_rng(3)
    times = np.arange(shown.samples) * shown.step_s
    if shown.samples <= 1_000:
        second = np.floor(times + 1e-9).astype(int) % shown.prompts
        return np.where(second[:, None] == np.arange(shown.prompts), 0.6, 0.1) + 0.001 * times[:, None] / 100
    walk = np.cumsum(rng.normal(scale=0.01, size=(shown.samples, shown.prompts)), axis=0)
    found = 0.3 + 0.2 * np.sin(walk) + rng.normal(scale=0.02, size=walk.shape)
    found[shown.samples // 2, 0] = 0.95  # one sample's peak
    return found


@st.cache_resource(show_spinner=False, max_entries=64)
def analysis_of(shown: Shown, threshold: float, smoothing: int) -> Analysis:
    """Return the analysis of those scores."""
    chosen = PromptSet(
        "test",
        tuple(Prompt(f"label {number}") for number in range(shown.prompts)),
        settings=Settings(decision="threshold", threshold=threshold, smoothing=Smoothing("moving_average", smoothing)),
    )
    times = np.arange(shown.samples) * shown.step_s
    vectors = unit_rows(np.random.default_rng(5), shown.samples, 4)
    if shown.cuts:  # each shot is one picture
        vectors = vectors[np.searchsorted(shown.cuts, times, side="right")]
    return analyse_scores(scores_of(shown), chosen, samples_at(list(times), shown.samples * shown.step_s, vectors))


def picture(frame: int) -> bytes | None:
    """Return the one thumbnail there is."""
    return (HOME / "thumbnail.jpg").read_bytes()


def show(name: str, value: object) -> None:
    """Show a value that Python got, for the test to read."""
    st.code(f"{name}: {json.dumps(value, ensure_ascii=False)}", language=None)


def main() -> None:
    """Draw the page."""
    st.set_page_config(page_title="Lanes", page_icon="🎞️", layout="wide")
    state, query = st.session_state, st.query_params
    name = query.get("video", "one")
    shown = Shown(int(query.get("samples", 60)), int(query.get("prompts", 3)), float(query.get("step", 1 / 6)))
    shown = replace(shown, cuts=tuple(float(cut) for cut in query.get("cuts", "").split(",") if cut))
    kept = state.setdefault("kept", {"smoothing": 1, "fewer": 0, "window": None, "seek": None, "runs": 0})
    kept["runs"] += 1
    # In callbacks, and without reading the session state: a run that a newer one ends loses no click.
    clicks = {
        "Smoother": lambda: kept.update(smoothing=kept["smoothing"] + 2),
        "Fewer prompts": lambda: kept.update(fewer=kept["fewer"] + 1),
        "Brush 2 to 4": lambda: kept.update(window=(2.0, 4.0)),
        "Show all": lambda: kept.update(window=None),
        "Go to 5": lambda: kept.update(seek=Seek((kept["seek"].id if kept["seek"] else 0) + 1, 5.0)),
    }
    with st.container(horizontal=True):
        for words, act in clicks.items():
            st.button(words, on_click=act)
    state.setdefault("threshold", 0.3)
    threshold = st.slider("Threshold", 0.0, 1.0, step=0.001, format="%.3f", key="threshold")
    shown = replace(shown, prompts=shown.prompts - kept["fewer"])
    analysis = analysis_of(shown, threshold, kept["smoothing"])
    path = HOME / f"{name}.mp4"
    at = player(
        routes.url_for_video(path),
        key=f"player_{name}",
        width=320,
        height=180,
        label="Video",
        seek=kept["seek"],
        window=kept["window"],
        lanes=lanes(
            analysis,
            {label: COLOURS[row % len(COLOURS)] for row, label in enumerate(analysis.labels)},
            thumbnails=routes.url_for_thumbnails("test", picture),
            truth=annotation_file(path).segments,
            thresholds=(0.0, 1.0, 0.005, "st-key-threshold"),
        ),
        on_threshold=lambda dragged: state.update(threshold=dragged.value),
    )
    show("player", [round(at.time_s, 3), at.problem])
    show("marked", at.mark)
    show("label", at.label)
    show("runs", kept["runs"])
    show("threshold", round(threshold, 3))
    show("segments", len(analysis.segments))
    st.markdown("\n\n".join("Below the player, so that the page scrolls." for _ in range(30)))


if st.runtime.exists():
    main()
else:
    app = st.App(__file__, routes=routes.routes(), middleware=routes.middleware())
