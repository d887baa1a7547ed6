"""Ground truth of stored videos: what was saved, else what the annotation file beside the video says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from lib.core.errors import InputError
from lib.core.labelled_intervals import TrueSegment, moved
from lib.ground_truth.parsing import parse_truth
from lib.services.documents import merge_value
from lib.store.sidecar import read_sidecar, sidecar_path
from lib.store.store import Store
from lib.store.videos import Video

Truth = tuple[TrueSegment, ...]


@dataclass(frozen=True)
class VideoTruth:
    """What is known to be in a video."""

    segments: Truth = ()
    """In order of time."""
    problems: tuple[str, ...] = ()
    """One sentence for each thing in the annotation file that was left out or taken for granted."""
    saved: bool = False
    """Whether it was saved in the store; the annotation file doesn't count then."""


def video_truth(store: Store, video: Video) -> VideoTruth:
    """Return the ground truth of a video.

    Raises:
        StoreDamagedError: what was saved can't be read; ``change_truth`` keeps it aside and begins anew.
    """
    saved = store.saved_truth(video.sha256)
    return _beside(video) if saved is None else VideoTruth(saved, saved=True)


def change_truth(store: Store, video: Video, change: Callable[[Truth], Sequence[TrueSegment]]) -> Truth:
    """Save ``change`` of the present ground truth; see ``Store.change_truth``."""
    return store.change_truth(video, change, lambda: _beside(video).segments)


def take_back(store: Store, video: Video, *, before: Truth | None, after: Truth | None) -> None:
    """Take back a change of the stored ground truth, of which None means that nothing is stored; see ``Store``.

    What others have changed since stays.
    """
    if before is None and store.forget_truth(video.sha256, only=after):
        return
    beside = _beside(video).segments
    base, ours = (beside if one is None else one for one in (after, before))

    def back(present: Truth) -> Sequence[TrueSegment]:
        gone, come = (set(one) - set(other) for one, other in ((base, ours), (ours, base)))
        edge = moved(present, gone.pop(), come.pop()) if len(gone) == len(come) == 1 else None
        return merge_value(base, ours, present)[0] if edge is None else edge

    store.change_truth(video, back, lambda: beside)


def annotation_file(
    video: Path,
    *,
    name: str | None = None,
    end_s: float | None = None,
    rate: Fraction | float | None = None,
) -> VideoTruth:
    """Return what the annotation file beside the file ``video`` says; a file that can't be used is one problem.

    Args:
        video: path of the video; an empty one has no annotation file.
        name: of the video, where it isn't the file's.
        end_s: end of the video in seconds, to cut what lies beyond.
        rate: its frames per second, for annotations in frames.
    """
    path = sidecar_path(video)
    try:
        data = read_sidecar(video)
        if path is None or data is None:
            return VideoTruth()
        parsed = parse_truth(data, name=path.name, end_s=end_s, rate=rate, video=name or video.name)
    except InputError as error:
        return VideoTruth(problems=(str(error),))
    return VideoTruth(parsed.segments, tuple(f"{path.name}: {problem}" for problem in parsed.problems))


def _beside(video: Video) -> VideoTruth:
    return annotation_file(video.path, name=video.name, end_s=video.end_s, rate=video.rate)
