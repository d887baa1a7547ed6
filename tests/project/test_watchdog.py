"""A test that hangs in the browser fails alone, and the run goes on: planted hangs, in a run of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path

import pytest

from tests.helpers.watchdog import TookTooLongError, Watchdog, interrupt_main_thread

REPOSITORY = Path(__file__).resolve().parents[2]
_PLANTED = """
import pytest

pytestmark = [pytest.mark.browser, pytest.mark.attempt_limit(6)]

ENDLESS = "() => { while (true); }"

def test_evaluate_hangs(page):
    page.evaluate(ENDLESS)

def test_the_next_one_has_a_browser(page):
    assert page.evaluate("6 * 7") == 42

@pytest.fixture
def closes_never(page):
    yield page
    page.evaluate(ENDLESS)

def test_teardown_hangs(closes_never):
    pass

@pytest.mark.flaky(reruns=1)
def test_the_second_try_counts(page, tries=[]):
    tries.append(1)
    if len(tries) == 1:
        page.evaluate(ENDLESS)

def test_a_context_beside_a_hang(page, new_page):
    page.evaluate("setTimeout(() => { while (true); }); 1")
    assert new_page().evaluate("6 * 7") == 42
"""


@pytest.mark.browser
def test_planted_hangs_fail_alone(tmp_path: Path) -> None:
    (tmp_path / "test_planted.py").write_text(_PLANTED)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    browser: in Chromium\n")
    plugins = ("watchdog", "browser")
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "--no-header", "-p", "no:cacheprovider"]
    command += [part for name in plugins for part in ("-p", f"tests.helpers.{name}")]
    ran = subprocess.run(
        [*command, "test_planted.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert "4 passed, 1 failed, 1 error, 1 rerun" in _sorted_counts(ran.stdout), ran.stdout + ran.stderr
    assert "FAILED test_planted.py::test_evaluate_hangs" in ran.stdout
    assert "ERROR test_planted.py::test_teardown_hangs" in ran.stdout
    assert ran.stdout.count("over after 6 s; all threads then:") >= 2
    assert "ended Chromium (process " in ran.stdout
    assert "not found" not in ran.stdout


def _sorted_counts(output: str) -> str:
    """Return the last line's counts in one order."""
    words = output.strip().splitlines()[-1].replace(",", " ").replace("errors", "error").split()
    counts = {name: number for number, name in pairwise(words) if number.isdigit()}
    return ", ".join(f"{counts[name]} {name}" for name in ("passed", "failed", "error", "rerun") if name in counts)


def test_what_is_in_time_is_left_alone() -> None:
    dog = Watchdog(30, [lambda: pytest.fail("too early")])
    dog.start()
    dog.stop()
    assert dog.report == ""


def test_ways_are_tried_in_turn_until_one_helps() -> None:
    done: list[str] = []
    dog = Watchdog(0.05, [lambda: done.append("soft") or "soft", lambda: done.append("hard") or "hard"], grace_s=0.05)
    dog.start()
    while len(done) < 2:
        time.sleep(0.01)
    dog.stop()
    assert done == ["soft", "hard"]
    assert dog.report.endswith("soft\nhard\n")
    assert __file__ in dog.report  # where the main thread was


def test_the_last_way_interrupts_even_what_waits_for_a_lock() -> None:
    dog = Watchdog(0.2, [interrupt_main_thread])
    dog.start()
    with pytest.raises(TookTooLongError):
        threading.Event().wait(30)
    dog.stop()
