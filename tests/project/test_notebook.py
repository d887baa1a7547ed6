"""The notebook runs from beginning to end, shows its charts, and stands in the repository with what it gives."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "docs" / "first_result.ipynb"
VEGA_LITE = "application/vnd.vegalite.v6+json"


def outputs(notebook: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """What each cell gave, without progress."""
    return [[one for one in cell.get("outputs", []) if one.get("name") != "stderr"] for cell in notebook["cells"]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("notebook") / "run.ipynb"
    command = [sys.executable, "-m", "tools.run_notebook", NOTEBOOK, "--out", out]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    notebook: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return notebook


def test_it_finds_what_the_readme_says_and_shows_its_charts(made: dict[str, Any]) -> None:
    shown = [one for given in outputs(made) for one in given]
    charts = [one["data"] for one in shown if VEGA_LITE in one.get("data", {})]
    texts = json.dumps(shown)

    assert len(charts) >= 4
    assert all("image/png" in chart and {"layer", "vconcat"} & chart[VEGA_LITE].keys() for chart in charts)
    assert "6.3 s, 37 %, first 0:07.1" in texts
    assert "2.9 s, 17 %" in texts
    assert "B is better here" in texts


def test_what_stands_in_the_repository_is_what_it_gives(made: dict[str, Any]) -> None:
    kept = json.loads(NOTEBOOK.read_text(encoding="utf-8"))

    def kinds(notebook: dict[str, Any]) -> list[list[list[str]]]:
        return [[sorted({*one.get("data", {})} - {VEGA_LITE}) for one in given] for given in outputs(notebook)]

    assert kinds(kept) == kinds(made), "run python -m tools.run_notebook docs/first_result.ipynb"
    assert NOTEBOOK.stat().st_size < 1_000_000
