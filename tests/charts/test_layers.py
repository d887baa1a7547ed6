"""Labels and ticks of the time axis."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from lib.charts.layers import time_label, time_ticks
from lib.core.formatting import format_time


def vega(expression: str, **names: Any) -> Any:
    """Return the value of a Vega expression that means the same in Python, given Vega's functions."""
    functions = {
        "floor": math.floor,
        "ceil": math.ceil,
        "round": lambda value: math.floor(value + 0.5),
        "max": max,
        "format": format,
        "sequence": lambda start, stop, step: np.arange(start, stop, step).tolist(),
    }
    return eval(expression, {"__builtins__": {}}, {**functions, **names})


@pytest.mark.parametrize(
    "seconds", [0, 0.04, 7.12, 59.94, 59.96, 60, 83.5, 599.99, 3599.94, 3599.96, 3600, 3725.26, 36_000.5]
)
def test_the_time_axis_is_labelled_as_times_are_written_everywhere(seconds: float) -> None:
    assert vega(time_label("value"), value=seconds) == format_time(seconds)


@pytest.mark.parametrize(
    ("low", "high", "width", "step"),
    [
        (0, 17.5, 1000, 2),
        (0, 835, 1000, 120),
        (0, 3600, 1000, 600),
        (157, 198.7, 1000, 5),
        (10, 10.4, 1000, 0.1),
        (0, 86_400, 500, 14_400),
    ],
)
def test_time_ticks_are_at_round_times(low: float, high: float, width: int, step: float) -> None:
    ticks = vega(time_ticks(), domain={"x": (low, high)}.__getitem__, width=width)
    assert 2 <= len(ticks) <= 14
    assert np.diff(ticks) == pytest.approx(step)
    assert all(low <= tick <= high for tick in ticks)
    assert np.allclose(np.array(ticks) / step, np.round(np.array(ticks) / step))
