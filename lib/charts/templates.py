"""Charts whose specification is made and validated once, and then filled with data repeatedly.

Altair validates every part of a chart against Vega-Lite's schema when it is made and again when it is exported, about
300 ms for the charts of one page. A specification depends on labels and colours only, and an edit
changes data, so ``Template`` keeps the finished specification as text and ``FilledChart`` puts the tables
of the moment in.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import altair as alt
import pandas as pd


def table(name: str) -> alt.NamedData:
    """Return a placeholder for a table in a chart that becomes a template."""
    return alt.NamedData(name=name)


class Template:
    """A finished specification with placeholders for tables, each ``{"name": ...}``.

    Args:
        chart: made of ``table(...)`` data only, with every field's type given.
    """

    def __init__(self, chart: alt.LayerChart | alt.VConcatChart) -> None:
        spec = chart.to_dict()
        # What Altair's own theme adds; the page has its own.
        spec.get("config", {}).pop("view", None)
        # As SVG, each moment to point at is an element of the document, and drawing takes twice as long.
        spec["usermeta"] = {"embedOptions": {"renderer": "canvas"}}
        self._text = json.dumps(spec)

    def fill(self, tables: Mapping[str, pd.DataFrame]) -> FilledChart:
        """Return the chart with ``tables``, one for each placeholder."""
        return FilledChart(self._text, tables)


class FilledChart(alt.LayerChart):
    """A finished chart: for showing and writing out, not for composing or changing further."""

    def __init__(self, text: str, tables: Mapping[str, pd.DataFrame]) -> None:
        # Attributes of an Altair object are parts of its specification; these two are not.
        object.__setattr__(self, "_text", text)
        object.__setattr__(self, "_tables", dict(tables))
        super().__init__(layer=[])

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables by name."""
        tables: dict[str, pd.DataFrame] = object.__getattribute__(self, "_tables")
        return tables

    @property
    def text(self) -> str:
        """The specification as JSON, with the names of the tables in their places."""
        text: str = object.__getattribute__(self, "_text")
        return text

    def at_width(self, width: int) -> FilledChart:
        """Return the chart ``width`` pixels wide; without a width it is as wide as where it stands."""
        return FilledChart(json.dumps({**json.loads(self.text), "width": width}), self.tables)

    def converted(self, convert: Callable[[pd.DataFrame], Any]) -> FilledChart:
        """Return the chart with what ``convert`` gives for each table, which an active data transformer must know."""
        return FilledChart(self.text, {name: convert(table) for name, table in self.tables.items()})

    def named(self, convert: Callable[[pd.DataFrame], Any]) -> dict[str, Any]:
        """Return the specification with what ``convert`` gives for each table under its name, so each table once."""
        spec: dict[str, Any] = json.loads(self.text)
        return spec | {"datasets": {name: convert(table) for name, table in self.tables.items()}}

    def to_dict(self, *args: Any, **options: Any) -> dict[str, Any]:
        """Return the Vega-Lite specification with the tables in it.

        They go through the active data transformer, as in every Altair chart; with Altair's default one
        they are written inline at any length.
        """
        transform = None if alt.data_transformers.active == "default" else alt.data_transformers.get()
        filled: dict[str, dict[str, Any]] = {}

        def place(part: dict[str, Any]) -> dict[str, Any]:
            data = part.get("data")
            if isinstance(data, dict) and data.keys() == {"name"} and data["name"] in self.tables:
                name = data["name"]
                if name not in filled:
                    frame = self.tables[name]
                    filled[name] = _inline(frame) if transform is None else transform(frame)
                part["data"] = filled[name]
            return part

        spec: dict[str, Any] = json.loads(self.text, object_hook=place)
        return spec


def _inline(frame: pd.DataFrame) -> dict[str, Any]:
    return {"values": frame.astype(object).where(frame.notna(), None).to_dict("records")}
