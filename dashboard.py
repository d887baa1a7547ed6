"""Promptreel's dashboard: page script and ASGI app in one file.

``streamlit run dashboard.py`` imports this file for ``app`` (videos with HTTP ranges, uploads straight to disk) and
then runs it once a rerun as the page script.
"""

import streamlit as st

if st.runtime.exists():  # run as the page script
    from lib.ui import shell

    shell.main()
else:  # imported as the ASGI app
    from streamlit.runtime.pages_manager import PagesManager

    from lib.ui.background import resuming
    from lib.ui.server import routes

    # With a folder called pages/, the first deep link into a fresh server would be served by Streamlit's old page
    # discovery, without this file's frame. st.navigation clears this flag only once a session has run.
    PagesManager.uses_pages_directory = False
    app = st.App(__file__, routes=routes.routes(), middleware=routes.middleware(), lifespan=resuming.lifespan)
