"""The two sides of ``lib`` stay apart: the contracts hold, and each is proven by a planted import."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"

IO_ORDER = "I/O side, in its order"
PURE_ORDER = "Pure side, in its order"
PURE = "The pure side touches no Streamlit, file, network or I/O module"
IO = "The I/O side knows nothing of the pure side"
STREAMLIT = "Only lib.ui imports Streamlit"
PAGES = "Pages arrange: lib.ui and Streamlit only"

PLANTS = [
    (IO_ORDER, "lib/media.py", "import lib.video"),
    (IO_ORDER, "lib/video.py", "from lib.store import Store"),
    (PURE_ORDER, "lib/prompts.py", "import lib.scoring"),
    (PURE_ORDER, "lib/metrics.py", "from lib.charts import scores_chart"),
    (PURE, "lib/scoring.py", "import os"),
    (PURE, "lib/prompt_files.py", "from pathlib import Path"),
    (PURE, "lib/charts.py", "import requests"),
    (PURE, "lib/analysis.py", "from lib.store import Store"),
    (IO, "lib/video.py", "def later():\n    import lib.prompts"),
    (STREAMLIT, "lib/export.py", "import streamlit as st"),
    (STREAMLIT, "lib/__main__.py", "from lib.ui import state"),
    (PAGES, "pages/library.py", "import numpy as np"),
]


def contracts() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))[
        "tool"
    ]["importlinter"]["contracts"]
    return found


def lint(tree: Path) -> tuple[int, dict[str, str], str]:
    """Return exit status, contract -> KEPT or BROKEN, and everything import-linter says."""
    done = subprocess.run(
        [sys.executable, "-c", LINT, "--no-cache", "--no-logo"],
        cwd=tree,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    said = done.stdout + done.stderr
    states = dict(re.findall(r"^(.+?) (KEPT|BROKEN)(?: .*)?$", done.stdout, flags=re.MULTILINE))
    return done.returncode, states, said


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what the contracts are about."""
    copy = tmp_path / "tree"
    copy.mkdir()
    shutil.copy(ROOT / "pyproject.toml", copy)
    for package in ("lib", "pages"):
        shutil.copytree(
            ROOT / package,
            copy / package,
            ignore=lambda folder, names: (
                [name for name in names if not name.endswith(".py") and not (Path(folder) / name).is_dir()]
                + ["__pycache__"]
            ),
        )
    return copy


def test_the_contracts_hold(tree: Path) -> None:
    status, states, said = lint(tree)
    assert status == 0, said
    assert states == {contract["name"]: "KEPT" for contract in contracts()}, said


@pytest.mark.parametrize(
    ("contract", "file", "line"),
    PLANTS,
    ids=[f"{line.splitlines()[-1].strip()} in {file}" for _, file, line in PLANTS],
)
def test_a_planted_import_breaks_its_contract_and_no_other(
    tree: Path, contract: str, file: str, line: str
) -> None:
    source = tree / file
    source.write_text(source.read_text(encoding="utf-8") + f"\n\n{line}\n", encoding="utf-8")
    status, states, said = lint(tree)
    assert status == 1, said
    assert {name for name, state in states.items() if state == "BROKEN"} == {contract}, said


def test_each_contract_is_proven() -> None:
    assert {contract for contract, _, _ in PLANTS} == {contract["name"] for contract in contracts()}


def test_every_module_is_under_a_contract() -> None:
    """A new file in lib that no contract names would be free to import anything."""
    (streamlit,) = [contract for contract in contracts() if contract["name"] == STREAMLIT]
    modules = {
        f"lib.{path.stem}"
        for path in (ROOT / "lib").iterdir()
        if (path.suffix == ".py" and path.stem != "__init__") or (path / "__init__.py").exists()
    }
    assert modules - {"lib.ui"} == set(streamlit["source_modules"])
