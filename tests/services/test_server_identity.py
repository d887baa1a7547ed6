"""Servers with other weights under one name: told apart before anything is mixed, and said."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from lib.core.errors import EngineError, UnknownModelError
from lib.engines.engine import Engine
from lib.engines.hosted import HostedEngine
from lib.engines.server import ServerEngine
from lib.infra.http import RetryPolicy
from lib.services import experiments
from lib.services.server_identity import address_of, identified, weights_of
from lib.store.store import Store, embed_texts_cached
from tests.helpers.fake_server import FakeServer, Faults

PLAIN = "clip/ViT-B-16"
PICTURES = [np.full((224, 224, 3), 90, np.uint8)]


@pytest.fixture
def other() -> Iterator[FakeServer]:
    """Run a server with other weights."""
    with FakeServer(Faults(weights=7)) as running:
        yield running


def engine_at(server: FakeServer, store: Store) -> Engine:
    raw = ServerEngine(server.url, retries=RetryPolicy(attempts=1), sleep=lambda _: None)
    return identified(raw, store.home, lambda: store)


def test_servers_with_the_same_weights_share_an_id_and_are_compared_once(store: Store, server: FakeServer) -> None:
    embed_texts_cached(store, engine_at(server, store), ["a dog"])
    with FakeServer() as same:
        engine = engine_at(same, store)
        embed_texts_cached(store, engine, ["a cat"])
        assert (engine.id, weights_of(engine)) == (PLAIN, None)
        same.reset()
        embed_texts_cached(store, engine_at(same, store), ["a cow"])
        assert len(same.seen) == 1  # nothing to compare any more in this process


@pytest.mark.parametrize("kind", ["texts", "images"])
def test_other_weights_are_said_and_get_an_id_of_their_own(
    store: Store, server: FakeServer, other: FakeServer, kind: str
) -> None:
    first = engine_at(server, store)
    dog = embed_texts_cached(store, first, ["a dog"])["a dog"]
    first.embed_images(PICTURES)

    stranger = engine_at(other, store)
    for _ in range(2):  # what is said once stays true
        with pytest.raises(
            UnknownModelError, match=rf"{PLAIN}.*other weights.*kept apart as {PLAIN}\+[0-9a-f]{{8}}.*anew"
        ):
            stranger.embed_texts(["a cat"]) if kind == "texts" else stranger.embed_images(PICTURES)
    assert store.text_vectors(PLAIN, ["a cat"]) == {}

    known = engine_at(other, store)
    assert known.id.startswith(f"{PLAIN}+")
    assert weights_of(known) in known.name
    assert experiments.engine_fields(known.id) == {"engine": "server", "model_version": "ViT-B-16"}
    assert float(embed_texts_cached(store, known, ["a dog"])["a dog"] @ dog) < 0.5
    known.embed_images(PICTURES)
    np.testing.assert_array_equal(store.text_vectors(PLAIN, ["a dog"])["a dog"], dog)
    assert engine_at(server, store).id == PLAIN

    with FakeServer(Faults(weights=7)) as third:  # the same weights, elsewhere
        with pytest.raises(UnknownModelError, match="kept apart"):
            engine_at(third, store).embed_texts(["a cat"])
        assert engine_at(third, store).id == known.id


def test_a_server_that_gets_its_first_weights_back_is_known_again(store: Store, server: FakeServer) -> None:
    embed_texts_cached(store, engine_at(server, store), ["a dog"])
    with FakeServer(Faults(weights=3)) as changing:
        with pytest.raises(UnknownModelError):
            engine_at(changing, store).embed_texts(["a cat"])
        changing.faults.weights = 0
        with pytest.raises(UnknownModelError, match=rf"kept apart as {PLAIN} from"):
            engine_at(changing, store).embed_texts(["a cat"])
        engine = engine_at(changing, store)
        assert engine.id == PLAIN
        engine.embed_texts(["a cat"])


def test_a_store_of_before_is_compared_by_any_text_in_it(store: Store, server: FakeServer, other: FakeServer) -> None:
    embed_texts_cached(store, ServerEngine(server.url), ["a dog", "a cat"])  # without a probe
    with pytest.raises(UnknownModelError):
        engine_at(other, store).embed_images(PICTURES)


def test_what_is_stored_shows_while_the_server_is_away(store: Store, server: FakeServer) -> None:
    embed_texts_cached(store, engine_at(server, store), ["a dog"])
    with FakeServer() as gone:
        engine = engine_at(gone, store)
    assert set(embed_texts_cached(store, engine, ["a dog"])) == {"a dog"}
    with pytest.raises(EngineError, match="can't be reached"):
        embed_texts_cached(store, engine, ["a cat"])


def test_words_for_imported_vectors_come_from_the_weights_that_gave_the_others(
    store: Store, server: FakeServer, other: FakeServer
) -> None:
    def hosted(at: FakeServer) -> Engine:
        return identified(HostedEngine("ViT-B-16", ServerEngine(at.url)), store.home, lambda: store)

    embed_texts_cached(store, hosted(server), ["a dog"])
    with pytest.raises(EngineError, match="choose the server that embedded the words so far"):
        embed_texts_cached(store, hosted(other), ["a cat"])
    assert hosted(other).id == "hosted/ViT-B-16"


def test_a_damaged_note_of_servers_is_found_again(store: Store, server: FakeServer, other: FakeServer) -> None:
    embed_texts_cached(store, engine_at(server, store), ["a dog"])
    with pytest.raises(UnknownModelError):
        engine_at(other, store).embed_texts(["a cat"])
    before = engine_at(other, store).id
    for content in (b"", b"[" * 100_000, b'{"servers": 3}', b"\xff"):
        (store.home / "servers.json").write_bytes(content)
        engine = engine_at(other, store)
        assert engine.id == PLAIN
        with pytest.raises(UnknownModelError):
            engine.embed_texts(["a cat"])
        assert engine_at(other, store).id == before


def test_the_address_of_weights_is_the_one_in_use_where_it_may_have_them_else_a_known_one(
    store: Store, server: FakeServer, other: FakeServer
) -> None:
    embed_texts_cached(store, engine_at(server, store), ["a dog"])
    with pytest.raises(UnknownModelError):
        engine_at(other, store).embed_texts(["a cat"])
    variant = engine_at(other, store).id

    assert address_of(store.home, variant, server.url) == other.url
    assert address_of(store.home, variant, f" {other.url}/") == f" {other.url}/"
    assert address_of(store.home, PLAIN, server.url) == server.url
    assert address_of(store.home, PLAIN, other.url) is None
    assert address_of(store.home, f"{PLAIN}+00000000", server.url) is None
    assert address_of(store.home, variant, "no address") == other.url
