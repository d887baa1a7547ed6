"""The presentation of Explore: the experiment as it is, beside one of its saved versions."""

from __future__ import annotations

import streamlit as st

from lib.core.errors import PromptreelError
from lib.core.formatting import as_text
from lib.services import versions
from lib.services.experiments import Experiment, shown_title
from lib.services.versions import Version
from lib.store.videos import Video
from lib.ui.panels import numbers, presentation
from lib.ui.panels import video as video_panel
from lib.ui.panels.presentation import Shown
from lib.ui.session import cache, state, theme
from lib.ui.session.session import Session


def draw() -> None:
    """Draw the presentation."""
    session, experiment = state.session(), state.current()
    video = next((one for one in cache.store().videos() if one.sha256 == experiment.video), None)
    if video is None:
        presentation.nothing("There is no video to present; open one in the Library.")
        return
    place, below = presentation.places()
    with below:
        selection = video_panel.with_results(video_panel.select(session, video))
        analysis = video_panel.analyse(selection)
    if analysis is None or selection.info is None:
        presentation.nothing("There is nothing to present yet: it takes an embedded video and a prompt.")
        return
    now = Shown(selection.info, analysis, theme.colours(analysis.prompts), selection.sees)
    with below:
        version, before = _before(session, experiment, video)
    names = (version.shown_name if version else "", shown_title(experiment))
    with place:
        presentation.draw(shown_title(experiment, video.name), video, now, before, names)


def _before(session: Session, experiment: Experiment, video: Video) -> tuple[Version | None, Shown | None]:
    """Return the version that the address names, the baseline, or the newest that says something else; None without."""
    there = [
        one
        for one in versions.listed(cache.store().home, {experiment.id}).versions
        if one.experiment.video == video.sha256 and not versions.same_content(one.experiment, experiment)
    ]
    for wanted in (presentation.wanted_version(), experiment.baseline):
        there.sort(key=lambda one, wanted=wanted: one.id != wanted)  # type: ignore[misc]
    if not there:
        return None, None
    version = there[0]
    try:
        info, analysis = numbers.analysed(Session(version.experiment, server_keys=session.server_keys), video)
    except PromptreelError as error:
        st.caption(f"“{as_text(version.shown_name)}” can’t be shown as what was before. {as_text(str(error))}")
        return None, None
    return version, Shown(info, analysis, theme.colours(analysis.prompts), None)
