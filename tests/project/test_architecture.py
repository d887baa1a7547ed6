"""The packages of ``lib`` keep their order: the contracts hold, and each is proven by a planted import."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"

PACKAGES = "Packages, in their order"
DASHBOARD = "Parts of the dashboard, in their order; the pages don't know each other"
STREAMLIT = "Only lib.ui imports Streamlit"
RAY = "Only lib.cluster imports Ray"
PURE = "The pure packages touch no file, network or I/O library"
IO = "The I/O packages know nothing of the pure ones above core"
PAGES = "Pages arrange: lib.ui and Streamlit only"

PLANTS = [
    (PACKAGES, "lib/media/frames.py", "from lib.store.store import Store"),
    (DASHBOARD, "lib/ui/explore/results.py", "from lib.ui.compare import scores"),
    (STREAMLIT, "lib/services/jobs.py", "import streamlit as st"),
    (RAY, "lib/services/jobs.py", "import ray"),
    (PURE, "lib/analysis/scoring.py", "import os"),
    (IO, "lib/store/sidecar.py", "def later():\n    import lib.prompts.model"),
    (PAGES, "pages/library.py", "import numpy as np"),
]


def contracts() -> list[dict[str, Any]]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return list(settings["tool"]["importlinter"]["contracts"])


def lint(tree: Path) -> tuple[int, dict[str, str], str]:
    """Return the exit status, contract -> KEPT or BROKEN, and all output."""
    done = subprocess.run(
        [sys.executable, "-c", LINT, "--no-cache", "--no-logo"],
        cwd=tree,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    output = done.stdout + done.stderr
    states = dict(re.findall(r"^(.+?) (KEPT|BROKEN)(?: .*)?$", done.stdout, flags=re.MULTILINE))
    return done.returncode, states, output


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
    status, states, output = lint(tree)
    assert status == 0, output
    assert states == {contract["name"]: "KEPT" for contract in contracts()}, output


@pytest.mark.parametrize(
    ("contract", "file", "line"), PLANTS, ids=[f"{line.splitlines()[-1].strip()} in {file}" for _, file, line in PLANTS]
)
def test_a_planted_import_breaks_its_contract_and_no_other(tree: Path, contract: str, file: str, line: str) -> None:
    source = tree / file
    source.write_text(source.read_text(encoding="utf-8") + f"\n\n{line}\n", encoding="utf-8")
    status, states, output = lint(tree)
    assert status == 1, output
    assert {name for name, state in states.items() if state == "BROKEN"} == {contract}, output


def test_each_contract_is_proven() -> None:
    assert {contract for contract, _, _ in PLANTS} == {contract["name"] for contract in contracts()}


def test_a_module_without_a_place_is_noticed(tree: Path) -> None:
    (tree / "lib" / "loose.py").write_text('"""A module that no package holds."""\n', encoding="utf-8")
    status, _, output = lint(tree)
    assert status == 1, output
    assert "loose" in output


def test_lib_holds_packages_only() -> None:
    names = {path.name for path in (ROOT / "lib").iterdir() if path.name != "__pycache__"}
    packages = {name for name in names if (ROOT / "lib" / name / "__init__.py").exists()}
    assert names - packages == {"__init__.py", "__main__.py"}


def test_each_package_says_what_it_is_for_and_what_it_may_import() -> None:
    for init in (ROOT / "lib").glob("*/__init__.py"):
        assert "May import" in init.read_text(encoding="utf-8"), init


def test_the_contracts_name_no_module_one_by_one() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert len(text[text.index("[tool.importlinter]") :].splitlines()) <= 90
    modules = {str(path.relative_to(ROOT).with_suffix("")).replace("/", ".") for path in ROOT.glob("lib/**/*.py")}
    listed = set(re.findall(r'"(lib\.[\w.]+)"', text))
    assert not listed & modules
