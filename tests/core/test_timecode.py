"""Timecode against the standard's own numbers, and the counting of frames at every rate."""

from __future__ import annotations

from fractions import Fraction

import pytest

from lib.core.errors import InputError
from lib.core.timecode import TIMECODE_RATES, Timebase, frames_of, rate_text, timebase_of

F24, DF30, DF60 = Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001)


@pytest.mark.parametrize(
    ("rate", "drop", "frame", "timecode"),
    [
        (DF30, True, 1799, "00:00:59;29"),
        (DF30, True, 1800, "00:01:00;02"),
        (DF30, True, 17981, "00:09:59;29"),
        (DF30, True, 17982, "00:10:00;00"),
        (DF30, True, 107892, "01:00:00;00"),
        (DF30, False, 108000, "01:00:00:00"),
        (DF60, True, 3600, "00:01:00;04"),
        (DF60, True, 215784, "01:00:00;00"),
        (F24, False, 86400, "01:00:00:00"),
        (Fraction(25), False, 25 * 86400 + 1, "00:00:00:01"),
    ],
)
def test_numbers_are_left_out_as_the_standard_says(rate: Fraction, drop: bool, frame: int, timecode: str) -> None:
    assert Timebase(rate, drop).timecode(frame) == timecode
    assert frames_of(timecode, rate) == frame % Timebase(rate, drop).frame_at(24 * 3600 * round(rate) / rate)


@pytest.mark.parametrize("rate", TIMECODE_RATES)
def test_every_frame_has_a_timecode_of_its_own_and_a_time_that_leads_back(rate: Fraction) -> None:
    base = timebase_of(rate, start_timecode=None)
    for frame in (*range(0, 40_000, 7), *range(1790, 1810), *range(3590, 3610), *range(17_975, 17_990)):
        assert frames_of(base.timecode(frame), rate) == frame
        shown = base.seconds(frame)
        assert base.frame_at(float(shown)) == base.frame_at(round(shown, 3)) == frame


def test_a_start_timecode_is_added_and_says_whether_numbers_are_left_out() -> None:
    base = timebase_of(DF30, start_timecode="01:00:00;00")
    assert (base.drop, base.timecode(0), base.timecode(1800)) == (True, "01:00:00;00", "01:01:00;02")
    base = timebase_of(DF30, start_timecode="01:00:00:00")
    assert (base.drop, base.timecode(0), base.timecode(1800)) == (False, "01:00:00:00", "01:01:00:00")
    assert timebase_of(Fraction(25), start_timecode="23:59:59:24").timecode(1) == "00:00:00:00"


def test_headers_that_round_the_rate_mean_the_same() -> None:
    for given, meant in (("23.976", F24), ("29.97", DF30), ("59.94", DF60), ("25.001", Fraction(25))):
        assert timebase_of(Fraction(given)) == timebase_of(meant)


@pytest.mark.parametrize(
    ("rate", "variable", "counted", "words"),
    [
        (Fraction("12.5"), False, 25, "Timecode doesn’t exist at the video’s 12.5 frames a second; this counts 25"),
        (Fraction(15), False, 30, "this counts 30"),
        (Fraction(120), False, 60, "this counts 60"),
        (Fraction("240"), False, 60, "this counts 60"),
        (Fraction("23.2"), False, 24, "this counts 24"),
        (Fraction("29.83"), True, DF30, "rate varies, 29.83 frames a second on average; this counts 29.97"),
        (Fraction(25), True, 25, "rate varies, 25 frames"),
        (Fraction("0.5"), True, 24, "this counts 24"),
    ],
)
def test_what_timecode_cannot_say_is_said(rate: Fraction, variable: bool, counted: Fraction, words: str) -> None:
    base = timebase_of(rate, variable=variable)
    assert base.rate == counted
    assert words in base.notes[0]
    assert timebase_of(rate, any_rate=True) == Timebase(rate) or counted != rate


@pytest.mark.parametrize(
    "text",
    [
        "01:00:00:30",
        "1:2:3",
        "",
        "nonsense",
        "01:00:00:00:00",
        "00:60:00:00",
        "00:00:60:00",
        "00:01:00;00",
        "00:59:00;01",
    ],
)
def test_what_is_no_timecode_is_refused_or_not_counted_from(text: str) -> None:
    with pytest.raises(InputError):
        frames_of(text, DF30)
    base = timebase_of(DF30, start_timecode=text)
    assert base.start == 0
    assert "00:00:00:00 is taken" in base.notes[0]


def test_numbers_that_drop_frame_leaves_out_exist_in_tenth_minutes_and_without_it() -> None:
    assert [frames_of(text, DF30) for text in ("00:01:00;02", "00:10:00;00", "00:01:00:00")] == [1800, 17982, 1800]
    assert frames_of("00:01:00;04", DF60) == 3600
    with pytest.raises(InputError, match="no timecode '00:01:00;03'"):
        frames_of("00:01:00;03", DF60)


@pytest.mark.parametrize("text", ["24:00:00:00", "24:00:00;00", "99:00:00:00"])
def test_a_video_begins_within_a_day_but_a_segment_may_end_after_it(text: str) -> None:
    assert frames_of(text, DF30) > 2_500_000
    base = timebase_of(DF30, start_timecode=text)
    assert base.start == 0
    assert "00:00:00:00 is taken" in base.notes[0]


def test_rates_read_as_people_write_them() -> None:
    assert [rate_text(rate) for rate in (F24, DF30, Fraction(25), Fraction("12.5"))] == [
        "23.976",
        "29.97",
        "25",
        "12.5",
    ]
