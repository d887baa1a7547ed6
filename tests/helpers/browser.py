"""One headless Chromium, restarted when it has ended; pages report errors and any request leaving this machine.

The first page of each test is in the same tab, as good as new. Its renderer has compiled Streamlit's scripts already,
and so takes less than half the time of a new one's to show the dashboard.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Playwright,
    Request,
    WebError,
    expect,
    sync_playwright,
)

from tests.helpers.guards import is_loopback
from tests.helpers.watchdog import CHROMIUM_MARK

ARTIFACTS = Path(__file__).resolve().parents[1] / "_artifacts"
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",  # nothing leaves
    "--autoplay-policy=no-user-gesture-required",
    CHROMIUM_MARK,
)
_PATIENCE_MS = 40_000  # a busy machine is slow, not broken
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_LOCALE = "en-GB"
_LOCAL_SCHEMES = ("file", "data", "blob", "about", "chrome")
# On a deep link Streamlit's page first looks for its server below the page's own path: a 404 that is its own.
_PROBE = re.compile(r"^https?://[^/]+/.+/_stcore/(health|host-config)$")
# Before a test's last document goes: what it keeps is forgotten, and its scripts don't hear that it goes.
_FORGET = """() => {
  const forget = (event) => { event?.stopImmediatePropagation(); localStorage.clear(); sessionStorage.clear(); };
  for (const type of ["beforeunload", "pagehide", "visibilitychange"]) addEventListener(type, forget, true);
  forget();
}"""
_TURNS = 30  # tests in one tab: its renderer grows by some 10 MB a test
_FAILED = pytest.StashKey[bool]()
_IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"][data-test-connection-state="CONNECTED"]'


def chromium_path() -> str | None:
    """Return the Chromium that browser tests drive: ``$CHROMIUM``, else the first one on the path."""
    named = os.environ.get("CHROMIUM")
    return named or next(filter(None, map(shutil.which, _NAMES)), None)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip browser tests with a reason where there is no Chromium; in CI that is a failure."""
    if item.get_closest_marker("browser") is None or chromium_path() is not None:
        return
    reason = "no Chromium found: install one or set CHROMIUM to its path"
    if os.environ.get("CI", "").lower() in ("true", "1"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note that a test failed, so that no other gets its tab."""
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
    return report


class Watch:
    """What went wrong in one test: console errors, uncaught exceptions, requests to elsewhere."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self._allowed: list[re.Pattern[str]] = []
        # Not by intercepting requests: that would lead every upload through Playwright's own process.
        self._handlers = {"console": self._console, "weberror": self._exception, "request": self._request}

    def allow(self, pattern: str) -> None:
        """Expect problems that match ``pattern``, such as the console line of a refused request."""
        self._allowed.append(re.compile(pattern))

    @property
    def unexpected(self) -> list[str]:
        """Problems that no ``allow`` covers."""
        return [line for line in self.problems if not any(pattern.search(line) for pattern in self._allowed)]

    def attach(self, context: BrowserContext) -> None:
        """Watch all pages of ``context``."""
        for event, handler in self._handlers.items():
            context.on(event, handler)

    def detach(self, context: BrowserContext) -> None:
        """Watch the pages of ``context`` no more."""
        for event, handler in self._handlers.items():
            context.remove_listener(event, handler)

    def _console(self, message: ConsoleMessage) -> None:
        url = message.location.get("url", "")
        if message.type == "error" and not _PROBE.search(url):
            self.problems.append(f"console: {message.text} {url}".rstrip())

    def _exception(self, error: WebError) -> None:
        self.problems.append(f"exception: {error.error}")

    def _request(self, request: Request) -> None:
        if not _is_local(request.url):
            self.problems.append(f"request to elsewhere: {request.url}")


def _is_local(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in _LOCAL_SCHEMES or is_loopback(parts.hostname)


class Chromium:
    """Starts Chromium when it is asked for, and again when it or Playwright's driver has ended."""

    def __init__(self) -> None:
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None
        self._tab: Page | None = None
        self._turns = 0

    def tab(self) -> Page:
        """Return the tab that tests take turns in; a new one when it has been closed."""
        browser = self.browser()
        if self._tab is None or self._tab.is_closed():
            self._tab, self._turns = browser.new_context(locale=_LOCALE).new_page(), 0
        return self._tab

    def leave(self, tab: Page) -> None:
        """Make the tab as good as new; one that can't be, or has served long enough, is closed."""
        self._turns += 1
        if self._turns == _TURNS:
            self.discard(tab)
            return
        try:
            with contextlib.suppress(Error):  # an empty page keeps nothing
                tab.evaluate(_FORGET)
            tab.goto("about:blank")
            tab.unroute_all()
            tab.mouse.move(0, 0)
            tab.context.clear_cookies()
        except Error:
            self.discard(tab)

    def discard(self, tab: Page) -> None:
        """Close the tab, so that the next test gets another."""
        self._tab = None
        with contextlib.suppress(Error):  # of a Chromium that has ended; its test has failed by that already
            tab.context.close()

    def browser(self) -> Browser:
        if self._browser is None or not self._browser.is_connected():
            try:
                self._browser = self._launch()
            except Error:  # the driver is gone as well
                self.stop()
                self._browser = self._launch()
        return self._browser

    def _launch(self) -> Browser:
        self._playwright = self._playwright or sync_playwright().start()
        # Our watchdog's limit comes first; this one is for a Chromium that doesn't even start.
        return self._playwright.chromium.launch(executable_path=chromium_path(), args=list(_ARGUMENTS), timeout=60_000)

    def stop(self) -> None:
        with contextlib.suppress(Error):
            if self._browser is not None:
                self._browser.close()
        with contextlib.suppress(Error):
            if self._playwright is not None:
                self._playwright.stop()
        self._browser = self._playwright = self._tab = None


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """Hold the one Chromium of this run."""
    expect.set_options(timeout=_PATIENCE_MS)
    held = Chromium()
    yield held
    held.stop()


@pytest.fixture
def browser(chromium: Chromium) -> Browser:
    """Return a Chromium that runs."""
    if chromium_path() is None:
        pytest.skip("no Chromium found")
    return chromium.browser()


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Record what goes wrong in this test's pages; anything not allowed by the test fails it."""
    seen = Watch()
    yield seen
    if seen.unexpected:
        pytest.fail("the page had problems:\n" + "\n".join(seen.unexpected))


NewPage = Callable[..., Page]


@pytest.fixture
def new_page(request: pytest.FixtureRequest, browser: Browser, chromium: Chromium, watch: Watch) -> Iterator[NewPage]:
    """Give a function that opens a page: the first in the shared tab, any other in a context of its own.

    ``new_page(color_scheme="light", width=1440, height=900, **context options)``; with options the context is its own.
    """
    contexts: list[BrowserContext] = []
    tabs: list[Page] = []

    def open_page(
        *, color_scheme: Literal["light", "dark"] = "light", width: int = 1440, height: int = 900, **options: Any
    ) -> Page:
        if options or tabs:
            contexts.append(browser.new_context(locale=_LOCALE, **options))
            page = contexts[-1].new_page()
        else:
            page = chromium.tab()
            tabs.append(page)
        watch.attach(page.context)
        page.emulate_media(color_scheme=color_scheme)
        page.set_viewport_size({"width": width, "height": height})
        page.set_default_timeout(_PATIENCE_MS)
        return page

    yield open_page
    for context in contexts:
        with contextlib.suppress(Error):  # of a Chromium that has ended; its test has failed by that already
            context.close()
    for tab in tabs:
        watch.detach(tab.context)
        finish = chromium.discard if request.node.stash.get(_FAILED, False) else chromium.leave
        finish(tab)


@pytest.fixture
def page(new_page: NewPage) -> Page:
    """Open a light page of 1440 × 900."""
    return new_page()


def wait_idle(page: Page) -> None:
    """Wait until the page is connected and its script rests."""
    page.wait_for_selector(_IDLE, state="attached")


def screenshot(page: Page, name: str, *, full_page: bool = True) -> Path:
    """Write the page as ``tests/_artifacts/<name>.png`` (ignored by git) and return its path."""
    ARTIFACTS.mkdir(exist_ok=True)
    path = ARTIFACTS / f"{name}.png"
    page.screenshot(path=path, full_page=full_page)
    return path
