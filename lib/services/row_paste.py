"""Lines and tables that are pasted into the prompt table."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lib.prompts.model import MAX_PHRASINGS, MAX_PROMPTS, THRESHOLD_RANGES
from lib.prompts.spreadsheet import PastedPrompt, is_table, read_table
from lib.services.experiments import Experiment, PromptRow, spliced

MAX_TEXT = 2_000_000
"""Characters of a paste."""
_MOST_SAID = 3


@dataclass(frozen=True)
class Paste:
    """A paste of several lines or columns into the label of a row."""

    index: int
    text: str
    head: str = ""
    """What is before the selection in that label."""
    tail: str = ""
    """What is behind it."""


def pasted(experiment: Experiment, paste: Paste, *, max_label: int) -> tuple[Experiment, str]:
    """Return the experiment with a row for each pasted line or table row, and what happened as sentences.

    The first takes the place of the row's label where nothing of that would stay, else lines begin in the label and a
    table follows below.
    """
    read = read_table(paste.text[:MAX_TEXT])
    score = experiment.settings.score
    prompts, said = list(read.prompts), list(read.left_out)
    if not prompts:
        return experiment, "There is no label in what was pasted."
    rows = experiment.rows
    if paste.index >= len(rows):  # the browser sends no empty rows at the end, and it was pasted into one
        rows = (*rows, PromptRow())
    index = min(max(paste.index, 0), len(rows) - 1)
    own, whole = rows[index], not (paste.head + paste.tail).strip()
    made = [_row(prompt, max_label) for prompt in prompts]
    if whole:
        made[0] = replace(made[0], colour=own.colour, enabled=own.enabled)
        at, replaced = index, 1
    elif is_table(paste.text):
        at, replaced = index + 1, 0
    else:
        made[0] = replace(own, label=f"{paste.head}{made[0].label}{paste.tail}"[:max_label])
        at, replaced = index, 1
    low, high = THRESHOLD_RANGES[score]
    outside = [row.label for row in made if row.threshold is not None and not low <= row.threshold <= high]
    if outside:
        said.append(f"{len(outside)} thresholds are outside {low:g} to {high:g}, so their rows are left out.")
    room = max(MAX_PROMPTS - len(rows) + replaced, 0)
    if len(made) > room:
        said.append(f"The table has at most {MAX_PROMPTS} rows: the last {len(made) - room} are left out.")
        made = made[:room]
    more = len(said) - _MOST_SAID
    said = said[:_MOST_SAID] + ([f"{more} more cells could not be used."] if more > 0 else [])
    count = "1 row" if len(made) == 1 else f"{len(made)} rows"
    return replace(experiment, rows=spliced(rows, at, replaced, *made)), " ".join([f"{count} pasted.", *said])


def _row(prompt: PastedPrompt, max_label: int) -> PromptRow:
    texts = tuple(dict.fromkeys(text[:max_label] for text in prompt.texts[:MAX_PHRASINGS]))
    return PromptRow(label=prompt.label[:max_label], texts=texts, role=prompt.role, threshold=prompt.threshold)
