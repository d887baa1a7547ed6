"""Reading a report as a browser would: its policy, scripts, styles, charts and texts."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any


@dataclass
class Page(HTMLParser):
    """What an HTML file has in it."""

    policy: dict[str, list[str]] = field(default_factory=dict)
    scripts: list[str] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)
    data: str = "[]"
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self._inside: tuple[str, bool] = ("", False)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = dict(attrs)
        self.tags.append((tag, own))
        self._inside = (tag, own.get("type") == "application/json")
        if own.get("http-equiv") == "Content-Security-Policy":
            parts = [part.split() for part in (own["content"] or "").split("; ")]
            self.policy = {name: values for name, *values in parts}

    def handle_data(self, data: str) -> None:
        match self._inside:
            case ("script", True):
                self.data = data
            case ("script", False):
                self.scripts.append(data)
            case ("style", _):
                self.styles.append(data)
            case _:
                self.text += data + " "

    def handle_endtag(self, tag: str) -> None:
        self._inside = ("", False)

    @property
    def words(self) -> str:
        """All texts, blanks collapsed."""
        return " ".join(self.text.split())

    @property
    def charts(self) -> list[dict[str, Any]]:
        """The specifications, with the rows of their tables as the page's script makes them."""
        charts = list(json.loads(self.data))
        for chart in charts:
            chart["datasets"] = {name: _rows(columns) for name, columns in chart["datasets"].items()}
        return charts


def _rows(columns: list[Any]) -> list[dict[str, Any]]:
    named = {name: values if at is None else [values[place] for place in at] for name, values, at in columns}
    return [dict(zip(named, row, strict=True)) for row in zip(*named.values(), strict=True)]


def read(report: bytes) -> Page:
    """Return what is in a report; its policy is checked to allow its own scripts and styles, and nothing else."""
    page = Page()
    page.feed(report.decode())
    assert page.policy["default-src"] == ["'none'"]
    assert set(page.policy) == {"default-src", "script-src", "style-src", "img-src", "base-uri", "form-action"}
    assert page.policy["img-src"] == ["data:"]
    for name, texts in (("script-src", page.scripts), ("style-src", page.styles)):
        digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts]
        assert page.policy[name] == ([f"'sha256-{digest}'" for digest in digests] or ["'none'"])
    for tag, attributes in page.tags:  # nothing that the policy would refuse, or that would load something
        assert not [name for name in attributes if name.startswith("on") or name in ("style", "href", "srcset")], tag
        assert (attributes.get("src") or "data:").startswith("data:")
    return page
