"""API keys of inference servers: in this browser tab's memory only, each for the origin that it was typed for.

The standing key, that of ``st.secrets`` or the environment, is for this machine, the service's own hosts and the server
that is configured; for others only after somebody has confirmed the host by name, in this tab.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import streamlit as st

from lib.core.errors import InputError
from lib.engines.registry import api_key_from_environment, may_have_environments_key
from lib.infra.address import Origin, origin_of


@dataclass(eq=False)
class ServerKeys:
    """The keys of one tab; both sides of a comparison share them."""

    typed: dict[Origin, str] = field(default_factory=dict, repr=False)
    confirmed: set[Origin] = field(default_factory=set)
    """Where the standing key may go as well."""

    def typed_for(self, url: str) -> str:
        """Return the key that was typed for the server at ``url``; empty when there is none."""
        origin = _origin(url)
        return self.typed.get(origin, "") if origin else ""

    def put(self, url: str, key: str) -> None:
        """Keep a key for the server at ``url``; nothing where that is no address."""
        origin = _origin(url)
        if origin:
            self.typed[origin] = key.strip()

    def key_for(self, url: str) -> str | None:
        """Return the key to send to ``url``: the one typed for it, else the standing key where it may go there."""
        origin = _origin(url)
        if origin is None:
            return None
        return self.typed.get(origin) or (None if self.unconfirmed(url) else standing_key())

    def unconfirmed(self, url: str) -> Origin | None:
        """Return who would get the standing key if somebody confirmed it; None where there is nothing to confirm."""
        origin = _origin(url)
        if origin is None or self.typed.get(origin) or standing_key() is None:
            return None
        return None if origin in self.confirmed or may_have_environments_key(origin) else origin


def _origin(url: str) -> Origin | None:
    try:
        return origin_of(url)
    except InputError:  # the engine says so
        return None


def standing_key() -> str | None:
    """Return the key of ``st.secrets`` or the environment, if there is one."""
    try:
        secret = st.secrets.get("ROBOFLOW_API_KEY")
    except FileNotFoundError:  # there is no secrets file, which is the usual case
        secret = None
    return str(secret) if secret else api_key_from_environment()
