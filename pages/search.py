import streamlit as st

from lib.ui.search import controls, page, run

st.title("Search")
place = page.begin()
if place is None:
    st.stop()

controls.ask(place)
page.show(place, run.find(place))
