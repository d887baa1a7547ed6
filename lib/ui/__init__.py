"""The dashboard: the only package in lib that imports Streamlit."""
