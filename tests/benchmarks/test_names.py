"""Each benchmark can be imported: a rename in ``lib`` reaches them too."""

from __future__ import annotations

import importlib

import pytest

from benchmarks.__main__ import names


@pytest.mark.parametrize("name", names())
def test_a_benchmark_can_be_imported(name: str) -> None:
    assert importlib.import_module(f"benchmarks.{name}").main
