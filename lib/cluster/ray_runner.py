"""Work as tasks of Ray Core: on the machines of a cluster, or on this one.

What keeps it from losing or hanging on an item: a task whose worker or machine dies is tried again elsewhere
(``_RETRIES``), one whose machine can't be reached any more counts as dead after a few seconds without an answer
(``_ENVIRONMENT``), and one whose process is killed each time is an outcome like any other. Tasks are submitted in a
window, so that neither this process nor the cluster's head grows with the number of items.
"""

from __future__ import annotations

import math
import os
import secrets
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, redirect_stdout, suppress
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lib.cluster.gate import RayGate
from lib.core.errors import Cancelled, InputError
from lib.core.formatting import shortened
from lib.infra.redaction import redacted
from lib.services.runners import Item, Outcome, Result, attempt

_ENVIRONMENT = {
    "RAY_grpc_client_keepalive_time_ms": "2000",  # without these a cut link can make a driver wait for ever
    "RAY_grpc_client_keepalive_timeout_ms": "2000",
    "RAY_task_oom_retries": "3",  # without end by default
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # Ray's own advice; it warns without
}
"""For Ray, in every process; whoever starts a cluster's machines sets the first two there too (docs/scale.md)."""
_RETRIES = 5
_TICK_S = 0.5
_AHEAD = 2
"""Items handed to Ray for each that can be under way: the next is there when one is done."""
_CONNECT_S = 5.0
_STORE_BYTES = 200 << 20
_ROOT = Path(__file__).resolve().parents[2]
_GONE = (
    "Its worker ended before it was done, {times:,} times: it was killed, out of memory, or its machine was lost. "
    "Try it again, alone or with more --cpus-per-video."
)


class RayRunner:
    """Works on a cluster; a context manager, which connects and disconnects.

    Args:
        address: of the cluster's head, ``HOST:6379``, or ``auto`` on one of its machines; None starts Ray here.
        cpus: of a machine that an item keeps busy.
        cancel: set it to stop.

    Raises:
        InputError: Ray isn't installed, the cluster can't be reached, or none of its machines has so many CPUs.
    """

    def __init__(self, address: str | None = None, *, cpus: float = 1.0, cancel: threading.Event | None = None) -> None:
        self._address = address
        self._cpus = cpus
        self._cancel = cancel or threading.Event()
        self._leaving = ExitStack()

    def __enter__(self) -> RayRunner:
        for name, value in _ENVIRONMENT.items():
            os.environ.setdefault(name, value)
        try:
            import ray
        except ImportError as error:
            raise InputError("Ray isn't installed; run pip install -r requirements-scale.txt first.") from error
        self._ray = ray
        nowhere = self._leaving.enter_context(open(os.devnull, "w", encoding="utf-8"))
        self._leaving.enter_context(redirect_stdout(nowhere))  # Ray writes to it what becomes of lost tasks
        try:
            self._connect()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._leaving.close()

    def _connect(self) -> None:
        ray = self._ray
        _check_address(self._address)
        options: dict[str, Any] = {"address": self._address} if self._address else self._own_cluster()
        self._leaving.callback(ray.shutdown)
        try:
            ray.init(
                **options,
                namespace="promptreel",
                log_to_driver=False,
                logging_level="ERROR",
                runtime_env=_runtime_environment(shared=not self._address),
            )
        except Exception as error:  # of many kinds: no answer, another version of Ray or Python, another token
            raise InputError(
                f"The Ray cluster at {self._address or 'this machine'} can't be used "
                f"({redacted(str(error), None)}); check the address, and that Ray and Python are the same there."
            ) from error
        most = max((node["Resources"].get("CPU", 0.0) for node in ray.nodes() if node["Alive"]), default=0.0)
        if most < self._cpus:
            raise InputError(f"No machine of the cluster has {self._cpus:g} CPUs; the largest has {most:g}.")

    def _own_cluster(self) -> dict[str, Any]:
        """Return the options that start Ray here, for this process and nobody else."""
        folder = Path(
            self._leaving.enter_context(TemporaryDirectory(prefix="promptreel-ray-", ignore_cleanup_errors=True))
        )
        token = folder / "token"
        token.write_text(secrets.token_hex(32), encoding="ascii")
        os.environ.setdefault("RAY_AUTH_TOKEN_PATH", str(token))  # else Ray writes one into the home folder
        return {
            "address": "local",
            "include_dashboard": False,
            "object_store_memory": _STORE_BYTES,
            "_node_ip_address": "127.0.0.1",
            "_temp_dir": str(folder),
        }

    def run(self, work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Outcome[Item, Result]]:
        """See ``lib.services.runners.Runner``."""
        ray = self._ray
        task = ray.remote(num_cpus=self._cpus, max_retries=_RETRIES, scheduling_strategy="SPREAD")(attempt)
        under_way: dict[Any, Item] = {}
        coming = iter(items)
        try:
            while True:
                for item in self._next(coming, len(under_way)):
                    under_way[task.remote(work, item)] = item
                if not under_way:
                    return
                for reference in ray.wait(list(under_way), num_returns=1, timeout=_TICK_S)[0]:
                    yield self._outcome(reference, under_way.pop(reference))
                if self._cancel.is_set():
                    raise Cancelled
        finally:
            for reference in under_way:
                with suppress(Exception):  # the cluster may be gone, too
                    ray.cancel(reference, force=True)

    def gate(self, name: str, most: int) -> RayGate:
        """Return what lets at most so many threads of all machines be inside, for work to take with it."""
        return RayGate(name, most)

    def _next(self, coming: Iterator[Item], under_way: int) -> Iterator[Item]:
        """Return as many items as there is room for; machines may come and go."""
        cpus = self._ray.cluster_resources().get("CPU", 1.0)
        room = _AHEAD * max(1, math.floor(cpus / self._cpus)) - under_way
        return islice(coming, max(0, room))

    def _outcome(self, reference: Any, item: Item) -> Outcome[Item, Result]:
        try:
            outcome: Outcome[Item, Result] = self._ray.get(reference)
        except self._ray.exceptions.RuntimeEnvSetupError as error:
            raise InputError(
                f"The cluster's machines can't load Promptreel ({redacted(str(error), None)}); "
                "install requirements-scale.txt on each."
            ) from error
        except self._ray.exceptions.RayTaskError as error:  # it never came as far as ``attempt``
            raise InputError(
                f"The cluster's machines can't run Promptreel ({redacted(str(error.cause), None)}); "
                "install the same requirements-scale.txt on each."
            ) from error
        except self._ray.exceptions.RayError:
            return Outcome(item, None, _GONE.format(times=_RETRIES + 1))
        return outcome


def _check_address(address: str | None) -> None:
    """Raise ``InputError`` for the address of a cluster that nobody listens at: Ray itself waits for minutes."""
    if address in (None, "auto"):
        return
    host, _, port = address.rpartition(":")
    if "/" in address or not host or not (port.isascii() and port.isdecimal() and 0 < int(port) < 65_536):
        raise InputError(
            f"{shortened(address, 100)} is no address of a Ray cluster; write HOST:PORT of its head, such as "
            "10.0.0.1:6379, or auto on one of its machines."
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_S).close()
    except (OSError, UnicodeError) as error:
        raise InputError(
            f"No Ray cluster answers at {shortened(address, 100)} ({getattr(error, 'strerror', None) or 'no answer'}); "
            "start it with ray start --head, or check the address."
        ) from error


def _runtime_environment(*, shared: bool) -> dict[str, Any]:
    """Return how workers find this very code: from here, or sent to them; Ray keeps one copy per machine."""
    variables = dict(_ENVIRONMENT)
    if shared:
        return {"env_vars": variables | {"PYTHONPATH": str(_ROOT)}}
    return {"env_vars": variables, "py_modules": [str(_ROOT / "lib")], "excludes": ["**/__pycache__"]}
