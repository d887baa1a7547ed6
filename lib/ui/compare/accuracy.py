"""A and B against the truth: who is better, a label at a time, and whether this video can show it."""

from __future__ import annotations

import streamlit as st

from lib.core.labelled_intervals import label_key
from lib.evaluation.bootstrap import Difference
from lib.evaluation.evaluation import Evaluation, LabelEvaluation
from lib.ui.compare.page import ComparedSides
from lib.ui.panels import html_tables
from lib.ui.panels.html_tables import dot, escaped, note
from lib.ui.session import cache

_FIGURES = (("Precision", "precision"), ("Recall", "recall"), ("F1", "f1"), ("Segment F1", "segment_f1"))


def draw(both: ComparedSides) -> None:
    """Draw precision, recall and F1 of both sides a label, and the difference in F1 with its interval."""
    (info_a, a), (info_b, b) = both.a.found, both.b.found
    found_a, found_b = cache.evaluation(info_a, a, both.video), cache.evaluation(info_b, b, both.video)
    if found_a is None or found_b is None:
        st.info(
            "There is no ground truth of this video yet. Mark or import it on Explore, in the view “Ground truth”.",
            icon=":material/verified:",
        )
        return
    differences = cache.f1_difference(info_a, a, info_b, b, both.video)
    rows = _rows(both, found_a, found_b, differences)
    head = "".join(f'<th colspan="2" scope="colgroup" class="group">{title}</th>' for title, _ in _FIGURES)
    second = '<th class="group" scope="col">A</th><th scope="col">B</th>' * len(_FIGURES)
    html_tables.draw(
        f'<table><thead><tr><th class="first" rowspan="2" scope="col">Label</th>{head}'
        '<th colspan="2" scope="colgroup" class="group">Difference in F1</th></tr>'
        f'<tr>{second}<th class="group" scope="col">B − A</th><th scope="col">95 % interval</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>",
        label="A and B against the truth by label",
    )
    told = [one for one in differences.values() if one.difference is not None]
    lines = "".join(
        f"<li><strong>{escaped(one.label)}</strong>: {escaped(one.sentence)}</li>" for one in told
    )
    if lines:
        html_tables.draw(f"<ul>{lines}</ul>", label="Which side is better")
    st.caption(
        "By time, a label by itself; a segment counts where found and true one overlap by half (IoU 0.5). "
        "The interval is from a bootstrap over the stretches in which the truth stays the same."
    )
    if found_a.unmatched_truth or found_b.unmatched_truth:
        _unmatched(found_a, found_b)


def _rows(both: ComparedSides, a: Evaluation, b: Evaluation, differences: dict[str, Difference]) -> str:
    theirs = {label_key(one.label): one for one in b.labels}
    pairs: list[tuple[LabelEvaluation | None, LabelEvaluation | None]] = [
        (one, theirs.pop(label_key(one.label), None)) for one in a.labels
    ]
    pairs += [(None, one) for one in theirs.values()]
    colours = {**both.colours["b"], **both.colours["a"]}
    rows = []
    for one, other in pairs:
        named = one or other
        assert named is not None  # noqa: S101
        only = note("only in A") if other is None else note("only in B") if one is None else ""
        if not named.known:
            only += note("not in the truth")
        figures = "".join(
            f'<td class="group">{_figure(one, name)}</td><td>{_figure(other, name)}</td>'
            for _, name in _FIGURES
        )
        rows.append(
            f'<tr><th scope="row">{dot(colours[named.label])} '
            f"{escaped(named.label)}{only}</th>{figures}{_difference(differences.get(named.label))}</tr>"
        )
    return "".join(rows)


def _figure(side: LabelEvaluation | None, name: str) -> str:
    if side is None:
        return "–"
    value = getattr(side, name)
    return "n/a" if value is None else f"{value:.2f}"


def _difference(found: Difference | None) -> str:
    if found is None or found.difference is None:
        return '<td class="group same">n/a</td><td class="same">n/a</td>'
    interval = "n/a" if found.low is None or found.high is None else f"{found.low:+.2f} to {found.high:+.2f}"
    words = f'<td class="group change">{found.difference:+.2f}</td><td>{interval}</td>'
    return words.replace(">-", ">−").replace("to -", "to −")


def _unmatched(a: Evaluation, b: Evaluation) -> None:
    missing = [label for label in a.unmatched_truth if label in b.unmatched_truth]
    if missing:
        st.caption(f"In the truth, but a prompt on neither side: {', '.join(missing)}.")
