"""Guards for every test: no network beyond this machine, no error in the log that nobody expected."""

from __future__ import annotations

import ipaddress
import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


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


@contextmanager
def network_guard() -> Iterator[list[str]]:
    """Refuse connections and name look-ups that leave this machine; yields what was refused.

    The list catches an attempt even when the code under test swallowed the exception.
    """
    refused: list[str] = []

    def refuse(target: object) -> None:
        refused.append(str(target))
        raise NetworkAccessError(f"a test reached for {target}; tests use 127.0.0.1 only")

    def guard_address(function: Callable[..., Any], place: int) -> Callable[..., Any]:
        def guarded(self: socket.socket, *args: Any) -> Any:
            address = args[place] if len(args) > place else args[-1]
            inet = self.family in (socket.AF_INET, socket.AF_INET6)
            if inet and isinstance(address, tuple) and not is_loopback(address[0]):
                refuse(address)
            return function(self, *args)

        return guarded

    def guard_name(function: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(host: Any, *args: Any, **options: Any) -> Any:
            if not is_loopback(host):
                refuse(host)
            return function(host, *args, **options)

        return guarded

    methods = {"connect": 0, "connect_ex": 0, "sendto": -1}
    functions = ("getaddrinfo", "gethostbyname", "gethostbyname_ex")
    saved_methods = {name: getattr(socket.socket, name) for name in methods}
    saved_functions = {name: getattr(socket, name) for name in functions}
    for name, place in methods.items():
        setattr(socket.socket, name, guard_address(saved_methods[name], place))
    for name in functions:
        setattr(socket, name, guard_name(saved_functions[name]))
    try:
        yield refused
    finally:
        for name, method in saved_methods.items():
            setattr(socket.socket, name, method)
        for name, function in saved_functions.items():
            setattr(socket, name, function)


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
