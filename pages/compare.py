import streamlit as st

from lib.ui import (
    compare,
    compare_findings,
    compare_scores,
    compare_timeline,
    compare_truth,
    compare_words,
    explore,
)

st.title("Compare")
video = explore.choose_video()
if video is None:
    st.stop()

compare.tools()
instrument = st.container()
both = compare.edit(video)
with instrument:
    compare_findings.answer(both)
    compare.watch(both)
    compare_timeline.draw(both)
compare_words.draw()
if both.comparison is None:
    st.stop()

view = compare_findings.choose_view()
if view == "Metrics":
    compare_findings.metrics(both)
elif view == "Agreement":
    compare_findings.agreement(both)
elif view == "Head to head":
    compare_scores.draw(both)
else:
    compare_truth.draw(both)
