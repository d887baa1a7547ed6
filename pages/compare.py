import streamlit as st

from lib.ui.compare import accuracy, page, presenting, results, scores, timeline
from lib.ui.panels import guide, presentation
from lib.ui.panels.video import beside_the_video, choose_video
from lib.ui.session import comparison_sides

if presentation.is_open():
    with presentation.place():
        presenting.draw()
    st.stop()

video = choose_video(comparison_sides.open_video, page.top_line())
if video is None:
    st.stop()

guided = st.container()
picture, words = beside_the_video()
with words:
    sides = page.edit(video)
compared = sides.compare()
page.watch(sides, compared, (picture, st.container()))
timeline.draw(sides, compared)
if compared is not None:
    with guided:
        guide.draw_compared(compared.comparison)
    results.answer(compared)
    results.metrics(compared)
    views = {"Agreement": results.agreement, "Score comparison": scores.draw, "Accuracy": accuracy.draw}
    views[results.choose_view(list(views))](compared)
