import streamlit as st

from lib.ui.explore import (
    baseline,
    downloads,
    evaluation,
    experiment,
    ground_truth,
    results,
    thresholds,
    timeline,
    wording,
)
from lib.ui.panels import numbers, own_video, settings, undo_bar, video

top = experiment.draw("Explore")
selection = video.choose(top.video)
if selection is None:
    st.stop()

own_video.offer(selection.session, selection.video)
selection = video.with_results(selection)
instrument = st.container()
left, right = video.two_panels()
with left:
    video.edit_prompts(selection.session)
with top.undo:
    undo_bar.draw()
with right:
    answers = st.container()
below_settings = video.edit_settings(selection)

analysis = video.analyse(selection)
with instrument:
    video.watch(selection, analysis)
if analysis is None or selection.info is None:
    ground_truth.draw_alone(selection.video)
    st.stop()

measured = numbers.remember(selection, analysis)
band = video.reference(selection)
with answers:
    results.answers(analysis, reference=band)
with below_settings:
    settings.effects(analysis)
    wording.hints(selection, analysis, band)
results.metrics(analysis, band)
baseline.draw(measured)
timeline.draw(analysis, band)

view = results.choose_view()
if view == "Segments":
    results.segments(analysis)
elif view == "Shots":
    results.shots(analysis)
elif view == "Frames":
    results.frames(analysis, selection.info)
elif view == "Thresholds":
    thresholds.draw(selection, analysis)
elif view == "Ground truth":
    ground_truth.draw(selection.video)
elif view == "Evaluation":
    evaluation.draw(selection, analysis)
else:
    downloads.draw(selection, analysis)
video.start_reference(selection)
