"""What is found: of one prompt set, of two side by side, against ground truth, and by a search."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd
import pyarrow as pa

from lib.analysis.analysis import Analysis
from lib.api.arguments import MAX_SECONDS, all_checked, checked, segments
from lib.api.charts import WIDTH, as_altair
from lib.api.files import warn, write
from lib.charts import comparison as comparison_charts
from lib.charts import evaluation as evaluation_charts
from lib.charts import timeline
from lib.charts.data import ChartData, chart_data
from lib.charts.palette import Colour, label_colours
from lib.comparison import comparison as comparisons
from lib.core.errors import InputError
from lib.core.formatting import format_time, plural
from lib.core.labelled_intervals import TrueSegment
from lib.core.validation import number
from lib.engines.engine import Engine
from lib.evaluation import evaluation as evaluations
from lib.evaluation.bootstrap import OverallDifference, overall_difference
from lib.evaluation.overall import Overall, overall
from lib.evaluation.verdict import Verdict, verdict
from lib.services.exports import StoredAnalysis, export
from lib.services.ground_truth import video_truth
from lib.services.reports import About, Side, report_name, report_of_comparison, report_of_video
from lib.services.search import Moment, SearchResult
from lib.services.stored_analysis import report as analysis_document
from lib.services.tables import analysis_table
from lib.store.embeddings import EmbeddingInfo
from lib.store.store import Store
from lib.store.videos import Video

_SEED = 0
"""Of the bootstrap, as the command line has it: the same intervals every time."""


@all_checked
@dataclass(frozen=True, eq=False)
class Result:
    """What a prompt set finds in one embedded video; in a notebook it shows its answers.

    ``analysis`` has everything as arrays: scores ``(n, p)``, labels of samples, segments, metrics, shots and effects
    (``lib.analysis.analysis.Analysis``).
    """

    store: Store
    engine: Engine
    video: Video
    info: EmbeddingInfo
    analysis: Analysis

    def __repr__(self) -> str:
        return f"Result({self.video.name!r}, {self.analysis.prompt_set.name!r}: {'; '.join(self.answers)})"

    def _repr_html_(self) -> str:
        rows = {"answer": self.analysis.answers, "role": [prompt.role for prompt in self.analysis.prompts]}
        return _table(pd.DataFrame(rows, index=list(self.labels)))

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the enabled prompts, in order."""
        return self.analysis.labels

    @property
    def answers(self) -> tuple[str, ...]:
        """One per label: whether it is there, how long, and when first: ``shipyard: 3.4 s, 20 %, first 0:10.0``."""
        return tuple(f"{label}: {said}" for label, said in zip(self.labels, self.analysis.answers, strict=True))

    @property
    def metrics(self) -> pd.DataFrame:
        """One row per label: role, present, first_seen_s, duration_s, share (0 to 1), scores …; NaN for none."""
        return self.analysis.metrics_frame()

    @property
    def segments(self) -> pd.DataFrame:
        """One row per segment: label, start_s, end_s, mean_score, peak_score, peak_s."""
        return self.analysis.segments_frame()

    @property
    def shots(self) -> pd.DataFrame:
        """One row per shot: start_s, end_s, label (None without), mean_score."""
        return self.analysis.shots_frame()

    @property
    def samples(self) -> pd.DataFrame:
        """One row per sample: frame, time_s, label (None without), and a column of smoothed scores per label."""
        return self.analysis.samples_frame()

    def to_dict(self, *, samples: bool = False, shots: bool = False) -> dict[str, Any]:
        """Return plain types with all that gives the same numbers again: what ``analyze --json`` prints."""
        return analysis_document(
            self.store, self.video, self.info, self.engine, self.analysis, samples=samples, shots=shots
        )

    def table(self, *, vectors: bool = False) -> pa.Table:
        """Return one row per sample as an Arrow table: frame, time_s, end_s, label, labels, a score per label.

        With ``vectors`` also the unit vectors, float32 of the engine's length. See ``lib.services.tables``.
        """
        return analysis_table(self.store, self.video, self.info, self.engine, self.analysis, vectors=vectors)

    def export(self, name: str, path: str | Path | None = None, *, labels: Sequence[str] = ()) -> Path:
        """Write this as a file for another program, and return where it is.

        Args:
            name: one of ``FORMATS``, such as ``otio``, ``edl``, ``vtt``, ``eaf`` or ``segments-csv``.
            path: of the file, or a folder; by default it is named after the video, in the working folder.
            labels: segments of these alone, in formats of segments; by default all.

        What the format can't say of this video is a ``PromptreelWarning``.

        Raises:
            InputError: there is no such format or label, the format can't hold this, or it can't be written there.
        """
        for label in labels:
            _check(label, self.labels)
        stored = StoredAnalysis(self.store, self.video, self.info, self.engine, self.analysis, tuple(labels))
        made = export(stored, name)
        warn(made.notes)
        return write(path, made.file_name, made.content)

    def report(
        self,
        path: str | Path | None = None,
        *,
        truth: Sequence[TrueSegment] | None = None,
        title: str = "",
        note: str = "",
    ) -> Path:
        """Write this as one HTML file for people without Promptreel, and return where it is.

        Args:
            path: as for ``export``.
            truth: ground truth to say what it is worth against; by default the video's own.
            title: by default the names of prompt set and video.
            note: what is said below it.

        Raises:
            InputError: it can't be written there.
        """
        truth = video_truth(self.store, self.video).segments if truth is None else segments(truth)
        about = About(title, note)
        data = report_of_video(self.store, self.video, self.info, self.engine, self.analysis, truth=truth, about=about)
        return write(path, report_name(f"{Path(self.video.name).stem}-{self.analysis.prompt_set.name}"), data)

    def evaluate(self, truth: Sequence[TrueSegment] | None = None) -> Evaluation:
        """Return how this compares with ground truth, by default the video's own; labels may overlap.

        Raises:
            InputError: no truth is given, and the video has none.
        """
        if truth is None:
            truth = video_truth(self.store, self.video).segments
        if not truth:
            raise InputError(
                f"There is no ground truth of {self.video.name}; give some, for example of Embedding.read_truth."
            )
        return Evaluation(evaluations.evaluate(self.analysis, segments(truth)))

    # Charts

    @property
    def colours(self) -> dict[str, Colour]:
        """The colour of each label, as the dashboard has it."""
        return label_colours(self.analysis.prompt_set.prompts)

    def overview_chart(self, *, width: int = WIDTH) -> alt.LayerChart:
        """Return the scores of the whole video as a strip."""
        return as_altair(timeline.overview_chart(self.analysis), width)

    def scores_chart(
        self, start_s: float | None = None, end_s: float | None = None, *, width: int = WIDTH
    ) -> alt.LayerChart:
        """Return the scores over time, of a part of the video where it is given, with thresholds and tooltips."""
        return as_altair(timeline.scores_chart(self._part(start_s, end_s), self.colours), width)

    def segments_chart(
        self, start_s: float | None = None, end_s: float | None = None, *, width: int = WIDTH
    ) -> alt.LayerChart:
        """Return a lane of segments per label."""
        return as_altair(timeline.segments_chart(self._part(start_s, end_s), self.colours), width)

    def change_chart(
        self, start_s: float | None = None, end_s: float | None = None, *, width: int = WIDTH
    ) -> alt.LayerChart:
        """Return how much each sample differs from the one before, cuts marked."""
        return as_altair(timeline.change_chart(self._part(start_s, end_s)), width)

    def histogram_chart(self, label: str | None = None, *, width: int = WIDTH) -> alt.LayerChart:
        """Return how many seconds have which score, of one label or of all.

        Raises:
            InputError: there is no such label.
        """
        _check(label, self.labels)
        return as_altair(timeline.histogram_chart(self.analysis, label=label), width)

    def _part(self, start_s: float | None, end_s: float | None) -> ChartData:
        samples = self.analysis.samples
        first = samples.start_s if start_s is None else number(start_s, "A part starts at", 0, MAX_SECONDS, InputError)
        last = samples.end_s if end_s is None else number(end_s, "A part ends at", 0, MAX_SECONDS, InputError)
        if not first < last:
            raise InputError(f"A part of a video ends after its start, not from {first:g} to {last:g} s.")
        return chart_data(self.analysis, window=(first, last))


@all_checked
@dataclass(frozen=True, eq=False)
class Evaluation:
    """A result against ground truth, label by label, by time and by segment; ``evaluation`` has everything."""

    evaluation: evaluations.Evaluation

    def __repr__(self) -> str:
        return f"Evaluation({self.overall})"

    def _repr_html_(self) -> str:
        return _table(self.frame.round(3))

    @property
    def frame(self) -> pd.DataFrame:
        """One row per label: precision, recall, f1, segment_f1 (IoU 0.5), onset and offset errors in s; or NaN."""
        return self.evaluation.frame()

    @property
    def overall(self) -> Overall:
        """``macro_f1`` over the labels that are true, and ``accuracy`` over time, 0 to 1; None where undefined."""
        return overall(self.evaluation)

    @property
    def confusion(self) -> pd.DataFrame:
        """Seconds that a true label (rows) and a found one (columns) share; both end with "nothing"."""
        return self.evaluation.confusion

    def confusion_chart(self, *, width: int = WIDTH) -> alt.LayerChart:
        """Return what is true against what is found, in seconds."""
        return as_altair(evaluation_charts.confusion_chart(self.evaluation), width)

    def curve_chart(self, label: str, *, width: int = WIDTH) -> alt.LayerChart:
        """Return precision and recall of one label by threshold.

        Raises:
            InputError: there is no such label.
        """
        _check(label, tuple(self.evaluation.by_label))
        colour = label_colours(self.evaluation.analysis.prompt_set.prompts)[label]
        return as_altair(evaluation_charts.curve_chart(self.evaluation.by_label[label], colour), width)


@all_checked
@dataclass(frozen=True, eq=False)
class Comparison:
    """Two results of one video side by side, A and B; made by ``compare``. ``comparison`` has everything."""

    a: Result
    b: Result
    comparison: comparisons.Comparison
    truth: tuple[TrueSegment, ...] = ()
    """Ground truth of the video, where there is some."""
    evaluations: tuple[Evaluation, Evaluation] | None = None
    """A and B against it."""

    def __repr__(self) -> str:
        return f"Comparison({self.summary!r})"

    def _repr_html_(self) -> str:
        return _table(self.metrics.set_index("label").round(3))

    @property
    def summary(self) -> str:
        """Which is better here, where and by how much; without ground truth, where they differ and what to look at."""
        return self.comparison.summary if self.verdict is None else self.verdict.summary

    @cached_property
    def difference(self) -> OverallDifference | None:
        """How far B is above A in ``macro_f1`` and ``accuracy``, with 95 % intervals; None without ground truth."""
        if self.evaluations is None:
            return None
        a, b = self.evaluations
        return overall_difference(a.evaluation, b.evaluation, seed=_SEED)

    @cached_property
    def verdict(self) -> Verdict | None:
        """Which is better here (``better``: a, b, None), in words, and how much ``evidence``; None without truth."""
        if self.evaluations is None or self.difference is None:
            return None
        return verdict(self.evaluations[0].evaluation, self.evaluations[1].evaluation, self.difference)

    @property
    def metrics(self) -> pd.DataFrame:
        """One row per label: side (both, a, b), and each metric of ``_a``, ``_b`` and ``_difference`` (B minus A)."""
        return self.comparison.metrics_frame()

    @property
    def disagreements(self) -> pd.DataFrame:
        """One row per stretch in which both say something else: start_s, end_s, a, b (None for no label)."""
        columns = ["start_s", "end_s", "a", "b"]
        return pd.DataFrame([span.to_dict() for span in self.comparison.disagreements], columns=columns)

    def report(self, path: str | Path | None = None, *, title: str = "", note: str = "") -> Path:
        """Write this as one HTML file, with the verdict where there is ground truth; as ``Result.report``."""
        sides = [Side(one.info, one.engine, one.analysis) for one in (self.a, self.b)]
        about = About(title, note)
        data = report_of_comparison(self.a.store, self.a.video, *sides, truth=self.truth, about=about)
        names = "-".join(side.analysis.prompt_set.name for side in sides)
        return write(path, report_name(f"{Path(self.a.video.name).stem}-{names}"), data)

    def differences_chart(self, *, width: int = WIDTH) -> alt.LayerChart:
        """Return what A and B say where they are not the same."""
        chart = comparison_charts.differences_chart(self.comparison, self.a.colours, self.b.colours)
        return as_altair(chart, width)

    def scatter_chart(self, label: str, *, width: int = 380) -> alt.LayerChart:
        """Return A's score of a label against B's, a point per sample.

        Raises:
            InputError: not a label of both.
        """
        _check(label, self.comparison.labels)
        return as_altair(comparison_charts.scatter_chart(self.comparison, label, self.a.colours[label]), width)


@checked
def compare(a: Result, b: Result, truth: Sequence[TrueSegment] | None = None) -> Comparison:
    """Return two results of one video side by side; prompt sets, settings, sampling and engine may differ.

    Args:
        a: one of both.
        b: the other.
        truth: ground truth that says which is better; by default the video's own, where it has some.

    Raises:
        InputError: they are of different videos.
    """
    if a.video.sha256 != b.video.sha256:
        raise InputError(f"{a.video.name} and {b.video.name} are different videos; compare two results of one.")
    if truth is None:
        truth = video_truth(a.store, a.video).segments
    truth = segments(truth)
    against = (a.evaluate(truth), b.evaluate(truth)) if truth else None
    return Comparison(a, b, comparisons.compare(a.analysis, b.analysis), truth, against)


@all_checked
@dataclass(frozen=True, eq=False)
class Moments(Sequence[Moment]):
    """What a search found, best first; a sequence of moments with their video, times and score."""

    result: SearchResult
    store: Store

    def __repr__(self) -> str:
        return f"Moments({len(self)} of {self.result.samples:,} samples in {plural(self.result.videos, 'video')})"

    def __len__(self) -> int:
        return len(self.result.moments)

    def __getitem__(self, place: Any) -> Any:
        return self.result.moments[place]

    def __iter__(self) -> Iterator[Moment]:
        return iter(self.result.moments)

    def _repr_html_(self) -> str:
        frame = self.frame
        times = {name: frame[name].map(format_time) for name in ("start_s", "end_s", "best_s")}
        return _table(frame.assign(**times).drop(columns=["sha256", "best_frame", "folded"]).round(3))

    @property
    def frame(self) -> pd.DataFrame:
        """One row per moment: video, sha256, start_s, end_s, best_s, best_frame, score, folded, reaching (the cut).

        Beside relative scores also ``cosine``.
        """
        reaching = len(self.result.reaching)
        columns = ["video", "sha256", "start_s", "end_s", "best_s", "best_frame", "score", "folded", "reaching"]
        rows = [{**moment.to_dict(), "reaching": place < reaching} for place, moment in enumerate(self)]
        return pd.DataFrame(rows, columns=None if rows else columns)

    def thumbnail(self, moment: Moment) -> bytes | None:
        """Return the JPEG of a moment's best frame; None where there is none."""
        return self.store.thumbnails(moment.key, [moment.best_frame]).get(moment.best_frame)


def _check(label: str | None, labels: Sequence[str]) -> None:
    if label is not None and label not in labels:
        raise InputError(f"There is no label {label!r}; choose one of {', '.join(labels)}.")


def _table(frame: pd.DataFrame) -> str:
    return str(frame.to_html(border=0, na_rep="–", escape=True))
