"""The dashboard: the only package that imports Streamlit.

May import everything but ``cli``. Inside: ``shell``, then the pages, ``panels``, ``components``, ``background``,
``session``, ``server``; each imports what stands after it, and the pages don't know each other.
"""
