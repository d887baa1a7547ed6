import streamlit as st

from lib.ui import (
    downloads,
    evaluation_panel,
    explore,
    findings,
    reference,
    threshold_panel,
    timeline,
    truth_panel,
)

st.title("Explore")
chosen = explore.choose()
if chosen is None:
    st.stop()

explore.embedding_state(chosen)
instrument = st.container()
left, right = explore.two_panels()
with left:
    explore.edit_prompts()
with right:
    answers = st.container()
explore.edit_settings(chosen)

analysis = explore.analyse(chosen)
with instrument:
    explore.watch(chosen, analysis)
if analysis is None or chosen.info is None:
    truth_panel.draw_alone(chosen.video)
    st.stop()

band = reference.band(chosen)
with answers:
    findings.answers(analysis, reference=band)
timeline.draw(analysis, band)

view = findings.choose_view()
if view == "Metrics":
    findings.metrics(analysis, band)
elif view == "Segments":
    findings.segments(analysis)
elif view == "Frames":
    findings.frames(analysis, chosen.info)
elif view == "Histogram":
    threshold_panel.draw(chosen, analysis)
elif view == "Ground truth":
    truth_panel.draw(chosen.video)
elif view == "Evaluation":
    evaluation_panel.draw(chosen, analysis)
else:
    downloads.draw(chosen, analysis)
reference.start(chosen)
