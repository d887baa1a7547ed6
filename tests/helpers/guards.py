"""Guards for every test: no network beyond this machine, no error in the log that nobody expected."""

from __future__ import annotations

import ipaddress
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_TARGETS = {
    "socket.connect": 1,
    "socket.sendto": 1,
    "socket.sendmsg": 1,
    "socket.getaddrinfo": 0,
    "socket.gethostbyname": 0,
}
"""Audit events, and which of their arguments is the address or the name."""

refused: list[str] = []
"""Targets refused since the last test ended."""


class NetworkAccessError(Exception):
    """A test reached for the network. Not an OSError, so that no retry or error mapping swallows it."""


def is_loopback(host: str | bytes | None) -> bool:
    """Return whether ``host`` is this machine: a loopback address, ``localhost``, an address to listen on."""
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host is None or host in ("", "localhost"):
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return host.endswith(".localhost")
    return address.is_loopback or address.is_unspecified


def guard_network() -> None:
    """Refuse, until this process ends, connections, datagrams and name look-ups that leave this machine.

    Through an audit hook, which no import order, socket subclass or C code gets around. ``refused`` catches an attempt
    even when the code under test swallowed the exception.
    """
    sys.addaudithook(_refuse_elsewhere)


def _refuse_elsewhere(event: str, arguments: tuple[Any, ...]) -> None:
    place = _TARGETS.get(event)
    if place is None:
        return
    target = arguments[place]
    host = target[0] if isinstance(target, tuple) else target
    unix_socket = place == 1 and not isinstance(target, tuple)
    if not unix_socket and not is_loopback(host):
        refused.append(str(target))
        raise NetworkAccessError(f"a test reached for {target}; tests use 127.0.0.1 only")


@contextmanager
def recorded_errors() -> Iterator[list[logging.LogRecord]]:
    """Yield the list of log records at ERROR or above made meanwhile, by any logger, propagating or not."""
    records: list[logging.LogRecord] = []
    handle = logging.Logger.handle

    def recording(self: logging.Logger, record: logging.LogRecord) -> None:
        if record.levelno >= logging.ERROR:
            records.append(record)
        handle(self, record)

    logging.Logger.handle = recording  # type: ignore[method-assign]
    try:
        yield records
    finally:
        logging.Logger.handle = handle  # type: ignore[method-assign]
