"""Clips of a video: its segments cut out, as files in a folder or a zip or as one reel, and annotated ones."""

from __future__ import annotations

import tempfile
import threading
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from lib.analysis.analysis import Analysis
from lib.analysis.segments import Segment
from lib.core.errors import InputError, VideoError
from lib.core.formatting import file_name, format_time, plural
from lib.core.spreadsheet import spreadsheet_csv
from lib.infra.files import atomic_file
from lib.media.annotated_clip import annotated_clip
from lib.media.cutting import CutPart, cut
from lib.media.drawing import Caption

MOST_CLIPS = 1_000
"""Most segments that are cut out at a time."""
MOST_PADDING_S = 3_600.0
TABLE = "clips.csv"
"""In a zip: one row per file."""

OnProgress = Callable[[float, float | None], None]


@dataclass(frozen=True)
class CutOut:
    """Which segments are cut out, and how."""

    label: str | None = None
    """Of the segments; None for those of all labels but backgrounds."""
    padding_s: float = 0.0
    """How much earlier and later they are cut, in seconds, within the video."""
    widen: bool = False
    """Whether they may begin earlier and end later, so that nothing is encoded again."""

    def segments(self, analysis: Analysis) -> list[Segment]:
        """Return the segments, in order of time.

        Raises:
            InputError: there are none, or too many, or the padding is out of range.
        """
        if not 0 <= self.padding_s <= MOST_PADDING_S:
            raise InputError(f"The padding can't be {self.padding_s:g} s; choose 0 to {MOST_PADDING_S:g} s.")
        rest = {prompt.label for prompt in analysis.prompts if prompt.role == "background"}
        found = [
            one
            for one in analysis.segments
            if one.label == self.label or (self.label is None and one.label not in rest)
        ]
        of = "" if self.label is None else f" of “{self.label}”"
        if not found:
            raise InputError(f"There is no segment{of} to cut out; lower the threshold or choose another label.")
        if len(found) > MOST_CLIPS:
            raise InputError(
                f"There are {len(found):,} segments{of}, and {MOST_CLIPS:,} at most are cut out at a time; merge gaps, "
                "or ask for a longer minimum duration."
            )
        return sorted(found, key=lambda one: (one.start_s, one.end_s))

    def span(self, segment: Segment, analysis: Analysis) -> tuple[float, float]:
        """Return what is cut out of a segment, in seconds."""
        samples = analysis.samples
        return max(samples.start_s, segment.start_s - self.padding_s), min(
            samples.end_s, segment.end_s + self.padding_s
        )


@dataclass(frozen=True)
class ClipFile:
    """A segment and the file that it was cut into."""

    path: Path
    segment: Segment
    part: CutPart


def cut_files(
    source: Path,
    folder: Path,
    stem: str,
    analysis: Analysis,
    wanted: CutOut,
    *,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
    done: Callable[[ClipFile], object] | None = None,
) -> list[ClipFile]:
    """Cut segments out of a video, each into a file of ``folder`` named after ``stem``, its label and its time.

    ``done`` is called with each file; ``on_progress`` with the seconds written, and in total.

    Raises:
        InputError, SettingsError: there is nothing that can be cut out.
        VideoError: the video can't be read, or a file not be written.
        Cancelled: ``cancel`` was set; the files that are whole stay.
    """
    segments = wanted.segments(analysis)
    spans = [wanted.span(segment, analysis) for segment in segments]
    total_s, before_s = sum(end_s - start_s for start_s, end_s in spans), 0.0
    digits = len(str(len(segments)))
    written = []
    for number, (segment, span) in enumerate(zip(segments, spans, strict=True), start=1):
        time = format_time(segment.start_s).replace(":", ".")
        path = folder / file_name(f"{stem}-{segment.label}", f"-{number:0{digits}}-{time}.mp4")
        tell = partial(_tell, on_progress, before_s, total_s)
        (part,) = cut(source, path, [span], widen=wanted.widen, on_progress=tell, cancel=cancel)
        written.append(ClipFile(path, segment, part))
        before_s += span[1] - span[0]
        if done is not None:
            done(written[-1])
    return written


def _tell(on_progress: OnProgress | None, before_s: float, total_s: float, done_s: float, _: float | None) -> None:
    if on_progress is not None:
        on_progress(before_s + done_s, total_s)


def cut_zip(
    source: Path,
    target: Path,
    stem: str,
    analysis: Analysis,
    wanted: CutOut,
    *,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
) -> list[ClipFile]:
    """Do as ``cut_files``, into a zip file that appears whole or not at all, with a table of its files."""
    try:
        with (
            atomic_file(target) as temporary,
            tempfile.TemporaryDirectory(prefix=".clips-", dir=target.parent) as folder,
            zipfile.ZipFile(temporary, "w") as archive,  # stored: videos are compressed already
        ):

            def add(clip: ClipFile) -> None:
                archive.write(clip.path, clip.path.name)
                clip.path.unlink()

            clips = cut_files(
                source, Path(folder), stem, analysis, wanted, on_progress=on_progress, cancel=cancel, done=add
            )
            archive.writestr(TABLE, clips_csv(clips))
            return clips
    except OSError as error:
        raise VideoError(
            f"{target.name} can't be written ({error.strerror}); check that folder and its disk."
        ) from error


def cut_reel(
    source: Path,
    target: Path,
    analysis: Analysis,
    wanted: CutOut,
    *,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
) -> list[CutPart]:
    """Cut segments out of a video into one file, one behind the other; what overlaps is shown once.

    Raises: as ``cut_files``.
    """
    spans: list[tuple[float, float]] = []
    for start_s, end_s in sorted(wanted.span(segment, analysis) for segment in wanted.segments(analysis)):
        if spans and start_s <= spans[-1][1]:
            spans[-1] = spans[-1][0], max(end_s, spans[-1][1])
        else:
            spans.append((start_s, end_s))
    return cut(source, target, spans, widen=wanted.widen, on_progress=on_progress, cancel=cancel)


def clips_csv(clips: Sequence[ClipFile]) -> bytes:
    """Return a table of the files: their segments, what was cut out of the video, and whether that is a copy."""
    import pandas as pd

    rows = [
        {
            "file": clip.path.name,
            "label": clip.segment.label,
            "start_s": clip.segment.start_s,
            "end_s": clip.segment.end_s,
            "cut_start_s": clip.part.start_s,
            "cut_end_s": clip.part.end_s,
            "copied": clip.part.copied,
        }
        for clip in clips
    ]
    return spreadsheet_csv(pd.DataFrame(rows))


def in_words(parts: Sequence[CutPart]) -> str:
    """Return how many parts were copied and how many encoded again, in one sentence."""
    copied = sum(part.copied for part in parts)
    length = sum(part.end_s - part.start_s for part in parts)
    how = (
        "copied without encoding" if copied == len(parts)
        else "encoded again, exact to the frame" if not copied
        else f"{copied:,} of them copied, the others encoded again, exact to the frame"
    )  # fmt: skip
    return f"{plural(len(parts), 'part')} of {length:,.1f} s in all, {how}."


def annotate(
    source: Path,
    target: Path,
    analysis: Analysis,
    colours: Mapping[str, str],
    window: tuple[float, float] | None,
    *,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
) -> None:
    """Write a part of a video, or all of it, with the labels that are found and their scores drawn in.

    Raises: as ``lib.media.annotated_clip.annotated_clip``.
    """
    start_s, end_s = window or (analysis.samples.start_s, analysis.samples.end_s)
    captions = partial(_captions, analysis, colours)
    annotated_clip(source, target, captions, start_s=start_s, end_s=end_s, on_progress=on_progress, cancel=cancel)


def _captions(analysis: Analysis, colours: Mapping[str, str], time_s: float) -> list[Caption]:
    """Return the captions at a time in seconds: the active labels of the sample shown then."""
    index = int(np.searchsorted(analysis.samples.times_s, time_s, side="right")) - 1
    if index < 0:
        return []
    return [
        Caption(label, float(analysis.scores[index, column]), colours[label])
        for column, label in enumerate(analysis.labels)
        if analysis.active[index, column]
    ]
