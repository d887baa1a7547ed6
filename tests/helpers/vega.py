"""Finding parts of a Vega-Lite specification."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def parts(spec: Any) -> Iterator[dict[str, Any]]:
    """Yield every mapping in a specification, but none of its data."""
    if isinstance(spec, dict):
        yield spec
        for key, value in spec.items():
            if key not in ("data", "config"):
                yield from parts(value)
    elif isinstance(spec, list):
        for value in spec:
            yield from parts(value)


def layer(spec: dict[str, Any], mark: str, field: str) -> dict[str, Any]:
    """Return the one layer with this mark that encodes ``field``."""
    matching = [
        part
        for part in parts(spec)
        if isinstance(part.get("mark"), dict)
        and part["mark"]["type"] == mark
        and field in {channel.get("field") for channel in part["encoding"].values() if isinstance(channel, dict)}
    ]
    assert len(matching) == 1, f"{len(matching)} layers"
    return matching[0]


def rows(part: dict[str, Any]) -> list[dict[str, Any]]:
    values: list[dict[str, Any]] = part["data"]["values"]
    return values


def without_data(spec: Any) -> Any:
    """Return the specification with every table's content left out."""
    if isinstance(spec, dict):
        return {key: None if key == "data" else without_data(value) for key, value in spec.items()}
    return [without_data(value) for value in spec] if isinstance(spec, list) else spec
