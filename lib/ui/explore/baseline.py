"""The metrics of Explore beside those of the experiment's baseline, what got worse first."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from lib.core.errors import PromptreelError
from lib.core.formatting import as_text, escape_markdown
from lib.evaluation.numbers import Change, Numbers, f1_changes, share_changes
from lib.services import versions
from lib.services.versions import Version
from lib.ui.session import cache
from lib.ui.session.session import Measured


def draw(measured: Measured | None) -> None:
    """Draw the differences to the baseline; nothing where there is no baseline."""
    if measured is None or measured.experiment.baseline is None:
        return
    try:
        version = versions.load(cache.store().home, measured.experiment.baseline)
    except PromptreelError as error:
        st.warning(as_text(str(error)), icon=":material/flag:")
        return
    if version is None:
        st.caption("The baseline was deleted; choose another one under “Versions”.")
        return
    if version.experiment.video != measured.experiment.video:
        st.caption("The baseline is of another video, so nothing is compared; choose another one under “Versions”.")
        return
    st.markdown(f"**Against the baseline** {escape_markdown(version.shown_name)}: {_words(version, measured)}")
    if version.numbers is not None:
        _table(version.numbers, measured.numbers)


def _words(version: Version, measured: Measured) -> str:
    """Return in words how the whole differs, and what the numbers are not comparable in."""
    if version.numbers is None:
        return "its numbers were not computed; compute them under “Versions”."
    change = Change(None, version.numbers.macro_f1, measured.numbers.macro_f1)
    if change.difference is None:
        said = "no F1, as there is no ground truth; the shares of the labels are compared."
    elif change.difference == 0:
        said = f"the same macro F1 here, {change.now:.2f}."
    else:
        word = "better" if change.difference > 0 else "worse"
        said = f"{word} here by {change.difference:+.2f} (macro F1 {change.before:.2f} → {change.now:.2f}).".replace(
            "-", "−"
        )
    if versions.truth_digest(measured.truth) != version.truth_digest:
        said += " The ground truth has changed since."
    if version.engine_id not in (None, measured.engine_id):
        said += " The engine is another one."
    return said


def _table(before: Numbers, now: Numbers) -> None:
    by_f1 = bool(before.true_f1) and bool(now.true_f1)
    changes = f1_changes(before, now) if by_f1 else share_changes(before, now)
    what = "F1" if by_f1 else "Share"
    rows = [
        {
            "Label": one.label,
            f"{what} here": one.now,
            f"{what} of the baseline": one.before,
            "Difference": one.difference,
        }
        for one in changes
    ]
    frame = pd.DataFrame(rows)
    names = [name for name in frame.columns if name != "Label"]
    st.dataframe(
        frame.astype(dict.fromkeys(names, float)),
        hide_index=True,
        placeholder="n/a",
        column_config={
            name: st.column_config.NumberColumn(format="%+.3f" if name == "Difference" else "%.3f") for name in names
        },
        alt="Differences to the baseline by label, what got worse first",
    )
