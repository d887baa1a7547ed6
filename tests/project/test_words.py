"""People read the words of the field: what was hard to understand on screen and in the terminal doesn't come back."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_CODE = [*ROOT.glob("lib/**/*.py"), *ROOT.glob("pages/*.py"), ROOT / "dashboard.py"]
_BROWSER = [path for kind in ("js", "html", "css") for path in ROOT.glob(f"lib/**/*.{kind}")]
_READ = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md")]

INSTEAD = {
    r"embedded once and kept": "Analysed once; after that every change is instant",
    r"(left|used|stays?|, )\s*in its place": "original location",
    r"\bCached\b": "Storage",
    r"[Cc]hoose a line": "Select a row",
    r"[Dd]emo model \((bundled|embedded)\)|bundled demo model": "Demo model (built in)",
    r"\bTake\b:?$|[Ee]very (Nth|\d+(st|nd|rd|th)) frame|\b(N|\{\}|[\d.]+|samples|images) a second": "N per second",
    r"embedded and kept on its own": "Each setting is stored; switching back is instant",
    r"\byes, first\b": "6.3 s, 37 %, first 0:07.1",
    r"\bno, peak\b|never the best label": "not found (best score …)",
    r"[Bb]ridge gaps|[Bb]ridged gap": "Merge gaps",
    r"one sample each": "one sample every",
    r"[Cc]hange between neighbouring samples|of neighbouring samples$": "Scene change (1 − cosine)",
    r"\bthis very\b": "this",
    r"fall into two": "two groups",
    r"not fitted on": "held-out parts",
    r"\bA sample (back|on)\b|\ba sample (back|on)\b": "previous, next sample",
    r"[Ll]et go": "clear selection",
    r"true segments?, from|file beside the video|beside the video (can|is|has)": "the video’s annotation file",
    r"is being drawn": "Rendering clip",
    r"Against the truth": "Accuracy",
    r"Head to head": "Score comparison",
    r"Moved most": "Largest changes",
    r"[Ss]econds that [AB] gives": "label (seconds)",
    r"\b[Vv]eil": "Dim",
    r"worked on before|becomes a copy": "Load B from a saved experiment",
    r"tells about it": "for videos with ground truth",
    r"ranks here because": "Ranked by",
    r"[Aa]gainst now|\(now\b|threshold now": "vs. current",
    r"\bpresent set\b": "current set",
    r"what is to be seen|follow a minus": "Describe what to find; − excludes words",
    r"[Tt]he moment it lies in": "Original moment hidden",
    r"[Dd]rop lone hits": "Hide single-frame hits",
    r"[Ff]old near-duplicates": "Group near-duplicates",
    r"bright part": "Searching the selected area",
    r"[Rr]ules of the search template": "Use the Roboflow template’s settings",
    r"^Go on$": "Resume",
    r"taken for what": "Confusion matrix",
    r"Precision over recall of": "Precision–recall curve",
    r"\b(Start|End) off\b": "Onset, offset error",
    r"\bTake over\b": "Import",
    r"is at it\b": "another process is embedding this video",
}
"""Words of before as a pattern, and what is said now."""


def texts_of_code(source: str) -> Iterator[str]:
    """Yield the strings of a module, ``{}`` for what is filled in; docstrings are for its maintainers."""
    tree = ast.parse(source)
    inner = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in ast.walk(node)
        if part != node
    }
    statements = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if id(node) in statements or id(node) in inner:
            continue
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def texts() -> Iterator[tuple[Path, str]]:
    """Yield what people may read, with the file that says it."""
    for path in _CODE:
        yield from ((path, text) for text in texts_of_code(path.read_text("utf-8")))
    for path in _BROWSER:
        source = re.sub(r"/\*.*?\*/|(?m:^\s*//.*$)", "", path.read_text("utf-8"), flags=re.DOTALL)
        found = re.findall(r'"([^"\n]*)"|`([^`]*)`|>([^<{]+)<', source)
        yield from ((path, next(filter(None, parts), "")) for parts in found)
    for path in _READ:
        yield path, " ".join(path.read_text("utf-8").split())


TEXTS = list(texts())


@pytest.mark.parametrize("words", INSTEAD)
def test_nothing_says(words: str) -> None:
    pattern = re.compile(words)
    found = {f"{path.relative_to(ROOT)}: {text[:200]}" for path, text in TEXTS if pattern.search(text)}
    assert not found, f"say “{INSTEAD[words]}” in its place"


def test_all_texts_are_looked_at() -> None:
    seen = {text for _, text in TEXTS}
    assert {"Merge gaps up to (s)", "Previous sample (←)", "Original moment hidden", "Name and template"} <= seen
    assert any("Analysed once; after that every change is instant." in text for text in seen)
    assert "not found ({})" in seen
    assert list(texts_of_code('"""Of maintainers."""\nsaid = f"{one} is at it"')) == ["{} is at it"]
