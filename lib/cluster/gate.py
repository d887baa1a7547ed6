"""A limit on what all machines of a cluster do at once, such as requests to one inference server.

One actor counts who is inside. It belongs to no driver, so that two of them share its limit, and is found by its name;
where it is lost with its machine, another one begins with nobody inside. Whoever is inside says so every few seconds:
a worker that was killed gives its place back by saying nothing.
"""

from __future__ import annotations

import hashlib
import random
import secrets
import threading
import time
from contextlib import suppress
from typing import Any

from lib.core.errors import EngineUnavailableError

_LEASE_S = 20.0
_RENEW_S = 5.0
_POLL_S = (0.02, 0.5)
"""Seconds between two questions for a place: at first, and at most."""
_ANSWER_S = 30.0
_LOST_S = 300.0
"""Seconds without any answer after which an item fails."""


class Places:
    """The actor: who is inside, and since when nothing was heard of them."""

    def __init__(self) -> None:
        self._inside: dict[str, float] = {}

    def enter(self, token: str, most: int) -> bool:
        """Return whether ``token`` is inside now; of those there, the ones that went silent are put out first."""
        now = time.monotonic()
        self._inside = {one: until for one, until in self._inside.items() if until > now}
        if token in self._inside or len(self._inside) < most:
            self._inside[token] = now + _LEASE_S
            return True
        return False

    def renew(self, tokens: list[str]) -> None:
        """Note that these are still inside, also where this actor is a new one."""
        self._inside |= dict.fromkeys(tokens, time.monotonic() + _LEASE_S)

    def leave(self, token: str) -> None:
        """Give a place back; one that isn't there is none to give back."""
        self._inside.pop(token, None)


class RayGate:
    """A context manager that lets at most so many threads of a whole cluster be inside; it can be pickled.

    Args:
        name: of what is limited; the same name is the same limit.
        most: threads inside at once.

    Raises:
        EngineUnavailableError: on entering, the cluster has not answered for minutes.
    """

    def __init__(self, name: str, most: int) -> None:
        self._name = f"gate-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
        self._most = most
        self._begin()

    def _begin(self) -> None:
        self._own = threading.local()
        self._lock = threading.Lock()
        self._tokens: set[str] = set()
        self._renewing = False

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (self._name, self._most)

    def __enter__(self) -> RayGate:
        token, pause, answered = secrets.token_hex(8), _POLL_S[0], time.monotonic()
        while True:
            try:
                if self._ask("enter", token, self._most):
                    break
                answered = time.monotonic()
            except Exception as error:  # it was lost with its machine, or is about to be there
                if time.monotonic() - answered > _LOST_S:
                    raise EngineUnavailableError(
                        "The cluster doesn't say whether the inference server may be asked; check its machines."
                    ) from error
            time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
            pause = min(2 * pause, _POLL_S[1])
        with self._lock:
            self._tokens.add(token)
            if not self._renewing:
                self._renewing = True
                threading.Thread(target=self._renew, name="gate", daemon=True).start()
        self._own.token = token
        return self

    def __exit__(self, *_: object) -> None:
        token = self._own.token
        with self._lock:
            self._tokens.discard(token)
        with suppress(Exception):  # it goes by itself then
            self._ask("leave", token)

    def _renew(self) -> None:
        """Keep the places of this process while there are any (its own thread)."""
        while True:
            time.sleep(_RENEW_S)
            with self._lock:
                tokens = list(self._tokens)
                if not tokens:
                    self._renewing = False
                    return
            with suppress(Exception):
                self._ask("renew", tokens)

    def _ask(self, what: str, *arguments: object) -> Any:
        import ray

        actor = (
            ray.remote(Places)
            .options(name=self._name, namespace="promptreel", get_if_exists=True, lifetime="detached", num_cpus=0)
            .remote()
        )
        return ray.get(getattr(actor, what).remote(*arguments), timeout=_ANSWER_S)


def _again(name: str, most: int) -> RayGate:
    gate = RayGate("", most)
    gate._name = name
    return gate
