"""What is said where Ray can't be used."""

from __future__ import annotations

import sys
from unittest.mock import Mock

import pytest

from lib.cluster.ray_runner import RayRunner
from lib.core.errors import InputError


def test_without_ray_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)

    with pytest.raises(InputError, match=r"Ray isn't installed; run pip install -r requirements-scale\.txt"):
        RayRunner("10.0.0.1:6379").__enter__()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("ray://10.0.0.1:10001", "is no address of a Ray cluster; write HOST:PORT"),
        ("10.0.0.1", "is no address"),
        ("10.0.0.1:99999", "is no address"),
        ("127.0.0.1:1", r"No Ray cluster answers at 127\.0\.0\.1:1 \(.*refused\)"),
    ],
)
def test_an_address_that_leads_nowhere_is_told_at_once(
    address: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", Mock())

    with pytest.raises(InputError, match=said):
        RayRunner(address).__enter__()
