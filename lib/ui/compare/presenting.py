"""The presentation of Compare: A is what was before, B what is after."""

from __future__ import annotations

from lib.services.experiments import shown_title
from lib.ui.compare import page
from lib.ui.panels import presentation
from lib.ui.panels import video as video_panel
from lib.ui.panels.presentation import Shown
from lib.ui.session import cache, comparison_sides, state
from lib.ui.session.session import Side


def draw() -> None:
    """Draw the presentation."""
    video = next((one for one in cache.store().videos() if one.sha256 == state.current().video), None)
    if video is None:
        presentation.nothing("There is no video to present; open one in the Library.")
        return
    sessions, colours = comparison_sides.sides(), page.side_colours()
    shown: dict[Side, Shown] = {}
    place, below = presentation.places()
    for name, session in sessions.items():
        with below:
            selection = video_panel.with_results(video_panel.select(session, video))
            analysis = video_panel.analyse(selection)
        if analysis is not None and selection.info is not None:
            shown[name] = Shown(selection.info, analysis, colours[name], selection.sees)
    if len(shown) < len(sessions):
        presentation.nothing("There is nothing to present yet: both sides take an embedded video and a prompt.")
        return
    a, b = (shown_title(session.experiment) for session in sessions.values())
    title = f"{a} → {b}" if a != b else a
    with place:
        presentation.draw(f"{title} · {video.name}", video, shown["b"], shown["a"], (f"A, {a}", f"B, {b}"))
