"""A and B against the ground truth: which is better for each label, and whether this video can show it."""

from __future__ import annotations

import streamlit as st

from lib.core.formatting import as_text, plural
from lib.core.labelled_intervals import label_key
from lib.evaluation.bootstrap import Change, Difference
from lib.evaluation.evaluation import Evaluation, LabelEvaluation
from lib.evaluation.verdict import Verdict
from lib.ui.compare.page import ComparedSides
from lib.ui.panels import html_tables
from lib.ui.panels.html_tables import dot, escaped, note
from lib.ui.session import cache

_FIGURES = (("Precision", "precision"), ("Recall", "recall"), ("F1", "f1"), ("Segment F1", "segment_f1"))


def draw(compared: ComparedSides) -> None:
    """Draw precision, recall and F1 of both sides by label, the overall score, and differences with their intervals."""
    a, b, video = compared.a, compared.b, compared.video
    evaluation_a = cache.evaluation(a.info, a.analysis, video)
    evaluation_b = cache.evaluation(b.info, b.analysis, video)
    if evaluation_a is None or evaluation_b is None:
        st.info(
            "There is no ground truth of this video yet. Mark or import it on Explore, in the view “Ground truth”.",
            icon=":material/verified:",
        )
        return
    differences = cache.f1_difference(a.info, a.analysis, b.info, b.analysis, video)
    verdict = cache.verdict(a.info, a.analysis, b.info, b.analysis, video)
    rows = _rows(compared, evaluation_a, evaluation_b, differences) + _overall(verdict)
    head = "".join(f'<th colspan="2" scope="colgroup" class="group">{title}</th>' for title, _ in _FIGURES)
    second = '<th class="group" scope="col">A</th><th scope="col">B</th>' * len(_FIGURES)
    html_tables.draw(
        f'<table><thead><tr><th class="first" rowspan="2" scope="col">Label</th>{head}'
        '<th colspan="2" scope="colgroup" class="group">Difference in F1</th></tr>'
        f'<tr>{second}<th class="group" scope="col">B − A</th><th scope="col">95 % interval</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>",
        label="Accuracy of A and B by label",
    )
    lines = "".join(
        f"<li><strong>{escaped(difference.label)}</strong>: {escaped(difference.sentence)}</li>"
        for difference in differences.values()
        if difference.difference is not None
    )
    if lines:
        html_tables.draw(f"<ul>{lines}</ul>", label="Which side is better")
    st.caption(
        "By time, each label by itself; a segment counts when it and a true one overlap by half (IoU 0.5). "
        "The interval is from a bootstrap over the intervals in which the ground truth stays the same."
    )
    if evaluation_a.unmatched_truth or evaluation_b.unmatched_truth:
        _unmatched(evaluation_a, evaluation_b)


def _rows(compared: ComparedSides, a: Evaluation, b: Evaluation, differences: dict[str, Difference]) -> str:
    by_key_a = {label_key(label.label): label for label in a.labels}
    by_key_b = {label_key(label.label): label for label in b.labels}
    colours = {**compared.colours["b"], **compared.colours["a"]}
    rows = []
    for key, label in (by_key_a | by_key_b | by_key_a).items():
        of_a, of_b = by_key_a.get(key), by_key_b.get(key)
        notes = note("only in A") if of_b is None else note("only in B") if of_a is None else ""
        if not label.known:
            notes += note("not in the ground truth")
        figures = "".join(
            f'<td class="group">{_figure(of_a, name)}</td><td>{_figure(of_b, name)}</td>' for _, name in _FIGURES
        )
        rows.append(
            f'<tr><th scope="row">{dot(colours[label.label])} '
            f"{escaped(label.label)}{notes}</th>{figures}{_difference(differences.get(label.label))}</tr>"
        )
    return "".join(rows)


def _overall(verdict: Verdict | None) -> str:
    """Return the row of the overall score, which counts labels that a side lacks."""
    if verdict is None:
        return ""
    change = verdict.change.macro_f1
    name = f"macro F1, {plural(len(verdict.change.a.f1), 'true label')}"
    cells = "".join(
        f'<td class="group">{_written(change.a)}</td><td>{_written(change.b)}</td>'
        if column == "f1"
        else '<td class="group"></td><td></td>'
        for _, column in _FIGURES
    )
    return f'<tr><th scope="row">{name}</th>{cells}{_difference(change)}</tr>'


def _written(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.2f}"


def _figure(side: LabelEvaluation | None, name: str) -> str:
    if side is None:
        return "–"
    return _written(getattr(side, name))


def _difference(difference: Difference | Change | None) -> str:
    if difference is None or difference.difference is None:
        return '<td class="group same">n/a</td><td class="same">n/a</td>'
    interval = (
        "n/a"
        if difference.low is None or difference.high is None
        else f"{difference.low:+.2f} to {difference.high:+.2f}"
    )
    words = f'<td class="group change">{difference.difference:+.2f}</td><td>{interval}</td>'
    return words.replace(">-", ">−").replace("to -", "to −")


def _unmatched(a: Evaluation, b: Evaluation) -> None:
    missing = [label for label in a.unmatched_truth if label in b.unmatched_truth]
    if missing:
        st.caption(f"In the ground truth, but without a prompt on either side: {', '.join(map(as_text, missing))}.")
