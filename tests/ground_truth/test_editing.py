"""Ground truth from editors: files as other programs shape them, and what is refused."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import pytest

from lib.core.errors import InputError
from lib.ground_truth.parsing import ParsedTruth, parse_truth

RATE = Fraction(30000, 1001)
RESOLVE = """TITLE: Timeline 1
FCM: NON-DROP FRAME

001  001      V     C        01:00:10:00 01:00:10:01 01:00:10:00 01:00:10:01{blank}
2 people |C:ResolveColorBlue |M:ship |D:50

002  001      V     C        01:00:20:00 01:00:20:01 01:00:20:00 01:00:20:01{blank}
 |C:ResolveColorRed |M:Marker 2 |D:1
"""
AVID = """TITLE: SELECTS
FCM: DROP FRAME
001  TAPE01   V     C        01:00:59:29 01:01:00:03 01:00:00:00 01:00:00:02
* FROM CLIP NAME:  A001.MOV
* LOC: 01:00:00:00 RED     ship
002  TAPE01   AA    C        01:00:59:29 01:01:00:03 01:00:00:00 01:00:00:02
003  TAPE01   V     D    012 01:02:00:02 01:02:10:02 01:00:00:02 01:00:10:02
* FROM CLIP NAME:  A001.MOV
"""


def read(text: str, start: str | None = None, **options: Any) -> ParsedTruth:
    options = {"rate": Fraction(25), "video": "A001.mov"} | options
    return parse_truth(text, name="marks", start_timecode=lambda: start, **options)


def spans(parsed: ParsedTruth) -> list[tuple[str, float, float]]:
    return [(one.label, one.start_s, one.end_s) for one in parsed.segments]


def test_resolve_s_markers_count_from_where_the_timeline_begins() -> None:
    parsed = read(RESOLVE.format(blank="  "))
    assert (parsed.kind, spans(parsed)) == ("edl", [("ship", 10.0, 12.0), ("Marker 2", 20.0, 20.04)])
    assert "taken to begin an hour in" in parsed.problems[0]
    assert spans(read(RESOLVE.format(blank=""), "01:00:05:00"))[0] == ("ship", 5.0, 7.0)
    from_0 = read(RESOLVE.format(blank="").replace(" 01:00:", " 00:00:"), "10:00:00:00")
    assert spans(from_0)[0] == ("ship", 10.0, 12.0)
    assert "at 00:00:00:00" in from_0.problems[0]


def test_an_edit_list_counts_source_timecode_drop_frame_by_its_head() -> None:
    parsed = read(AVID, "01:00:00;00", rate=RATE)
    (found,) = spans(parsed)
    assert found[0] == "ship"
    assert [round(edge * RATE) for edge in found[1:]] == [1799, 1801]
    assert [problem.partition(":")[2].strip() for problem in parsed.problems] == [
        "it is sound; it is left out.",
        "it has no locator, so it says no label; it is left out.",
    ]


def test_parts_of_an_edit_are_labelled_by_their_clips_at_the_edit_s_own_times() -> None:
    text = "1 AX V C 05:00:00:00 05:00:02:00 01:00:01:00 01:00:03:00\n* FROM CLIP NAME: harbour\n"
    assert spans(read(text)) == [("harbour", 1.0, 3.0)]


def otio(**changes: Any) -> dict[str, Any]:
    def time_of(value: float) -> dict[str, Any]:
        return {"OTIO_SCHEMA": "RationalTime.1", "value": value, "rate": 29.97}

    def span(start: float, length: float) -> dict[str, Any]:
        return {"OTIO_SCHEMA": "TimeRange.1", "start_time": time_of(start), "duration": time_of(length)}

    media = {
        "OTIO_SCHEMA": "ExternalReference.1",
        "target_url": "file:///x/A001.mov",
        "available_range": span(900, 9000),
    }
    clip = {
        "OTIO_SCHEMA": "Clip.1",
        "name": "harbour",
        "media_reference": media,
        "source_range": span(930, 60),
        "markers": [
            {"OTIO_SCHEMA": "Marker.2", "name": "ship", "marked_range": span(1200, 30)},
            {"OTIO_SCHEMA": "Marker.2", "name": "point", "marked_range": span(1300, 0)},
        ],
    }
    track = {"OTIO_SCHEMA": "Track.1", "children": [clip | changes]}
    return {"OTIO_SCHEMA": "Timeline.1", "tracks": {"OTIO_SCHEMA": "Stack.1", "children": [track]}}


def test_opentimelineio_s_markers_count_from_the_media_s_start() -> None:
    parsed = read(json.dumps(otio()))
    ((label, start, end),) = spans(parsed)
    assert (label, round(start * RATE, 6), round(end * RATE, 6)) == ("ship", 300, 330)
    assert parsed.problems == ("Marker 2: it is a moment and no range; it is left out.",)


def test_opentimelineio_without_ranges_is_read_by_its_clips() -> None:
    ((label, start, end),) = spans(read(json.dumps(otio(markers=[]))))
    assert (label, round(start * RATE, 6), round(end * RATE, 6)) == ("harbour", 30, 90)


def test_final_cut_s_keywords_count_from_the_asset_s_start() -> None:
    text = """<?xml version="1.0"?><!DOCTYPE fcpxml><fcpxml version="1.10"><resources>
      <format id="r1" frameDuration="100/2500s"/><asset id="r2" name="A001" start="3600s" format="r1"/></resources>
      <library><event><clip name="x" offset="0s" start="3600s" duration="60s"><video ref="r2" offset="3600s"/>
        <keyword start="3605s" duration="200/100s" value="ship"/>
        <marker start="3610s" duration="100/2500s" value="look"/>
        <marker start="90500/25s" duration="1s" value="crane"/>
        <keyword start="x" duration="1/0s" value="bad"/></clip></event></library></fcpxml>"""
    parsed = read(text)
    assert (parsed.kind, spans(parsed)) == ("fcpxml", [("ship", 5.0, 7.0), ("crane", 20.0, 21.0)])
    assert len(parsed.problems) == 2


def test_labels_that_look_like_an_edit_list_stay_labels() -> None:
    label = EVENT.strip()
    for text in (f"WEBVTT\n\n0:01.000 --> 0:02.000\n{label}\n", f"1\n0:00:01,000 --> 0:00:02,000\n{label}\n"):
        assert spans(read(text)) == [(" ".join(label.split()), 1.0, 2.0)]


EVENT = "001  AX       V     C        00:00:00:00 00:00:01:00 00:00:00:00 00:00:01:00\n"


@pytest.mark.parametrize(
    "text",
    [
        EVENT.replace("00:00:01:00", "00:00:01:77") + "* LOC: 00:00:00:00 RED ship",
        EVENT + "* LOC:",
        EVENT + " |C:" * 20_000,
        (EVENT + " " * 90_000 + "x\n") * 20,
        EVENT + "|C:a |M:" + "x " * 40_000 + "|D:" + "9" * 5000,
        json.dumps({"OTIO_SCHEMA": "Timeline.1"}),
        json.dumps({"OTIO_SCHEMA": "Timeline.1", "tracks": [1, {}], "global_start_time": {"value": "1e999999999"}}),
        json.dumps(otio(markers=[{"marked_range": {"start_time": 1, "duration": None}}, 7], source_range=None)),
        json.dumps(otio(markers=[], media_references={"x": 1}, active_media_reference_key=["x"], name=5)),
        '{"OTIO_SCHEMA": "Timeline.1", "tracks": ' + '{"children": [' * 400 + "]}" * 400 + "}",
        '<fcpxml version="1.8"><spine/></fcpxml>',
        '<!DOCTYPE fcpxml [<!ENTITY a "aaaa">]><fcpxml>&a;</fcpxml>',
        "<fcpxml>" + '<clip><keyword start="1/3s" duration="0s" value=""/></clip>' * 1000 + "</fcpxml>",
        "<fcpxml>" + "<clip>" * 60 + "</clip>" * 60 + "</fcpxml>",
    ],
    ids=range(14),
)
def test_what_makes_no_sense_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(InputError) as refused:
        read(text, "nonsense")
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 500


def test_frames_need_the_video_s_rate() -> None:
    with pytest.raises(InputError, match="how many frames per second the video has is unknown"):
        read(EVENT + "* LOC: 00:00:00:00 RED ship", rate=None)
