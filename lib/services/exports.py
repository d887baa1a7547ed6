"""What a stored analysis can be handed on as: a file for each format, by its name.

The dashboard's downloads and the command ``export`` are made here.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pandas as pd
from PIL import Image

from lib.analysis.analysis import Analysis
from lib.analysis.segments import Segment
from lib.core.errors import InputError, PromptreelError
from lib.core.formatting import file_name, format_time
from lib.core.labelled_intervals import TrueSegment
from lib.core.spreadsheet import spreadsheet_csv
from lib.core.timecode import Timebase, timebase_of
from lib.engines.engine import Engine
from lib.ground_truth.writing import write_predictions, write_srt, write_truth
from lib.interchange.edl import check_events, write_edl, write_resolve_markers
from lib.interchange.elan import write_eaf
from lib.interchange.footage import Footage, footage
from lib.interchange.timeline import write_fcpxml, write_otio
from lib.media.contact_sheet import Tile, contact_sheet
from lib.services.stored_analysis import report
from lib.services.tables import analysis_table, as_parquet
from lib.services.video_files import start_timecode_of
from lib.store.embeddings import EmbeddingInfo
from lib.store.store import Store
from lib.store.videos import Video

_TILES_PER_LABEL = 6
_PARQUET = "application/vnd.apache.parquet"


@dataclass(frozen=True)
class StoredAnalysis:
    """A video of the store and what a prompt set finds in it."""

    store: Store
    video: Video
    info: EmbeddingInfo
    engine: Engine
    analysis: Analysis
    labels: tuple[str, ...] = ()
    """Those whose segments are exported; empty for all."""

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The segments that are exported."""
        return tuple(one for one in self.analysis.segments if not self.labels or one.label in self.labels)

    @property
    def segments_frame(self) -> pd.DataFrame:
        """The same as rows, as ``Analysis.segments_frame`` has them."""
        frame = self.analysis.segments_frame()
        return frame[frame["label"].isin(self.labels)] if self.labels else frame

    @property
    def title(self) -> str:
        """Name of the video, without its ending, and of the prompt set."""
        return f"{Path(self.video.name).stem}-{self.analysis.prompt_set.name}"


@dataclass(frozen=True)
class Format:
    """A kind of file."""

    title: str
    """For people."""
    ending: str
    """Of the file's name, behind the analysis's title."""
    mime: str
    make: Callable[[StoredAnalysis], str | bytes]
    notes: Callable[[StoredAnalysis], tuple[str, ...]] = lambda _: ()
    """What the format can't say of this video, one sentence each."""
    needs_pictures: bool = False


@dataclass(frozen=True)
class Export:
    """A file to be handed on."""

    file_name: str
    mime: str
    content: bytes
    notes: tuple[str, ...]
    """What the format can't say of this video, one sentence each."""


def export(analysis: StoredAnalysis, name: str) -> Export:
    """Return a stored analysis in the format of this name, one of ``FORMATS``.

    Raises:
        InputError: there is no such format, or the format can't hold this analysis.
    """
    kind = _format(name)
    if kind.needs_pictures and not has_pictures(analysis):
        raise InputError(f"No frame of {analysis.video.name} is at hand for a {kind.title}; choose another format.")
    content = kind.make(analysis)
    data = content.encode("utf-8", "replace") if isinstance(content, str) else content
    return Export(file_name(analysis.title, kind.ending), kind.mime, data, kind.notes(analysis))


def notes(analysis: StoredAnalysis, name: str) -> tuple[str, ...]:
    """Return what a format can't say of this video, one sentence each.

    Raises:
        InputError: there is no such format, or it can't hold this analysis.
    """
    return _format(name).notes(analysis)


def has_pictures(analysis: StoredAnalysis) -> bool:
    """Return whether there are frames to show: best or borderline ones of a label."""
    found = analysis.analysis
    return analysis.video.has_file and any(
        found.best_samples(label, 1) or found.borderline_samples(label, 1) for label in found.labels
    )


def _format(name: str) -> Format:
    if name not in FORMATS:
        raise InputError(f"There is no format {name!r}; choose one of {', '.join(FORMATS)}.")
    return FORMATS[name]


# --- what counts frames


def _rate(video: Video) -> Fraction:
    if not video.rate:
        raise InputError(
            f"How many frames per second {video.name} has is unknown, and this format counts in frames; choose one "
            "that counts in seconds, such as WebVTT or CSV."
        )
    return video.rate


def _start(analysis: StoredAnalysis) -> tuple[str | None, tuple[str, ...]]:
    try:
        return start_timecode_of(analysis.video), ()
    except PromptreelError:
        return None, ("The video’s file isn’t at hand, so its start timecode is unknown; 00:00:00:00 is taken.",)


def _timebase(analysis: StoredAnalysis, *, any_rate: bool = False) -> Timebase:
    video, (start, missing) = analysis.video, _start(analysis)
    timebase = timebase_of(_rate(video), variable=video.variable_rate, start_timecode=start, any_rate=any_rate)
    return replace(timebase, notes=(*missing, *timebase.notes))


def _footage(analysis: StoredAnalysis, *, any_rate: bool = False) -> Footage:
    video, found = analysis.video, analysis.analysis
    return footage(
        analysis.segments,
        found.labels,
        (found.samples.start_s, found.samples.end_s),
        _timebase(analysis, any_rate=any_rate),
        name=video.name,
        url=quote(video.name),
        title=analysis.title,
        size=(video.width, video.height),
    )


def _timecode_notes(analysis: StoredAnalysis) -> tuple[str, ...]:
    return _timebase(analysis).notes


def _frame_notes(analysis: StoredAnalysis) -> tuple[str, ...]:
    return _timebase(analysis, any_rate=True).notes


def _edl_notes(analysis: StoredAnalysis) -> tuple[str, ...]:
    check_events(len(analysis.segments))
    return _timecode_notes(analysis)


def _resolve(analysis: StoredAnalysis) -> str:
    return write_resolve_markers(_footage(analysis), has_start=_start(analysis)[0] is not None)


def _resolve_notes(analysis: StoredAnalysis) -> tuple[str, ...]:
    timebase = _timebase(analysis)
    begins = timebase.timecode(0) if _start(analysis)[0] is not None else "01:00:00:00"
    return (*timebase.notes, f"The timeline that the markers are imported into must begin at {begins} with the video.")


def _label_studio_notes(analysis: StoredAnalysis) -> tuple[str, ...]:
    rate = float(_rate(analysis.video))
    said = f"Label Studio counts {rate:.6g} frames a second; set frameRate of its Video tag to that."
    varies = f"The video’s rate varies, so frames in Label Studio are counted at the average of {rate:.6g} a second."
    return (said, varies) if analysis.video.variable_rate else (said,)


# --- the others


def _true(segment: Segment) -> TrueSegment:
    return TrueSegment(segment.label, segment.start_s, segment.end_s)


def _predictions(analysis: StoredAnalysis) -> str:
    model = f"{analysis.engine.name}, {analysis.analysis.prompt_set.name}"
    scored = [(_true(one), one.mean_score) for one in analysis.segments]
    return write_predictions(scored, video=analysis.video.name, rate=_rate(analysis.video), model=model)


def _document(analysis: StoredAnalysis) -> str:
    document = report(analysis.store, analysis.video, analysis.info, analysis.engine, analysis.analysis, shots=True)
    return json.dumps(document, indent=2)


def _parquet(analysis: StoredAnalysis, *, vectors: bool = False) -> bytes:
    of = (analysis.store, analysis.video, analysis.info, analysis.engine, analysis.analysis)
    return as_parquet(analysis_table(*of, vectors=vectors))


def _eaf(analysis: StoredAnalysis) -> str:
    labels = [one for one in analysis.analysis.labels if not analysis.labels or one in analysis.labels]
    return write_eaf(analysis.segments, labels, url=quote(analysis.video.name))


def _contact_sheet(analysis: StoredAnalysis) -> bytes:
    """Return the best and borderline frames of every label as one JPEG."""
    tiles: list[Tile] = []
    found = analysis.analysis
    for column, label in enumerate(found.labels):
        for kind, indices in (
            ("best", found.best_samples(label, _TILES_PER_LABEL)),
            ("borderline", found.borderline_samples(label, _TILES_PER_LABEL)),
        ):
            frames = [int(found.samples.frames[index]) for index in indices]
            pictures = analysis.store.thumbnails(analysis.info.key, frames)
            for index, frame in zip(indices, frames, strict=True):
                if frame in pictures:
                    time = format_time(float(found.samples.times_s[index]))
                    score = float(found.scores[index, column])
                    image = np.asarray(Image.open(io.BytesIO(pictures[frame])).convert("RGB"))
                    tiles.append(Tile(image, label, f"{kind}, {time}, {score:.3f}"))
    return contact_sheet(tiles, columns=_TILES_PER_LABEL)


FORMATS: Mapping[str, Format] = {
    "segments-csv": Format(
        "Segments, CSV", "-segments.csv", "text/csv", lambda one: spreadsheet_csv(one.segments_frame)
    ),
    "samples-csv": Format(
        "Samples, CSV", "-samples.csv", "text/csv", lambda one: spreadsheet_csv(one.analysis.samples_frame())
    ),
    "samples-parquet": Format("Samples, Parquet", "-samples.parquet", _PARQUET, _parquet),
    "vectors-parquet": Format(
        "Samples with their vectors, Parquet", "-vectors.parquet", _PARQUET, lambda one: _parquet(one, vectors=True)
    ),
    "shots-csv": Format(
        "Shots, CSV", "-shots.csv", "text/csv", lambda one: spreadsheet_csv(one.analysis.shots_frame())
    ),
    "analysis-json": Format("Analysis, JSON", ".json", "application/json", _document),
    "prompts-yaml": Format(
        "Prompt set, YAML", ".prompts.yaml", "application/yaml", lambda one: one.analysis.prompt_set.to_yaml()
    ),
    "contact-sheet": Format("Contact sheet, JPEG", "-frames.jpg", "image/jpeg", _contact_sheet, needs_pictures=True),
    "otio": Format(
        "OpenTimelineIO: markers and tracks",
        ".otio",
        "application/json",
        lambda one: write_otio(_footage(one, any_rate=True)),
        _frame_notes,
    ),
    "edl": Format(
        "EDL (CMX 3600): segments in a row",
        ".edl",
        "text/plain",
        lambda one: write_edl(_footage(one)),
        _edl_notes,
    ),
    "fcpxml": Format(
        "Final Cut Pro XML: markers and keywords",
        ".fcpxml",
        "application/xml",
        lambda one: write_fcpxml(_footage(one)),
        _timecode_notes,
    ),
    "resolve": Format("DaVinci Resolve: timeline markers", "-markers.edl", "text/plain", _resolve, _resolve_notes),
    "vtt": Format("WebVTT: chapters", ".vtt", "text/vtt", lambda one: write_truth([*map(_true, one.segments)], "vtt")),
    "srt": Format(
        "SubRip: subtitles",
        ".srt",
        "application/x-subrip",
        lambda one: write_srt([*map(_true, one.segments)]),
    ),
    "eaf": Format("ELAN: a tier for each label", ".eaf", "application/xml", _eaf),
    "label-studio": Format(
        "Label Studio: predictions", "-predictions.json", "application/json", _predictions, _label_studio_notes
    ),
}
"""By the name that ``export`` takes, in the order of menus."""
