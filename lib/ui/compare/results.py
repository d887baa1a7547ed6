"""The comparison in one sentence, as a table of metrics, and as agreement."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from lib.comparison.comparison import Comparison
from lib.core.formatting import as_text, format_duration, format_time, percent
from lib.core.intervals import sample_at
from lib.core.labelled_intervals import label_key
from lib.core.spreadsheet import spreadsheet_csv
from lib.services import versions
from lib.services.experiments import shown_title
from lib.services.reports import About, Side, report_of_comparison
from lib.ui.compare import page
from lib.ui.compare.page import ComparedSides
from lib.ui.components.gallery import GalleryItem, gallery
from lib.ui.panels import engine, html_tables, reports, segment_table
from lib.ui.panels.html_tables import dot, escaped, note
from lib.ui.panels.video import thumbnails_url
from lib.ui.session import cache, comparison_sides, state

_TITLES = {
    "f1": "F1",
    "present": "Present",
    "first_seen_s": "First seen (s)",
    "duration_s": "Duration (s)",
    "share": "Share (%)",
    "segments": "Segments",
    "mean_score": "Mean score",
    "peak_score": "Peak score",
}
_DECIMALS = {
    "f1": 2,
    "first_seen_s": 2,
    "duration_s": 2,
    "share": 1,
    "segments": 0,
    "mean_score": 3,
    "peak_score": 3,
}
_LISTED = 3
_Row = Mapping[Any, Any]
_SIDE_NOTES = {"a": "only in A", "b": "only in B"}


def answer(compared: ComparedSides) -> None:
    """Draw which side is better and on what evidence, then where they differ; without truth, what would decide it."""
    comparison = compared.comparison
    if comparison.agreement is None:
        return
    if versions.same_content(*(session.experiment for session in comparison_sides.sides().values())):
        st.info(
            "A and B are the same: edit one of them, or load another one in its place. Here is then said which is "
            "better, where, and on what evidence.",
            icon=":material/compare:",
        )
        return
    verdict = cache.verdict(compared.a.info, compared.a.analysis, compared.b.info, compared.b.analysis, compared.video)
    if verdict is not None:
        html_tables.draw(
            f'<p style="margin:0 0 0.25rem;font-size:1rem">{_first_bold(verdict.summary)}</p>'
            f'<p style="margin:0">Evidence: {escaped(verdict.evidence)}</p>',
            label="Which side is better here",
        )
    _differing(comparison)
    if verdict is None and comparison.disagreements:
        _to_decide(compared)


def _first_bold(sentences: str) -> str:
    """Return sentences as HTML, what stands before the first colon or full stop in bold."""
    head, mark, rest = re.split(r"([:,.] |$)", sentences, maxsplit=1)
    return f"<strong>{escaped(head)}</strong>{escaped(mark + rest)}"


def _to_decide(compared: ComparedSides) -> None:
    """Draw the frames to look at where there is no ground truth."""
    comparison = compared.comparison
    st.caption(
        "There is no ground truth of this video, so neither side is called better. Look at these frames to decide, "
        "and mark what is there on Explore, in the view “Ground truth”."
    )
    rows = comparison.to_decide()
    rows_b = sample_at(comparison.b.samples, comparison.a.samples.times_s[list(rows)])
    base, items = thumbnails_url(compared.a.info), []
    for row, row_b in zip(rows, rows_b.tolist(), strict=True):
        label_a = comparison.a.sample_labels[row]
        label_b = comparison.b.sample_labels[row_b] if row_b >= 0 else None
        frame, time_s = int(comparison.a.samples.frames[row]), float(comparison.a.samples.times_s[row])
        items.append(
            GalleryItem(
                id=str(frame),
                url=f"{base}/{frame}",
                title=f"A {label_a or 'nothing'}",
                subtitle=f"B {label_b or 'nothing'}",
                time_s=time_s,
                alt=f"Frame at {format_time(time_s)}: A says {label_a or 'nothing'}, B says {label_b or 'nothing'}",
            )
        )
    clicked = gallery(items, key="frames_to_decide", label="Frames that decide", empty="")
    if clicked is not None and clicked.time_s is not None:
        state.session().seek(clicked.time_s)
        st.rerun()


def _differing(comparison: Comparison) -> None:
    """Draw how much of the time both sides agree, and where they don't."""
    disagreements = comparison.disagreements
    if not disagreements:
        st.markdown(f"**{as_text(comparison.summary)}**")
        return
    seconds = math.fsum(interval.end_s - interval.start_s for interval in disagreements)
    kappa = "" if comparison.kappa is None else f" (Cohen’s kappa {comparison.kappa:.2f})"
    single = len(disagreements) == 1
    count = "One difference" if single else f"{len(disagreements):,} differences"
    intervals = "".join(
        f"<li>{format_time(interval.start_s)} – {format_time(interval.end_s)}: "
        f"A {_bold(interval.a)}, B {_bold(interval.b)}</li>"
        for interval in disagreements[:_LISTED]
    )
    html_tables.draw(
        f'<p style="margin:0 0 0.25rem;font-size:1rem"><strong>A and B agree '
        f"{percent(comparison.agreement or 0.0)} of the time</strong>{kappa}. "
        f"{count}, {format_duration(seconds)}{'' if single else ' in all'}"
        f"{':' if len(disagreements) <= _LISTED else f'; the first {_LISTED}:'}</p><ul>{intervals}</ul>",
        label="Where A and B differ",
    )


def _bold(label: str | None) -> str:
    return "nothing" if label is None else f"<strong>{escaped(label)}</strong>"


def _report(compared: ComparedSides) -> None:
    """Draw the button of the report of both sides."""
    a, b = (session.experiment for session in comparison_sides.sides().values())
    engines = [engine.current_engine(session) for session in comparison_sides.sides().values()]
    truth, store, video = cache.truth(compared.video), cache.store(), compared.video
    titles = " or ".join(dict.fromkeys(shown_title(one) for one in (a, b)))

    def make() -> bytes:
        both = zip((compared.a, compared.b), engines, strict=True)
        sides = [Side(side.info, its_engine, side.analysis) for side, its_engine in both]
        about = About(f"{titles} · {video.name}", "\n".join(one.note for one in (a, b) if one.note))
        return report_of_comparison(store, video, *sides, truth=truth, about=about)

    reports.button(make, f"{Path(video.name).stem}-{titles}", key="compare_report")


def choose_view(views: Sequence[str]) -> str:
    """Draw the choice of what is shown below the player, the first of ``views`` at first, and return it."""
    view = st.segmented_control(
        "Show",
        views,
        default=views[0],
        required=True,
        label_visibility="collapsed",
        key="compare_view",
        persist_state="session",
    )
    return str(view)


# --- metrics -------------------------------------------------------------------------------------------------------


def metrics(compared: ComparedSides) -> None:
    """Draw a table with one row per label: each metric of A and B, and its difference; with ground truth F1 as well."""
    frame = _with_f1(compared, compared.comparison.metrics_frame())
    names = [name for name in _TITLES if f"{name}_a" in frame]
    if st.session_state.get(page.ONLY):
        frame = frame[[_differs(row, names) for row in frame.to_dict("records")]]
        if frame.empty:
            st.info("No label differs in any metric.")
            return
    colours = {**compared.colours["b"], **compared.colours["a"]}
    head = "".join(f'<th colspan="3" scope="colgroup" class="group">{_TITLES[name]}</th>' for name in names)
    second = '<th class="group" scope="col">A</th><th scope="col">B</th><th scope="col" title="B minus A">diff.</th>'
    body = "".join(_row(row, names, colours) for row in frame.to_dict("records"))
    html_tables.draw(
        f'<table><thead><tr><th class="first" rowspan="2" scope="col">Label</th>{head}</tr>'
        f"<tr>{second * len(names)}</tr></thead><tbody>{body}</tbody></table>",
        label="Metrics of A and B by label",
    )
    with st.container(horizontal=True, gap="small"):
        st.download_button(
            "Metrics as CSV",
            spreadsheet_csv(frame),
            "comparison.csv",
            "text/csv",
            key="comparison_csv",
            icon=":material/download:",
            on_click="ignore",
        )
        _report(compared)


def _with_f1(compared: ComparedSides, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with F1 of both sides, NaN for a label that a side lacks; as it is without ground truth."""
    sides = [cache.evaluation(side.info, side.analysis, compared.video) for side in (compared.a, compared.b)]
    if None in sides:
        return frame
    columns = {}
    for name, evaluation in zip("ab", sides, strict=True):
        of_label = {label_key(one.label): one.f1 for one in evaluation.labels} if evaluation else {}
        columns[f"f1_{name}"] = frame["label"].map(lambda label, f1=of_label: f1.get(label_key(label))).astype(float)
    return frame.assign(**columns, f1_difference=columns["f1_b"] - columns["f1_a"])


def _differs(row: _Row, names: Sequence[str]) -> bool:
    return row["side"] != "both" or any(abs(row[f"{name}_difference"]) > 1e-9 for name in names)


def _row(row: _Row, names: Sequence[str], colours: Mapping[str, str]) -> str:
    label = str(row["label"])
    only = note(_SIDE_NOTES[row["side"]]) if row["side"] in _SIDE_NOTES else ""
    cells = "".join(_cells(row, name) for name in names)
    return f'<tr><th scope="row" title="{escaped(label)}">{dot(colours[label])} {escaped(label)}{only}</th>{cells}</tr>'


def _cells(row: _Row, name: str) -> str:
    a, b, change = row[f"{name}_a"], row[f"{name}_b"], row[f"{name}_difference"]
    if name == "present":
        words = {True: "yes", False: "no"}
        values = [words.get(value, "–") for value in (a, b)]
        difference = {1.0: "appears", -1.0: "disappears"}.get(change, "")
    else:
        factor, decimals = (100 if name == "share" else 1), _DECIMALS[name]
        values = [_number(value, factor, decimals) for value in (a, b)]
        difference = _number(change, factor, decimals, sign=True)
    zero = not difference.strip("+−0.–")
    return (
        f'<td class="group">{values[0]}</td><td>{values[1]}</td>'
        f'<td class="{"same" if zero and name != "present" else "change"}">{difference}</td>'
    )


def _number(value: float, factor: float, decimals: int, *, sign: bool = False) -> str:
    if math.isnan(value):
        return "–"
    text = f"{value * factor:{'+' if sign else ''}.{decimals}f}".replace("-", "−")
    return "0" if sign and not text.strip("+−0.") else text


# --- agreement -----------------------------------------------------------------------------------------------------


def agreement(compared: ComparedSides) -> None:
    """Draw share, kappa, IoU by label, the confusion matrix of A and B, and the list of differences."""
    comparison = compared.comparison
    with st.container(horizontal=True, gap="medium"):
        with st.container(width=300):
            _figures(comparison)
        with st.container(width=620):
            _confusion(comparison)
    _differences(comparison)


def _figures(comparison: Comparison) -> None:
    with st.container(horizontal=True):
        st.metric(
            "Same label",
            "n/a" if comparison.agreement is None else f"{comparison.agreement * 100:.1f} %",
            help="Share of the time with the same label on both sides, or with none on both.",
        )
        st.metric(
            "Cohen’s kappa",
            "n/a" if comparison.kappa is None else f"{comparison.kappa:.2f}",
            help="Agreement beyond chance: 1 is perfect, 0 is what chance alone gives. Undefined (n/a) where both "
            "sides have one and the same label all the time.",
        )
    rows = "".join(
        f'<tr><th scope="row">{escaped(label)}</th><td>{"n/a" if value is None else f"{value:.3f}"}</td></tr>'
        for label, value in comparison.iou.items()
    )
    rows += "".join(
        f'<tr><th scope="row">{escaped(label)}{note(f"only in {side}")}</th><td>–</td></tr>'
        for side, labels in (("A", comparison.only_a), ("B", comparison.only_b))
        for label in labels
    )
    html_tables.draw(
        '<table><thead><tr><th class="first" scope="col">Overlap of a label</th>'
        f'<th scope="col">IoU</th></tr></thead><tbody>{rows}</tbody></table>',
        label="Overlap of segments by label",
    )


def _confusion(comparison: Comparison) -> None:
    table = comparison.confusion
    if not (table.iloc[-1].any() or table.iloc[:, -1].any()):
        table = table.iloc[:-1, :-1]  # both sides always have a label
    most = max(float(table.to_numpy().max()), 1e-9)
    heads = "".join(f'<th scope="col" class="long">{escaped(label)}</th>' for label in table.columns)
    rows = ""
    for label, seconds in zip(table.index, table.to_numpy(), strict=True):
        cells = "".join(
            f'<td style="background:color-mix(in srgb, #1F86C1 {value / most * 55:.0f}%, transparent)">'
            f"{f'{value:.2f}' if value else ''}</td>"
            for value in seconds
        )
        rows += f'<tr><th scope="row">{escaped(label)}</th>{cells}</tr>'
    html_tables.draw(
        '<table><thead><tr><th class="first"></th>'
        f'<th scope="colgroup" colspan="{len(table.columns)}">B’s label (seconds)</th></tr>'
        f'<tr><th class="first" scope="col">A’s label (seconds)</th>{heads}</tr></thead><tbody>{rows}</tbody></table>',
        label="Seconds by A's label and B's label",
    )


def _differences(comparison: Comparison) -> None:
    disagreements = comparison.disagreements
    if not disagreements:
        st.info("A and B give the same label all the time.")
        return
    frame = pd.DataFrame(
        {
            "start_s": [interval.start_s for interval in disagreements],
            "end_s": [interval.end_s for interval in disagreements],
            "duration_s": [interval.end_s - interval.start_s for interval in disagreements],
            "a": [interval.a or "–" for interval in disagreements],
            "b": [interval.b or "–" for interval in disagreements],
        }
    )
    segment_table.draw(
        frame,
        {"a": st.column_config.TextColumn("A’s label"), "b": st.column_config.TextColumn("B’s label")},
        key="differences_table",
        alt="Differences; select one to see it in the player",
    )
