"""The queue of embeddings goes on while the server runs, whether or not a page is open, and is put down at its end."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio import CancelScope, create_task_group, sleep, to_thread

from lib.services import queue_file
from lib.store.home import default_home

_LOOK_S = 5.0
_log = logging.getLogger(__name__)


@asynccontextmanager
async def lifespan(_: object) -> AsyncIterator[None]:
    """Resume the queue, also when another process has filled it, while the server runs; for ``st.App(lifespan=…)``."""
    end_in_order_with_the_terminal()
    async with create_task_group() as tasks:
        tasks.start_soon(_watch)
        try:
            yield
        finally:
            tasks.cancel_scope.cancel()
            with CancelScope(shield=True):
                await _put_down()


def end_in_order_with_the_terminal() -> None:
    """Have a closed terminal (SIGHUP) end the server as SIGTERM does, unless it is ignored, as with nohup."""
    closed = getattr(signal, "SIGHUP", None)  # Windows has none
    is_main = threading.current_thread() is threading.main_thread()
    if closed is not None and is_main and signal.getsignal(closed) == signal.SIG_DFL:
        signal.signal(closed, lambda *_: signal.raise_signal(signal.SIGTERM))


async def _watch() -> None:
    said = ""
    while True:
        problem = await to_thread.run_sync(_resume)
        if problem and problem != said:
            _log.warning("The queue of embeddings is not resumed: %s", problem)
        said = problem
        await sleep(_LOOK_S)


async def _put_down() -> None:
    close = getattr(sys.modules.get("lib.ui.session.cache"), "close_queues", None)
    if close is not None:  # else nothing was embedded
        await to_thread.run_sync(close)


def _resume() -> str:
    """Wake the queue where something waits; return why it can't be, in words."""
    try:
        queue = queue_file.read(default_home())
        if queue.waiting and not queue.paused:
            from lib.ui.session import cache  # loads what else only a page needs

            cache.embedding_queue().wake()
    except Exception as error:  # whatever it is, the server goes on; the page says it too
        return str(error) or type(error).__name__
    return ""
