"""Which frames of a video are sampled, exactly (rates are fractions), and what of them the model sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from types import MappingProxyType
from typing import Literal, get_args

from lib.core.errors import InputError
from lib.core.validation import bounded_fraction, bounded_int, written

Framing = Literal["centre", "whole"]
"""What of a frame a model sees: its centre square, or all of it, squashed to a square."""
FRAMING_NAMES: Mapping[Framing, str] = MappingProxyType({"centre": "Centre square", "whole": "Whole frame"})
"""Words for people."""
FRAMINGS: tuple[Framing, ...] = get_args(Framing)
DEFAULT_STRIDE = 10
MAX_STRIDE = 1_000_000_000
_LARGEST = 10**12  # of what is a number at all


@dataclass(frozen=True)
class Sampling:
    """Which frames are embedded: every ``value``-th, or the first at or after each ``k / value`` seconds."""

    kind: Literal["stride", "fps"]
    value: Fraction
    framing: Framing | None = None
    """What of a frame the model sees; None for what it sees by itself."""

    def __post_init__(self) -> None:
        if self.kind not in ("stride", "fps"):
            raise InputError(f"Sampling kind {self.kind!r} is unknown; use 'stride' or 'fps'.")
        if self.framing not in (None, *FRAMINGS):
            raise InputError(f"Framing {written(self.framing)} is unknown; use {' or '.join(FRAMINGS)}.")
        if abs(self.value) > _LARGEST:
            raise InputError("So large a number can't be used for sampling; try a stride of 10.")
        if self.kind == "stride" and self.value > MAX_STRIDE:
            raise InputError(f"A stride is a whole number from 1 to {MAX_STRIDE:,}, not {float(self.value):g}; try 10.")
        if self.kind == "stride" and (self.value.denominator != 1 or self.value < 1):
            raise InputError(f"A stride is a whole number of 1 or more, not {float(self.value):g}; try 10.")
        if self.kind == "fps" and not Fraction(1, 3600) <= self.value <= 240:
            raise InputError(
                f"{float(self.value):g} samples per second can't be used; choose between 1/3600 and 240, for example 3."
            )

    @classmethod
    def every(cls, stride: int | str = DEFAULT_STRIDE) -> Sampling:
        """Return the sampling that takes every ``stride``-th frame."""
        value = bounded_int(stride, -_LARGEST, _LARGEST)
        if value is None:
            raise InputError(f"{written(stride)} is not a whole number of 1 or more; try 10.")
        return cls("stride", Fraction(value))

    @classmethod
    def per_second(cls, fps: float | str | Fraction) -> Sampling:
        """Return the sampling of ``fps`` frames per second; a float such as 0.1 is read as its decimal."""
        value = bounded_fraction(fps, -_LARGEST, _LARGEST)
        if value is None:
            raise InputError(f"{written(fps)} is no number of samples per second; write one such as 3 or 0.5.")
        return cls("fps", value)

    @classmethod
    def from_key(cls, key: str) -> Sampling:
        """Return the sampling that ``key`` was made from."""
        kind, _, rest = key.partition("-")
        text, dash, framing = rest.partition("-")
        value = bounded_fraction(text.replace("_", "/"), 0, _LARGEST)
        framings: list[Framing | None] = [one for one in FRAMINGS if one == framing] if dash else [None]
        if kind not in ("stride", "fps") or value is None or not framings:
            raise InputError(f"{written(key)} is no sampling; write for example 'stride-10' or 'fps-3'.")
        return cls("stride" if kind == "stride" else "fps", value, framings[0])

    def framed(self, framing: Framing | None) -> Sampling:
        """Return the same with another framing, None for what the model sees by itself."""
        return replace(self, framing=framing)

    @property
    def key(self) -> str:
        """Short text that stands for this sampling in keys: ``stride-10``, ``fps-30000_1001``, ``fps-3-whole``."""
        return f"{self.kind}-{str(self.value).replace('/', '_')}" + (f"-{self.framing}" if self.framing else "")

    @property
    def description(self) -> str:
        """Words for people: ``every 10 frames``, ``3 per second, whole frame``."""
        return self._rate + (f", {FRAMING_NAMES[self.framing].lower()}" if self.framing else "")

    @property
    def _rate(self) -> str:
        if self.kind == "fps":
            return f"{float(self.value):g} per second"
        n = int(self.value)
        return "every frame" if n == 1 else f"every {n:,} frames"
