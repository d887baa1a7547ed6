"""The frame around every page."""

from __future__ import annotations

import gc

import pytest

from lib.ui import shell
from tests.helpers.pages import Bench, open_page


def test_what_is_loaded_is_left_out_of_garbage_collection_once_for_each_page(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen: list[int] = []
    monkeypatch.setattr(shell, "_SETTLED", set())
    monkeypatch.setattr(gc, "freeze", lambda: frozen.append(1))
    app = open_page()
    assert frozen
    count = len(frozen)
    app.run()
    assert not app.exception
    assert len(frozen) == count
    shell._settle("another page")
    assert len(frozen) == count + 1
