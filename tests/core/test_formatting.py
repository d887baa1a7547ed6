from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.core.formatting import (
    ago,
    as_text,
    escape_markdown,
    file_name,
    format_bytes,
    format_duration,
    format_rough_duration,
    format_time,
    megabytes_done,
    percent,
    plural,
    shortened,
)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00.0"),
        (7.12, "0:07.1"),
        (59.94, "0:59.9"),
        (59.96, "1:00.0"),
        (3599.99, "1:00:00.0"),
        (3725.5, "1:02:05.5"),
        (-0.01, "0:00.0"),
        (-7.12, "-0:07.1"),
    ],
)
def test_points_in_time_are_written_as_minutes_and_seconds(seconds: float, text: str) -> None:
    assert format_time(seconds) == text


def test_points_in_time_have_as_many_decimals_as_asked_for() -> None:
    assert format_time(61.239, decimals=2) == "1:01.24"
    assert format_time(61.5, decimals=0) == "1:02"


@given(seconds=st.floats(min_value=0, max_value=1e6), decimals=st.integers(min_value=0, max_value=3))
def test_a_written_time_reads_as_the_nearest_one(seconds: float, decimals: int) -> None:
    parts = format_time(seconds, decimals=decimals).split(":")
    read = sum(Fraction(part) * 60**place for place, part in enumerate(reversed(parts)))
    assert abs(read - Fraction(seconds)) <= Fraction(1, 2 * 10**decimals) + Fraction(1, 10**9)
    assert all(0 <= Fraction(part) < 60 for part in parts[1:])


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (3.04, "3.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 00 s"),
        (125.4, "2 min 05 s"),
        (3599.6, "1 h 00 min"),
        (3720, "1 h 02 min"),
    ],
)
def test_lengths_of_time_are_written_for_people(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (123_456, "123 kB"),
        (999_600, "1.0 MB"),
        (5 * 10**15, "5000 TB"),
    ],
)
def test_sizes_read_as_people_write_them(size: int, text: str) -> None:
    assert format_bytes(size) == text


def test_progress_in_bytes_has_its_total_where_there_is_one() -> None:
    assert megabytes_done(25_000_000, 1_600_000_000) == "25 of 1,600 MB"
    assert megabytes_done(250_000, 0, decimals=1) == "0.2 MB"


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0 %"),
        (0.004, "under 1 %"),
        (0.005, "0 %"),
        (0.43, "43 %"),
        (0.995, "over 99 %"),
        (1 - 1e-12, "100 %"),
    ],
)
def test_shares_that_are_not_all_or_nothing_never_read_so(share: float, text: str) -> None:
    assert percent(share) == text


def test_counts_agree_with_their_noun() -> None:
    assert [plural(count, "video") for count in (0, 1, 2000)] == ["0 videos", "1 video", "2,000 videos"]
    assert [ago(seconds) for seconds in (59, 60, 7200, 86_400)] == [
        "just now",
        "1 minute ago",
        "2 hours ago",
        "1 day ago",
    ]


def test_long_text_is_cut_to_one_line() -> None:
    assert shortened("a  dog\non", 8) == "a dog on"
    assert shortened("a dog on grass", 8) == "a dog o…"


def test_markdown_shows_escaped_text_as_it_is() -> None:
    assert escape_markdown("sky *1*.png") == r"sky \*1\*\.png"


@pytest.mark.parametrize("sign", ["<->", "->", "<-", "--", ">=", "<=", "~="])
@pytest.mark.parametrize("around", ["{}", "a {} b", "a {}", "{} b", "\ufeff{}\ufeff"])
def test_signs_between_blanks_are_not_drawn_as_arrows_and_dashes(sign: str, around: str) -> None:
    for drawn in (escape_markdown(around.format(sign)), as_text(around.format(sign))):
        plain = drawn.replace("\\", "")
        assert f"{sign}\u2060" in plain
        assert plain.replace("\u2060", "") == around.format(sign)
    assert "\u2060" not in escape_markdown(f"a{sign}b")


@pytest.mark.parametrize("turn", ["\u202e", "\u202d", "\u202b", "\u2066", "\u2067", "\u2068", "\u2069"])
def test_a_name_turns_no_text_that_follows_it(turn: str) -> None:
    assert as_text(f"gpj{turn}4pm") == escape_markdown(f"gpj{turn}4pm") == "gpj4pm"


@pytest.mark.parametrize("stem", ["a" * 400, "é" * 252, "造" * 120, "😀" * 80, "नमस्ते " * 40])
def test_names_of_files_fit_into_their_bytes_with_their_ending(stem: str) -> None:
    name = file_name(stem, "-12.0-15.0.mp4")
    assert len(name.encode()) <= 200
    assert name.endswith("-12.0-15.0.mp4")
    assert "\ufffd" not in name


def test_names_of_files_hold_nothing_that_a_shell_or_path_takes_for_more() -> None:
    assert file_name("../a b:c*?-été", ".csv") == "_.._a_b_c_-été.csv"


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("-rf", "_-rf.json"),
        (".bashrc", "_.bashrc.json"),
        ("", "_.json"),
        ("con", "_con.json"),
        ("LPT1", "_LPT1.json"),
        ("nul.x", "_nul.x.json"),
        ("console", "console.json"),
        ("a\x00b\x1b[31m\u202egpj\n", "a_b_31m_gpj_.json"),
        ("cafe\u0301", "caf\u00e9.json"),
        ("हिन्दी", "हिन्दी.json"),
    ],
)
def test_names_of_files_are_names_on_every_system(stem: str, name: str) -> None:
    assert file_name(stem, ".json") == name


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (14.6, "15 s"), (59.6, "1 min"), (95, "2 min"), (3590, "1 h 00 min"), (3720, "1 h 02 min")],
)
def test_a_reckoned_duration_is_rounded(seconds, text):
    assert format_rough_duration(seconds) == text
