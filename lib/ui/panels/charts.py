"""Charts on a page: their tables are converted to what is sent once, as most of them are the same with each edit."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pandas as pd
import pyarrow as pa
import streamlit as st

from lib.charts.templates import FilledChart


def draw(chart: FilledChart, **options: Any) -> None:
    """Draw a chart; ``options`` are those of ``st.altair_chart``."""
    st.altair_chart(chart.converted(lambda table: _as_arrow(_Same(table))), **options)


class _Same:
    """A table that is equal to itself alone: told apart without a look at what is in it."""

    def __init__(self, table: pd.DataFrame) -> None:
        self.table = table

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.table is other.table

    def __hash__(self) -> int:
        return id(self.table)


@lru_cache(maxsize=64)
def _as_arrow(same: _Same) -> pa.Table:
    return pa.Table.from_pandas(same.table)
