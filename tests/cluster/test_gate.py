"""Who may be inside at once; that an actor counts them for all machines is in ``benchmarks.cluster``."""

from __future__ import annotations

import pickle
import threading

import pytest

from lib.cluster import gate
from lib.cluster.gate import Places, RayGate
from lib.core.errors import EngineUnavailableError


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch) -> Places:
    """The actor without Ray: every gate of this process asks it."""
    actor = Places()
    lock = threading.Lock()

    def ask(_: RayGate, what: str, *arguments: object) -> object:
        with lock:
            return getattr(actor, what)(*arguments)

    monkeypatch.setattr(RayGate, "_ask", ask)
    return actor


def test_no_more_than_so_many_threads_of_all_gates_are_inside(places: Places) -> None:
    gates = [RayGate("http://server", 2), pickle.loads(pickle.dumps(RayGate("http://server", 2)))]
    assert gates[0]._name == gates[1]._name != RayGate("http://other", 2)._name
    inside, most, lock = 0, 0, threading.Lock()

    def work(mine: RayGate) -> None:
        nonlocal inside, most
        for _ in range(5):
            with mine:
                with lock:
                    inside += 1
                    most = max(most, inside)
                threading.Event().wait(0.01)
                with lock:
                    inside -= 1

    threads = [threading.Thread(target=work, args=(mine,)) for mine in gates * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert most == 2
    assert places._inside == {}


def test_whoever_goes_silent_loses_the_place_and_whoever_renews_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    now, places = 1000.0, Places()
    monkeypatch.setattr(gate.time, "monotonic", lambda: now)
    assert places.enter("dead", 2)
    assert places.enter("alive", 2)
    assert places.enter("alive", 2)  # an answer that was lost is asked for again
    assert not places.enter("waiting", 2)

    now += 15
    places.renew(["alive"])
    now += 10

    assert places.enter("waiting", 2)
    assert not places.enter("another", 2)
    places.leave("alive")
    places.leave("alive")
    assert places.enter("another", 2)


def test_a_cluster_that_does_not_answer_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(*_: object) -> bool:
        raise ConnectionError("no route")

    monkeypatch.setattr(RayGate, "_ask", ask)
    monkeypatch.setattr(gate, "_LOST_S", 0.0)

    with pytest.raises(EngineUnavailableError, match="The cluster doesn't say"), RayGate("a", 1):
        pass
