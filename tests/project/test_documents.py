"""What the documents name exists: files, folders, modules, functions and whatever they link to."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILE = re.compile(r"`([\w./-]+\.(?:py|js|css|mp4))`")
FOLDER = re.compile(r"`((?:lib|tests|pages|docs|tools|benchmarks|sample_videos)/[\w./-]*)`")
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")
DOTTED = re.compile(r"(?<![\w./-])[a-z_]+(?:\.[A-Za-z_]\w*)+(?![\w/])")
IN_FILE = re.compile(r"`([A-Za-z_]\w*)` in `([\w./-]+\.py)`")
OF_FILE = re.compile(r"`([\w./-]+\.py)` \(((?:`\w+`(?:, )?)+)\)")
PACKAGES = {path.name for path in (ROOT / "lib").iterdir() if (path / "__init__.py").exists()}


@functools.cache
def files(pattern: str) -> list[Path]:
    """Files of the project, without hidden folders such as environments."""
    paths = (path.relative_to(ROOT) for path in ROOT.rglob(pattern) if path.is_file())
    return sorted(path for path in paths if not any(part.startswith(".") for part in path.parts))


DOCUMENTS = files("*.md")


def defines(source: Path, name: str) -> bool:
    """Return whether a module defines ``name``, as a function, class, method, attribute or constant."""
    text = source.read_text(encoding="utf-8")
    return re.search(rf"^\s*(?:def |class |self\.)?{name}\b\s*(?:[(:=\[]|$)", text, re.MULTILINE) is not None


def exists(dotted: str) -> bool:
    """Return whether ``lib.package.module.name`` or ``package.name`` is a module, or defined in one."""
    parts = dotted.removeprefix("lib.").split(".")
    for count in range(len(parts), 0, -1):
        place = ROOT.joinpath("lib", *parts[:count])
        rest = parts[count:]
        if place.with_suffix(".py").is_file():
            return not rest or (len(rest) <= 2 and defines(place.with_suffix(".py"), rest[-1]))
        if place.is_dir():
            return not rest or any(defines(module, rest[0]) for module in place.rglob("*.py"))
    return False


def test_there_are_documents() -> None:
    assert {"README.md", "ARCHITECTURE.md", "CHANGELOG.md", "tools/README.md", "docs/concurrency.md"} <= {
        path.as_posix() for path in DOCUMENTS
    }


@pytest.mark.parametrize("document", DOCUMENTS, ids=[path.as_posix() for path in DOCUMENTS])
def test_what_a_document_names_exists(document: Path) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    ends = [f"/{path.as_posix()}" for path in files("*")]

    absent = [name for name in FILE.findall(text) if not any(end.endswith(f"/{name}") for end in ends)]
    absent += [name for name in FOLDER.findall(text) if not (ROOT / name).exists()]
    absent += [name for name in LINK.findall(text) if not (ROOT / document).parent.joinpath(name).exists()]
    absent += [
        name
        for name in DOTTED.findall(text)
        if name.split(".")[0] in {"lib", *PACKAGES} and not name.endswith((".json", ".md", ".py")) and not exists(name)
    ]
    pairs = [(path, name) for name, path in IN_FILE.findall(text)]
    pairs += [(path, name) for path, names in OF_FILE.findall(text) for name in re.findall(r"\w+", names)]
    absent += [f"{path}: {name}" for path, name in pairs if not defines(ROOT / path, name)]

    assert absent == []
