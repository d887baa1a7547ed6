"""What one browser tab holds in memory of the experiment that it works on.

A comparison has two sides, A and B, each with an experiment and a ``Session`` of its own; A's is the tab's. Panels that
both sides have are given the session that they are to work on.

Streamlit starts the run for the next edit while the run before is still on its way to its next ``st`` call, so two
threads may work on one session at a time. Every change is therefore made and written under the session's lock, which
both sides share.

Every change that a person makes here can be undone. ``change`` and its like record it as a step by themselves, and the
difference says what was done. To say it in other words, or to change several fields or rows at once, use
``session.step("Version 'first' restored", lambda experiment: replace(experiment, …))``; a step of several changes, as
of both sides, is pushed with ``session.undoing.push``. What ``take`` takes over from another tab is no step, and
undoing one leaves it alone.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

from lib.analysis.analysis import Analysis
from lib.core.errors import PromptreelError, StoreDamagedError
from lib.core.labelled_intervals import label_key
from lib.evaluation.numbers import Numbers, numbers_of
from lib.infra.documents import set_aside
from lib.prompts.model import PromptSet
from lib.services import experiment_merge, experiments, versions
from lib.services.experiment_changes import ExperimentChange, like, quoted, taken_back
from lib.services.experiments import Experiment, PromptRow, label_of
from lib.services.ground_truth import Truth
from lib.services.versions import Why
from lib.ui.session import cache
from lib.ui.session.saving import Saved, reason
from lib.ui.session.server_keys import ServerKeys
from lib.ui.session.undoing import Undoing, travel

Side = Literal["a", "b"]
RowsAction = Callable[[Experiment], tuple[Experiment, str]]
"""What happens to an experiment besides an edit of its rows, and what is said about that."""
SIDES: tuple[Side, Side] = ("a", "b")


@dataclass(frozen=True)
class PromptTable:
    """The prompt table as the browser has it: the rows it was given, and which of its edits were accepted."""

    of: str
    """``<experiment>.<session>.<number>``: rows sent under another name belong to an earlier table."""
    given: tuple[PromptRow, ...]
    acknowledged: int = 0
    """Number of the last accepted edit; an edit with a lower number that arrives later is ignored."""
    latest: tuple[PromptRow, ...] = ()
    """The rows after that edit."""


@dataclass(frozen=True)
class Offer:
    """What was just done with experiments, and a button that does something else."""

    sentence: str
    button: str
    act: Callable[[], None]


@dataclass(frozen=True)
class Measured:
    """The numbers of an experiment as it was when it was analysed last."""

    experiment: Experiment
    engine_id: str
    truth: Truth
    analysis: Analysis

    @cached_property
    def numbers(self) -> Numbers:
        """What is measured, once somebody asks for it: not with every edit."""
        return numbers_of(self.analysis, self.truth)

    def known(self, experiment: Experiment) -> dict[str, Any]:
        """Return what ``versions.as_version`` is told of an experiment, as far as it is still the one analysed."""
        if not versions.same_content(self.experiment, experiment):
            return {}
        return {"engine_id": self.engine_id, "truth": self.truth, "numbers": self.numbers}


@dataclass(eq=False)
class Session(Saved[Experiment]):
    """What one browser tab, or side B of its comparison, holds in memory only."""

    kind = experiment_merge.KIND

    experiment: Experiment
    side: Side = "a"
    version: int = 0
    """Raised when the experiment is replaced as a whole; part of every widget key."""
    saved: Experiment | None = None
    """What is on disk."""
    others: dict[str, Saved[Any]] = field(default_factory=dict)
    """What else belongs to the experiment and was opened in this tab: its matrix, its search."""
    earlier: dict[str, Saved[Any]] = field(default_factory=dict)
    """What ``others`` were of the experiments that this tab has left: one that has none goes on with theirs."""
    told: list[str] = field(default_factory=list)
    """Sentences about callbacks that failed, for the next run to draw."""
    said: list[str] = field(default_factory=list)
    """What was done with a key, for the next run to say."""
    said_last: str = ""
    """The same, as long as nothing else was said."""
    undoing: Undoing = field(default_factory=Undoing, repr=False)
    """What was done here. Both sides share it."""
    undoing_elsewhere: dict[str, Undoing] = field(default_factory=dict, repr=False)
    """What was done to the experiments that were open in this tab before, by their ids."""
    left: tuple[str, ...] = ()
    """Experiments that this tab has left; the address may name one of them until the browser has got the new one."""
    offer: Offer | None = None
    """Stands above every page until it is taken or put away."""
    window: tuple[float, float] | None = None
    """Zoomed part of the video in seconds; None for all of it."""
    brushes: int = 0
    """Raised to draw the overview without its brush."""
    seek_id: int = 0
    seek_s: float | None = None
    """Last command to the player; a new id seeks again, also to the same time."""
    playhead_s: float | None = None
    """Time at which the player rests, in seconds."""
    marked: tuple[float, float] | None = None
    """Start and end of the range marked in the player, in seconds."""
    label: str | None = None
    """The label chosen in the player."""
    server_keys: ServerKeys = field(default_factory=ServerKeys, repr=False)
    """API keys typed into the page: kept here, nowhere else. Both sides share them."""
    picked: dict[str, Any] = field(default_factory=dict)
    """Last chart selection acted upon, by chart."""
    table: PromptTable | None = None
    superseded: PromptTable | None = None
    """The table before the last one, where another tab's rows have come into it: edits of it still count."""
    tables: int = 0
    table_said: str = ""
    """What the last press or paste in the table did, in words, until the next edit."""
    suggest: str | None = None
    """The label for which a threshold is to be suggested."""
    suggested: tuple[str, float | None, str] | None = None
    """Of the last suggestion the label, its row's threshold after that, and what is said, until the next edit."""
    token: str = field(default_factory=lambda: secrets.token_hex(8))
    """A browser tab outlives a restart of the server, and so does what it sent last: this tells them apart."""
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    """Held while the experiment changes and is written, so that the last change is also the last one on disk."""
    measured: Measured | None = None
    """What Explore has shown last of this experiment."""
    compared: Session | None = None
    """Side B, once it was needed; see ``side_b``."""

    def key(self, name: str) -> str:
        """Return the key of a widget that both sides have: ``name`` on side A."""
        return name if self.side == "a" else f"{self.side}.{name}"

    def versioned(self, name: str) -> str:
        """Return a widget key that differs between the sides, and changes when the experiment is replaced."""
        return f"{self.key(name)}.{self.version}"

    def side_b(self) -> Session:
        """Return the session of side B: what A was compared with last, or at first a copy of A."""
        with self.lock:
            if self.compared is not None and self.compared.experiment.id != self.experiment.beside:
                self.compared = None  # another tab has begun a comparison before this one was written
            b = self.compared = self.compared or self._load_side_b()
            if b.experiment.video != self.experiment.video:
                b.experiment = replace(b.experiment, video=self.experiment.video)
            b.save()
            return b

    def _load_side_b(self) -> Session:
        if self.experiment.beside in (None, self.experiment.id):
            self.change(beside=experiments.new_id())
        a, version = self.experiment, self.version
        b_id = a.beside or experiments.new_id()
        copied = replace(a, id=b_id, beside=None, side="b")
        shared = {"server_keys": self.server_keys, "lock": self.lock, "undoing": self.undoing}
        b = opened(b_id, copied, side="b", version=version, **shared)
        if b.experiment.id != b_id:
            self.change(beside=b.experiment.id)
        return b

    @property
    def document_id(self) -> str:  # type: ignore[override]
        """The experiment's id."""
        return self.experiment.id

    @property
    def value(self) -> Experiment:  # type: ignore[override]
        """The experiment."""
        return self.experiment

    def take(self, value: Experiment) -> None:
        """Take over another tab's changes: the prompt table and widgets show them, and edits on the way still count."""
        before, self.experiment = self.experiment, value
        self._supersede(before, value)
        if value.video != before.video:
            self._reset_view()
        if replace(value, rows=before.rows, beside=before.beside) != before:
            self.version += 1

    def _supersede(self, before: Experiment, after: Experiment) -> None:
        """Know the table still from which edits may be on their way while Python changes its rows."""
        if after.rows != before.rows and self.table is not None and self.table.latest == before.rows:
            self.superseded = self.table

    def save(self) -> None:
        """Write the experiment to disk if it has changed."""
        with self.lock:
            super().save()

    def refresh(self) -> None:
        """Take over what other tabs have written to this experiment and what belongs to it; see ``Saved``."""
        with self.lock:
            super().refresh()
            for other in (self.compared, *self.others.values()):
                if other is not None:
                    other.refresh()

    def documents(self) -> list[Saved[Any]]:
        """Return all that this tab writes."""
        with self.lock:
            return [self, *([self.compared] if self.compared else []), *self.others.values()]

    def change(self, **fields: Any) -> None:
        """Change fields of the experiment and write it to disk."""
        with self.lock:
            changed = self.experiment.with_fields(**fields)
            if "settings" not in fields and changed.settings != self.experiment.settings:
                self.version += 1  # another engine's thresholds: widgets and table start again from them
            self.undoing.record(self._put(changed))

    def change_threshold_of(self, label: str, threshold: float) -> None:
        """Change the own threshold of a label; edits of the prompt table that are on their way still count."""
        with self.lock:
            before, key = self.experiment, label_key(label)
            self.change(
                rows=tuple(
                    replace(row, threshold=threshold) if label_key(label_of(row)) == key else row for row in before.rows
                )
            )
            self._supersede(before, self.experiment)

    def change_settings(self, **fields: Any) -> None:
        """Change fields of the experiment's settings and write it to disk."""
        with self.lock:
            self.change(settings=replace(self.experiment.settings, **fields))

    def step(self, text: str | None, change: Callable[[Experiment], Experiment]) -> None:
        """Change the experiment as one step that can be undone; widgets and the prompt table show what has changed.

        Args:
            text: what is done, such as ``Version 'first' restored``; None has it said by the difference.
            change: gets the experiment as it is now and returns it changed; its id, video and side stay.
        """
        with self.lock:
            before = self.experiment
            after = like(before, change(before))
            self.take(after)
            self.save()
            self.undoing.record(ExperimentChange(before, after), text)

    def keep(self, why: Why) -> None:
        """Keep the experiment as a version before it is replaced; where that can't be done, it is said."""
        with self.lock:
            known = self.measured.known(self.experiment) if self.measured else {}
            try:
                versions.keep(cache.store(), self.experiment, why, **known)
            except (PromptreelError, OSError) as error:
                self.told.append(f"No version was kept {versions.WHY[why]}: {reason(error)}.")

    def replace_experiment(self, experiment: Experiment, text: str | None = None) -> None:
        """Replace the experiment as a whole; all widgets start again from its values. ``text`` is as for ``step``."""
        with self.lock:
            self.undoing.record(self.replaced_by(experiment), text)

    def replaced_by(self, experiment: Experiment) -> ExperimentChange:
        """Do the same without a step of its own, as part of a larger one, and return the change."""
        self.version += 1
        self.table = self.superseded = None
        return self._put(experiment)

    def _put(self, experiment: Experiment) -> ExperimentChange:
        before, self.experiment = self.experiment, experiment
        self.save()
        return ExperimentChange(before, experiment)

    def prompt_table(self) -> PromptTable:
        """Return the prompt table that the browser is to show; a new one when Python has replaced the rows."""
        with self.lock:
            rows = self.experiment.rows
            if self.table is None or self.table.latest != rows:
                self.tables += 1
                of = f"{self.experiment.id}.{self.token}.{self.tables}"
                self.table = PromptTable(of, given=rows, latest=rows)
            return self.table

    def accept_rows(
        self, of: str, number: int, rows: tuple[PromptRow, ...] | None, then: RowsAction | None = None
    ) -> None:
        """Accept the rows that the browser sent, unless newer ones were accepted or Python has replaced them since.

        Args:
            of: the ``PromptTable.of`` that they belong to.
            number: number of the edit, counted by the browser.
            rows: all rows; None asks for the rows as they are now.
            then: what else is to happen to them, as a press of a hint's button or a pasted table; what it says about
                that is ``table_said`` until the next edit.
        """
        with self.lock:
            table = self.table
            if table is None or table.of != of:
                self._accept_late_rows(of, number, rows, then)
            elif rows is None:
                self.table = None
            elif number > table.acknowledged and table.latest == self.experiment.rows:
                rows = experiment_merge.with_what_is_not_typed(self.experiment.rows, rows)
                self.table = replace(table, acknowledged=number, latest=rows)
                self.change(rows=rows)
                self._carry_out(then, self.experiment)

    def _carry_out(self, then: RowsAction | None, one: Experiment) -> Experiment:
        """Return ``one`` after a press or a paste in the table; as a step of its own where it is the experiment."""
        self.suggested = None
        after, self.table_said = then(one) if then else (one, "")
        if one is self.experiment and after != one:
            self.step(None, lambda _: after)  # what is typed meanwhile still counts
        return after

    def _accept_late_rows(
        self, of: str, number: int, rows: tuple[PromptRow, ...] | None, then: RowsAction | None
    ) -> None:
        """Accept an edit that was on its way while another tab's rows came into the table."""
        table = self.superseded
        if table is None or table.of != of or rows is None or number <= table.acknowledged:
            return
        rows = experiment_merge.with_what_is_not_typed(table.latest, rows)
        after = self._carry_out(then, replace(self.experiment, rows=rows))
        merged = experiment_merge.merge_rows(table.latest, after.rows, self.experiment.rows)
        self.superseded = replace(table, acknowledged=number, latest=after.rows)
        self.change(rows=merged.value)
        if after.settings != self.experiment.settings:
            self.step(None, lambda one: replace(one, settings=after.settings))

    def load_prompt_set(self, prompt_set: PromptSet) -> None:
        """Replace prompts and settings as a whole; a version of those before is kept."""
        self.keep("import")
        text = f"Prompts replaced by {quoted(prompt_set.name)}"
        self.replace_experiment(self.experiment.with_prompt_set(prompt_set), text)

    def change_prompts(self, change: Callable[[PromptRow], PromptRow], **fields: Any) -> None:
        """Change every row, and fields of the experiment, in one step."""
        self.step(None, lambda one: replace(one, rows=tuple(change(row) for row in one.rows), **fields))

    def travel(self, name: Literal["undo", "redo"]) -> str | None:
        """Undo this tab's newest step on either side, or redo it, and return what was done in words; None without one.

        It is side A's, and the caller holds no lock of this session: the store may have to be waited for.

        Raises:
            PromptreelError, OSError: ground truth can't be written; the step can be undone later.
        """
        return travel(self.undoing, name == "undo", self.lock, self._apply)

    def say(self, sentence: str) -> None:
        """Have the next run say what was done, where nothing on the screen might show it."""
        with self.lock:
            self.said.append(sentence)
            self.said_last = sentence

    def _apply(self, change: ExperimentChange) -> str:
        """Take back a change of one side."""
        self.refresh()
        if change.after.id == self.experiment.beside:
            self.side_b()  # which this tab may not have needed since it came back to this experiment
        sides = {one.experiment.id: one for one in (self, self.compared) if one is not None}
        side = sides.get(change.after.id)
        if side is None:
            return "It was of a side B that is another experiment now, so nothing has changed"
        value, kept = taken_back(change, side.experiment)
        side.take(value)
        side.save()
        return f"What another tab has changed since stays: {', '.join(kept)}" if kept else ""

    def open_video(self, sha256: str) -> None:
        """Choose the video of an experiment that has none; see ``lib.ui.session.opening`` for any other."""
        with self.lock:
            if self.experiment.video != sha256:
                self._reset_view()
                self.version += 1
            self.change(video=sha256)

    def _reset_view(self) -> None:
        self.window, self.seek_s, self.picked = None, None, {}
        self.playhead_s, self.marked, self.label = None, None, None
        self.brushes += 1

    def seek(self, time_s: float) -> None:
        """Move the player to ``time_s`` seconds."""
        with self.lock:
            self.seek_id += 1
            self.seek_s = time_s

    def newly_picked(self, name: str, value: Any) -> bool:
        """Return whether ``value`` differs from the last selection of the element ``name``.

        A selection stays in the element, and only its change is a command.
        """
        if self.picked.get(name) == value:
            return False
        self.picked[name] = value
        return True


def opened(experiment_id: str, otherwise: Experiment, **fields: Any) -> Session:
    """Return a session of a saved experiment, or of ``otherwise``: there is none, or none that can be read.

    One that can't be read is kept under another name, and said so; where that can't be done its id isn't used.
    """
    home = cache.store().home
    try:
        saved = experiments.load(home, experiment_id)
        return Session(saved or otherwise, saved=saved, **fields)
    except StoreDamagedError:
        try:
            aside = set_aside(experiments.path_of(home, experiment_id)).name
            otherwise = replace(otherwise, id=experiment_id)
        except OSError:
            aside, otherwise = f"{experiment_id}.json", replace(otherwise, id=experiments.new_id())
        session = Session(otherwise, **fields)
        session.aside = aside
        return session
    except PromptreelError as error:
        session = Session(replace(otherwise, id=experiments.new_id()), **fields)
        session.told.append(str(error))
        return session
