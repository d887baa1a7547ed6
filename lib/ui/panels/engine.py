"""Sidebar: which engine embeds, at which sampling; the inference server is one field away."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import streamlit as st

from lib.core.errors import EngineUnavailableError, PromptreelError
from lib.core.sampling import Sampling
from lib.engines.clip_versions import MODEL_VERSIONS
from lib.engines.engine import Engine
from lib.engines.hosted import HOSTED
from lib.engines.registry import api_key_from_environment, make_engine
from lib.engines.server import ServerEngine
from lib.ui.background import models
from lib.ui.session import cache, state

ENGINES = {
    "demo": "Demo model (bundled)",
    "clip": "CLIP ViT-B/32 (embedded)",
    "siglip": "SigLIP 2 (embedded)",
    "server": "Inference server",
    HOSTED: "Hosted CLIP (imported)",
}
_WITH_SERVER = ("server", HOSTED)
_NOTES = {
    "demo": "The demo model knows rendered scenes; real footage needs CLIP (an inference server, or the embedded one).",
    HOSTED: "Vectors that the hosted service computed. Words are embedded by this inference server, same model.",
}


def draw(heading: str | None = "Engine") -> None:
    """Draw the engine and sampling controls.

    Args:
        heading: above them; None for none, and then they are laid out without a fold.
    """
    here = state.current()
    if heading:
        st.subheader(heading)
    st.selectbox(
        "Engine",
        list(ENGINES),
        format_func=ENGINES.__getitem__,
        label_visibility="collapsed",
        index=list(ENGINES).index(here.engine),
        **state.bound("engine", here.engine, lambda value: state.change(engine=value)),
    )
    here = state.current()
    if here.engine in _NOTES:
        st.caption(_NOTES[here.engine])
    if here.engine in _WITH_SERVER:
        _server_fields()
    else:
        _embedded_model(here.engine)
    if not heading:
        _sampling_fields()
        return
    with st.expander("Sampling", icon=":material/grid_on:", expanded=False):
        _sampling_fields()


def _server_fields() -> None:
    here = state.current()
    st.text_input(
        "Server URL",
        placeholder="http://localhost:9001",
        value=here.server_url,
        **state.bound("server_url", here.server_url, lambda value: state.change(server_url=value.strip())),
    )
    st.selectbox(
        "Model version",
        list(MODEL_VERSIONS),
        index=list(MODEL_VERSIONS).index(here.model_version),
        **state.bound("model_version", here.model_version, lambda value: state.change(model_version=value)),
    )
    st.text_input(
        "API key",
        type="password",
        placeholder="from the environment" if standing_key() else "not needed by most local servers",
        help="Kept in this browser tab's session only; never written to disk, logs or exports.",
        **state.bound("server_key", state.session().server_key, _keep_key),
    )
    if st.button(
        "Test connection", key=state.key("test_connection"), icon=":material/wifi_tethering:", width="stretch"
    ):
        _test_connection()


def _embedded_model(model: str) -> None:
    """Draw what there is to say of a model that may have to be downloaded first."""
    engine = cache.embedded_engine(model)
    if engine.installed:
        return
    job = cache.jobs().find(("model", model))
    if job is not None:
        st.caption("The model is being downloaded; progress is below.")
        return
    st.caption("This model is not on this machine yet.")
    st.button(
        "Download the model",
        key=state.key("download_model"),
        icon=":material/download:",
        width="stretch",
        on_click=models.fetch_model,
        args=(engine,),
    )


def _keep_key(value: str) -> None:
    state.session().server_key = value


def _key() -> str | None:
    return state.session().server_key.strip() or standing_key()


def standing_key() -> str | None:
    """Return the key of ``st.secrets`` or the environment, if there is one."""
    try:
        secret = st.secrets.get("ROBOFLOW_API_KEY")
    except FileNotFoundError:  # there is no secrets file, which is the usual case
        secret = None
    return str(secret) if secret else api_key_from_environment()


def _test_connection() -> None:
    try:
        with st.spinner("Asking the server; a first request may download the model’s weights…"):
            here = state.current()
            server = ServerEngine(here.server_url, model_version=here.model_version, api_key=_key())
            with contextlib.closing(server):
                report = server.test_connection()
    except PromptreelError as error:
        st.error(str(error), icon=":material/error:")
        return
    st.success(
        f"{report.name} {report.version or '(version unknown)'}: {report.model_id}, "
        f"answers in {report.latency_s * 1000:.0f} ms, "
        f"{report.images_per_s:.1f} images a second.",
        icon=":material/check_circle:",
    )


def _sampling_fields() -> None:
    sampling = Sampling.from_key(state.current().sampling)
    kind = st.segmented_control(
        "Take",
        ["stride", "fps"],
        format_func={"stride": "Every Nth frame", "fps": "N a second"}.__getitem__,
        required=True,
        default=sampling.kind,
        **state.bound("sampling_kind", sampling.kind, _change_kind),
    )
    if kind == "stride":
        st.number_input(
            "Every Nth frame, N",
            min_value=1,
            max_value=10_000,
            value=int(sampling.value),
            **state.bound(
                "stride", int(sampling.value), _change_to(lambda value: Sampling.every(int(value)))
            ),
        )
    else:
        st.number_input(
            "Samples a second",
            min_value=0.01,
            max_value=240.0,
            step=0.5,
            format="%g",
            value=float(sampling.value),
            **state.bound(
                "fps", float(sampling.value), _change_to(lambda value: Sampling.per_second(round(value, 4)))
            ),
        )
    st.caption("Every sampling is embedded and kept on its own; changing back costs nothing.")


def _change_kind(kind: str) -> None:
    sampling = Sampling.every() if kind == "stride" else Sampling.per_second(3)
    for name in ("stride", "fps"):
        st.session_state.pop(state.versioned(name), None)
    state.change(sampling=sampling.key)


def _change_to(make: Callable[[float], Sampling]) -> Callable[[float], None]:
    return lambda value: state.change(sampling=make(value).key)


def current_engine() -> Engine:
    """Return the engine that the panel says; cheap, since nothing is loaded or asked before it embeds.

    Raises:
        EngineUnavailableError: the embedded model is not on this machine yet.
        InputError: the URL makes no sense.
        UnknownModelError: a workspace of another version names a model that there is not.
    """
    here = state.current()
    if here.engine not in _WITH_SERVER:
        embedded = cache.embedded_engine(here.engine)
        if not embedded.installed:
            raise EngineUnavailableError(
                f"{ENGINES[here.engine]} is not on this machine yet; press “Download the model”, "
                "or choose another engine."
            )
        return embedded
    wanted = (here.engine_spec, here.model_version, key := _key())
    engines: dict[tuple[str, str, str | None], Engine] = st.session_state.setdefault("server_engines", {})
    if wanted not in engines:
        for old in [*engines][: -(len(state.SIDES) - 1)]:
            engines.pop(old, None)  # not closed here: a running job may hold it
        engines[wanted] = make_engine(here.engine_spec, model_version=here.model_version, api_key=key)
    return engines[wanted]


def current_sampling() -> Sampling:
    """Return the sampling that the panel says."""
    return Sampling.from_key(state.current().sampling)
