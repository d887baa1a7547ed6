import streamlit as st

from lib.ui import search

st.title("Search")
place = search.begin()
if place is None:
    st.stop()

search.ask(place)
search.show(place, search.find(place))
