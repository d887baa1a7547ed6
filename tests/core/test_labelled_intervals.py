import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.core.labelled_intervals import label_key, no_label_name

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
