"""Routes beside Streamlit's own: videos, thumbnails, arrays, scripts and uploads.

May import no other part of ``ui``.
"""
