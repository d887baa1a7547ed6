"""How fast each engine embedded on this machine, for the estimate before a start."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from lib.core.errors import StoreError
from lib.infra.documents import read_document
from lib.infra.files import write_atomically

_MOST_ENGINES = 100
_LEAST_SAMPLES, _LEAST_S = 8, 0.5  # a shorter run is mostly start


def speed_of(home: Path, engine_id: str) -> float | None:
    """Return samples per second of the last run with an engine in this home; None where that isn't known."""
    return _speeds(home).get(engine_id)


def remember_speed(home: Path, engine_id: str, samples: int, seconds: float) -> None:
    """Keep the speed of a run; a run that was too short to tell, or a home that can't be written, changes nothing."""
    if samples < _LEAST_SAMPLES or seconds < _LEAST_S:
        return
    speeds = _speeds(home)
    speeds.pop(engine_id, None)
    speeds[engine_id] = round(samples / seconds, 3)
    last = dict(list(speeds.items())[-_MOST_ENGINES:])
    with suppress(StoreError, OSError):
        write_atomically(_path(home), json.dumps(last).encode())


def _speeds(home: Path) -> dict[str, float]:
    def make(data: dict[str, object]) -> dict[str, float]:
        return {name: float(speed) for name, speed in data.items() if isinstance(speed, int | float) and speed > 0}

    with suppress(StoreError):  # damaged or unreadable: it is measured again
        return read_document(_path(home), make) or {}
    return {}


def _path(home: Path) -> Path:
    return home / "speeds.json"
