import streamlit as st

from lib.ui import matrix, matrix_videos

st.title("Matrix")
lines = matrix.choose_rows()
columns = matrix_videos.choose()
if columns is None:
    st.stop()

found = matrix.compute(lines, columns)
if found is not None:
    matrix.show(found)
