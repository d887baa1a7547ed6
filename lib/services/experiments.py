"""What a person is working on, as one typed object that outlives reruns, page switches, reloads and restarts.

A workspace is one experiment in the making: video, engine choice, sampling, prompt rows (also unfinished ones) and
settings. It lives in the session and is written to ``<home>/experiments/<id>.json`` after every change; its id is in
the page's address, so a reload, a second tab or a colleague's link finds it again. API keys are not part of it.
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

from lib.core.errors import PromptreelError
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
    """One line of the prompt table, exactly as typed: it may be blank, doubled or half done."""

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


def rows_to_prompts(rows: tuple[PromptRow, ...]) -> tuple[tuple[Prompt, ...], list[str]]:
    """Return the prompts that ``rows`` amount to, and one sentence for each row that is left out."""
    prompts: list[Prompt] = []
    problems: list[str] = []
    seen: set[str] = set()
    for number, row in enumerate(rows, start=1):
        texts = tuple(text.strip() for text in row.texts if text.strip())
        label = row.label.strip() or (texts[0] if texts else "")
        if not label:
            continue
        if label in seen:
            problems.append(
                f"Row {number} is left out: “{label}” is there already; give it a label of its own."
            )
            continue
        role: Role = "background" if row.role == "background" else "target"
        try:
            prompts.append(Prompt(label, texts or (label,), role, row.threshold, row.enabled, row.colour))
        except PromptreelError as error:
            problems.append(f"Row {number} is left out: {error}")
            continue
        seen.add(label)
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
    """Id of the workspace that this one is compared with, which is saved in a file of its own."""
    side: str = "a"
    """``b`` for a workspace that is another one's ``beside``: it is found through that one only."""

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
        """Return the prompt set that the rows and settings amount to (None without a usable row), and problems."""
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
        """Return the workspace that ``to_dict`` was made of.

        Raises:
            ValueError, TypeError, KeyError, PromptreelError: it is none.
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
    """Return the fields of a workspace that choose the engine with this id."""
    name, _, version = engine_id.partition("/")
    if version:
        return {"engine": HOSTED if name == HOSTED else "server", "model_version": version}
    return {"engine": name.partition(":")[0]}


def new_id() -> str:
    """Return a fresh id that nobody guesses."""
    return secrets.token_hex(6)


def fresh() -> Experiment:
    """Return an empty workspace with the engine that ``PROMPTREEL_ENGINE`` names; the demo's where it names none."""
    wanted = default_engine()
    if wanted.lower() in EMBEDDED_MODELS:
        return Experiment(new_id(), engine=wanted.lower())
    if is_address(wanted):
        return Experiment(new_id(), engine="server", server_url=wanted)
    return Experiment(new_id())


def _path(home: Path, workspace_id: str) -> Path:
    return StorePaths(home).experiments / f"{workspace_id}.json"


def save(home: Path, workspace: Experiment) -> None:
    """Write ``workspace`` whole or not at all."""
    text = json.dumps(workspace.to_dict(), ensure_ascii=False, indent=1)
    write_atomically(_path(home, workspace.id), text)


def load(home: Path, workspace_id: str) -> Experiment | None:
    """Return the saved workspace, or None when there is none (or none that this version reads)."""
    if not _ID.fullmatch(workspace_id):
        return None
    try:
        data = json.loads(_path(home, workspace_id).read_text(encoding="utf-8"))
        return Experiment.from_dict(data)
    except (OSError, ValueError, TypeError, KeyError, PromptreelError):
        return None


def recent(home: Path, *, limit: int, without: str) -> list[tuple[Experiment, float]]:
    """Return the workspaces written last, newest first, with the time (seconds since 1970) of writing.

    Those that another one is compared with are left out; they come with it. Of several that say the same (each tab
    begins one, often from the same words) there is only the newest.

    Args:
        home: the store's folder.
        limit: how many at most.
        without: id of one that is left out: the current one.
    """
    files = sorted(
        ((path.stat().st_mtime, path.stem) for path in StorePaths(home).experiments.glob("*.json")),
        reverse=True,
    )
    found: list[tuple[Experiment, float]] = []
    for written_at, name in files:
        if len(found) == limit:
            break
        one = load(home, name) if name != without else None
        if one is None or not one.rows or one.side != "a":
            continue
        if all(one != replace(other, id=one.id) for other, _ in found):
            found.append((one, written_at))
    return found


SCORES: tuple[Score, ...] = get_args(Score)
DECISIONS: tuple[Decision, ...] = get_args(Decision)
SMOOTHING_KINDS: tuple[SmoothingKind, ...] = get_args(SmoothingKind)
