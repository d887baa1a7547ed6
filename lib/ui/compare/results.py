"""What the comparison says: in one sentence, in the table of metrics, and in agreement."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from lib.comparison.comparison import COMPARED, Comparison
from lib.core.formatting import format_duration, format_time, percent
from lib.ui.compare import page
from lib.ui.compare.page import ComparedSides
from lib.ui.panels import html_tables, segment_table
from lib.ui.panels.html_tables import dot, escaped, note

_VIEWS = ("Metrics", "Agreement", "Head to head", "Against the truth")
_TITLES = {
    "present": "Present",
    "first_seen_s": "First seen, s",
    "duration_s": "Duration, s",
    "share": "Share, %",
    "segments": "Segments",
    "mean_score": "Mean score",
    "peak_score": "Peak score",
}
_DECIMALS = {
    "first_seen_s": 2,
    "duration_s": 2,
    "share": 1,
    "segments": 0,
    "mean_score": 3,
    "peak_score": 3,
}
_TOLD = 3
Row = Mapping[Any, Any]
_SIDE_NOTES = {"a": "only in A", "b": "only in B"}


def answer(both: ComparedSides) -> None:
    """Draw what the comparison comes to: how much of the time both agree, and where they don't."""
    found = both.comparison
    if found is None or found.agreement is None:
        return
    apart = found.disagreements
    if not apart:
        st.markdown("**A and B give the same label all the time.**")
        return
    seconds = math.fsum(one.end_s - one.start_s for one in apart)
    kappa = "" if found.kappa is None else f" (Cohen’s kappa {found.kappa:.2f})"
    count = "One difference" if len(apart) == 1 else f"{len(apart):,} differences"
    told = "".join(
        f"<li>{format_time(one.start_s)} – {format_time(one.end_s)}: A {_says(one.a)}, B {_says(one.b)}</li>"
        for one in apart[:_TOLD]
    )
    html_tables.draw(
        f'<p style="margin:0 0 0.25rem;font-size:1rem"><strong>A and B agree {percent(found.agreement)} of the time'
        f"</strong>{kappa}. {count}, {format_duration(seconds)}{'' if len(apart) == 1 else ' in all'}"
        f"{':' if len(apart) <= _TOLD else f'; the first {_TOLD}:'}</p><ul>{told}</ul>",
        label="Where A and B differ",
    )


def _says(label: str | None) -> str:
    return "nothing" if label is None else f"<strong>{escaped(label)}</strong>"


def choose_view() -> str:
    """Draw the choice of what is shown below the wording, and return it."""
    view = st.segmented_control(
        "Show",
        _VIEWS,
        default=_VIEWS[0],
        required=True,
        label_visibility="collapsed",
        key="compare_view",
        persist_state="session",
    )
    return str(view)


# --- metrics -------------------------------------------------------------------------------------------------------


def metrics(both: ComparedSides) -> None:
    """Draw one table of metrics: A, B and the difference of each, a row a label."""
    assert both.comparison is not None  # noqa: S101  the page draws this with a comparison only
    frame = both.comparison.metrics_frame()
    if st.session_state.get(page.ONLY):
        frame = frame[[_differs(row) for row in frame.to_dict("records")]]
        if frame.empty:
            st.info("No label differs in any metric.")
            return
    colours = {**both.colours["b"], **both.colours["a"]}
    head = "".join(
        f'<th colspan="3" scope="colgroup" class="group">{_TITLES[name]}</th>' for name in COMPARED
    )
    second = '<th class="group" scope="col">A</th><th scope="col">B</th><th scope="col" title="B minus A">diff.</th>'
    body = "".join(_row(row, colours) for row in frame.to_dict("records"))
    html_tables.draw(
        f'<table><thead><tr><th class="first" rowspan="2" scope="col">Label</th>{head}</tr>'
        f"<tr>{second * len(COMPARED)}</tr></thead><tbody>{body}</tbody></table>",
        label="Metrics of A and B by label",
    )
    st.download_button(
        "Metrics as CSV",
        frame.to_csv(index=False),
        "comparison.csv",
        "text/csv",
        key="comparison_csv",
        icon=":material/download:",
        on_click="ignore",
    )


def _differs(row: Row) -> bool:
    return row["side"] != "both" or any(abs(row[f"{name}_difference"]) > 1e-9 for name in COMPARED)


def _row(row: Row, colours: Mapping[str, str]) -> str:
    label = str(row["label"])
    only = note(_SIDE_NOTES[row["side"]]) if row["side"] in _SIDE_NOTES else ""
    cells = "".join(_cells(row, name) for name in COMPARED)
    return f'<tr><th scope="row" title="{escaped(label)}">{dot(colours[label])} {escaped(label)}{only}</th>{cells}</tr>'


def _cells(row: Row, name: str) -> str:
    a, b, change = row[f"{name}_a"], row[f"{name}_b"], row[f"{name}_difference"]
    if name == "present":
        words = {True: "yes", False: "no"}
        shown = [words.get(value, "–") for value in (a, b)]
        moved = {1.0: "appears", -1.0: "is gone"}.get(change, "")
    else:
        factor, decimals = (100 if name == "share" else 1), _DECIMALS[name]
        shown = [_number(value, factor, decimals) for value in (a, b)]
        moved = _number(change, factor, decimals, sign=True)
    zero = not moved.strip("+−0.–")
    return (
        f'<td class="group">{shown[0]}</td><td>{shown[1]}</td>'
        f'<td class="{"same" if zero and name != "present" else "change"}">{moved}</td>'
    )


def _number(value: float, factor: float, decimals: int, *, sign: bool = False) -> str:
    if math.isnan(value):
        return "–"
    text = f"{value * factor:{'+' if sign else ''}.{decimals}f}".replace("-", "−")
    return "0" if sign and not text.strip("+−0.") else text


# --- agreement -----------------------------------------------------------------------------------------------------


def agreement(both: ComparedSides) -> None:
    """Draw share, kappa, IoU a label, the confusion table A x B, and the list of differences."""
    found = both.comparison
    assert found is not None  # noqa: S101
    with st.container(horizontal=True, gap="medium"):
        with st.container(width=300):
            _figures(found)
        with st.container(width=620):
            _confusion(found)
    _differences(found)


def _figures(found: Comparison) -> None:
    with st.container(horizontal=True):
        st.metric(
            "Same label",
            "n/a" if found.agreement is None else f"{found.agreement * 100:.1f} %",
            help="Share of the time with the same label on both sides, or with none on both.",
        )
        st.metric(
            "Cohen’s kappa",
            "n/a" if found.kappa is None else f"{found.kappa:.2f}",
            help="Agreement beyond chance: 1 is perfect, 0 is what chance alone gives. Undefined (n/a) where both "
            "sides have one and the same label all the time.",
        )
    rows = "".join(
        f'<tr><th scope="row">{escaped(label)}</th><td>{"n/a" if value is None else f"{value:.3f}"}</td></tr>'
        for label, value in found.iou.items()
    )
    rows += "".join(
        f'<tr><th scope="row">{escaped(label)}{note(f"only in {side}")}</th><td>–</td></tr>'
        for side, labels in (("A", found.only_a), ("B", found.only_b))
        for label in labels
    )
    html_tables.draw(
        '<table><thead><tr><th class="first" scope="col">Overlap of a label</th>'
        f'<th scope="col">IoU</th></tr></thead><tbody>{rows}</tbody></table>',
        label="Overlap of segments by label",
    )


def _confusion(found: Comparison) -> None:
    table = found.confusion
    if not (table.iloc[-1].any() or table.iloc[:, -1].any()):
        table = table.iloc[:-1, :-1]  # both sides always say something
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
        f'<th scope="colgroup" colspan="{len(table.columns)}">Seconds that B gives to</th></tr>'
        f'<tr><th class="first" scope="col">that A gives to</th>{heads}</tr></thead><tbody>{rows}</tbody></table>',
        label="Seconds by A's label and B's label",
    )


def _differences(found: Comparison) -> None:
    apart = found.disagreements
    if not apart:
        st.info("A and B give the same label all the time.")
        return
    frame = pd.DataFrame(
        {
            "start_s": [one.start_s for one in apart],
            "end_s": [one.end_s for one in apart],
            "duration_s": [one.end_s - one.start_s for one in apart],
            "a": [one.a or "–" for one in apart],
            "b": [one.b or "–" for one in apart],
        }
    )
    segment_table.stretches(
        frame,
        {"a": st.column_config.TextColumn("A says"), "b": st.column_config.TextColumn("B says")},
        key="differences_table",
        alt="Differences; choose one to see it in the player",
    )
