"""The choice of engine, inference server and sampling."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from lib.core.errors import EngineUnavailableError, InputError, PromptreelError
from lib.core.formatting import as_text, escape_markdown
from lib.core.sampling import FRAMING_NAMES, FRAMINGS, Framing, Sampling
from lib.engines.clip_versions import MODEL_VERSIONS, SERVER_MODELS
from lib.engines.embedded import EmbeddedEngine
from lib.engines.engine import Engine
from lib.engines.hosted import HOSTED
from lib.engines.model_layout import FOLDER, HUB, PRECISIONS, ModelSpec
from lib.engines.registry import make_engine
from lib.engines.server import ServerEngine, ServerReport
from lib.engines.server_client import Timeouts
from lib.engines.stored import StoredEngine
from lib.infra.http import RetryPolicy
from lib.services.experiments import OTHER, engine_fields
from lib.services.server_identity import address_of, identified, known_weights, weights_of
from lib.store.embeddings import EmbeddingInfo
from lib.ui.background import models
from lib.ui.session import cache
from lib.ui.session.bindings import bound, field
from lib.ui.session.folders import check_model_folder
from lib.ui.session.guard import told
from lib.ui.session.session import SIDES, Session

ENGINES = {
    "demo": "Demo model (built in)",
    "tinyclip": "TinyCLIP (embedded)",
    "clip": "CLIP ViT-B/32 (embedded)",
    "siglip": "SigLIP 2 (embedded)",
    OTHER: "Another CLIP-like model",
    "server": "Inference server",
    HOSTED: "Hosted CLIP (imported)",
}
_WITH_SERVER = ("server", HOSTED)
_SIGN_OF_LIFE = Timeouts(connect_s=2.0, read_s=3.0)
_NOTES = {
    "tinyclip": "The smallest CLIP for real footage: 24 MB, MIT licence. Larger models find more.",
    HOSTED: "Vectors that the hosted service computed. Words are embedded by this inference server, same model.",
}


def draw(session: Session, heading: str | None = "Engine") -> None:
    """Draw the engine and sampling controls of ``session``; without a ``heading``, the sampling is not folded away."""
    experiment = session.experiment
    if heading:
        st.subheader(heading)
    st.selectbox(
        "Engine",
        list(ENGINES),
        format_func=ENGINES.__getitem__,
        label_visibility="collapsed",
        index=list(ENGINES).index(experiment.engine),
        **field(session, "engine"),
    )
    engine = session.experiment.engine
    if engine in _NOTES:
        st.caption(_NOTES[engine])
    if engine in _WITH_SERVER:
        _server_fields(session)
    else:
        if engine == OTHER:
            _other_model(session)
        _embedded_model(session)
    if not heading:
        _sampling_fields(session)
        return
    with st.expander("Sampling", icon=":material/grid_on:", expanded=False):
        _sampling_fields(session)


def _server_fields(session: Session) -> None:
    experiment = session.experiment
    st.text_input(
        "Server URL",
        placeholder="http://localhost:9001",
        value=experiment.server_url,
        **bound(
            session,
            "server_url",
            experiment.server_url,
            lambda value: session.change(server_url=value.strip()),
        ),
    )
    offered = SERVER_MODELS if experiment.engine == "server" else MODEL_VERSIONS
    st.selectbox(
        "Model version",
        versions := list(dict.fromkeys((*offered, experiment.model_version))),
        index=versions.index(experiment.model_version),
        **field(session, "model_version"),
    )

    url, keys = session.experiment.server_url, session.server_keys
    typed = keys.typed_for(url)
    st.text_input(
        "API key",
        type="password",
        value=typed,
        placeholder="from the environment" if keys.key_for(url) else "not needed by most local servers",
        help="For this server only. Kept in this browser tab's session; never written to disk, logs or exports.",
        **bound(session, f"server_key.{url}", typed, partial(keys.put, url)),
    )
    with contextlib.suppress(PromptreelError):  # the page says what is wrong with the engine
        if weights := weights_of(current_engine(session)):
            st.caption(
                f"This server has other weights under this name than the first one, so its vectors are kept apart "
                f"(weights {weights}): videos are embedded anew with it."
            )
    if stranger := keys.unconfirmed(url):
        st.warning(
            f"The environment’s API key is not sent to {escape_markdown(str(stranger))}: this experiment names that "
            "server, and nobody has confirmed it here.",
            icon=":material/key_off:",
        )
        st.button(
            escape_markdown(f"Send the key to {stranger}"),
            key=session.key("confirm_server"),
            width="stretch",
            on_click=told(keys.confirmed.add),
            args=(stranger,),
        )
    if st.button(
        "Test connection",
        key=session.key("test_connection"),
        icon=":material/wifi_tethering:",
        width="stretch",
    ):
        _test_connection(session)


def _other_model(session: Session) -> None:
    experiment = session.experiment
    st.text_input(
        "Model",
        placeholder="hub:OWNER/NAME",
        value=experiment.model,
        help="A model in the layout of transformers.js: `hub:OWNER/NAME` on the model hub, `hub:OWNER/NAME@REVISION` "
        "for a branch, tag or commit, or `folder:PATH` on the computer that runs Promptreel. `:q8` behind it chooses a "
        f"precision: {', '.join(PRECISIONS)}.",
        **bound(session, "model", experiment.model, lambda value: session.change(model=value.strip())),
    )


def _embedded_model(session: Session) -> None:
    """Draw the state of an embedded model that may have to be downloaded first."""
    try:
        engine = _embedded_engine(session)
    except PromptreelError:  # the page says what is wrong with it
        return
    if engine.installed or engine.model.startswith(FOLDER):
        if engine.model.startswith(HUB):
            pinned = ModelSpec.parse(engine.prepare().model.key)
            st.caption(f"Commit {(pinned.revision or '')[:12]}, {pinned.precision}.")
        return
    if is_downloading(session):
        st.caption("The model is being downloaded; progress is below.")
        return
    st.caption("This model is not on this machine yet.")
    st.button(
        "Download the model",
        key=session.key("download_model"),
        icon=":material/download:",
        width="stretch",
        on_click=told(models.fetch_model),
        args=(engine,),
    )


def ask(session: Session, url: str) -> ServerReport:
    """Return what the inference server at ``url`` says of itself with the session's model version and key.

    Raises:
        EngineError, InputError: it doesn't answer, refuses, or the address makes no sense.
    """
    _silence.clear()  # it is asked now
    key, version = session.server_keys.key_for(url), session.experiment.model_version
    with (
        st.spinner("Asking the server; a first request may download the model’s weights…"),
        contextlib.closing(ServerEngine(url, model_version=version, api_key=key)) as server,
    ):
        return server.test_connection()


def _test_connection(session: Session) -> None:
    try:
        report = ask(session, session.experiment.server_url)
    except PromptreelError as error:
        st.error(as_text(str(error)), icon=":material/error:")
        return
    st.success(
        f"{as_text(report.name)} {as_text(report.version or '(version unknown)')}: {report.model_id}, "
        f"answers in {report.latency_s * 1000:.0f} ms, "
        f"{report.images_per_s:.1f} images per second.",
        icon=":material/check_circle:",
    )


def _sampling_fields(session: Session) -> None:
    sampling = current_sampling(session)

    def change_kind(kind: str) -> None:
        for name in ("stride", "fps"):
            st.session_state.pop(session.versioned(name), None)
        changed = Sampling.every() if kind == "stride" else Sampling.per_second(3)
        session.change(sampling=changed.framed(sampling.framing).key)

    def change_to(make: Callable[[float], Sampling]) -> Callable[[float], None]:
        return lambda value: session.change(sampling=make(value).framed(sampling.framing).key)

    kind = st.segmented_control(
        "Sample",
        ["stride", "fps"],
        format_func={"stride": "Every N frames", "fps": "N per second"}.__getitem__,
        required=True,
        default=sampling.kind,
        **bound(session, "sampling_kind", sampling.kind, change_kind),
    )
    if kind == "stride":
        st.number_input(
            "Every N frames, N",
            min_value=1,
            max_value=max(10_000, int(sampling.value)),
            value=int(sampling.value),
            **bound(
                session,
                "stride",
                int(sampling.value),
                change_to(lambda value: Sampling.every(int(value))),
            ),
        )
    else:
        st.number_input(
            "Samples per second",
            min_value=min(0.01, float(sampling.value)),
            max_value=240.0,
            step=0.5,
            format="%g",
            value=float(sampling.value),
            **bound(
                session,
                "fps",
                float(sampling.value),
                change_to(lambda value: Sampling.per_second(round(value, 4))),
            ),
        )
    _framing_field(session, sampling)
    st.caption("Each setting is stored; switching back is instant.")


def _framing_field(session: Session, sampling: Sampling) -> None:
    """Draw the choice of what the model sees of a frame; nothing where no engine is at hand that embeds frames."""
    try:
        engine = current_engine(session)
        own = engine.framing if engine.embeds_video else None
    except PromptreelError:  # the page says what is wrong with it
        return
    if own is None:
        return
    shown = sampling.framing or own
    key = session.versioned("framing")
    if st.session_state.get(key, shown) != shown:
        del st.session_state[key]  # another engine's, which sees something else by itself

    def change(framing: Framing) -> None:
        session.change(sampling=sampling.framed(None if framing == own else framing).key)

    st.segmented_control(
        "The model sees",
        FRAMINGS,
        format_func=lambda framing: FRAMING_NAMES[framing].split()[0],  # both fit beside each other
        required=True,
        default=shown,
        help="A model sees a square. Centre square: what lies left and right of it, 44 % of a 16:9 frame, has no say. "
        "Whole frame: all of it, squashed to a square. The player shows the square as an outline.",
        **bound(session, "framing", shown, change),
    )


def current_engine(session: Session) -> Engine:
    """Return the chosen engine; cheap, since nothing is loaded or requested before it embeds.

    Raises:
        EngineUnavailableError: the embedded model is not on this machine yet.
        InputError: the URL makes no sense.
        UnknownModelError: an experiment of another version names a model that this one does not have.
    """
    experiment = session.experiment
    if experiment.engine not in _WITH_SERVER:
        embedded = _embedded_engine(session)
        if embedded.installed:
            return embedded
        if embedded.model.startswith(FOLDER):
            embedded.prepare()  # says what is wrong with the folder
        if is_downloading(session):
            raise EngineUnavailableError(f"{embedded.name} is being downloaded; this goes on when it is here.")
        raise EngineUnavailableError(
            f"{embedded.name} is not on this machine yet; press “Download the model”, or choose another engine."
        )
    key = session.server_keys.key_for(experiment.server_url)
    store = cache.store()
    wanted = (experiment.engine_spec, experiment.model_version, key, known_weights(store.home))
    engines: dict[tuple[str, str, str | None, str], Engine] = st.session_state.setdefault("server_engines", {})
    if wanted not in engines:
        for old in [*engines][: -(len(SIDES) - 1)]:
            engines.pop(old, None)  # not closed here: a running job may hold it
        made = make_engine(experiment.engine_spec, model_version=experiment.model_version, api_key=key)
        engines[wanted] = identified(made, store.home, cache.store)
    return engines[wanted]


def engine_of(session: Session, info: EmbeddingInfo) -> Engine:
    """Return the engine of a stored embedding, or what is stored of it where it isn't at hand.

    The server that the session has chosen is not asked again here: the caller knows that it fails.
    """
    experiment, engine_id = session.experiment, info.key.engine_id
    fields: dict[str, Any] = {**engine_fields(engine_id)}
    if "model_version" in fields:
        fields["server_url"] = address_of(cache.store().home, engine_id, experiment.server_url) or ""
    if fields.get("server_url") != experiment.server_url:
        with contextlib.suppress(PromptreelError):
            engine = current_engine(Session(replace(experiment, **fields), server_keys=session.server_keys))
            if engine.id == engine_id:
                return engine
    return StoredEngine(engine_id, info.engine_name)


def silence(session: Session) -> str:
    """Return a sentence where the chosen inference server does not answer; empty where it does, or none is chosen."""
    return _silence(session.experiment.server_url) if session.experiment.engine == "server" else ""


@st.cache_data(ttl=30, max_entries=16, show_spinner=False)
def _silence(url: str) -> str:
    try:
        with contextlib.closing(ServerEngine(url, timeouts=_SIGN_OF_LIFE, retries=RetryPolicy(attempts=1))) as server:
            server.reach()
    except PromptreelError as error:
        return str(error)
    return ""


def _embedded_engine(session: Session) -> EmbeddedEngine:
    """Return the embedded engine of an experiment; not one of a folder that nothing may be opened from.

    Raises:
        InputError: the experiment names no model, or such a folder.
    """
    spec = session.experiment.engine_spec
    if session.experiment.engine == OTHER:
        if not spec:
            raise InputError("No model is chosen yet; write hub:OWNER/NAME or folder:PATH into the field “Model”.")
        check_model_folder(spec)
    return cache.embedded_engine(spec)


def is_downloading(session: Session) -> bool:
    """Return whether the experiment's embedded model is being downloaded."""
    return cache.jobs().find(("model", session.experiment.engine_spec)) is not None


def described(session: Session, *, address: bool = False) -> str:
    """Return engine and sampling of an experiment in words."""
    experiment = session.experiment
    server = f" {experiment.model_version}" + (f" at {experiment.server_url}" if address else "")
    model = {"server": server, OTHER: f" {experiment.model}"}.get(experiment.engine, "")
    return f"{ENGINES[experiment.engine]}{model}, {current_sampling(session).description}"


def current_sampling(session: Session) -> Sampling:
    """Return the chosen sampling."""
    return Sampling.from_key(session.experiment.sampling)
