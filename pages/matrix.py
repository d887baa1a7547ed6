import streamlit as st

from lib.ui.matrix import page, videos

st.title("Matrix")
lines = page.choose_rows()
columns = videos.choose()
if columns is None:
    st.stop()

found = page.compute(lines, columns)
if found is not None:
    page.show(found)
