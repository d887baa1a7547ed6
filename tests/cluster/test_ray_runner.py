"""What is said where Ray can't be used."""

from __future__ import annotations

import sys

import pytest

from lib.cluster.ray_runner import RayRunner
from lib.core.errors import InputError


def test_without_ray_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)

    with pytest.raises(InputError, match=r"Ray isn't installed; run pip install -r requirements-scale\.txt"):
        RayRunner("10.0.0.1:6379").__enter__()
