"""Pages through AppTest: a workspace on disk, an embedded video of three colours, and the toy inference server."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest

from lib.engines.registry import make_engine
from lib.ingest import ingest
from lib.prompts import Settings
from lib.reference import PHRASES
from lib.store import Store, Video, embed_texts_cached
from lib.timebase import Sampling
from lib.ui import workspace
from lib.ui.workspace import Row, Workspace
from tests.helpers.videos import BLUE, GREEN, RED, make_video, scenes

REPOSITORY = Path(__file__).resolve().parents[2]
EXPERIMENT = "abc123def456"
COLOURS = ("red", "green", "blue")


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have AppTest open pages inside the frame, as the server does once ``dashboard.py`` has cleared this flag."""
    original = PagesManager.__init__

    def start(self: PagesManager, *args: Any, **options: Any) -> None:
        PagesManager.uses_pages_directory = False
        original(self, *args, **options)

    monkeypatch.setattr(PagesManager, "__init__", start)


@dataclass(frozen=True)
class Bench:
    """A store with one video: red, green, blue, 3 s each, 10 frames a second."""

    store: Store
    video: Video
    workspace: Workspace


def lay_out(
    home: Path,
    server_url: str,
    *,
    embed: bool = True,
    rows: tuple[Row, ...] = tuple(Row(label=colour) for colour in COLOURS),
    settings: Settings | None = None,
) -> Bench:
    """Return a home folder with the video, embedded at stride 5 through the server, and a workspace about it."""
    store = Store(home)
    file = make_video(
        home.parent / "colours.mp4",
        colours=scenes((RED, 30), (GREEN, 30), (BLUE, 30)),
        size=(128, 96),
        rate=10,
    )
    video = store.add_file(file)
    sampling = Sampling.every(5)
    if embed:
        engine = make_engine(server_url, model_version="ViT-B-32")
        ingest(store, video, engine, sampling)
        embed_texts_cached(
            store, engine, PHRASES
        )  # so that no page has them embedded beside what a test looks at
        engine.close()
    here = Workspace(
        id=EXPERIMENT,
        video=video.sha256,
        engine="server",
        server_url=server_url,
        model_version="ViT-B-32",
        sampling=sampling.key,
        name="colours",
        rows=rows,
        settings=settings or Settings(),
    )
    workspace.save(home, here)
    return Bench(store, video, here)


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
    parts = [
        element.value for kind in ("markdown", "caption", "title", "header") for element in app.get(kind)
    ]
    parts += [element.value for kind in ("info", "warning", "error", "success") for element in app.get(kind)]
    parts += [element.proto.body for element in app.get("html")]
    return "\n".join(parts)


def saved(bench: Bench) -> Workspace:
    """Return the workspace as it is on disk."""
    found = workspace.load(bench.store.home, EXPERIMENT)
    assert found is not None
    return found


def with_rows(bench: Bench, *rows: Row) -> None:
    """Write other rows into the workspace on disk."""
    workspace.save(bench.store.home, replace(bench.workspace, rows=rows))


def editor_data(app: AppTest, key: str = "prompts") -> dict[str, Any]:
    """Return what Python passes to the prompt table's editor, and what it tells it with each edit."""
    passed = [json.loads(element.proto.json) for element in app.get("bidi_component")]
    (data,) = [data for data in passed if "colour_names" in data and data["key"] == key]
    (news,) = [data for data in passed if "heard" in data and data["key"] == key]
    assert news["of"] == data["of"]
    return {**data, **news}


def edit_prompts(
    app: AppTest, *rows: Row, of: str | None = None, number: int | None = None, key: str = "prompts"
) -> None:
    """Run the page with ``rows`` in the prompt table, as the browser sends them.

    ``of`` names another version of the table, ``number`` another edit than the next one, ``key`` another table.
    """
    sent = [{**asdict(row), "texts": list(row.texts)} for row in rows]
    data = editor_data(app, key)
    count = data["heard"] + 1 if number is None else number
    app.session_state[key] = {"rows": {"of": of or data["of"], "number": count, "rows": sent}}
    app.run()
