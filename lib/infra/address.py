"""The address of an inference server and its API key, checked before anything is sent."""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple
from urllib.parse import urlsplit

from lib.core.errors import InputError

EXAMPLE_URL = "http://localhost:9001"
_PORTS = {"http": 80, "https": 443}
_SERVICE = "roboflow.com"


def normalise_url(url: str) -> str:
    """Return ``url`` without white space and trailing slashes: ``http://localhost:9001/ -> http://localhost:9001``.

    Raises:
        InputError: no http or https address, or one that carries a user name, a password or a query (keys
            belong in their own field); the message never repeats those.
    """
    text = url.strip()
    scheme, separator, rest = text.partition("://")
    if not text:
        raise InputError(f"The inference server's address is empty; write for example {EXAMPLE_URL}.")
    if not separator:
        suggestion = f"http://{text}" if re.fullmatch(r"[\w.-]+(:\d+)?/?", text) else EXAMPLE_URL
        raise InputError(
            f"The inference server's address must begin with http:// or https://; write for example {suggestion}."
        )
    if scheme.lower() not in ("http", "https"):
        raise InputError(
            f"An inference server is reached by http:// or https://, not {scheme}://; write for example {EXAMPLE_URL}."
        )
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or not re.fullmatch(r"[\w.:%-]+", host) or port == 0:
        raise InputError(f"The inference server's address has no usable host or port; write for example {EXAMPLE_URL}.")
    if parts.username is not None or parts.password is not None:
        raise InputError(
            "The inference server's address has a user name or password in it; leave them out and "
            "give the API key in its own field."
        )
    if parts.query or parts.fragment:
        raise InputError(
            "The inference server's address has a '?' or '#' part; leave it out and give the API key in its own field."
        )
    return f"{scheme.lower()}://{rest}".rstrip("/")


class Origin(NamedTuple):
    """Whom requests go to. An API key belongs to one origin and is sent to no other."""

    scheme: str
    host: str
    """As it is looked up: in lower case, other letters than ASCII as ``xn--``, a dot at its end kept."""
    port: int

    def __str__(self) -> str:
        usual = self.port == _PORTS[self.scheme]
        return f"{self.scheme}://{self.host}" + ("" if usual else f":{self.port}")

    @property
    def is_loopback(self) -> bool:
        """Whether this is this machine for certain; a name that resolves to it may resolve otherwise the next time."""
        return self.host == "localhost" or _is_loopback_address(self.host)

    @property
    def is_service(self) -> bool:
        """Whether this is a host of Roboflow's own."""
        own = self.host == _SERVICE or self.host.endswith(f".{_SERVICE}")
        return own and (self.scheme, self.port) == ("https", 443)


def origin_of(url: str) -> Origin:
    """Return whom a request to ``url`` goes to, as the library that sends it reads the address.

    Raises:
        InputError: as ``normalise_url``.
    """
    import requests
    from urllib3.util import parse_url

    address = normalise_url(url)
    prepared = requests.PreparedRequest()
    try:
        prepared.prepare_url(address, None)
    except requests.RequestException as error:
        raise InputError(
            f"The inference server's address has no usable host or port; write for example {EXAMPLE_URL}."
        ) from error
    parts = parse_url(str(prepared.url))
    scheme = parts.scheme or "http"
    return Origin(scheme, (parts.host or "").lower(), parts.port or _PORTS[scheme])


def is_loopback(url: str) -> bool:
    """Return whether ``url`` names this machine, which no proxy should stand before."""
    host = urlsplit(url).hostname or ""
    return host == "localhost" or host.endswith(".localhost") or _is_loopback_address(host)


def _is_loopback_address(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_key(key: str | None) -> str | None:
    """Return the API key without white space around it, None for an empty one.

    Raises:
        InputError: the key has characters no header can carry; the message does not repeat it.
    """
    key = (key or "").strip()
    if not key:
        return None
    if not re.fullmatch(r"[\x21-\x7e]+", key):
        raise InputError("The API key has a space or a character that no key has; copy it again.")
    return key
