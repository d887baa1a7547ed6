"""Charts as Altair objects of their own, which a notebook shows without a network.

Importing this has Altair show every chart both as a picture and as a Vega-Lite specification with tooltips, of which
the front end takes what it can; Altair's own way would load scripts from elsewhere. A renderer that was chosen before,
or is chosen later (``altair.renderers.enable``), counts instead.
"""

from __future__ import annotations

import json
from typing import Any

import altair as alt

from lib.api.arguments import MAX_WIDTH
from lib.charts.templates import FilledChart
from lib.core.errors import InputError
from lib.core.validation import number

WIDTH = 640
"""Pixels of a chart's plot, without its axes."""
RENDERER = "promptreel"
_SHARPER = 2  # pixels of the picture for each of the chart's
_VEGA_LITE = f"application/vnd.vegalite.{alt.SCHEMA_VERSION.partition('.')[0]}+json"
_OF_THE_PAGE = ("config", "autosize", "padding", "usermeta", "$schema")


def as_altair(chart: FilledChart, width: int = WIDTH) -> alt.LayerChart:
    """Return a chart of the dashboard as one that stands alone: shown, saved, changed and composed as any other."""
    number(width, "The width is", 1, MAX_WIDTH, InputError)
    spec = {name: value for name, value in chart.to_dict().items() if name not in _OF_THE_PAGE}
    text = json.dumps({**spec, "params": []})
    spec["params"] = [one for one in spec.get("params", []) if f'"param": {json.dumps(one["name"])}' in text]
    spec = json.loads(json.dumps({**spec, "width": width}), object_hook=_freed)
    made: alt.LayerChart = alt.LayerChart.from_dict(spec, validate=False)
    return made


def _freed(part: dict[str, Any]) -> dict[str, Any]:
    """Leave ticks of time to Vega: the page's are reckoned from names that scales don't have in composed charts."""
    if "labelExpr" in part and isinstance(part.get("values"), dict):
        del part["values"]
    return part


def _show(spec: dict[str, Any], **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    with alt.renderers.enable("png", scale_factor=_SHARPER):
        draw: Any = alt.renderers.get()
        picture, sizes = draw(spec)
    shown = {kind: {side: pixels / _SHARPER for side, pixels in size.items()} for kind, size in sizes.items()}
    return {_VEGA_LITE: spec, **picture, "text/plain": "an Altair chart"}, shown


alt.renderers.register(RENDERER, _show)
if alt.renderers.active == "default":
    alt.renderers.enable(RENDERER)
