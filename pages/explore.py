import streamlit as st

from lib.ui.explore import downloads, evaluation, ground_truth, reference_band, results, thresholds, timeline
from lib.ui.panels import video

st.title("Explore")
chosen = video.choose()
if chosen is None:
    st.stop()

video.embedding_state(chosen)
instrument = st.container()
left, right = video.two_panels()
with left:
    video.edit_prompts()
with right:
    answers = st.container()
video.edit_settings(chosen)

analysis = video.analyse(chosen)
with instrument:
    video.watch(chosen, analysis)
if analysis is None or chosen.info is None:
    ground_truth.draw_alone(chosen.video)
    st.stop()

band = reference_band.band(chosen)
with answers:
    results.answers(analysis, reference=band)
timeline.draw(analysis, band)

view = results.choose_view()
if view == "Metrics":
    results.metrics(analysis, band)
elif view == "Segments":
    results.segments(analysis)
elif view == "Frames":
    results.frames(analysis, chosen.info)
elif view == "Histogram":
    thresholds.draw(chosen, analysis)
elif view == "Ground truth":
    ground_truth.draw(chosen.video)
elif view == "Evaluation":
    evaluation.draw(chosen, analysis)
else:
    downloads.draw(chosen, analysis)
reference_band.start(chosen)
