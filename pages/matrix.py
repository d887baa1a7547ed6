import streamlit as st

from lib.ui.matrix import page, videos

st.title("Matrix")
rows = page.choose_rows()
columns = videos.choose()
if columns is None:
    st.stop()

matrix = page.compute(rows, columns)
if matrix is not None:
    page.show(matrix)
