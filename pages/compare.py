import streamlit as st

from lib.ui.compare import accuracy, page, prompt_diff, results, scores, timeline
from lib.ui.panels import video as explore

st.title("Compare")
video = explore.choose_video()
if video is None:
    st.stop()

page.tools()
instrument = st.container()
both = page.edit(video)
with instrument:
    results.answer(both)
    page.watch(both)
    timeline.draw(both)
prompt_diff.draw()
if both.comparison is None:
    st.stop()

view = results.choose_view()
if view == "Metrics":
    results.metrics(both)
elif view == "Agreement":
    results.agreement(both)
elif view == "Head to head":
    scores.draw(both)
else:
    accuracy.draw(both)
