import streamlit as st

from lib.ui.explore import (
    baseline,
    downloads,
    evaluation,
    experiment,
    ground_truth,
    presenting,
    results,
    thresholds,
    timeline,
    wording,
)
from lib.ui.panels import guide, numbers, own_video, presentation, settings, undo_bar, video

if presentation.is_open():
    with presentation.place():
        presenting.draw()
    st.stop()

top = experiment.draw("Explore")
guided = st.container()
selection = video.choose(top.video)
if selection is None:
    st.stop()

own_video.offer(selection.session, selection.video)
selection = video.with_results(selection)
picture, words = video.beside_the_video()
with words:
    video.edit_prompts(selection.session)
with top.undo:
    undo_bar.draw()
settings_line, problems, lanes = st.container(), st.container(), st.container()

with problems:
    analysis = video.analyse(selection)
with settings_line:
    video.edit_settings(selection, analysis)
video.watch(selection, analysis, (picture, lanes))
if analysis is None or selection.info is None:
    ground_truth.draw_alone(selection.video)
    st.stop()

with guided:
    guide.draw(selection, analysis)
band = video.reference(selection.engine, selection.info)
metrics = st.container()
timeline.draw(analysis, band)  # before what stands above it: it takes the browser longest
with lanes:
    settings.effects(analysis)
    wording.hints(selection, analysis, band)
with metrics:
    results.metrics(analysis, band)
    baseline.draw(numbers.remember(selection, analysis))

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
