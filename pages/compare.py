import streamlit as st

from lib.ui.compare import accuracy, page, prompt_diff, results, scores, timeline
from lib.ui.panels.video import choose_video
from lib.ui.session import comparison_sides

st.title("Compare")
video = choose_video(comparison_sides.open_video, st.container())
if video is None:
    st.stop()

page.choose_sides()
page.tools()
instrument = st.container()
sides = page.edit(video)
compared = sides.compare()
with instrument:
    if compared is not None:
        results.answer(compared)
    page.watch(sides, compared)
    timeline.draw(sides, compared)
    if compared is not None:
        views = {
            "Metrics": results.metrics,
            "Agreement": results.agreement,
            "Score comparison": scores.draw,
            "Accuracy": accuracy.draw,
        }
        views[results.choose_view(list(views))](compared)
prompt_diff.draw()
