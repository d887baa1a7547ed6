"""Daemon threads that do tasks: neither a cancel nor the end of the process waits for them."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

_NICENESS = 5


def step_back() -> None:
    """Let this thread, and threads it starts from now on, take the processor after the others.

    A decoder that competes with a model on the same cores makes each of the model's threads wait for its slowest.
    Only Linux knows a thread's own priority; elsewhere nothing changes.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            others = os.getpriority(os.PRIO_PROCESS, os.getpid())  # not 0 where the process itself stands back
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), min(others + _NICENESS, 19))


class Workers:
    """Daemon threads that do tasks in order of arrival.

    Unlike an executor's, they are never waited for: a request that hangs must hold up neither a cancel nor
    the end of the process.
    """

    def __init__(self, count: int, name: str) -> None:
        self._tasks: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._count = count
        for i in range(count):
            threading.Thread(target=self._work, name=f"{name}-{i}", daemon=True).start()

    def submit(self, task: Callable[[], Any]) -> Future[Any]:
        """Have ``task`` done and return its future."""
        future: Future[Any] = Future()
        self._tasks.put((future, task))
        return future

    def stop(self) -> None:
        """Let the threads end; tasks not begun are dropped."""
        with suppress(Empty):
            while True:
                item = self._tasks.get_nowait()
                if item is not None:
                    item[0].cancel()
        for _ in range(self._count):
            self._tasks.put(None)

    def _work(self) -> None:
        while (item := self._tasks.get()) is not None:
            future, task = item
            if future.set_running_or_notify_cancel():
                try:
                    result = task()
                except BaseException as error:  # raised again by ``Future.result``
                    future.set_exception(error)
                else:
                    future.set_result(result)
            del item, future, task  # a waiting thread must not keep the last batch alive
