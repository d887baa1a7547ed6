import streamlit as st

from lib.ui.archive import accuracy, classification, detail, filters, page

with st.container(horizontal=True, vertical_alignment="center", gap="small", key="top_line"):
    st.title("Archive", width="content", anchor=False)
    place, tools = st.container(width=260), st.container(width="content")
with place:
    archive = classification.choose()
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
chosen = page.show(archive, facts, view)
if chosen is not None:
    detail.draw(archive, chosen, facts[chosen])
accuracy.draw(videos, facts, view.by)
page.leave(archive, facts, view.by)
