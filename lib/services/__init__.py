"""Use cases without a page: analyse a stored video, search the library, jobs, experiments.

May import everything but ``ui`` and ``cli``; no Streamlit.
"""
