"""Pages through AppTest: an experiment on disk, an embedded video of three colours, and the toy inference server."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from lib.core.labelled_intervals import TrueSegment
from lib.core.sampling import Sampling
from lib.engines.registry import make_engine
from lib.ingest.ingest import ingest
from lib.prompts.model import Settings
from lib.prompts.reference_phrases import PHRASES
from lib.services import experiments
from lib.services.experiments import Experiment, PromptRow
from lib.store.store import Store, embed_texts_cached
from lib.store.videos import Video
from lib.ui.session import cache
from tests.helpers.videos import BLUE, GREEN, RED, Colour, make_video, scenes

REPOSITORY = Path(__file__).resolve().parents[2]
EXPERIMENT = "abc123def456"
COLOURS = ("red", "green", "blue")
_ROWS = tuple(PromptRow(label=colour) for colour in COLOURS)
MODEL = "ViT-B-32"
SAMPLING = Sampling.every(5)


@dataclass(frozen=True)
class Bench:
    """A store with one video: red, green, blue, 3 s each, 10 frames per second."""

    store: Store
    video: Video
    experiment: Experiment


def lay_out(
    home: Path,
    server_url: str,
    *,
    embed: bool = True,
    rows: tuple[PromptRow, ...] = _ROWS,
    settings: Settings | None = None,
    name: str = "colours",
) -> Bench:
    """Return a home folder with the video, embedded at stride 5 through the server, and an experiment about it."""
    store = Store(home)
    video = add_video(store, server_url, (RED, 30), (GREEN, 30), (BLUE, 30), name=name, embed=embed)
    if embed:  # the phrases too, so that no page has them embedded beside what a test looks at
        with contextlib.closing(make_engine(server_url, model_version=MODEL)) as engine:
            embed_texts_cached(store, engine, PHRASES)
    return _experiment(store, video, server_url, rows, settings or Settings())


def copied(template: Path, home: Path, server_url: str) -> Bench:
    """Return what ``lay_out`` made in the folder ``template`` in another home, its video beside it as there.

    What pages keep of such an embedding is forgotten, as it would be taken for that of the home before.
    """
    for name, kept in vars(cache).items():
        if name.startswith("_") and name != "_store" and callable(kept) and hasattr(kept, "clear"):
            kept.clear()
    shutil.copytree(template / "home", home)
    store = Store(home)
    video = store.add_file(shutil.copy(template / "colours.mp4.made", home.parent / "colours.mp4"))
    return _experiment(store, video, server_url, _ROWS, Settings())


def _experiment(store: Store, video: Video, server_url: str, rows: tuple[PromptRow, ...], settings: Settings) -> Bench:
    here = Experiment(
        id=EXPERIMENT,
        video=video.sha256,
        engine="server",
        server_url=server_url,
        model_version=MODEL,
        sampling=SAMPLING.key,
        name="colours",
        rows=rows,
        settings=settings,
    )
    experiments.save(store.home, here)
    return Bench(store, video, here)


def add_video(
    store: Store, server_url: str, *stretches: tuple[Colour, int], name: str = "second", embed: bool = True
) -> Video:
    """Store a video of one colour after another, each for so many frames, 10 per second; embedded like the bench's."""
    file = store.home.parent / f"{name}.mp4"
    video = store.add_file(make_video(file, colours=scenes(*stretches), size=(128, 96), rate=10))
    if embed:
        with contextlib.closing(make_engine(server_url, model_version=MODEL)) as engine:
            ingest(store, video, engine, SAMPLING)
    return video


def open_page(page: str = "pages/explore.py", *, experiment: str | None = EXPERIMENT) -> AppTest:
    """Return the dashboard with one page run."""
    app = AppTest.from_file(REPOSITORY / "dashboard.py", default_timeout=60)
    if experiment:
        app.query_params["experiment"] = experiment
    app.run()
    if page != "pages/library.py":
        app.switch_page(page).run()
    return app


def words(app: AppTest) -> str:
    """Return everything written on the page."""
    parts = [element.value for kind in ("markdown", "caption", "title", "header") for element in app.get(kind)]
    parts += [element.value for kind in ("info", "warning", "error", "success") for element in app.get(kind)]
    parts += [element.proto.body for element in app.get("html")]
    return "\n".join(parts)


def saved(bench: Bench) -> Experiment:
    """Return the experiment as it is on disk."""
    found = experiments.load(bench.store.home, EXPERIMENT)
    assert found is not None
    return found


def with_rows(bench: Bench, *rows: PromptRow) -> None:
    """Write other rows into the experiment on disk."""
    experiments.save(bench.store.home, replace(bench.experiment, rows=rows))


def by_key(widgets: Iterable[Any], start: str) -> Any:
    """Return the one widget of a part of the page whose key starts with ``start`` (keys end with a version)."""
    (found,) = [widget for widget in widgets if widget.key and widget.key.startswith(start)]
    return found


def press(app: AppTest, key: str) -> AppTest:
    """Click the button whose key starts with ``key``."""
    by_key(app.button, key).click().run()
    assert not app.exception
    return app


def put_truth(bench: Bench, *segments: TrueSegment) -> None:
    """Make these the truth of the bench's video."""
    bench.store.change_truth(bench.video, lambda _: segments)


def passed(app: AppTest, field: str) -> list[dict[str, Any]]:
    """Return what Python passes to each component that is given ``field``."""
    given = [json.loads(element.proto.json) for element in app.get("bidi_component")]
    return [data for data in given if field in data]


def answers(app: AppTest, side: str = "") -> dict[str, str]:
    """Return what the rows of the prompt table say of each label, by label; empty without an analysis."""
    lanes = [data["lanes"] or {} for data in passed(app, "lanes")]
    shown = [one for each in lanes for one in (each, each.get("beside")) if one and one.get("side", "") == side]
    told = [one for data in passed(app, "labels") for one in data["labels"] if one["side"] == side]
    named = [(one["name"], one["answer"]) for each in shown for one in each["labels"]]
    return dict(named) | {one["label"]: one["answer"] for one in told}


def editor_data(app: AppTest, key: str = "prompts") -> dict[str, Any]:
    """Return what Python passes to the prompt table's editor, and what it tells it with each edit."""
    (data,) = [data for data in passed(app, "colour_names") if data["key"] == key]
    (feedback,) = [data for data in passed(app, "uses_thresholds") if data["key"] == key]
    assert feedback["of"] == data["of"]
    return {**data, **feedback}


def edit_prompts(
    app: AppTest,
    *rows: PromptRow,
    of: str | None = None,
    number: int | None = None,
    key: str = "prompts",
    action: dict[str, Any] | None = None,
) -> None:
    """Run the page with ``rows`` in the prompt table, as the browser sends them.

    ``of`` names another version of the table, ``number`` another edit than the next one, ``key`` another table;
    ``action`` is a press of a hint's button, or a paste.
    """
    sent = [{**asdict(row), "texts": list(row.texts)} for row in rows]
    data = editor_data(app, key)
    count = data["ack"] + 1 if number is None else number
    app.session_state[key] = {"rows": {"of": of or data["of"], "number": count, "rows": sent, "action": action}}
    app.run()
