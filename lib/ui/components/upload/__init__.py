"""Uploads from the browser: several at once, gigabytes, each with its progress, to the upload route."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from lib.core.formatting import format_bytes
from lib.ui.components.registration import nothing, register
from lib.ui.server import routes

_COMPONENT = register(Path(__file__).parent)
_ACCEPT = "video/*,.mkv,.mov,.avi,.ts,.mts,.m2ts,.mxf,.webm,.m4v,.mpg,.mpeg,.wmv,.flv,.3gp"


@dataclass(frozen=True)
class Uploaded:
    """One finished upload, as the server knows it."""

    sha256: str
    name: str
    size_bytes: int


def upload(
    *,
    key: str,
    label: str = "Drop videos here",
    hint: str | None = None,
    disabled: bool = False,
    accept: str = _ACCEPT,
) -> list[Uploaded]:
    """Draw the drop zone with its uploads; return those finished since the last call, each exactly once.

    The queue belongs to the browser tab: uploads go on while another page is shown, and are reported when
    this component is on screen again.

    Args:
        key: widget key; also names the queue.
        label: the words in the drop zone.
        hint: softer words below; the size limit when None.
        disabled: no new files; uploads under way go on.
        accept: what the file dialog offers, as in ``<input accept>``.
    """
    limit = routes.max_upload_bytes()
    data = {
        "key": key,
        "url": routes.url_for_upload(),
        "limit": limit,
        "limit_text": format_bytes(limit),
        "label": label,
        "hint": f"Up to {format_bytes(limit)} a file" if hint is None else hint,
        "accept": accept,
        "disabled": disabled,
    }
    finished: list[dict[str, Any]] = _COMPONENT(key=key, data=data, on_finished_change=nothing).finished or []
    # The whole list comes each time (two files may finish between two runs); ids tell what is new.
    seen: set[str] = st.session_state.setdefault(f"_uploads_seen.{key}", set())
    new = [item for item in finished if item["id"] not in seen]
    seen.update(item["id"] for item in new)
    return [Uploaded(str(item["sha256"]), str(item["name"]), int(item["size"])) for item in new]
