"""Charts filled with tables."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from lib.analysis.analysis import Analysis
from lib.charts import templates, timeline
from lib.charts.data import chart_data
from tests.helpers.vega import parts

COLOURS = {"a": "#111111", "b": "#222222", "c": "#333333"}


def test_tables_go_through_the_active_data_transformer(analysis: Analysis) -> None:
    seen: list[pd.DataFrame] = []

    def keep(table: pd.DataFrame) -> dict[str, str]:
        seen.append(table)
        return {"name": f"table {len(seen)}"}

    chart = timeline.scores_chart(chart_data(analysis), COLOURS, band=(0.1, 0.2))
    alt.data_transformers.register("keep", keep)
    try:
        with alt.data_transformers.enable("keep"):
            spec = chart.to_dict()
    finally:
        alt.data_transformers.register("keep", None)
    assert [id(table) for table in seen] == [id(chart.tables[name]) for name in _order(spec, chart, seen)]
    assert len(seen) == len(chart.tables) == 10


def _order(spec: dict[str, Any], chart: templates.FilledChart, seen: list[pd.DataFrame]) -> list[str]:
    by_identity = {id(table): name for name, table in chart.tables.items()}
    names = [part["data"]["name"] for part in parts(spec) if "data" in part]
    assert names == [f"table {i}" for i in range(1, len(names) + 1)]
    return [by_identity[id(table)] for table in seen]
