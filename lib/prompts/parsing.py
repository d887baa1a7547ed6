"""Text of a prompt set -> prompt set: YAML, JSON, columns or lines, read to plain values with line numbers.

Conventions: strings in, no files; lines count from 1; a path is the keys and indices that lead to a value,
such as ``("prompts", 2, "label")``. YAML is read by the safe loader, without aliases (``*name``), which can
blow up a small file, and without doubled keys, of which YAML would silently keep the last.
"""

from __future__ import annotations

import difflib
import json
import re
import reprlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, Literal, TypeVar, get_args

import yaml

from lib.core.errors import InputError, PromptSetError, SettingsError
from lib.core.labelled_intervals import label_key
from lib.core.validation import first_doubled, written
from lib.prompts.learned import Learned
from lib.prompts.model import START_SETTINGS, Prompt, PromptSet, Settings, Smoothing, as_spelled, check_threshold
from lib.prompts.spreadsheet import read_table

Format = Literal["yaml", "json", "lines", "table"]
KeyPath = tuple[str | int, ...]

MAX_CHARACTERS = 2_000_000
"""Longest text that is read; far above what a prompt set of the largest allowed size needs."""
_MAX_DEPTH = 12
_MAX_NODES = 30_000  # more than the largest prompt set has; PyYAML takes 0.1 ms for each
_MAX_NUMBER = 50  # characters; YAML's integers may be hexadecimal or of base 60, and are exact
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")

# The first line of YAML: a document start, a list item, or a key.
_YAML_START = re.compile(r"---|- |-$|[A-Za-z_][\w-]*\s*:(\s|$)")

_T = TypeVar("_T")


def parse_prompt_set(
    text: str,
    *,
    name: str = "untitled",
    format: Format | None = None,  # noqa: A002 - the word people know from pandas and json
) -> PromptSet:
    """Return the prompt set that ``text`` describes.

    Five forms are read: a prompt set as YAML or JSON (a mapping with ``prompts``), a list of prompts, plain
    lines (one prompt per line; blank lines and lines that start with # are skipped), columns of a spreadsheet
    (``lib.prompts.spreadsheet``), and a ``config.yaml`` with a list of prompts under ``CLIP``, whose other keys are
    ignored. A label alone may stand for a prompt.

    Args:
        text: content of a file, or pasted text.
        name: name of the prompt set where the text gives none.
        format: ``yaml``, ``json``, ``lines`` or ``table``; None decides by the text.

    Raises:
        PromptSetError, SettingsError: with the line, where it is known.
    """
    return _build(read_document(text, form=format), name)


def given_fields(text: str) -> frozenset[str]:
    """Return which of name, template and settings ``text``, a readable prompt set, gives itself.

    Thresholds of its prompts are settings, too: they mean something in one score only.
    """
    data = read_document(text).data
    if not isinstance(data, dict):
        return frozenset()
    own = any(prompt.threshold is not None for prompt in parse_prompt_set(text).prompts)
    return frozenset({"name", "template", "settings"} & data.keys()) | ({"settings"} if own else frozenset())


def prompt_set_from_dict(data: object, *, name: str = "untitled") -> PromptSet:
    """Return the prompt set that plain types (of JSON or YAML) describe; see ``parse_prompt_set``."""
    return _build(Document(data, "json"), name)


def _build(document: Document, name: str) -> PromptSet:
    data = document.data
    if data is None or data in ([], {}):
        raise PromptSetError("There is no prompt in it; write one a line, or a prompt set as YAML or JSON.")
    if isinstance(data, list):
        return PromptSet(name, _prompts(document, (), data), settings=START_SETTINGS)
    if not isinstance(data, dict):
        raise PromptSetError(f"{written(data)} is no prompt set; write one prompt a line, or prompts: and a list.")
    if "CLIP" in data and "prompts" not in data:
        return PromptSet(name, _prompts(document, ("CLIP",), data["CLIP"]), settings=START_SETTINGS)
    document.check_keys((), data, tuple(entry.name for entry in fields(PromptSet)), "a prompt set")
    if "prompts" not in data:
        raise PromptSetError("The prompt set has no prompts; add prompts: and a list of them.")
    prompts = _prompts(document, ("prompts",), data["prompts"])
    settings = _settings(
        document, data.get("settings", {}), own=any(prompt.threshold is not None for prompt in prompts)
    )
    for index, prompt in enumerate(prompts):
        _located(document, ("prompts", index), partial(check_threshold, prompt, settings.score))
    return PromptSet(**{"name": name, **data, "prompts": prompts, "settings": settings})


def _prompts(document: Document, path: KeyPath, items: object) -> tuple[Prompt, ...]:
    if not isinstance(items, list) or not items:
        raise PromptSetError(f"{document.where(*path)}the prompts must be a list with at least one; start each with -.")
    allowed = tuple(entry.name for entry in fields(Prompt))
    prompts: list[Prompt] = []
    places: dict[str, int] = {}
    for index, item in enumerate(items):
        at = (*path, index)
        if isinstance(item, dict):
            document.check_keys(at, item, allowed, "a prompt")
            if "label" not in item:
                raise PromptSetError(f"{document.where(*at)}a prompt has no label; add label: and its name.")
        values = dict(item) if isinstance(item, dict) else {"label": item}
        if isinstance(values.get("learned"), list):
            values["learned"] = [
                _learned(document, (*at, "learned", place), one) for place, one in enumerate(values["learned"])
            ]
        prompt = _located(document, at, partial(Prompt, **values))
        first = places.setdefault(label_key(prompt.label), index)
        if first != index:
            line = document.line(*path, first)
            where = f"prompt {first + 1}" if line is None else f"line {line}"
            raise PromptSetError(
                f"{document.where(*at)}the label {reprlib.repr(prompt.label)} is there already, in {where}"
                f"{as_spelled(prompt.label, prompts[first].label)}; give each prompt its own."
            )
        prompts.append(prompt)
    return tuple(prompts)


def _learned(document: Document, at: KeyPath, data: object) -> Learned:
    names = tuple(entry.name for entry in fields(Learned))
    if not isinstance(data, dict) or not set(names) <= data.keys():
        raise PromptSetError(
            f"{document.where(*at)}a learned vector is a mapping with {', '.join(names)}; learn it again."
        )
    document.check_keys(at, data, names, "a learned vector")
    return _located(document, at, partial(Learned, **data))


def _settings(document: Document, data: object, *, own: bool) -> Settings:
    """Return the settings; ``own`` says whether a prompt has its own threshold.

    Thresholds without a score are cosines, as in files of before there were relative scores.
    """
    at = ("settings",)
    if not isinstance(data, dict):
        raise SettingsError(f"{document.where(*at)}the settings must be a mapping, such as {{score: cosine}}.")
    document.check_keys(at, data, tuple(entry.name for entry in fields(Settings)), "the settings")
    values = dict(data)
    smoothing = values.get("smoothing")
    if isinstance(smoothing, dict):
        inside = (*at, "smoothing")
        document.check_keys(inside, smoothing, tuple(entry.name for entry in fields(Smoothing)), "the smoothing")
        values["smoothing"] = _located(document, inside, partial(Smoothing, **smoothing))
    if "score" not in values and not own and not {"threshold", "hysteresis"} & values.keys():
        values["score"] = START_SETTINGS.score
    if values.get("score") == START_SETTINGS.score:
        values.setdefault("threshold", START_SETTINGS.threshold)
    return _located(document, at, partial(Settings, **values))


def _located(document: Document, path: KeyPath, make: Callable[[], _T]) -> _T:
    """Return what ``make`` makes; its error gets the line."""
    try:
        return make()
    except InputError as error:
        line = document.where(*path)
        if not line:
            raise
        raise type(error)(f"{line}{error}") from error


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
        node, line = self.node, None
        for step in path:
            child = _child(node, step)
            if child is None:
                break
            node, line = child
        return line

    def where(self, *path: str | int) -> str:
        """Return how a message about the value at ``path`` starts: ``Line 3:`` and a blank, or nothing."""
        line = self.line(*path)
        return "" if line is None else f"Line {line}: "

    def check_keys(self, path: KeyPath, data: Mapping[Any, Any], allowed: Sequence[str], what: str) -> None:
        """Raise PromptSetError when ``data`` at ``path`` has a key that ``what`` doesn't know."""
        for key in data:
            if key not in allowed:
                close = difflib.get_close_matches(written(key).strip("'"), allowed, n=1)  # quadratic in its length
                hint = f"did you mean {close[0]}?" if close else f"use {', '.join(allowed)}."
                start = self.where(*path, key) if isinstance(key, str) else self.where(*path)
                raise PromptSetError(f"{start}{written(key)} is no key of {what}; {hint}")


def read_document(text: str, *, form: Format | None = None) -> Document:
    """Return the values that ``text`` holds; without ``form``, its first line that isn't blank or a comment decides.

    Raises:
        PromptSetError: too long, or not well-formed.
    """
    if form is not None and form not in get_args(Format):
        raise PromptSetError(f"{reprlib.repr(form)} is no format of prompt sets; use yaml, json, lines or table.")
    text = text.removeprefix("\ufeff")
    if len(text) > MAX_CHARACTERS:
        raise PromptSetError(
            f"The prompt set is {len(text):,} characters long and at most {MAX_CHARACTERS:,} are read; "
            "check that it is the right file, or split it."
        )
    form = form or _guess(text)
    if form == "json":
        return _read_json(text)
    return {"yaml": _read_yaml, "table": _read_table}.get(form, _read_lines)(text)


def _guess(text: str) -> Format:
    for line in text.splitlines():
        line = line.rstrip()
        if line.strip() and not line.lstrip().startswith("#"):
            if line.lstrip().startswith(("{", "[")):
                return "json" if _is_json(text) else "yaml"
            if _YAML_START.match(line):
                return "yaml"
            return "table" if "\t" in line.strip() else "lines"
    return "lines"


def _is_json(text: str) -> bool:
    # A YAML flow mapping also starts with a brace; with a double quote after it, it is meant as JSON.
    return re.match(r'\s*[\[{]\s*("|[\[{\]}])', text) is not None


def _read_lines(text: str) -> Document:
    numbered = [
        (number, line.strip())
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    return Document([line for _, line in numbered], "lines", lines=tuple(number for number, _ in numbered))


def _read_table(text: str) -> Document:
    table = read_table(text)
    if table.left_out:
        raise PromptSetError(table.left_out[0])
    return Document([{**vars(prompt), "texts": list(prompt.texts)} for prompt in table.prompts], "table")


def _read_json(text: str) -> Document:
    try:
        return Document(json.loads(text, object_pairs_hook=_object, parse_constant=_constant), "json")
    except json.JSONDecodeError as error:
        raise PromptSetError(f"Line {error.lineno}: this is no valid JSON ({error.msg}); mend it there.") from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits; brackets nested too deep
        raise PromptSetError("The JSON can't be read: a number is too long or brackets nest too deep.") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        doubled = first_doubled(key for key, _ in pairs)
        raise PromptSetError(f"The key {reprlib.repr(doubled)} occurs twice; keep one of them.")
    return values


def _constant(name: str) -> float:
    raise PromptSetError(f"{name} is no number that a prompt set can use; write a finite one.")


class _Loader(yaml.SafeLoader):
    """The safe loader, without aliases, doubled keys, deep nesting, long numbers and floods of values."""

    depth = 0
    nodes = 0

    def construct_scalar(self, node: yaml.ScalarNode | yaml.MappingNode) -> Any:
        if node.tag in _NUMBERS and len(node.value) > _MAX_NUMBER:
            raise yaml.MarkedYAMLError(problem="a number is too long", problem_mark=node.start_mark)
        return super().construct_scalar(node)

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        if self.check_event(yaml.AliasEvent):
            raise yaml.MarkedYAMLError(
                problem="an alias (*name) isn't supported; write the value out",
                problem_mark=mark,
            )
        self.depth += 1
        self.nodes += 1
        if self.depth > _MAX_DEPTH:
            raise yaml.MarkedYAMLError(problem="it nests too deep", problem_mark=mark)
        if self.nodes > _MAX_NODES:
            raise yaml.MarkedYAMLError(problem="it holds too many values", problem_mark=mark)
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
