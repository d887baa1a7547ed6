"""What lies below the hosted API: a file as a request's body, words without secrets, failures as sentences."""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from lib.core.errors import Cancelled, EngineUnavailableError, InputError
from lib.infra.address import hide_keys_in_logs, without_key

_BLOCK = 1 << 18
_LONGEST_ECHO = 200
_QUERY = re.compile(r"\?[^\s\"']+")
_HIDDEN = "?[hidden]"


class Sending:
    """A file as the body of a request: read block by block, of a length that is known before.

    Raises:
        InputError: the file can't be read, or is cut short meanwhile.
        Cancelled: ``cancel`` was set.
    """

    def __init__(
        self, path: Path, name: str, told: Callable[[int, int], object], cancel: threading.Event
    ) -> None:
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise InputError(
                f"{name} can't be read ({error.strerror}); check that it is still there."
            ) from error
        self._size = path.stat().st_size
        self._name = name
        self._told = told
        self._cancel = cancel
        self._sent = 0

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        while block := self.read(_BLOCK):
            yield block

    def read(self, count: int = _BLOCK) -> bytes:
        """Return the next bytes, empty at the end."""
        if self._cancel.is_set():
            raise Cancelled
        left = self._size - self._sent
        try:
            block = self._file.read(min(count if count > 0 else _BLOCK, left))
        except OSError as error:
            raise InputError(
                f"{self._name} can't be read to its end ({error.strerror}); copy it anew."
            ) from error
        if left and not block:
            raise InputError(
                f"{self._name} became shorter while it was uploaded; try again when it is complete."
            )
        self._sent += len(block)
        self._told(self._sent, self._size)
        return block

    def __enter__(self) -> Sending:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, blocksize=_BLOCK, **options)


def new_session(*, trust_env: bool) -> requests.Session:
    """Return a session that sends no credentials of the user's own and tries nothing twice by itself."""
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter(max_retries=0))
    session.auth = _no_credentials
    session.trust_env = trust_env
    return session


def _no_credentials(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def cleaned(text: str, key: str) -> str:
    """Return words of the service as one line without the key and without the query of any URL."""
    line = " ".join(_QUERY.sub(_HIDDEN, without_key(text, key)).split())
    return line if len(line) <= _LONGEST_ECHO else line[: _LONGEST_ECHO - 1] + "…"


def said_by(response: requests.Response, key: str) -> str:
    """Return `` “what the service says”``, cleaned; empty where it says nothing readable."""
    try:
        body = json.loads(response.content)
    except ValueError:
        return ""
    words = body.get("error") or body.get("message") or body.get("detail") if isinstance(body, dict) else ""
    if isinstance(words, dict):
        words = words.get("message") or ""
    text = cleaned(str(words or ""), key)
    return f" “{text}”" if text else ""


class _HideQueries(logging.Filter):
    """Takes the query out of what urllib3 logs at DEBUG: keys and signatures are in it."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if "?" in message:
            record.msg, record.args = _QUERY.sub(_HIDDEN, message), ()
        return True


_hide_queries = _HideQueries()


def hide_queries_in_logs() -> None:
    """See to it that no query of a URL reaches a log handler; calling it twice is fine."""
    hide_keys_in_logs()
    logging.getLogger("urllib3.connectionpool").addFilter(_hide_queries)


def explain(error: requests.RequestException, who: str, read_s: float) -> EngineUnavailableError:
    """Return one sentence on a request that got no answer; never the error's own words, which hold the URL."""
    who = who[0].upper() + who[1:]
    if isinstance(error, requests.exceptions.SSLError):
        return EngineUnavailableError(
            f"No safe connection to {who}: its certificate is refused; check the network."
        )
    if isinstance(error, requests.exceptions.ProxyError):
        return EngineUnavailableError(
            f"The proxy before {who} does not let the request through; check HTTPS_PROXY and NO_PROXY."
        )
    if isinstance(error, requests.exceptions.ReadTimeout):
        return EngineUnavailableError(
            f"{who} did not answer within {read_s:g} s; try again, a job that was started goes on there."
        )
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return EngineUnavailableError(f"{who} can't be reached; check the network, then try again.")
    if isinstance(error, requests.exceptions.ConnectionError | requests.exceptions.ChunkedEncodingError):
        return EngineUnavailableError(
            f"{who} can't be reached or breaks off the connection; check the network, then try again."
        )
    return EngineUnavailableError(f"{who} can't be asked ({type(error).__name__}); try again.")
