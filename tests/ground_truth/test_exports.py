"""Files as other tools export them: read as they are meant, or refused with what to do. All samples are our own."""

from __future__ import annotations

import csv
import io
import json
from fractions import Fraction
from typing import Any

import pytest

from lib.core.errors import InputError
from lib.ground_truth.parsing import ParsedTruth, parse_truth

Segments = list[tuple[str, float, float]]
CAR: Segments = [("car", 1.0, 3.0)]
BOTH: Segments = [("car", 1.0, 3.0), ("tree", 4.0, 4.5)]


def parsed(text: str | bytes, **options: Any) -> ParsedTruth:
    return parse_truth(text, name="truth.txt", **options)


def segments(text: str | bytes, **options: Any) -> Segments:
    return [(one.label, one.start_s, one.end_s) for one in parsed(text, **options).segments]


def lines(*rows: str) -> str:
    return "\n".join(rows) + "\n"


ELAN_HEAD = "Tier\tBegin Time - hh:mm:ss.ms\tEnd Time - hh:mm:ss.ms\tDuration - hh:mm:ss.ms\tAnnotation"
ELAN_ALL = (
    "Tier\tParticipant\tBegin Time - msec\tEnd Time - msec\tBegin Time - ss.msec\tEnd Time - ss.msec\t"
    "Duration - ss.msec\tText"
)
BORIS_AGGREGATED = (
    "Observation id,Observation date,Description,Time offset (s),Media duration (s),FPS (frame/s),Subject,Behavior,"
    "Behavioral category,Modifiers,Behavior type,Start (s),Stop (s),Duration (s),Media file name,Comment start"
)
BORIS_EVENTS = (
    "Observation id,Media duration (s),FPS (frame/s),Subject,Behavior,Behavior type,Time,Media file name,Comment"
)
SCENES = (
    "Scene Number,Start Frame,Start Timecode,Start Time (seconds),End Frame,End Timecode,End Time (seconds),"
    "Length (frames),Length (timecode),Length (seconds)"
)


@pytest.mark.parametrize(
    "text",
    [
        "label,start,duration\ncar,1,2\n",
        "label;start;dur\ncar;1,0;2,0\n",
        "label,start_ms,end_ms\ncar,1000,3000\n",
        "label,start_ms,duration\ncar,1000,2000\n",
        "label,startMs,endMs\ncar,1000,3000\n",
        "label,Start (ms),End (ms)\ncar,1000,3000\n",
        "label,start in seconds,end in seconds\ncar,1,3\n",
        "label,start_frame,end_frame\ncar,24,72\n",
        "label,frame_start,frame_end\ncar,24,72\n",
        "label,start_frame,end_frame,start,end\ncar,1,2,1,3\n",
        "Label,Start Time (s),End time\ncar,0:01,3\n",
        "onset,offset,event_label\n1,3,car\n",
        "filename\tonset\toffset\tevent_label\na.wav\t1\t3\tcar\n",
        "a.wav\t1.0\t3.0\tcar\n",
        "audio/a.wav,1,3,car\n",
        "1.0\t3.0\tcar\n",
        "1.0,3.0,car\n",
        "onset,duration,trial_type\n1,2,car\n",
        "begin,end,class\n1,3,car\n",
        "Start,Stop,Behavior\n1,3,car\n",
        "label,start,end_ms\ncar,1000,3000\n",
        "label,start,duration_ms\ncar,1,2000\n",
        "#label,start,end\n# by hand\ncar,1,3\n",
        "TIME,VALUE,DURATION,LABEL\n1.0,0,2.0,car\n",
        "TIME,ENDTIME,LABEL\n1.0,3.0,car\n",
        "video,label,start,end\nclip.mp4,car,1,3\nother.mp4,tree,1,3\n",
        "video,label,start,end\nvideos/Clip.MOV,car,1,3\nother,tree,1,3\n",
        "video,label,start,end\nclip,car,1,3\nother,tree,1,3\n",
        lines(ELAN_HEAD, "things\t00:00:01.000\t00:00:03.000\t00:00:02.000\tcar"),
        lines("Tier\tBegin\tEnd\tDuration\tAnnotation", "things\t1.0\t3.0\t2.0\tcar"),
        lines(ELAN_ALL, "things\t\t1000\t3000\t1.000\t3.000\t2.000\tcar"),
        lines(BORIS_AGGREGATED, "o1,2026-01-01,,0,9,24,No focal subject,car,,,STATE,1.000,3.000,2.000,clip.mp4,"),
        lines(
            BORIS_EVENTS, "o1,9,24,,car,START,1.000,player #1:clip.mp4,", "o1,9,24,,car,STOP,3.000,player #1:clip.mp4,"
        ),
        json.dumps([{"label": "car", "start_ms": 1000, "end_ms": 3000}]),
        json.dumps({"segments": [{"id": 0, "start": 1.0, "end": 3.0, "text": "car"}]}),
        "\ufefflabel,start,end\r\ncar,1,3\r\n".encode("utf-16"),
        "label,start,end\ncar,1,3,,,\n",
        "WEBVTT\n\nSTYLE\n::cue {}\n\n1\n00:01.000 --> 00:03.000 line:0\n<v Anna>car</v>\n",
    ],
)
def test_tables_are_read_by_their_heads_and_units(text: str) -> None:
    found = parsed(text, rate=24, video="clip.mp4")
    assert [(one.label, one.start_s, one.end_s) for one in found.segments] == CAR


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name,von,bis\ncar,1,3\n", "'name, von, bis', which are label, start and end (or duration) can't be told"),
        ("label,start\ncar,1\n", "can't be told; write a head such as: label, start, end"),
        ("label,start_samples,end_samples\ncar,1,3\n", "can't be told"),
        ("start,end\n1,3\n", "can't be told"),
        ("label,start,end,label\ncar,1,3,x\n", "Two columns are called 'label'"),
        ('f001,0.000,1.234,"First"\n', "which of these 4 cells are label, start and end can't be told"),
        ("car,1,3,0.7\n", "which of these 4 cells"),
        ("1.0,0.5,2.0,car\n", "which of these 4 cells"),  # Sonic Visualiser without a head
        ("things\t\t1.0\t3.0\t2.0\tcar\n", "export it with the names of the columns"),  # ELAN without a head
        ("label,start,end\ncar,1,3\n".encode("utf-16-le"), "is no UTF-8 text"),
        ("label,start,end\ncar,1,3\n".encode("utf-32"), "is no UTF-8 text"),
        ('id,v\n1,"[{""labels"": ]"\n', "is no valid JSON"),
        ('id,v\n1,"[{""labels"": [' + "\n,1" * 70_000 + ']"\n', "can't be read as CSV"),
        ("1.0\t3.0\n", "it needs start, end and label"),
        ("label,start,end\ncar, red,1,3\n", "Line 2: it has 4 cells where 3 are expected"),
        ("label,start,end\n", "Nothing in truth.txt can be used"),
        ('label,start,end\n"car,1,3\ntree,2,3\n', "Line 2: this can't be read as CSV"),
        ("WEBVTT\n", "Nothing in truth.txt can be used"),
        ("label,start_frame,end_frame\ncar,24,72\n", "how many frames per second the video has is unknown"),
        ("video,label,start,end\na.mp4,car,1,3\nb.mp4,tree,1,3\n", "the labels of 2 videos (“a.mp4”, “b.mp4”)"),
        ("video,label,start,end\nx/clip.mp4,car,1,3\ny/clip.mp4,tree,1,3\n", "the labels of 2 videos"),
        ("Timecode List:,00:00:01.000\n", "can't be told"),
        ("label,start_ms,end_ms\ncar,1e99999999,3\n", "'1e99999999' is no time that can be used"),
        ("label,start,end\ncar," + "9" * 5000 + ",3\n", "is no time"),
        (json.dumps([{"label": "car", "start_s": 10**300, "end_s": 3}]), "is no time that can be used"),
        ("[" + "9" * 5000 + "]", "a number is too long"),
        (json.dumps({"images": [], "annotations": [{"bbox": [1, 2, 3, 4]}]}), "truth.txt"),
    ],
)
def test_what_is_not_understood_is_refused_with_what_to_do(text: str | bytes, words: str) -> None:
    with pytest.raises(InputError) as caught:
        parsed(text, video="clip.mp4")
    assert words in str(caught.value)
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)


def test_the_rows_of_one_other_video_are_taken_and_that_is_said() -> None:
    found = parsed("file,label,start,end\nold name.mp4,car,1,3\n", video="clip.mp4")
    assert found.problems == ("Line 2: the file is about “old name.mp4”, not “clip.mp4”; it is taken.",)


@pytest.mark.parametrize(
    ("start", "end", "rate", "seconds"),
    [
        ("00:00:01:00", "00:00:03:12", 25, (1.0, 3.48)),
        ("01:00:00:00", "01:00:01:00", Fraction(24000, 1001), (3603.6, 3604.601)),  # counts 24 a second
        ("00:00:59;29", "00:01:00;02", Fraction(30000, 1001), (1799 * 1001 / 30000, 1800 * 1001 / 30000)),
        ("00;10;00;00", "00;10;00;01", 30000 / 1001, (17982 * 1001 / 30000, 17983 * 1001 / 30000)),
        ("00:01:00;04", "00:01:01;00", Fraction(60000, 1001), (3600 * 1001 / 60000, 3656 * 1001 / 60000)),
        ("00:00:01;10", "00:00:02;00", 25, (1.4, 2.0)),
    ],
)
@pytest.mark.parametrize(
    "row",
    [
        "label,start,end\ncar,{},{}\n",
        "label,start (hh:mm:ss:ff),end (hh:mm:ss:ff)\ncar,{},{}\n",
        '[{{"label": "car", "start": "{}", "end": "{}"}}]',
    ],
)
def test_timecodes_count_frames_of_the_video(
    row: str, start: str, end: str, rate: Fraction | float, seconds: tuple[float, float]
) -> None:
    ((label, *found),) = segments(row.format(start, end), rate=rate)
    assert (label, *found) == ("car", *map(pytest.approx, seconds))


@pytest.mark.parametrize(
    ("time", "rate", "words"),
    [
        ("00:00:01:12", None, "how many frames per second the video has is unknown; give the times in seconds"),
        ("00:00:01:25", 25, "'00:00:01:25' counts frames, and the video has 25 per second"),
        ("00:00:01:12", 27.3, "the video has 27.3 per second; give the times in seconds"),
    ],
)
def test_a_timecode_that_cannot_be_meant_is_refused(time: str, rate: float | None, words: str) -> None:
    with pytest.raises(InputError) as caught:
        parsed(f"label,start,end\ncar,{time},00:00:09:00\n", rate=rate)
    assert words in str(caught.value)


def test_frequencies_of_audacity_are_no_labels() -> None:
    assert segments("1.0\t3.0\tcar\n\\\t100.0\t2000.0\n4.0\t4.5\ttree\n\\\t-1\t-1\n") == BOTH


def test_a_point_of_audacity_has_no_length_and_a_fourth_cell_is_refused() -> None:
    found = parsed("1.0\t3.0\tcar\n2.0\t2.0\tclick\n4.0\t4.5\ttree\tx\n")
    assert [one.label for one in found.segments] == ["car"]
    assert [problem.split(":")[0] for problem in found.problems] == ["Line 2", "Line 3"]


@pytest.mark.parametrize("first", ["Timecode List:,00:00:02.000", "00:00:02.000", ""])
def test_scenes_of_pyscenedetect_are_numbered(first: str) -> None:
    rows = [
        "1,1,00:00:00.000,0.000,48,00:00:02.000,2.000,48,00:00:02.000,2.000",
        "2,49,00:00:02.000,2.000,72,00:00:03.000,3.000,24,00:00:01.000,1.000",
    ]
    assert segments(lines(first, SCENES, *rows)) == [("scene 1", 0.0, 2.0), ("scene 2", 2.0, 3.0)]


def test_events_of_boris_are_paired_by_subject_below_what_stands_above() -> None:
    found = parsed(
        lines(
            "Observation id\to1",
            "",
            "Media file(s)",
            "Player #1\tclip.mp4",
            "Time\tMedia file path\tTotal length\tFPS\tSubject\tBehavior\tBehavioral category\tComment\tStatus",
            "1.0\tclip.mp4\t9\t24\tA\tcar\t\t\tSTART",
            "2.0\tclip.mp4\t9\t24\tB\tcar\t\t\tSTART",
            "2.5\tclip.mp4\t9\t24\tA\tclick\t\t\tPOINT",
            "3.0\tclip.mp4\t9\t24\tA\tcar\t\t\tSTOP",
            "4.0\tclip.mp4\t9\t24\tA\ttree\t\t\tSTART",
            "4.5\tclip.mp4\t9\t24\tA\ttree\t\t\tSTOP",
        )
    )
    assert [(one.label, one.start_s, one.end_s) for one in found.segments] == BOTH
    assert found.problems == (
        "Line 1: what stands above the head in line 5 is left out.",
        "Line 7: “car” never stops; it is left out.",
        "Line 8: “click” has no length; it is left out.",
    )


# --- Label Studio


def result(kind: str = "timelinelabels", **value: Any) -> dict[str, Any]:
    return {"type": kind, "from_name": "a", "to_name": "b", "value": value}


def timeline(label: str, start: int, end: int) -> dict[str, Any]:
    return result(ranges=[{"start": start, "end": end}], timelinelabels=[label])


def annotated(*annotations: Any, **data: Any) -> str:
    return json.dumps([{"id": 1, "data": data, "annotations": list(annotations)}])


def test_label_studio_without_a_rate_counts_24_frames_a_second_and_says_so() -> None:
    found = parsed(annotated({"result": [timeline("car", 241, 480)]}), rate=30)
    assert [(one.start_s, one.end_s) for one in found.segments] == [(10.0, 20.0)]
    assert "default of 24 frames per second is taken" in found.problems[0]


@pytest.mark.parametrize("fps", ["1/99999999999999", 1e-300, "1e99999999", "9" * 5_000, "auto", True, [], 1e300])
def test_a_rate_that_makes_no_sense_is_named(fps: object) -> None:
    found = parsed(annotated({"result": [timeline("car", 25, 72)]}, fps=fps))
    assert [(one.label, one.start_s, one.end_s) for one in found.segments] == CAR
    assert "is no number of frames per second" in found.problems[0]


def test_the_annotation_marked_as_ground_truth_counts() -> None:
    found = parsed(
        annotated(
            {"result": [timeline("tree", 1, 2)]}, {"result": [timeline("car", 25, 72)], "ground_truth": True}, fps=24
        )
    )
    assert [(one.label, one.start_s, one.end_s) for one in found.segments] == CAR
    assert "the one marked as ground truth is taken" in found.problems[0]


def test_of_several_tasks_that_of_the_video_counts() -> None:
    tasks = [
        {"data": {"video": f"/data/upload/1/0123abcd-{name}.mp4", "fps": 24}, "annotations": [{"result": [region]}]}
        for name, region in (("other", timeline("tree", 1, 2)), ("clip", timeline("car", 25, 72)))
    ]
    assert segments(json.dumps(tasks), video="clip.mp4") == CAR
    with pytest.raises(InputError, match=r"the labels of 2 videos \(“/data/upload/1/0123abcd-other"):
        parsed(json.dumps(tasks), video="third.mp4")


def test_labels_of_sound_are_in_seconds() -> None:
    sound = {**result("labels", start=1.0, end=3.0, labels=["car"], channel=0), "original_length": 9.5}
    assert segments(annotated({"result": [sound]})) == CAR


def minimal(**more: Any) -> dict[str, Any]:
    """Return a row of Label Studio's short form."""
    regions = [{"ranges": [{"start": 25, "end": 72}], "timelinelabels": ["car"]}]
    return {"id": 1, "video": "/data/upload/1/0123abcd-clip.mp4", "videoLabels": regions, **more}


def as_table(mark: str, *rows: dict[str, Any]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=mark)
    writer.writerow(rows[0])
    for row in rows:
        writer.writerow([cell if isinstance(cell, str | int) else json.dumps(cell) for cell in row.values()])
    return out.getvalue()


@pytest.mark.parametrize("mark", [",", "\t"])
def test_tables_of_label_studio_hold_json(mark: str) -> None:
    rows = (minimal(), minimal(id=2, video="[other].mp4"))
    assert segments(as_table(mark, *rows), video="clip.mp4") == CAR
    assert parsed(as_table(mark, *rows), video="clip.mp4").kind == "label_studio"
    sound = {"id": 1, "audio": "a.wav", "label": [{"start": 1, "end": 3, "channel": 0, "labels": ["car"]}]}
    assert segments(as_table(mark, sound)) == segments(json.dumps([sound])) == CAR


@pytest.mark.parametrize("write", [lambda *rows: json.dumps(rows), lambda *rows: as_table(",", *rows)])
def test_of_a_tasks_annotations_in_the_short_form_the_first_is_taken(write: Any) -> None:
    other = [{"ranges": [{"start": 1, "end": 2}], "timelinelabels": ["tree"]}]
    found = parsed(write(minimal(), minimal(videoLabels=other)), video="clip.mp4")
    assert [(one.label, one.start_s, one.end_s) for one in found.segments] == CAR
    assert "Task 2: it is another annotation of task 1’s video; it is left out." in found.problems


def test_frames_of_label_studio_may_be_whole_floats() -> None:
    spans = [{"start": 25.0, "end": 72.0}, {"start": 97.5, "end": 108}]
    found = parsed(annotated({"result": [result(ranges=spans, timelinelabels=["car"])]}, fps=24))
    assert [(one.label, one.start_s, one.end_s) for one in found.segments] == CAR
    assert found.problems == ("Region 1: a range needs the frames start and end; it is left out.",)


BOXES = result("videorectangle", sequence=[{"frame": 1, "x": 1, "y": 1}], labels=["car"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (annotated({"result": [BOXES]}), "Region 1: videorectangle is no interval"),
        (annotated({"result": [result("choices", choices=["car"])]}), "choices is no interval"),
        (annotated({"result": [result(ranges=[{"start": 1, "end": 9}])]}), "Region 1: it has no label"),
        (annotated({"result": []}), "Nothing in truth.txt can be used"),
        (annotated(), "nobody has submitted one, and predictions are no ground truth"),
        (json.dumps([{"data": {}, "predictions": [{"result": [timeline("car", 1, 2)]}]}]), "Nothing in truth.txt"),
        (
            json.dumps([{"id": 1, "annotations": [], "predictions": [{"result": [timeline("car", 1, 2)]}]}]),
            "nobody has",
        ),
        (
            annotated({"result": [result("labels", start=0, end=9, labels=["car"], text="a car")]}),
            "labels is no interval",
        ),
    ],
)
def test_label_studio_without_a_labelled_interval_is_refused(text: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        parsed(text)
    assert words in str(caught.value)


def test_regions_without_a_label_and_boxes_are_said_to_be_left_out() -> None:
    found = parsed(
        annotated({"result": [timeline("car", 25, 72), result(ranges=[{"start": 1, "end": 2}]), BOXES]}, fps=24)
    )
    assert [one.label for one in found.segments] == ["car"]
    assert [problem.split(":")[0] for problem in found.problems] == ["Region 2", "Region 3"]


# --- XML


EAF = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="" FORMAT="3.0">
  <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">
  <MEDIA_DESCRIPTOR MEDIA_URL="file:///v/clip.mp4" MIME_TYPE="video/mp4"/></HEADER>
  <TIME_ORDER>
    <TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="1000"/><TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="3000"/>
    <TIME_SLOT TIME_SLOT_ID="ts3" TIME_VALUE="4000"/><TIME_SLOT TIME_SLOT_ID="ts4" TIME_VALUE="4500"/>
    <TIME_SLOT TIME_SLOT_ID="ts5"/>
  </TIME_ORDER>
  <TIER TIER_ID="things">
    <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2">
      <ANNOTATION_VALUE>car</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
    <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a2" TIME_SLOT_REF1="ts4" TIME_SLOT_REF2="ts5">
      <ANNOTATION_VALUE>lost</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
  </TIER>
  <TIER TIER_ID="plants">
    <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a3" TIME_SLOT_REF1="ts3" TIME_SLOT_REF2="ts4">
      <ANNOTATION_VALUE>tree</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
  </TIER>
  <TIER TIER_ID="translation" PARENT_REF="things">
    <ANNOTATION><REF_ANNOTATION ANNOTATION_ID="a4" ANNOTATION_REF="a1"><ANNOTATION_VALUE>Auto</ANNOTATION_VALUE>
    </REF_ANNOTATION></ANNOTATION>
  </TIER>
</ANNOTATION_DOCUMENT>
"""

CVAT_HEAD = "<?xml version='1.0'?><annotations><version>1.1</version><meta><task><name>clip</name></task></meta>"


def box(frame: int, outside: int = 0) -> str:
    return f'<box frame="{frame}" outside="{outside}" occluded="0" keyframe="1" xtl="1" ytl="1" xbr="9" ybr="9"></box>'


def test_elan_gives_the_values_of_all_tiers_with_times() -> None:
    found = parsed(EAF)
    assert [(one.label, one.start_s, one.end_s) for one in found.segments] == BOTH
    assert found.kind == "eaf"
    assert found.problems == (
        "Tier 1: the annotations of 2 tiers are taken: “things”, “plants”.",
        "Annotation 2: its time slots have no time; it is left out.",
        "Tier 3: “translation” has no times of its own; it is left out.",
    )


def test_elans_time_origin_is_added() -> None:
    text = EAF.replace('MIME_TYPE="video/mp4"', 'MIME_TYPE="video/mp4" TIME_ORIGIN="500"')
    assert segments(text)[0] == ("car", 1.5, 3.5)


def test_tracks_of_cvat_are_there_until_they_are_outside() -> None:
    text = (
        CVAT_HEAD
        + f'<track id="0" label="car">{box(24)}{box(40)}{box(72, 1)}</track>'
        + f'<track id="1" label="tree">{box(96)}{box(107)}</track>'
        + f'<track id="2" label="never">{box(1, 1)}</track></annotations>'
    )
    found = parsed(text, rate=Fraction(24))
    assert [(one.label, one.start_s, one.end_s) for one in found.segments] == BOTH
    assert found.problems == ("Track 3: it is on no frame; it is left out.",)
    with pytest.raises(InputError, match="how many frames per second the video has is unknown"):
        parsed(text)


def test_tagged_frames_of_cvat_are_runs() -> None:
    frames = [*range(24, 72), *range(96, 108)]
    images = "".join(
        f'<image id="{n}" name="frame_{n:06d}"><tag label="{"car" if n < 90 else "tree"}"></tag></image>'
        for n in frames
    )
    assert segments(CVAT_HEAD + images + "</annotations>", rate=24) == BOTH


def test_regions_of_sonic_visualiser() -> None:
    text = (
        '<?xml version="1.0"?><!DOCTYPE sonic-visualiser><sv><data>'
        '<model id="1" sampleRate="8000" type="sparse" dimensions="3" subtype="region"/><dataset id="0" dimensions="3">'
        '<point frame="8000" value="0" duration="16000" label="car"/><point frame="32000" value="1" duration="4000" '
        'label="tree"/></dataset></data></sv>'
    )
    assert segments(text) == BOTH


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "declares its own entities"),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "declares its own entities"),
        ("<a>" * 100 + "</a>" * 100, "nests too deep"),
        ("<a>" + "<b/>" * 250_000 + "</a>", "more than 200,000 tags"),
        ("<a " + " ".join(f'b{n}="1"' for n in range(20_000)) + "/>", "a tag or text that is too long"),
        ("<a>\n<b></a>", "line 2: this is no valid XML"),
        ("<a/>", "XML of a kind that isn’t read"),
        ("<a>\ud800</a>", "isn’t allowed in XML"),
        (EAF.replace("milliseconds", "PAL-frames"), "counts in PAL-frames"),
        (CVAT_HEAD + '<image id="0" name="cat.jpg"><tag label="cat"/></image></annotations>', "is about pictures"),
        (CVAT_HEAD + "</annotations>", "XML of a kind"),
    ],
)
def test_other_xml_is_refused(text: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        parsed(text, rate=24)
    assert words in str(caught.value)


# --- sizes


@pytest.mark.parametrize(
    "text",
    [
        "WEBVTT\n\n0:01 --> 0:03\n" + "<" * 1_000_000,
        "WEBVTT\n\n0:01 --> 0:03\n&#" + "9" * 5_000 + ";",
        "WEBVTT\n\n0:01 --> 0:03\n" + "&" * 1_000_000,
        "0:01 " + " " * 1_000_000 + "--> x\ncar",
        "1" * 1_000_000 + " --> 0:03\ncar",
        " " * 1_000_000 + "x",
        "car," + " " * 1_000_000 + "x,3",
        "\t" * 1_000_000 + "x",
        "label,start,end\n" + '"' * 999_999,
        ("a" * 79 + ",") * 12_000,
        "label,start,end\n" + "a" + "\u0301\u0323" * 500_000 + ",1,3",
        "\\\n" * 500_000,
        '{"segments": [' + "1," * 500_000 + "1]}",
        '{"a":' * 100_000,
        '[{"annotations": [' + "[" * 300,
        "car,1,3\n" * 250_000,
        "\r" * 250_000 + "x",
        "a," * 49_000 + '\n"labels"":",1\n' + "x\n" * 190_000,
        "a," * 60_000 + "\ncar,1,3\n",
        '{"segments": [' + "{}," * 110_000 + "1]}",
        '{"segments": [' + "1," * 600_000 + "1]}",
    ],
    ids=range(21),
)
def test_long_and_odd_texts_end_in_one_sentence(text: str) -> None:
    """Each took from seconds to for ever, or an exception, in a reader with quadratic patterns or unbounded numbers."""
    with pytest.raises(InputError) as caught:
        parsed(text)
    assert len(str(caught.value)) < 500
