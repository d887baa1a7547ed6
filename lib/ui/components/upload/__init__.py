"""Uploads from the browser: several at once, gigabytes, each with its progress, to the upload route."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from lib.core.formatting import format_bytes
from lib.ui.components.registration import ignore, register
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
    accept: str = _ACCEPT,
    on_open: Callable[[Uploaded], object] | None = None,
    opens_not: str = ".json",
) -> list[Uploaded]:
    """Draw the drop zone with its uploads; return each upload once, when it has finished.

    With ``on_open``, an “Open” stands beside each finished upload whose name doesn't end in ``opens_not``, and
    ``on_open`` is called with the one that it was pressed beside, last.

    The queue, named by ``key``, belongs to the browser tab: uploads continue while another page is shown, and are
    reported when this component is on screen again. Without a ``hint``, the size limit is shown; ``accept`` is as in
    HTML's file input.
    """
    limit = routes.max_upload_bytes()
    data = {
        "key": key,
        "url": routes.url_for_upload(),
        "limit": limit,
        "label": label,
        "hint": f"Up to {format_bytes(limit)} per file" if hint is None else hint,
        "accept": accept,
        "opens": on_open is not None,
        "opens_not": opens_not,
    }
    result = _COMPONENT(key=key, data=data, on_finished_change=ignore, on_open_change=ignore)
    finished: list[dict[str, Any]] = result.finished or []
    # The whole list is sent each time, as two files may finish between two runs.
    seen: set[str] = st.session_state.setdefault(f"_uploads_seen.{key}", set())
    new = [item for item in finished if item["id"] not in seen]
    seen.update(item["id"] for item in new)
    if on_open is not None and result.open:
        on_open(_uploaded(result.open))
    return [_uploaded(item) for item in new]


def _uploaded(item: dict[str, Any]) -> Uploaded:
    return Uploaded(str(item["sha256"]), str(item["name"]), int(item["size"]))
