import streamlit as st

from lib.ui import library

st.title("Library")
st.markdown(
    "Open a video: its frames are embedded once and kept; then change words and thresholds as fast as you type."
)

st.header("Samples ready to open")
library.samples()

library.recent_experiments()

st.header("Add videos")
library.add_videos()

st.header("In the library")
library.cached()
