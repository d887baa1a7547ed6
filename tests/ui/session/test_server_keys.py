"""Whom an API key may be sent to: what was typed for an origin, and the environment's key where nobody is fooled."""

from __future__ import annotations

import pytest

from lib.core.errors import InputError
from lib.infra.address import Origin, origin_of
from lib.ui.session.server_keys import ServerKeys

STANDING = "rf_standing"


@pytest.fixture(autouse=True)
def _standing_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROBOFLOW_API_KEY", STANDING)


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:9001",
        "http://LOCALHOST",
        "http://127.0.0.1:9001/",
        "http://127.8.8.8",
        "http://[::1]:9001",
        "https://roboflow.com",
        "https://api.roboflow.com",
        "https://Detect.Roboflow.COM:443/clip",
    ],
)
def test_the_environments_key_goes_to_this_machine_and_to_the_service(url: str) -> None:
    assert ServerKeys().key_for(url) == STANDING
    assert ServerKeys().unconfirmed(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "http://api.roboflow.com",
        "https://api.roboflow.com:8443",
        "https://api.roboflow.com.",
        "https://roboflow.com.evil.org",
        "https://evilroboflow.com",
        "https://roboflow.com%2eevil.org",
        "https://r\u043eboflow.com",
        "https://xn--rboflow-9ig.com",
        "http://localhost.evil.org",
        "http://localhost.",
        "http://127.0.0.1.evil.org",
        "http://127.0.0.1%2eevil.org",
        "http://stranger.localhost",
        "http://0.0.0.0:9001",
        "http://2130706433",
        "http://127.1",
        "http://[::2]",
        "http://gpu.example:9001",
    ],
)
def test_others_get_it_after_their_host_was_confirmed_and_no_other_is_confirmed_by_that(url: str) -> None:
    keys = ServerKeys()
    assert keys.key_for(url) is None
    stranger = keys.unconfirmed(url)
    assert stranger is not None
    assert str(stranger).isascii()

    keys.confirmed.add(stranger)
    assert keys.key_for(url) == STANDING
    assert keys.key_for("https://another.example") is None
    assert ServerKeys().key_for(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "gpu.example",
        "ftp://gpu.example",
        "http://user@localhost",
        "http://localhost:9001@evil.org",
        "http://evil.org\\@localhost",
        "http://evil.org\\.roboflow.com",
        "http://localhost?@evil.org",
        "http://localhost#@evil.org",
        "https://\uff52oboflow.com",
        "https://roboflow\u3002com",
        "http://localhost:99999",
        "hosted@http://localhost",
        "http://[::1",
    ],
)
def test_what_is_no_address_gets_no_key(url: str) -> None:
    keys = ServerKeys()
    keys.put(url, "typed")
    assert keys.key_for(url) is None
    assert keys.typed == {}


@pytest.mark.parametrize("engine", ["http://gpu.example:9001/", "hosted@http://GPU.example:9001"])
def test_the_configured_server_gets_it_and_no_neighbour(monkeypatch: pytest.MonkeyPatch, engine: str) -> None:
    monkeypatch.setenv("PROMPTREEL_ENGINE", engine)
    keys = ServerKeys()
    assert keys.key_for("http://gpu.example:9001/path") == STANDING
    for other in ("http://gpu.example", "https://gpu.example:9001", "http://b.gpu.example:9001"):
        assert keys.key_for(other) is None


def test_a_typed_key_goes_to_the_origin_it_was_typed_for_alone() -> None:
    keys = ServerKeys()
    keys.put("http://gpu.example:9001", " typed ")
    assert keys.key_for("http://GPU.example:9001/other/") == "typed"
    assert keys.unconfirmed("http://gpu.example:9001") is None
    for other in ("https://gpu.example:9001", "http://gpu.example:9002", "http://gpu.example.:9001"):
        assert keys.key_for(other) is None
    assert keys.key_for("http://localhost:9001") == STANDING
    keys.put("http://gpu.example:9001", "")
    assert keys.key_for("http://gpu.example:9001") is None
    assert "typed" not in repr(keys)


def test_an_origin_is_read_as_the_sending_library_reads_it() -> None:
    assert origin_of("HTTP://A%2eexample") == Origin("http", "a.example", 80)
    assert str(origin_of("https://a.example:443/x")) == "https://a.example"
    assert str(origin_of("http://a.example:443")) == "http://a.example:443"
    with pytest.raises(InputError):
        origin_of("http://user:secret@a.example")
