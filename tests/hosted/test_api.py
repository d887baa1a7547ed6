"""Results from storage: what goes wrong on the way is one sentence, with its own reason."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.core.errors import EngineUnavailableError, StoreError
from lib.hosted.api import HostedApi
from tests.engines.test_server_faults import half_an_answer
from tests.helpers.fake_hosted import QUICK


@pytest.fixture
def api() -> Iterator[HostedApi]:
    api = HostedApi("http://127.0.0.1:9", key="rf_test_key", timing=QUICK)
    yield api
    api.close()


def fetch(api: HostedApi, url: str, target: Path) -> EngineUnavailableError | None:
    return api._get(url, target, lambda done, total: None, threading.Event())


@pytest.mark.parametrize(
    "begin",
    [
        b"HTTP/1.1 200 OK\r\nX: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n",
    ],
    ids=["header", "body", "body without an end", "chunk"],
)
def test_results_that_drip_end_at_the_limit_and_are_not_fetched_again(
    api: HostedApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begin: bytes
) -> None:
    monkeypatch.setattr("lib.hosted.api._DOWNLOAD_S", 0.3)
    with (
        half_an_answer(begin, drip=b"1") as url,
        pytest.raises(EngineUnavailableError, match=r"storage did not answer within 0\.3 s"),
    ):
        fetch(api, url, tmp_path / "results.json")


def test_an_address_that_no_host_can_have_is_one_sentence(api: HostedApi, tmp_path: Path) -> None:
    error = fetch(api, f"https://{'a' * 64}.example/", tmp_path / "results.json")
    assert "storage can't be asked" in str(error)


@pytest.mark.parametrize("proxy", ["http://[::1", "socks5://user:secret@proxy.example"])
def test_a_broken_proxy_variable_is_named_and_not_quoted(
    api: HostedApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    monkeypatch.delenv("https_proxy", raising=False)
    api._session.trust_env = True  # as for the public service
    error = str(fetch(api, "https://storage.example/", tmp_path / "results.json"))
    assert "HTTPS_PROXY is no address of a usable proxy" in error
    assert "secret" not in error


def test_a_place_that_cannot_be_written_to_is_no_fault_of_the_network(api: HostedApi, tmp_path: Path) -> None:
    with (
        half_an_answer(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n", drip=b"1") as url,
        pytest.raises(StoreError, match="can't be written"),
    ):
        fetch(api, url, tmp_path / "missing" / "results.json")
