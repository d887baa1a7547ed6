"""The API key: where it is sent, and that it is seen nowhere else, whatever goes wrong."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lib.core.errors import EngineAuthError, EngineError, InputError, PromptreelError
from lib.engines.server import ServerEngine
from lib.engines.server_client import Client, Timeouts
from lib.infra.http import RetryPolicy
from tests.helpers.clock import Clock
from tests.helpers.fake_server import Connect, FakeServer, Faults

KEY = "rf_Tg7+secret/=%key"
"""With characters that a URL spells differently."""
OLD = {"name": "Roboflow Inference Server", "version": "0.9.20"}
SPELLINGS = (KEY, "Tg7+secret", "Tg7%2Bsecret")


@pytest.fixture
def engine_with(connect: Connect, clock: Clock) -> Connect:
    def engine_with(key: str | None = KEY, *, read_s: float = 10) -> ServerEngine:
        timeouts = Timeouts(connect_s=5, read_s=read_s, first_s=read_s)
        retries = RetryPolicy(attempts=1 if read_s < 1 else 2)
        return connect(api_key=key, timeouts=timeouts, retries=retries, sleep=clock.wait)

    return engine_with


def is_hidden(text: str) -> bool:
    return not any(spelling in text for spelling in SPELLINGS)


class TestPlace:
    def test_is_the_header(self, server: FakeServer, engine_with: Connect) -> None:
        server.faults.key = KEY
        engine = engine_with()
        engine.embed_texts(["a dog"])

        (seen,) = server.seen
        assert seen.headers["authorization"] == f"Bearer {KEY}"
        assert is_hidden(seen.target)
        assert "api_key" not in seen.body

    def test_is_the_body_where_the_header_is_refused(self, server: FakeServer, engine_with: Connect) -> None:
        server.faults.key, server.faults.key_places = KEY, ("body", "query")
        engine = engine_with()
        engine.embed_texts(["a dog"])
        engine.embed_texts(["a cat"])

        assert [seen.body.get("api_key") for seen in server.seen] == [None, KEY, KEY]  # found once, kept
        assert all(is_hidden(seen.target) for seen in server.seen)

    @pytest.mark.parametrize("about", [{"version": "0.9.20"}, {"name": "no version"}, None])
    def test_is_the_url_where_an_old_server_accepts_nothing_else(
        self, server: FakeServer, engine_with: Connect, about: dict[str, str] | None
    ) -> None:
        server.faults.key, server.faults.key_places = KEY, ("query",)
        server.faults.refusal = 403
        server.faults.about, server.faults.no_info = about or {}, about is None
        engine = engine_with()
        engine.embed_texts(["a dog"])
        engine.embed_texts(["a cat"])

        assert ["api_key=" in seen.target for seen in server.seen] == [False, False, True, True]
        assert all("authorization" not in seen.headers for seen in server.seen[2:])

    @pytest.mark.parametrize("version", ["1.8.3", "9" * 5000])
    @pytest.mark.parametrize("status", [401, 403])
    def test_is_never_the_url_of_a_current_server(
        self, server: FakeServer, engine_with: Connect, status: int, version: str
    ) -> None:
        server.faults.key, server.faults.refusal = "another", status
        server.faults.about = {"version": version}
        engine = engine_with()
        with pytest.raises(EngineAuthError, match="refuses the API key"):
            engine.embed_texts(["a dog"])

        assert len(server.seen) == 2  # header, body
        assert all(is_hidden(seen.target) for seen in server.seen)

    def test_is_found_by_two_threads_at_once(self, server: FakeServer, engine_with: Connect) -> None:
        server.faults.key, server.faults.key_places = KEY, ("body",)
        server.faults.latency_s = 0.05
        engine = engine_with()
        with ThreadPoolExecutor(4) as pool:
            vectors = list(pool.map(lambda text: engine.embed_texts([text]), "abcdefgh"))

        assert len(vectors) == 8

    def test_is_nowhere_without_a_key(self, server: FakeServer, engine_with: Connect) -> None:
        engine = engine_with(key=" ")
        engine.embed_texts(["a dog"])

        assert "authorization" not in server.seen[0].headers

    def test_is_not_where_the_users_netrc_says(
        self, server: FakeServer, engine_with: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        netrc = tmp_path / "netrc"
        netrc.write_text("machine 127.0.0.1 login someone password else\n")
        monkeypatch.setenv("NETRC", str(netrc))
        server.faults.key = KEY
        engine = engine_with()
        engine.embed_texts(["a dog"])

        assert server.seen[0].headers["authorization"] == f"Bearer {KEY}"

    def test_is_not_sent_to_ask_who_the_server_is(
        self, server: FakeServer, engine_with: Connect, caplog: pytest.LogCaptureFixture
    ) -> None:
        server.faults.key, server.faults.key_places = KEY, ("query",)
        server.faults.about = OLD
        engine = engine_with()
        with caplog.at_level(logging.DEBUG):
            engine.test_connection()

        assert any("/info" in record.getMessage() for record in caplog.records)
        assert all(is_hidden(record.getMessage()) for record in caplog.records)


class TestRefusal:
    @pytest.mark.parametrize("status", [401, 403])
    def test_of_a_wrong_key(self, server: FakeServer, engine_with: Connect, status: int) -> None:
        server.faults.key, server.faults.refusal = "another", status
        engine = engine_with()

        message = (
            rf"refuses the API key \({status} “Unauthorized api_key”\); "
            "check that it is whole, still valid and of the right workspace"
        )
        with pytest.raises(EngineAuthError, match=message):
            engine.embed_texts(["a dog"])

    def test_of_no_key(self, server: FakeServer, engine_with: Connect) -> None:
        server.faults.key = KEY
        engine = engine_with(key=None)

        with pytest.raises(EngineAuthError, match=r"wants an API key \(401 .*\); enter one, or set ROBOFLOW_API_KEY"):
            engine.embed_texts(["a dog"])
        assert len(server.seen) == 1

    def test_of_a_key_that_worked_before_tries_no_other_place(self, server: FakeServer, engine_with: Connect) -> None:
        server.faults.key = KEY
        engine = engine_with()
        engine.embed_texts(["a dog"])
        server.faults.key = "revoked"

        with pytest.raises(EngineAuthError, match="refuses the API key"):
            engine.embed_texts(["a cat"])
        assert all("api_key=" not in seen.target for seen in server.seen)

    @pytest.mark.parametrize("key", ["rf secret", "rf\nsecret", "rf_sécret"])
    def test_of_a_key_no_header_can_carry(self, key: str) -> None:
        with pytest.raises(InputError, match="The API key has a space or a character that no key has") as caught:
            ServerEngine("http://localhost:9001", api_key=key)
        assert "cret" not in str(caught.value)


def _set(**changes: object) -> Callable[[Faults], None]:
    def apply(faults: Faults) -> None:
        for name, value in changes.items():
            setattr(faults, name, value)

    return apply


FAILURES = {
    "wrong key": _set(key="another", echo_key=True),
    "wrong key, old server": _set(key="another", key_places=("query",), echo_key=True, about=OLD),
    "overloaded": _set(first=99, status=429, message=f"Too many requests with {KEY}"),
    "not ready": _set(first=99, status=503, message=f"Not ready for {KEY}"),
    "reset": _set(first=99, manner="reset"),
    "hang": _set(first=99, manner="hang"),
    "server error": _set(first=99, status=500, message=f"Internal error with api_key={KEY}."),
    "bad request": _set(first=99, status=422, message=f"bad input api_key={KEY}"),
    "no JSON": _set(body=b"all fine"),
    "web page": _set(body=b"<html>"),
    "NaN": _set(spoil="nan"),
    "count": _set(spoil="count"),
    "no model": _set(versions=()),
    "other model": _set(resolved=f"clip/{KEY}"),
    "redirect": _set(redirect="http://127.0.0.1:9"),
    "no CLIP": _set(no_clip=True),
}


class TestSecrecy:
    @pytest.mark.parametrize("place", ["header", "body", "query"])
    @pytest.mark.parametrize("name", FAILURES)
    def test_holds_on_every_failure(
        self, server: FakeServer, engine_with: Connect, caplog: pytest.LogCaptureFixture, place: str, name: str
    ) -> None:
        engine = engine_with(read_s=0.4 if name == "hang" else 10)
        with caplog.at_level(logging.DEBUG):
            if place != "header":  # an old server, known as such from an answer
                server.faults.key, server.faults.key_places, server.faults.about = KEY, (place,), OLD
                engine.embed_texts(["a dog"])
            FAILURES[name](server.faults)
            with pytest.raises(PromptreelError) as caught:
                engine.embed_texts(["a dog", "a cat"])

        assert isinstance(caught.value, EngineError)
        assert is_hidden(str(caught.value))
        assert is_hidden("".join(traceback.format_exception(caught.value)))
        chain = [caught.value, caught.value.__cause__, caught.value.__context__]
        assert all(is_hidden(f"{error} {error!r}") for error in chain)
        assert any(record.name.startswith("urllib3") for record in caplog.records)  # it was listened to
        assert all(is_hidden(record.getMessage()) for record in caplog.records)
        assert is_hidden(repr(engine) + str(engine) + repr(Client("http://localhost:9001", api_key=KEY)))

    def test_holds_when_the_server_is_gone(self, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
        with FakeServer() as server:
            server.faults.key, server.faults.key_places, server.faults.about = KEY, ("query",), OLD
            engine = ServerEngine(server.url, api_key=KEY, sleep=clock.wait)
            engine.embed_texts(["a dog"])
        with caplog.at_level(logging.DEBUG), pytest.raises(EngineError, match="can't be reached") as caught:
            engine.embed_texts(["a cat"])
        engine.close()

        assert is_hidden("".join(traceback.format_exception(caught.value)))
        assert all(is_hidden(record.getMessage()) for record in caplog.records)
