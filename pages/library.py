import streamlit as st

from lib.ui.library import page

st.title("Library")
st.markdown(
    "Open a video: its frames are embedded once and kept; then change words and thresholds as fast as you type."
)

st.header("Samples ready to open")
page.samples()

page.recent_experiments()

st.header("Add videos")
page.add_videos()

st.header("In the library")
page.cached()
