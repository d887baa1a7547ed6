"""The reference phrases on the command line: embedded with a count, once per engine."""

from __future__ import annotations

from lib.cli.context import Context
from lib.core.errors import Cancelled
from lib.engines.engine import Engine
from lib.prompts.reference_phrases import PHRASES
from lib.services.reference_phrases import embed_phrases
from lib.store.store import Store

_AT_ONCE = 16  # per request: seconds apart where a server is slow


def embed_reference(engine: Engine, context: Context, store: Store) -> None:
    """Embed the reference phrases that are missing.

    Raises:
        Cancelled: cancelled meanwhile; what is done is kept.
        EngineError: from the engine.
    """

    def count(done: int) -> bool:
        context.reporter.counting("embedding", done, len(PHRASES), "reference phrases")
        if context.cancel.is_set():
            raise Cancelled
        return True

    embed_phrases(store, engine, count, chunk=_AT_ONCE)
