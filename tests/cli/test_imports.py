"""A command loads what it needs and no more: seen by the modules that are loaded, not by a clock."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUN = """
import sys
from lib.__main__ import main
try:
    main()
finally:
    print(*sys.modules, file=sys.stderr, sep="\\n")
"""
HEAVY = {
    "numpy",
    "pandas",
    "scipy",
    "sklearn",
    "pyarrow",
    "lancedb",
    "av",
    "altair",
    "supervision",
    "onnxruntime",
    "tokenizers",
}
HEAVY |= {"onnxruntime", "requests", "PIL", "yaml", "streamlit"}


def loaded(*arguments: str) -> set[str]:
    """Return the modules that a process has loaded when the command has ended."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    return set(done.stderr.split("\n"))


def test_help_loads_no_package_but_the_standard_library() -> None:
    modules = loaded("--help")

    assert "argparse" in modules
    assert not modules & HEAVY
    assert not {name for name in modules if name.startswith(("lib.store", "lib.analysis", "lib.ui", "lib.media"))}


def test_the_help_of_a_command_loads_its_module_alone() -> None:
    modules = loaded("search", "--help")

    assert {"lib.cli.search", "lib.services.search"} <= modules
    others = ("analyze", "compare", "evaluate", "embed", "import_results", "ground_truth")
    assert not modules & {f"lib.cli.{name}" for name in others}


@pytest.mark.parametrize(
    ("arguments", "absent"),
    [
        (("search", "a"), ["scipy", "sklearn", "altair", "supervision", "streamlit", "av"]),
        (("embed", "none.mp4"), ["scipy", "sklearn", "altair", "supervision", "streamlit"]),
        (
            ("analyze", "none.mp4", "--prompts", "sample_videos/five_scenes.prompts.yaml"),
            ["scipy.signal", "sklearn", "altair", "supervision", "streamlit"],
        ),
        (("import", "none.json"), ["scipy", "sklearn", "altair", "supervision", "streamlit"]),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_a_command_loads_what_it_needs(arguments: tuple[str, ...], absent: list[str]) -> None:
    modules = loaded(*arguments)

    assert "lib.store.store" in modules  # it ran
    assert not modules & set(absent)
