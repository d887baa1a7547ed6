"""What a person works on, as one typed object that outlives reruns, page switches, reloads and restarts.

An experiment is a video, an engine choice, a sampling, prompt rows (also unfinished ones) and settings. It is in the
session and is written to ``<home>/experiments/<id>.json`` after every change; its id is in the page's address, so a
reload, a second tab or a colleague's link finds it again. API keys are not part of it.
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

from lib.core.errors import PromptreelError
from lib.core.labelled_intervals import label_key
from lib.core.sampling import Sampling
from lib.engines.embedded_models import EMBEDDED_MODELS
from lib.engines.hosted import HOSTED
from lib.engines.registry import default_engine, is_address
from lib.infra.files import write_atomically
from lib.prompts.model import Decision, Prompt, PromptSet, Role, Score, Settings, Smoothing, SmoothingKind
from lib.store.home import StorePaths

FORMAT = 1
DEFAULT_SERVER_URL = "http://localhost:9001"
_ID = re.compile(r"[a-z0-9]{6,32}")


@dataclass(frozen=True)
class PromptRow:
    """One row of the prompt table, exactly as typed: it may be blank, a duplicate or incomplete."""

    enabled: bool = True
    label: str = ""
    texts: tuple[str, ...] = ()
    role: str = "target"
    threshold: float | None = None
    colour: str | None = None

    @classmethod
    def of(cls, prompt: Prompt) -> PromptRow:
        """Return the row that shows ``prompt``; phrasings that only repeat the label are left blank."""
        texts = () if prompt.texts == (prompt.label,) else prompt.texts
        return cls(prompt.enabled, prompt.label, texts, prompt.role, prompt.threshold, prompt.colour)


def label_of(row: PromptRow) -> str:
    """Return the row's label, else its first phrasing; empty for a blank row."""
    return next((text.strip() for text in (row.label, *row.texts) if text.strip()), "")


def rows_to_prompts(rows: tuple[PromptRow, ...]) -> tuple[tuple[Prompt, ...], list[str]]:
    """Return the prompts that ``rows`` define, and one sentence for each row that is left out."""
    prompts: list[Prompt] = []
    problems: list[str] = []
    seen: set[str] = set()
    for number, row in enumerate(rows, start=1):
        texts = tuple(text.strip() for text in row.texts if text.strip())
        label = label_of(row)
        if not label:
            continue
        if label_key(label) in seen:
            problems.append(f"Row {number} is left out: “{label}” is there already; give it a label of its own.")
            continue
        role: Role = "background" if row.role == "background" else "target"
        try:
            prompts.append(Prompt(label, texts or (label,), role, row.threshold, row.enabled, row.colour))
        except PromptreelError as error:
            problems.append(f"Row {number} is left out: {error}")
            continue
        seen.add(label_key(label))
    return tuple(prompts), problems


@dataclass(frozen=True)
class Experiment:
    """See the module's docstring. Frozen: a change makes a new one (``dataclasses.replace``)."""

    id: str
    video: str | None = None
    """SHA-256 of the chosen video."""
    engine: str = "demo"
    """``demo``, ``clip``, ``siglip``, ``server``, or ``hosted``: imported vectors, words by the server."""
    server_url: str = DEFAULT_SERVER_URL
    model_version: str = "ViT-B-16"
    sampling: str = "stride-10"
    """A ``Sampling.key``."""
    name: str = "untitled"
    """Name of the prompt set."""
    template: str = "{}"
    rows: tuple[PromptRow, ...] = ()
    settings: Settings = field(default_factory=Settings)
    beside: str | None = None
    """Id of the experiment that this one is compared with, which is saved in a file of its own."""
    side: str = "a"
    """``b`` for an experiment that is another one's ``beside``: it is found through that one only."""

    @property
    def engine_spec(self) -> str:
        """What ``registry.make_engine`` takes: a name or the server's URL."""
        if self.engine == HOSTED:
            return f"{HOSTED}@{self.server_url}"
        return self.server_url if self.engine == "server" else self.engine

    def with_prompt_set(self, prompt_set: PromptSet) -> Experiment:
        """Return a copy that works on ``prompt_set``."""
        rows = tuple(PromptRow.of(prompt) for prompt in prompt_set.prompts)
        return replace(
            self, name=prompt_set.name, template=prompt_set.template, rows=rows, settings=prompt_set.settings
        )

    def with_experiment(self, other: Experiment) -> Experiment:
        """Return a copy with prompts, settings, engine and sampling of ``other``; id and video stay."""
        return replace(other, id=self.id, video=self.video, beside=self.beside, side=self.side)

    def prompt_set(self) -> tuple[PromptSet | None, list[str]]:
        """Return the prompt set that rows and settings define (None without a usable row), and problems."""
        prompts, problems = rows_to_prompts(self.rows)
        if not prompts:
            return None, problems
        try:
            return PromptSet(self.name, prompts, self.template, self.settings), problems
        except PromptreelError as error:
            return None, [*problems, str(error)]

    def to_dict(self) -> dict[str, Any]:
        """Return plain types for JSON."""
        return {"format": FORMAT, **asdict(self)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Experiment:
        """Return the experiment that ``to_dict`` was called on.

        Raises:
            ValueError, TypeError, KeyError, PromptreelError: ``data`` is no experiment.
        """
        data = dict(data)
        if data.pop("format", None) != FORMAT:
            raise ValueError("another format")
        smoothing = Smoothing(**data["settings"].pop("smoothing"))
        data["settings"] = Settings(smoothing=smoothing, **data["settings"])
        data["rows"] = tuple(PromptRow(**{**row, "texts": tuple(row["texts"])}) for row in data["rows"])
        Sampling.from_key(data["sampling"])
        return cls(**data)


def engine_fields(engine_id: str) -> dict[str, str]:
    """Return the fields of an experiment that choose the engine with this id."""
    name, _, version = engine_id.partition("/")
    if version:
        return {"engine": HOSTED if name == HOSTED else "server", "model_version": version}
    return {"engine": name.partition(":")[0]}


def new_id() -> str:
    """Return a new id that can't be guessed."""
    return secrets.token_hex(6)


def fresh() -> Experiment:
    """Return an empty experiment with the engine that ``PROMPTREEL_ENGINE`` names, else with the demo model."""
    wanted = default_engine()
    if wanted.lower() in EMBEDDED_MODELS:
        return Experiment(new_id(), engine=wanted.lower())
    if is_address(wanted):
        return Experiment(new_id(), engine="server", server_url=wanted)
    return Experiment(new_id())


def _path(home: Path, experiment_id: str) -> Path:
    return StorePaths(home).experiments / f"{experiment_id}.json"


def save(home: Path, experiment: Experiment) -> None:
    """Write ``experiment`` whole or not at all."""
    text = json.dumps(experiment.to_dict(), ensure_ascii=False, indent=1)
    write_atomically(_path(home, experiment.id), text)


def load(home: Path, experiment_id: str) -> Experiment | None:
    """Return the saved experiment, or None when there is none (or none that this version reads)."""
    if not _ID.fullmatch(experiment_id):
        return None
    try:
        data = json.loads(_path(home, experiment_id).read_text(encoding="utf-8"))
        return Experiment.from_dict(data)
    except (OSError, ValueError, TypeError, KeyError, PromptreelError):
        return None


def recent(home: Path, *, limit: int, without: str) -> list[tuple[Experiment, float]]:
    """Return the ``limit`` experiments written last, newest first, with the time (seconds since 1970) of writing.

    Side B of a comparison is left out, as it comes with its side A. Of several with the same content (each tab
    begins one, often from the same prompts) there is only the newest. ``without`` is an id to leave out.
    """
    files = sorted(
        ((path.stat().st_mtime, path.stem) for path in StorePaths(home).experiments.glob("*.json")),
        reverse=True,
    )
    newest: list[tuple[Experiment, float]] = []
    for written_at, experiment_id in files:
        if len(newest) == limit:
            break
        experiment = load(home, experiment_id) if experiment_id != without else None
        if experiment is None or not experiment.rows or experiment.side != "a":
            continue
        if all(experiment != replace(other, id=experiment.id) for other, _ in newest):
            newest.append((experiment, written_at))
    return newest


SCORES: tuple[Score, ...] = get_args(Score)
DECISIONS: tuple[Decision, ...] = get_args(Decision)
SMOOTHING_KINDS: tuple[SmoothingKind, ...] = get_args(SmoothingKind)
