"""Which frames of a video are sampled, exactly: rates are fractions."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from lib.core.errors import InputError

DEFAULT_STRIDE = 10


@dataclass(frozen=True)
class Sampling:
    """Which frames are embedded: every ``value``-th, or the first at or after each ``k / value`` seconds."""

    kind: Literal["stride", "fps"]
    value: Fraction

    def __post_init__(self) -> None:
        if self.kind not in ("stride", "fps"):
            raise InputError(f"Sampling kind {self.kind!r} is unknown; use 'stride' or 'fps'.")
        if self.kind == "stride" and (self.value.denominator != 1 or self.value < 1):
            raise InputError(f"A stride is a whole number of 1 or more, not {float(self.value):g}; try 10.")
        if self.kind == "fps" and not Fraction(1, 3600) <= self.value <= 240:
            raise InputError(
                f"{float(self.value):g} samples a second can't be used; choose between 1/3600 and 240, for example 3."
            )

    @classmethod
    def every(cls, stride: int = DEFAULT_STRIDE) -> Sampling:
        """Return the sampling that takes every ``stride``-th frame."""
        return cls("stride", Fraction(stride))

    @classmethod
    def per_second(cls, fps: float | str | Fraction) -> Sampling:
        """Return the sampling of ``fps`` frames a second; a float such as 0.1 is read as its decimal."""
        try:
            value = fps if isinstance(fps, Fraction) else Fraction(str(fps))
        except (ValueError, ZeroDivisionError) as error:
            message = f"{fps!r} is no number of samples a second; write one such as 3 or 0.5."
            raise InputError(message) from error
        return cls("fps", value)

    @classmethod
    def from_key(cls, key: str) -> Sampling:
        """Return the sampling that ``key`` was made from."""
        kind, _, value = key.partition("-")
        try:
            if kind not in ("stride", "fps"):
                raise ValueError(kind)
            return cls("stride" if kind == "stride" else "fps", Fraction(value.replace("_", "/")))
        except (ValueError, ZeroDivisionError) as error:
            raise InputError(f"{key!r} is no sampling; write for example 'stride-10' or 'fps-3'.") from error

    @property
    def key(self) -> str:
        """Short text that stands for this sampling in keys: ``stride-10``, ``fps-3``, ``fps-30000_1001``."""
        return f"{self.kind}-{str(self.value).replace('/', '_')}"

    @property
    def description(self) -> str:
        """Words for people: ``every 10th frame``, ``3 a second``."""
        if self.kind == "fps":
            return f"{float(self.value):g} a second"
        n = int(self.value)
        if n == 1:
            return "every frame"
        suffix = "th" if n % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
        return f"every {n}{suffix} frame"
