"""Recent experiments, each with a button to continue it."""

from __future__ import annotations

import time

import streamlit as st

from lib.core.formatting import ago, escape_markdown
from lib.services import experiments
from lib.ui.session import cache, state

_RECENT = 5


def draw() -> None:
    """Draw the experiments edited last, other than the current one, each with a button to continue."""
    damaged: list[str] = []
    recent = experiments.recent(
        cache.store().home, limit=_RECENT, without=state.current().id, on_damaged=damaged.append
    )
    if not recent and not damaged:
        return
    st.header("Recent experiments")
    if damaged:
        files = escape_markdown(", ".join(damaged[:_RECENT]))
        st.caption(f"Damaged or of another version, so left out: {files} in the folder experiments.")
    names = {video.sha256: video.name for video in cache.store().videos()}
    for experiment, written_at in recent:
        with st.container(horizontal=True, vertical_alignment="center"):
            if st.button("Continue", key=f"continue_{experiment.id}", icon=":material/history:"):
                state.open_experiment(experiment)
                st.switch_page("pages/explore.py", query_params=state.address())
            labels = [row.label for row in experiment.rows if row.label.strip()]
            listed = ", ".join(labels[:4]) + (", …" if len(labels) > 4 else "")
            about = names.get(experiment.video or "", "no video")
            about = f"**{escape_markdown(experiment.name)}** · {escape_markdown(about)} · {escape_markdown(listed)}"
            st.markdown(about, width="content")
            st.caption(ago(time.time() - written_at), width="content")
