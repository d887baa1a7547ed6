"""What a search asks for, beside its query."""

from __future__ import annotations

from dataclasses import dataclass, field

from lib.core.errors import InputError


@dataclass(frozen=True)
class Rules:
    """How hits become moments. Times are compared with spans of samples, so they hold at any sampling."""

    bridge_s: float = 1.0
    """Gaps between hits shorter than this are bridged. A gap lasts from the end of one hit's span to the start of
    the next hit; neighbouring samples have none, however far apart they are sampled."""
    drop_lone: bool = False
    """Whether a hit that stays alone after bridging is dropped."""
    fold: float | None = 0.98
    """Moments whose best samples' vectors have at least this cosine are one result; None folds nothing."""


MAX_MOMENTS = 1_000_000
"""That can be asked for."""
TEMPLATE_THRESHOLD = 0.25
"""A cosine; the template knows no other score."""
TEMPLATE_RULES = Rules(bridge_s=1.0, drop_lone=True, fold=None)
"""The rule set of Roboflow's video search template: gaps under a second bridged, lone hits dropped.

The template compares the distance of two *samples* with its second, so at one sample per second it bridges nothing and
drops everything; here a gap is what lies between two spans, and neighbours always belong together."""


@dataclass(frozen=True)
class SearchOptions:
    """Which videos are searched, and which moments are returned.

    Raises:
        InputError: ``top`` or ``per_video`` is less than 1.
    """

    videos: tuple[str, ...] | None = None
    """SHA-256 of the videos to search; None searches all."""
    threshold: float | None = None
    """Score that a sample needs to be a hit. None: each moment reaches from its best sample as far as scores stay
    above 0.7 of that sample's height over the library's median (``lib.search.moments.WIDTH_AT``)."""
    top: int = 20
    """Moments at most."""
    per_video: int | None = None
    """Moments of one video at most; None: any number."""
    rules: Rules = field(default_factory=Rules)
    exact: bool | None = None
    """True compares every sample, False asks the index where there is one; None decides by size."""
    origin: tuple[str, float] | None = None
    """Video (SHA-256) and time in seconds of the sample that the query was made of, for "more like this": the moment
    around it is left out."""

    def __post_init__(self) -> None:
        if self.top < 1 or (self.per_video is not None and self.per_video < 1):
            raise InputError("A search shows at least one moment, of the library and of a video; ask for 1 or more.")
