"""Actions on both sides of a comparison: copy, swap, another experiment as B. Each is one step to undo.

The ids stay: A is what the address names, B what A's experiment names. Only the content moves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from lib.services import versions
from lib.services.experiment_changes import quoted
from lib.services.experiments import Experiment, shown_title
from lib.store.videos import Video
from lib.ui.session import opening, state
from lib.ui.session.session import Session, Side


def sides() -> dict[Side, Session]:
    """Return the sessions of both sides."""
    a = state.session()
    return {"a": a, "b": a.side_b()}


@state.callback
def copy(source: Side) -> None:
    """Replace the experiment of the other side with that of ``source``; both have the same video anyway."""
    from_ = sides()[source].experiment
    text = "A copied to B" if source == "a" else "B copied to A"
    set_content(text, replace(from_, title=state.current().title), from_)


@state.callback
def swap() -> None:
    """Exchange A and B."""
    a, b = sides().values()
    set_content("A and B swapped", b.experiment, a.experiment, keep=False)


@state.callback
def compare_with(experiment: Experiment) -> None:
    """Replace side B with a copy of another experiment; edits there don't change that one."""
    set_content(f"B replaced by {quoted(shown_title(experiment))}", state.current(), experiment)


def open_video(video: Video) -> None:
    """Compare on another video: A is the experiment there that says the same as this one, or a new one; B stays."""
    _open_a(lambda: opening.open_same(video))


@state.callback
def choose_a(experiment: Experiment) -> None:
    """Open another experiment as A, or a copy of what is none; B stays."""
    _open_a(lambda: opening.open_chosen(experiment))


def _open_a(open_it: Callable[[], None]) -> None:
    b = sides()["b"].experiment
    open_it()
    a, replaced = (session.experiment for session in sides().values())
    set_content("B kept beside another A", a, b, keep=not versions.same_content(a, replaced))


@state.callback
def set_content(text: str, a: Experiment, b: Experiment, *, keep: bool = True) -> None:
    """Set the content of both sides; a side that has it already keeps its widgets, another one a version first."""
    changes = []
    for session, content in zip(sides().values(), (a, b), strict=True):
        wanted = replace(session.experiment.with_experiment(content), title=content.title)
        if wanted != session.experiment:
            if keep:
                session.keep("replacement")
            changes.append(session.replaced_by(wanted))
    if changes:
        state.session().undoing.push(text, *changes)
