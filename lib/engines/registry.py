"""One entry point that makes an engine from its specification, and the defaults from the environment."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from lib.core.errors import InputError
from lib.engines.clip_versions import DEFAULT_VERSION, find_version
from lib.engines.embedded_models import EMBEDDED_MODELS
from lib.engines.model_layout import is_model_spec
from lib.infra.address import EXAMPLE_URL, Origin, normalise_url, origin_of

if TYPE_CHECKING:
    from lib.engines.checks import Preparation
    from lib.engines.embedded import EmbeddedEngine
    from lib.engines.engine import Engine

API_KEY_VARIABLE = "ROBOFLOW_API_KEY"
ENGINE_VARIABLE = "PROMPTREEL_ENGINE"
_EMBEDDED_CLIP_VERSION = "ViT-B-32"


def make_engine(
    spec: str,
    *,
    model_version: str = DEFAULT_VERSION,
    api_key: str | None = None,
    models: Path | None = None,
    on_progress: Callable[[Preparation], None] | None = None,
) -> Engine:
    """Return the engine that ``spec`` names; nothing is loaded, sent or downloaded yet.

    Args:
        spec: one of ``EMBEDDED_MODELS``, ``hub:OWNER/NAME`` or ``folder:PATH`` (in this process), or the address of an
            inference server; or ``hosted`` for imported vectors, ``hosted@ADDRESS`` where the server that embeds
            texts is not the usual one.
        model_version: for a server one of ``SERVER_MODELS``, for imported vectors a CLIP version.
        api_key: for a server.
        models: folder that models are downloaded into; None for the hub's own cache.
        on_progress: called when a model is downloaded or a server loads one, from any thread.

    Raises:
        InputError: ``spec`` names no engine, or the key has characters that no key has.
        UnknownModelError: there is no such model version.
    """
    name = spec.strip()
    if is_embedded(name):
        from lib.engines.embedded import EmbeddedEngine

        model = name if is_model_spec(name) else name.lower()
        return EmbeddedEngine(model, cache_dir=models, on_progress=on_progress)
    from lib.engines.hosted import HOSTED, HostedEngine
    from lib.engines.server import ServerEngine

    kind, _, address = name.partition("@")
    if kind.lower() == HOSTED:
        text_engine = _embedded_text_engine(address, model_version, models, on_progress)
        url = address or _server_from_environment() or EXAMPLE_URL
        return HostedEngine(
            model_version,
            text_engine or ServerEngine(url, model_version=model_version, api_key=api_key, on_progress=on_progress),
        )
    if not is_address(name):
        raise InputError(
            f"{spec!r} is no engine; write {', '.join(EMBEDDED_MODELS)}, hub:OWNER/NAME, folder:PATH, "
            f"or the address of an inference server such as {EXAMPLE_URL}."
        )
    return ServerEngine(
        normalise_url(name),
        model_version=model_version,
        api_key=api_key,
        on_progress=on_progress,
    )


def _embedded_text_engine(
    address: str, model_version: str, models: Path | None, on_progress: Callable[[Preparation], None] | None
) -> EmbeddedEngine | None:
    """Return the embedded engine of the same CLIP version, where it is on this machine and no server is named."""
    if address or find_version(model_version).name != _EMBEDDED_CLIP_VERSION:
        return None
    from lib.engines.embedded import EmbeddedEngine

    engine = EmbeddedEngine("clip", cache_dir=models, on_progress=on_progress)
    return engine if engine.installed else None


def _server_from_environment() -> str | None:
    spec = os.environ.get(ENGINE_VARIABLE, "").strip()
    return spec if spec.lower().startswith(("http://", "https://")) else None


def is_embedded(spec: str) -> bool:
    """Return whether ``spec`` names a model that runs in this process."""
    return spec.strip().lower() in EMBEDDED_MODELS or is_model_spec(spec)


def is_address(spec: str) -> bool:
    """Return whether ``spec`` is meant as the address of a server, not as an engine's name."""
    return not is_model_spec(spec) and any(sign in spec for sign in ":/.")


def default_engine() -> str:
    """Return the engine to use when none is chosen: ``PROMPTREEL_ENGINE``, else ``demo``."""
    return os.environ.get(ENGINE_VARIABLE, "").strip() or "demo"


def api_key_from_environment() -> str | None:
    """Return ``ROBOFLOW_API_KEY``, None when it is not set or empty."""
    return os.environ.get(API_KEY_VARIABLE, "").strip() or None


def may_have_environments_key(origin: Origin) -> bool:
    """Return whether the environment's key may be sent to ``origin`` unasked.

    That is this machine, the service's own hosts, and the server that ``PROMPTREEL_ENGINE`` names. An address out of
    an experiment, a file or a link is none of them: somebody else may have written it.
    """
    return origin.is_loopback or origin.is_service or origin == _configured_origin()


def _configured_origin() -> Origin | None:
    spec = default_engine().rpartition("@")[2]
    try:
        return origin_of(spec) if is_address(spec) else None
    except InputError:
        return None
