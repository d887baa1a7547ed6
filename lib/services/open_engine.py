"""An engine for a library: made from its specification, with its models in the library's folder.

Of a server it is told apart which weights it has (``lib.services.server_identity``).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from lib.engines.registry import is_embedded, make_engine
from lib.store.home import StorePaths

if TYPE_CHECKING:
    from lib.engines.checks import Preparation
    from lib.engines.engine import Engine


def open_engine(
    home: Path,
    spec: str,
    *,
    model_version: str,
    api_key: str | None,
    on_progress: Callable[[Preparation], None] | None = None,
) -> Engine:
    """Return an engine for the library at ``home``; see ``lib.engines.registry.make_engine``.

    Raises:
        InputError, UnknownModelError: there is no such engine or model.
    """
    engine = make_engine(
        spec,
        model_version=model_version,
        api_key=api_key,
        models=StorePaths(home).models,
        on_progress=on_progress,
    )
    if is_embedded(spec):
        return engine
    from lib.services.server_identity import identified
    from lib.store.store import Store

    return identified(engine, home, lambda: Store(home))
