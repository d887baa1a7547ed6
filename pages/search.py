import streamlit as st

from lib.ui.search import controls, page, run

st.title("Search")
scope = page.begin()
if scope is None:
    st.stop()

controls.ask(scope)
page.show(scope, run.run_search(scope))
