import streamlit as st

from lib.ui.archive import accuracy, classification, filters, page

with st.container(horizontal=True, vertical_alignment="center", gap="small", key="top_line"):
    st.title("Archive", width="content", anchor=False)
    place, tools = st.container(width=260), st.container(width="content")
archive = classification.choose(place)
if archive is None:
    st.stop()
with tools:
    classification.save_popover(archive)
classification.missing_button(archive)

facts, problem = page.facts_of(archive)
if problem:
    st.warning(problem, icon=":material/warning:")
videos = archive.found.categories
view = filters.choose(videos, facts)
page.show(archive, facts, view)
accuracy.draw(videos, facts, view.by)
page.leave(archive, facts, view.by)
