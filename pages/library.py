import streamlit as st

from lib.ui.library import add_videos, experiments, samples, stored_videos

st.title("Library")
st.markdown("Open a video. Analysed once; after that every change is instant.")

listed = experiments.draw()

st.header("Samples ready to open")
samples.draw()

st.header("Add videos")
add_videos.draw()

st.header("In the library")
stored_videos.draw()

experiments.fill_scores(listed)
