"""The queue of embeddings goes on when the server starts, before anybody opens a page, and is put down when it ends."""

from __future__ import annotations

import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio import to_thread

from lib.core.errors import StoreError
from lib.services import queue_file
from lib.store.home import default_home

_log = logging.getLogger(__name__)


@asynccontextmanager
async def lifespan(_: object) -> AsyncIterator[None]:
    """Resume the queue while the server runs; for ``st.App(lifespan=…)``."""
    await to_thread.run_sync(_resume)
    try:
        yield
    finally:
        cache = sys.modules.get("lib.ui.session.cache")  # without it nothing was embedded
        if cache is not None:
            await to_thread.run_sync(cache.close_queues)


def _resume() -> None:
    try:
        queue = queue_file.read(default_home())
        if queue.waiting and not queue.paused:
            from lib.ui.session import cache  # loads what else only a page needs

            cache.embedding_queue().wake()
    except StoreError as error:  # the page says so too
        _log.warning("The queue of embeddings is not resumed: %s", error)
