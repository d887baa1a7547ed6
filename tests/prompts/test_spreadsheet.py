"""Columns that are pasted from a spreadsheet."""

from __future__ import annotations

import pytest

from lib.core.errors import PromptSetError
from lib.prompts.model import START_SETTINGS, Prompt
from lib.prompts.parsing import parse_prompt_set
from lib.prompts.spreadsheet import PastedPrompt, is_table, read_table


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("crane\nship\n", [("crane",), ("ship",)]),
        ("Label\ncrane\n", [("crane",)]),
        ("crane\ta crane; a big crane\nship\t\n", [("crane", ("a crane", "a big crane")), ("ship",)]),
        ("crane\t0,25\r\nship\t−0.5\r\n", [("crane", (), "target", 0.25), ("ship", (), "target", -0.5)]),
        ("crane\ttarget\nsky\tBackground", [("crane",), ("sky", (), "background")]),
        (
            'label\tphrasings\trole\tthreshold\ncrane\t"a crane\na ""big"" crane"\ttarget\t1,5\n',
            [("crane", ("a crane", 'a "big" crane'), "target", 1.5)],
        ),
        ("Threshold\tLabel\n0.3\tcrane\n\tship", [("crane", (), "target", 0.3), ("ship",)]),
        ("crane\t\tbackground\t\n\t\t\t\nship\t\t\t0.1", [("crane", (), "background"), ("ship", (), "target", 0.1)]),
        ('"two\nlines"\nship', [('"two',), ('lines"',), ("ship",)]),
        ('"two\nlines"\tx', [("two lines", ("x",))]),
        ('a 5" pipe\tx\n"open\ty', [('a 5" pipe', ("x",)), ('"open', ("y",))]),
        ("crane\tcrane", [("crane",)]),
        ("\ta hook", [("a hook",)]),
        ("קרן\tמנוף;🏗️\n", [("קרן", ("מנוף", "🏗️"))]),
    ],
)
def test_columns_are_label_phrasings_role_and_threshold(text: str, expected: list[tuple[object, ...]]) -> None:
    read = read_table(text)
    assert read.prompts == tuple(PastedPrompt(*row) for row in expected)  # type: ignore[arg-type]
    assert read.left_out == ()


def test_what_cannot_be_used_is_said() -> None:
    read = read_table("label\trole\tthreshold\t\ncrane\tboss\thigh\tx")
    assert read.prompts == (PastedPrompt("crane"),)
    assert len(read.left_out) == 3
    assert "Column 4" in read.left_out[0]
    assert "“boss” of “crane” is no role" in read.left_out[1]
    assert "“high” of “crane” is no threshold" in read.left_out[2]


def test_lines_and_one_cell_are_no_table() -> None:
    assert not is_table("a crane, a ship")
    assert not is_table('say "stop"\nand go')
    assert is_table("a\tb")
    assert read_table(" \n\t\n") == read_table("")


def test_a_prompt_file_may_be_a_table() -> None:
    found = parse_prompt_set("label\tphrasings\trole\tthreshold\ncrane\ta crane;hook\t\t1,5\nsky\t\trest\t\n")
    crane, sky = Prompt("crane", ("a crane", "hook"), threshold=1.5), Prompt("sky", role="background")
    assert (found.prompts, found.settings) == ((crane, sky), START_SETTINGS)
    with pytest.raises(PromptSetError, match="“high” of “crane” is no threshold"):
        parse_prompt_set("crane\ta hook\ttarget\thigh")
    with pytest.raises(PromptSetError, match="is there already"):
        parse_prompt_set("crane\ta hook\nCrane\tb")
    with pytest.raises(PromptSetError, match="no prompt"):
        parse_prompt_set("label\tthreshold\n")
