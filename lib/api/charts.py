"""Charts that display themselves in a notebook, without a network."""

from __future__ import annotations

from typing import Any

import altair as alt

from lib.charts.templates import FilledChart

WIDTH = 760
"""Pixels of a chart in a notebook; the dashboard's fill their column."""

_SHARPER = 2  # pixels of the picture for each of the chart's
_VEGA_LITE = f"application/vnd.vegalite.{alt.SCHEMA_VERSION.partition('.')[0]}+json"


class Chart(FilledChart):
    """An Altair chart, finished: to be shown, saved (``save("scores.html")``, ``.png``, ``.svg``) or taken as JSON.

    In a notebook it is both a picture and a Vega-Lite specification with tooltips, of which the front end shows what it
    can, with no script from elsewhere; with a renderer of your own choice (``altair.renderers.enable``) it is what that
    makes of it. ``altair.Chart.from_dict(chart.to_dict())`` is one that can be changed and composed.
    """

    @classmethod
    def of(cls, chart: FilledChart, width: int = WIDTH) -> Chart:
        """Return a chart of the dashboard, ``width`` pixels wide."""
        return cls(chart.at_width(width).text, chart.tables)

    def _repr_mimebundle_(self, *args: Any, **options: Any) -> Any:
        if alt.renderers.active != "default":
            return super()._repr_mimebundle_(*args, **options)
        with alt.renderers.enable("png", scale_factor=_SHARPER):
            made: Any = super()._repr_mimebundle_()
        picture, sizes = made
        shown = {kind: {side: pixels / _SHARPER for side, pixels in size.items()} for kind, size in sizes.items()}
        return {_VEGA_LITE: self.to_dict(), **picture, "text/plain": "an Altair chart"}, shown
