import streamlit as st

from lib.ui import matrix

st.title("Matrix")
lines = matrix.choose_rows()
columns = matrix.choose_videos()
if columns is None:
    st.stop()

found = matrix.compute(lines, columns)
if found is not None:
    matrix.show(found)
