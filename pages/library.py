import streamlit as st

from lib.ui.library import add_videos, experiments, samples, shared, stored_videos
from lib.ui.panels import embedding_queue

st.title("Library")
st.markdown("Open a video. Analysed once; after that every change is instant.")

listed = experiments.draw()

st.header("Samples ready to open")
samples.draw()

st.header("Add videos")
add_videos.draw()

st.header("In the library")
stored_videos.draw()
embedding_queue.draw()
shared.draw()

experiments.fill_scores(listed)
