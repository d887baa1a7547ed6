"""Ends a browser test that hangs, alone: the run goes on with a fresh browser.

Several of Playwright's calls (``evaluate``, ``new_context``, ``context.close``) have no time limit of their own, and
pytest-timeout's alarm rings once for a test, its teardown and its second try together: what hung after that hung for
ever. So a thread watches each try from its setup to the end of its teardown. When its time is over it ends Chromium,
which makes the call that hangs raise in the test; then Playwright's driver; then it interrupts the main thread.
pytest-timeout's thread, which ends the whole run and prints all stacks, is left for what survives even that.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from types import FrameType

import psutil
import pytest

LIMIT_S = 180.0
"""For one try of a browser test, with its fixtures; the marker ``attempt_limit(seconds)`` sets another."""
GRACE_S = 15.0
"""Between one way to end a test and the next, harder one."""
CHROMIUM_MARK = f"--promptreel-tests={os.getpid()}"
"""An argument of the Chromium that this run started; it means nothing to Chromium itself."""
_DRIVER = "run-driver"
_KEY = pytest.StashKey["Watchdog"]()


class TookTooLongError(BaseException):
    """Raised in the main thread; not an ``Exception``, so that no handler of a test takes it."""


class Watchdog:
    """Watches from ``start`` to ``stop``; what it did about a hang is in ``report``."""

    def __init__(self, seconds: float, ways: Sequence[Callable[[], str]], *, grace_s: float = GRACE_S) -> None:
        self._seconds = seconds
        self._ways = ways
        self._grace_s = grace_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        self.report = ""

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        if self._over.wait(self._seconds):
            return
        self.report = f"over after {self._seconds:g} s; all threads then:\n{_stacks()}\n"
        for way in self._ways:
            self.report += f"{way()}\n"
            if self._over.wait(self._grace_s):
                return


def _stacks() -> str:
    with tempfile.TemporaryFile() as file:
        faulthandler.dump_traceback(file, all_threads=True)
        file.seek(0)
        return file.read().decode(errors="replace")


def end_chromium() -> str:
    """End this run's Chromium, and say so."""
    return _end("Chromium", CHROMIUM_MARK)


def end_driver() -> str:
    """End Playwright's own process, and say so."""
    return _end("Playwright's driver", _DRIVER)


def interrupt_main_thread() -> str:
    """Raise ``TookTooLongError`` in the main thread, and say so."""
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
    return "interrupted the main thread"


def _end(name: str, argument: str) -> str:
    pids = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if argument in process.cmdline():
                process.kill()
                pids.append(process.pid)
    return f"ended {name} (process {', '.join(map(str, pids)) or 'not found'})"


def _interrupted(_number: int, _frame: FrameType | None) -> None:
    raise TookTooLongError("the test took too long, and ending the browser did not end it")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "attempt_limit(seconds): for one try of a browser test, instead of 180 s")
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGUSR1, _interrupted)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have pytest-timeout end the run for a browser test only when the watchdog could not end its two tries."""
    for item in items:
        if item.get_closest_marker("browser") is not None:
            # By its thread: the signal rings only once, and raises wherever Playwright's own loop happens to be.
            item.add_marker(pytest.mark.timeout(2 * (LIMIT_S + 3 * GRACE_S), method="thread"))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    if item.get_closest_marker("browser") is not None:
        marker = item.get_closest_marker("attempt_limit")
        seconds = float(marker.args[0]) if marker else LIMIT_S
        item.stash[_KEY] = Watchdog(seconds, (end_chromium, end_driver, interrupt_main_thread))
        item.stash[_KEY].start()
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    try:
        return (yield)
    finally:
        watchdog = item.stash.get(_KEY, None)
        if watchdog is not None:
            watchdog.stop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    watchdog = item.stash.get(_KEY, None)
    if watchdog is not None and watchdog.report and report.failed:
        report.sections.append(("watchdog", watchdog.report))
    return report
