"""What the documents name is there: modules, videos, and whatever they link to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`([\w./-]+\.(?:py|js|css|mp4))`")
LINKED = re.compile(r"\]\((?!https?:|#)([^)#]+)")


def shown(pattern: str) -> list[Path]:
    """Files of the project, without hidden folders such as environments."""
    found = (path.relative_to(ROOT) for path in ROOT.rglob(pattern) if path.is_file())
    return sorted(path for path in found if not any(part.startswith(".") for part in path.parts))


DOCUMENTS = shown("*.md")


def test_there_are_documents() -> None:
    assert {"README.md", "ARCHITECTURE.md", "CHANGELOG.md", "tools/README.md"} <= {
        path.as_posix() for path in DOCUMENTS
    }


@pytest.mark.parametrize("document", DOCUMENTS, ids=[path.as_posix() for path in DOCUMENTS])
def test_files_named_or_linked_exist(document: Path) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    files = [f"/{path.as_posix()}" for path in shown("*")]

    absent = [name for name in NAMED.findall(text) if not any(file.endswith(f"/{name}") for file in files)]
    broken = [name for name in LINKED.findall(text) if not (ROOT / document).parent.joinpath(name).exists()]

    assert (absent, broken) == ([], [])
