"""The button that makes a report: one HTML file for people without Promptreel, made when it is clicked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from lib.services import versions
from lib.services.experiments import Experiment
from lib.services.reports import MIME, report_name


def button(make: Callable[[], bytes], stem: str, *, key: str) -> None:
    """Draw the button; ``stem`` begins the file's name."""
    st.download_button(
        "Report",
        make,
        report_name(stem),
        MIME,
        key=key,
        on_click="ignore",
        icon=":material/summarize:",
        help="These findings as one HTML file for people without Promptreel; it needs no network",
    )


def version_in_words(home: Path, experiment: Experiment) -> str:
    """Return the name and the id of the saved version that is as the experiment is now; empty without one."""
    there = versions.listed(home, {experiment.id}).versions
    same = (one for one in there if versions.same_content(one.experiment, experiment))
    return next((f"{one.shown_name} ({one.id})" for one in same), "")
