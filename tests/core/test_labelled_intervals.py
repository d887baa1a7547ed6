import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.core.labelled_intervals import TrueSegment, label_key, moved, no_label_name, painted

E_ACUTE = "e\u0301"


@pytest.mark.parametrize(
    ("label", "other"),
    [
        ("Shipyard", "shipyard"),
        (f"caf{E_ACUTE}", "CAFÉ"),
        ("red  car", "red car"),
        (" red\tcar\n", "red car"),
        ("red\u00a0car", "red car"),
        ("red\u3000car\u2003", "red car"),
        ("red\u2028car", "red car"),
        ("ca\u200br\ufeff", "car"),
        ("\u202bcar\u202c\u200f", "car"),
        ("\u2067car\u2069", "car"),
        ("ca\u00adr", "car"),
        ("cafe\u200d\u0301", "café"),
        ("\u2764\ufe0f", "\u2764"),
        ("Straße", "STRASSE"),
        ("STRAẞE", "strasse"),
        ("\ufb01sh", "FISH"),
        ("ΌΔΟΣ", "όδος"),
        ("각", "\u1100\u1161\u11a8"),
        ("Å", "\u212b"),
        ("İ", "i\u0307"),
        ("\u1e9b\u0323", "\u1e9b\u0323".upper()),
    ],
)
def test_the_same_label(label: str, other: str) -> None:
    assert label_key(label) == label_key(other)


@pytest.mark.parametrize(
    ("label", "other"),
    [
        ("cafe", "café"),
        ("redcar", "red car"),
        ("İ", "i"),
        ("ı", "i"),
        ("ı", "İ"),
        ("m²", "m2"),
        ("Ａ", "A"),
        ("①", "1"),
        ("\U0001f3f4\U000e0067\U000e0062\U000e0065", "\U0001f3f4\U000e0067\U000e0062\U000e0073"),
        ("\u0430", "a"),
    ],
)
def test_another_label(label: str, other: str) -> None:
    assert label_key(label) != label_key(other)


@given(st.text())
def test_a_key_is_its_own_key_and_that_of_every_encoding(label: str) -> None:
    key = label_key(label)
    assert label_key(key) == key
    assert {label_key(unicodedata.normalize(form, label)) for form in ("NFC", "NFD")} == {key}  # type: ignore[arg-type]
    assert label_key(f" {label}\u00a0") == key


def test_the_name_of_no_label_is_no_label() -> None:
    assert no_label_name(("Nothing", "(NOTHING)")) == "((nothing))"


def red(start_s: float, end_s: float, label: str = "red") -> TrueSegment:
    return TrueSegment(label, start_s, end_s)


@pytest.mark.parametrize(
    ("new", "wanted"),
    [
        (red(5, 6), [red(1, 2), red(3, 4), red(3.5, 5, "blue"), red(5, 6)]),
        (red(1.5, 2.5, "Red"), [red(1, 2.5), red(3, 4), red(3.5, 5, "blue")]),
        (red(2, 3), [red(1, 4), red(3.5, 5, "blue")]),
        (red(0, 9), [red(0, 9), red(3.5, 5, "blue")]),
        (red(1.2, 1.8), [red(1, 2), red(3, 4), red(3.5, 5, "blue")]),
        (red(4.5, 5.5, "BLUE"), [red(1, 2), red(3, 4), red(3.5, 5.5, "blue")]),
    ],
)
def test_what_is_painted_joins_what_it_touches_of_its_label(new: TrueSegment, wanted: list[TrueSegment]) -> None:
    assert painted((red(3.5, 5, "blue"), red(3, 4), red(1, 2)), new) == wanted


@pytest.mark.parametrize(
    ("present", "new", "wanted"),
    [
        ([red(1, 2), red(1, 2)], red(1, 3), [red(1, 3), red(1, 2)]),  # one of two that are the same
        ([red(1, 2)], None, []),
        ([red(1, 5)], red(0, 2), [red(0, 5)]),  # its end was moved elsewhere, its start here
        ([red(0, 2)], red(1, 3), [red(0, 3)]),
        ([red(0, 2, "Red")], red(1, 3), [red(0, 3, "Red")]),
        ([red(1, 5)], red(1, 3), None),  # the same edge in both
        ([red(1.9, 2)], red(1, 1.5), None),  # nothing would be left
        ([red(0, 2, "blue")], red(1, 3), None),
        ([red(1, 5)], None, None),
        ([], red(1, 3), None),
    ],
)
def test_an_edge_moves_as_far_as_others_have_left_it(
    present: list[TrueSegment], new: TrueSegment | None, wanted: list[TrueSegment] | None
) -> None:
    assert moved(present, red(1, 2), new) == wanted
