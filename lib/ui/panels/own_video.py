"""What is offered where somebody looks at a video of their own with the demo model: engines that know real footage."""

from __future__ import annotations

from functools import partial

import streamlit as st

from lib.core.errors import PromptreelError
from lib.core.formatting import as_text
from lib.engines.embedded_models import EMBEDDED_MODELS, SMALLEST
from lib.store.videos import Video
from lib.ui.background import models
from lib.ui.panels import engine as engine_panel
from lib.ui.panels import jobs
from lib.ui.session import cache, opening
from lib.ui.session.guard import as_sentences, told
from lib.ui.session.session import Session

START = "start_embedding"
"""Name in the state of the tab: the engine that the chosen video is to be embedded with at once, or True for any."""
_AWAITED = "awaited_model"
_DECLINED = "demo_model_kept"
_LARGER = "clip"
_WIDTH = 296  # three of them fit beside each other
_WHAT = {
    SMALLEST: "the smallest CLIP, quick on any processor",
    _LARGER: "finds more than TinyCLIP, and takes longer",
}


def offer(session: Session, video: Video) -> None:
    """Offer real models where the demo model looks at a video of somebody's own; what is chosen embeds at once."""
    if session.experiment.engine != "demo" or not video.has_file or opening.sample_file(video) is not None:
        return
    awaited = st.session_state.get(_AWAITED)
    if awaited and cache.embedded_engine(awaited).installed:
        st.session_state.pop(_AWAITED)
        _use(session, engine=awaited)
        st.rerun()
    if st.session_state.get(_DECLINED):
        return
    with st.container(border=True, gap="xsmall", key="own_video"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown("**The demo model knows rendered scenes only.** For a video of your own:", width="content")
            st.button(
                "Keep the demo model",
                key=session.key("keep_demo"),
                type="tertiary",
                on_click=told(partial(st.session_state.__setitem__, _DECLINED, True)),
            )
        with st.container(horizontal=True, gap="medium", key="own_offers"):
            for model in (SMALLEST, _LARGER):
                with st.container(width=_WIDTH, gap="xxsmall"):
                    _offer_model(session, model)
            with st.container(width=_WIDTH, gap="xxsmall"):
                pressed, url = _offer_server(session)
        for model in (SMALLEST, _LARGER):
            _progress(model)
        if pressed:
            _try_server(session, url)


def _use(session: Session, **fields: str) -> None:
    """Choose an engine, and have the chosen video embedded with it in the next run."""
    session.change(**fields)
    session.version += 1  # the engine panel's widgets start again from the new values
    st.session_state[START] = fields["engine"]


def _offer_model(session: Session, name: str) -> None:
    model, engine = EMBEDDED_MODELS[name], cache.embedded_engine(name)
    size = "it is on this machine" if engine.installed else f"a download of {model.size}, once"

    def choose() -> None:
        if engine.installed:
            _use(session, engine=name)
        else:
            st.session_state[_AWAITED] = name
            models.fetch_model(engine)

    st.button(
        f"Use {model.title.split()[0]}",
        key=session.key(f"use_{name}"),
        icon=":material/bolt:",
        type="primary" if name == SMALLEST else "secondary",
        on_click=told(choose),
    )
    st.caption(f"{model.title}, {_WHAT[name]}: {size}, MIT licence; nothing leaves this machine.")


def _progress(name: str) -> None:
    """Draw the model's download while it runs, and why it failed."""
    job = next((job for job in cache.jobs().jobs() if job.key == ("model", name)), None)
    if job is None or job.state not in ("queued", "running", "failed"):
        return

    @st.fragment(run_every=0.5 if job.live else None)
    @as_sentences()
    def progress() -> None:
        was_live = job.live
        jobs.draw_job(job, key="own")
        if was_live and not job.live:
            st.rerun()

    progress()


def _offer_server(session: Session) -> tuple[bool, str]:
    """Draw the field for a server's address; return whether it is to be used, and the address."""
    with (
        st.form(session.key("own_server"), border=False),
        st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"),
    ):
        url = st.text_input(
            "Address of an inference server",
            value=session.experiment.server_url,
            key=session.key("own_server_url"),
            placeholder="http://localhost:9001",
            label_visibility="collapsed",
            width=160,
        ).strip()
        pressed = st.form_submit_button("Test and use", key=session.key("use_server"))
    st.caption("An inference server: larger models, nothing to download here; the frames are sent to it.")
    return pressed, url


def _try_server(session: Session, url: str) -> None:
    try:
        engine_panel.ask(session, url)
    except PromptreelError as error:
        st.error(as_text(str(error)), icon=":material/error:")
        return
    _use(session, engine="server", server_url=url)
    st.rerun()
