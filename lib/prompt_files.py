"""Text of a prompt set -> plain values with line numbers: YAML, JSON or one prompt a line.

Conventions: strings in, no files; lines count from 1; a path is the keys and indices that lead to a value,
such as ``("prompts", 2, "label")``. YAML is read by the safe loader, without aliases (``*name``), which can
blow up a small file, and without doubled keys, of which YAML would silently keep the last.
"""

from __future__ import annotations

import difflib
import json
import re
import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import yaml

from lib.errors import PromptSetError

Format = Literal["yaml", "json", "lines"]
Path = tuple[str | int, ...]

MAX_CHARACTERS = 500_000
"""Longest text that is read; far above what a prompt set of the largest allowed size needs."""
_MAX_DEPTH = 12

# What only YAML looks like, in the first line that says anything: a document start, a list item, or a key.
_YAML_START = re.compile(r"---|- |-$|[A-Za-z_][\w-]*\s*:(\s|$)")


@dataclass(frozen=True)
class Document:
    """Plain values (dict, list, str, int, float, bool, None), and where they stood."""

    data: Any
    format: Format
    node: yaml.Node | None = None
    """YAML's view of the same values; None for the other formats."""
    lines: tuple[int, ...] = ()
    """Line of each entry of a ``lines`` document."""

    def line(self, *path: str | int) -> int | None:
        """Return the line of the value at ``path``, else of its nearest parent; None where unknown."""
        if self.lines and path and isinstance(path[0], int):
            return self.lines[path[0]]
        node, found = self.node, None
        for step in path:
            child = _child(node, step)
            if child is None:
                break
            node, found = child
        return found

    def where(self, *path: str | int) -> str:
        """Return how a message about the value at ``path`` starts: ``Line 3:`` and a blank, or nothing."""
        line = self.line(*path)
        return "" if line is None else f"Line {line}: "

    def check_keys(self, path: Path, data: Mapping[Any, Any], allowed: Sequence[str], what: str) -> None:
        """Raise PromptSetError when ``data`` at ``path`` has a key that ``what`` doesn't know."""
        for key in data:
            if key not in allowed:
                close = difflib.get_close_matches(str(key), allowed, n=1)
                hint = f"did you mean {close[0]}?" if close else f"use {', '.join(allowed)}."
                start = self.where(*path, key) if isinstance(key, str) else self.where(*path)
                raise PromptSetError(f"{start}{reprlib.repr(key)} is no key of {what}; {hint}")


def read_document(text: str, *, form: Format | None = None) -> Document:
    """Return the values that ``text`` holds.

    Args:
        text: content of a prompt set file, or what somebody pasted.
        form: how to read it; None finds out by the first line that isn't blank or a comment.

    Raises:
        PromptSetError: too long, or not well-formed.
    """
    if form is not None and form not in get_args(Format):
        raise PromptSetError(f"{reprlib.repr(form)} is no format of prompt sets; use yaml, json or lines.")
    text = text.removeprefix("\ufeff")
    if len(text) > MAX_CHARACTERS:
        raise PromptSetError(
            f"The prompt set is {len(text):,} characters long and at most {MAX_CHARACTERS:,} are read; "
            "check that it is the right file, or split it."
        )
    form = form or _guess(text)
    if form == "json":
        return _read_json(text)
    return _read_yaml(text) if form == "yaml" else _read_lines(text)


def _guess(text: str) -> Format:
    for line in text.splitlines():
        line = line.rstrip()
        if line.strip() and not line.lstrip().startswith("#"):
            if line.lstrip().startswith(("{", "[")):
                return "json" if _is_json(text) else "yaml"
            return "yaml" if _YAML_START.match(line) else "lines"
    return "lines"


def _is_json(text: str) -> bool:
    # A YAML flow mapping also starts with a brace; what has a double quote after it is meant as JSON.
    return re.match(r'\s*[\[{]\s*("|[\[{\]}])', text) is not None


def _read_lines(text: str) -> Document:
    numbered = [
        (number, line.strip())
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    return Document([line for _, line in numbered], "lines", lines=tuple(number for number, _ in numbered))


def _read_json(text: str) -> Document:
    try:
        return Document(json.loads(text, object_pairs_hook=_object, parse_constant=_constant), "json")
    except json.JSONDecodeError as error:
        raise PromptSetError(
            f"Line {error.lineno}: this is no valid JSON ({error.msg}); mend it there."
        ) from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits; brackets nested too deep
        raise PromptSetError(
            "The JSON can't be read: a number is too long or brackets nest too deep."
        ) from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        keys = [key for key, _ in pairs]
        doubled = next(key for key in keys if keys.count(key) > 1)
        raise PromptSetError(f"The key {reprlib.repr(doubled)} occurs twice; keep one of them.")
    return values


def _constant(name: str) -> float:
    raise PromptSetError(f"{name} is no number that a prompt set can use; write a finite one.")


class _Loader(yaml.SafeLoader):
    """The safe loader, without aliases, doubled keys and deep nesting."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        if self.check_event(yaml.AliasEvent):
            raise yaml.MarkedYAMLError(
                problem="an alias (*name) isn't supported; write the value out",
                problem_mark=mark,
            )
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise yaml.MarkedYAMLError(problem="it nests too deep", problem_mark=mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def compose_mapping_node(self, anchor: dict[Any, yaml.Node]) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.MarkedYAMLError(
                        problem=f"the key {reprlib.repr(key.value)} occurs twice; keep one of them",
                        problem_mark=key.start_mark,
                    )
                seen.add(key.value)
        return node


def _read_yaml(text: str) -> Document:
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            data = None if node is None else loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        where = f"Line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        problem = error.problem or error.context or "it can't be read"
        raise PromptSetError(f"{where}this is no YAML that a prompt set can use: {problem}.") from error
    except yaml.reader.ReaderError as error:
        raise PromptSetError(
            f"The YAML holds the character U+{ord(error.character):04X}, which isn't allowed; remove it."
            if isinstance(error.character, str) and len(error.character) == 1
            else "The YAML holds a character that isn't allowed; save it as UTF-8 text."
        ) from error
    except (
        yaml.YAMLError,
        ValueError,
        KeyError,
        IndexError,
        AttributeError,
        TypeError,
        OverflowError,
    ) as error:
        # PyYAML's constructors let these through, for example for 2024-13-45 or !!bool maybe.
        raise PromptSetError(
            "The YAML holds a value that can't be read, such as an impossible date; quote what is text."
        ) from error
    return Document(data, "yaml", node)


def _child(node: yaml.Node | None, step: str | int) -> tuple[yaml.Node, int] | None:
    """Return the value below ``node`` and its line: its key's, as a block value starts on the next one."""
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        item = node.value[step]
        return item, item.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value == step:
                return value, key.start_mark.line + 1
    return None
