"""Certificates and proxies that the environment names: used, or named where they are broken."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from lib.core.errors import EngineUnavailableError
from lib.engines.server import ServerEngine
from lib.infra.http import RetryPolicy, new_session
from tests.helpers.clock import Clock
from tests.helpers.fake_server import FakeServer

VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")


@pytest.fixture(autouse=True)
def _no_certificates_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def certificates(authority: trustme.CA, tmp_path: Path) -> Path:
    """Return the file that trusts the servers of these tests."""
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture
def safe(authority: trustme.CA) -> Iterator[FakeServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    with FakeServer(tls=context) as server:
        yield server


def ask(url: str) -> None:
    engine = ServerEngine(url, sleep=Clock().wait, retries=RetryPolicy(attempts=2))
    try:
        engine.embed_texts(["a dog"])
    finally:
        engine.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("variable", VARIABLES)
def test_an_authority_of_ones_own_is_trusted_on_this_machine(
    safe: FakeServer, certificates: Path, monkeypatch: pytest.MonkeyPatch, variable: str, host: str
) -> None:
    value = certificates
    if variable == "SSL_CERT_DIR":
        openssl = shutil.which("openssl") or pytest.skip("openssl names the files of such a folder, and is missing")
        command = [openssl, "x509", "-hash", "-noout", "-in", str(certificates)]
        name = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        shutil.copy(certificates, certificates.with_name(f"{name}.0"))
        value = certificates.parent
    monkeypatch.setenv(variable, str(value))

    ask(safe.url.replace("127.0.0.1", host))

    assert len(safe.seen) == 1


@pytest.mark.parametrize("variable", VARIABLES)
def test_an_authority_of_ones_own_is_trusted_elsewhere(
    certificates: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, str(certificates))
    options = new_session(trust_env=True).merge_environment_settings("https://gpu.example", {}, None, None, None)
    assert options["verify"] == str(certificates)


def test_without_it_the_certificate_is_refused_and_the_variable_told(safe: FakeServer) -> None:
    message = "No safe connection .* is refused; .*; name those you trust in REQUESTS_CA_BUNDLE"
    with pytest.raises(EngineUnavailableError, match=message):
        ask(safe.url)


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_certificates_that_can_not_be_used_are_named(
    safe: FakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    path = tmp_path / "own.pem"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    message = "SSL_CERT_FILE names no file" if content is None else "check the certificates that SSL_CERT_FILE names"
    with pytest.raises(EngineUnavailableError, match=message):
        ask(safe.url)


@pytest.mark.parametrize(
    "value",
    ["http://", "ftp://proxy:1", "http://proxy:port", "http://proxy:99999", "http://[::1", "socks5://proxy:1"],
)
@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_broken_proxy_is_named_and_not_the_address(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(EngineUnavailableError, match=f"can't be asked: {variable} is no address of a usable proxy"):
        ask("http://gpu.example:9001")


def test_a_proxy_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeServer() as gone:
        url = gone.url
    monkeypatch.setenv("HTTP_PROXY", url)
    with pytest.raises(EngineUnavailableError, match=r"The proxy before .* check HTTP_PROXY"):
        ask("http://gpu.example:9001")


def test_no_proxy_stands_before_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://")
    with FakeServer() as server:
        ask(server.url)
        assert len(server.seen) == 1
