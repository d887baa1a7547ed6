from __future__ import annotations

import cProfile
import json
import pstats
from contextlib import suppress
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.core.errors import InputError
from lib.core.labelled_intervals import TrueSegment, label_key
from lib.ground_truth.entries import read_time
from lib.ground_truth.formats import GroundTruthFormat
from lib.ground_truth.parsing import KINDS, ParsedTruth, parse_truth
from lib.ground_truth.writing import write_truth

YARD = TrueSegment("shipyard", 10.0, 13.0)
SITE = TrueSegment("construction site", 7.0, 10.0)


def parsed(text: str, **options: object) -> ParsedTruth:
    return parse_truth(text, name="truth.txt", **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("shipyard,10,13\nconstruction site,7,10", "csv"),
        ("label,start,end\nshipyard,10,13\nconstruction site,0:07,0:10.0\n", "csv"),
        ("start_s,end_s,label,peak\n10,13,shipyard,0.2\n7,10,construction site,0.3\n", "csv"),
        ("shipyard;10,0;13,0\nconstruction site;7,0;10,0\n", "csv"),
        ('\ufeff"shipyard", 10, 13\n\n"construction\nsite",7,10\n', "csv"),
        ("shipyard\t10\t13\nconstruction site\t7\t10\n", "csv"),
        ("10.000000\t13.000000\tshipyard\n\\\t-1\t-1\n7.0\t10.0\tconstruction site\n", "audacity"),
        (
            "WEBVTT\n\nNOTE by hand\n\n1\n00:10.000 --> 00:13.000 align:start\n<b>shipyard</b>\n\n"
            "00:00:07.000 --> 00:00:10.000\nconstruction\nsite\n",
            "vtt",
        ),
        ("1\n00:00:10,000 --> 00:00:13,000\nshipyard\n\n2\n0:07 --> 0:10\nconstruction site", "vtt"),
        (json.dumps([{"label": "shipyard", "start_s": "0:10", "end_s": 13}, vars(SITE)]), "json"),
    ],
)
def test_each_format_is_seen_by_its_content(text: str, kind: GroundTruthFormat) -> None:
    found = parsed(text)

    assert found.segments == (SITE, YARD)
    assert found.problems == ()
    assert found.kind == kind


def task(*regions: tuple[int, int, str], **data: object) -> dict[str, object]:
    results = [
        {"value": {"ranges": [{"start": start, "end": end}], "timelinelabels": [label]}}
        for start, end, label in regions
    ]
    return {"id": 1, "annotations": [{"result": results}], "data": {"video": "clip.mp4", **data}}


def test_label_studio_counts_frames_from_one_and_both_ends_are_in() -> None:
    exported = task((169, 240, "construction site"), (241, 312, "shipyard"), fps=24)

    assert parsed(json.dumps([exported]), rate=30).segments == (SITE, YARD)
    assert parsed(json.dumps(task((1, 1, "flash"), frameRate="25"))).segments[0].end_s == 0.04
    exported["data"] = {"video": "clip.mp4", "fps": 48}
    assert parsed(json.dumps([exported]), rate=24).segments[0].start_s == 3.5


def test_label_studios_short_form_reads_as_well() -> None:
    region = {"ranges": [{"start": 169, "end": 240}], "timelinelabels": ["construction site"]}
    region |= {"framesCount": 240, "duration": 10.0}
    assert parsed(json.dumps([{"video": "clip.mp4", "timelineLabels": [region]}])).segments == (SITE,)


def test_of_several_annotators_the_first_counts_and_is_named() -> None:
    exported = task((169, 240, "construction site"), fps=24)
    other = {"result": task((1, 5, "other"))["annotations"][0]["result"]}  # type: ignore[index]
    exported["annotations"] = [{"was_cancelled": True}, *exported["annotations"], other]  # type: ignore[misc]
    found = parsed(json.dumps([exported]), rate=24)

    assert found.segments == (SITE,)
    assert found.problems == ("Annotation 1: there are 2 annotations of this video; the first is taken.",)


def test_every_problem_names_its_line() -> None:
    text = (
        "label,start,end\nshipyard,10,13\nshipyard,14,13\n\nshipyard,12,15\nunicorn,1,2\nShipyard,16,later\n"
        "seaside,17,19\nseaside,-1,2\nseaside,20,21\nseaside,3\n,1,2\n"
    )
    found = parsed(text, end_s=17.5, known_labels=["Shipyard", "seaside"])

    assert found.segments == (
        TrueSegment("unicorn", 1.0, 2.0),
        TrueSegment("Shipyard", 10.0, 15.0),
        TrueSegment("seaside", 17.0, 17.5),
    )
    starts = [problem.split(":")[0] for problem in found.problems]
    assert starts == [f"Line {line}" for line in (3, 5, 6, 7, 8, 9, 10, 11, 12)]
    for words, problem in zip(
        (
            "ends at 0:13.00, not after its start at 0:14.00",
            "“Shipyard” overlaps that of line 2; both are taken as one",
            "no prompt is called “unicorn”",
            "'later' is no time",
            "ends at 0:19.00, beyond the video; it is cut at 0:17.50",
            "'-1' is no time",
            "starts at 0:20.00, and the video ends at 0:17.50",
            "needs label, start and end",
            "the label is blank",
        ),
        found.problems,
        strict=True,
    ):
        assert words in problem


def test_an_end_just_behind_the_video_is_no_problem() -> None:
    assert parsed("seaside,1,17.05", end_s=17.0).problems == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (" \n", "is empty"),
        ("what is this", "no format that is known"),
        ("one,two,three", "Nothing in truth.txt can be used. Line 1: 'two' is no time"),
        ('{"segments": [{"label": "a"}]}', "Segment 1: it needs label, start_s and end_s"),
        ('{"segments": [{"label": "a", "start_s": NaN, "end_s": 2}]}', "not finite"),
        ('{"segments": [{"label": "a", "start_s": true, "end_s": 2}]}', "must be numbers"),
        ('{"segments": [', "line 1: this is no valid JSON"),
        ("[" * 100_000, "truth.txt"),
        ('{"prompts": []}', "no ground truth that can be read"),
        ("[]", "no ground truth that can be read"),
        (json.dumps([task((1, 2, "a")), task((1, 2, "a"))]), "the labels of 2 videos"),
        ("x" * 5_000_001, "5,000,001 characters"),
        ("a,1,2\n" * 20_001, "more than 20,000 segments"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(text: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        parsed(text)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["json", "csv", "vtt", "label_studio"])
def test_a_file_with_nothing_in_it_is_refused(kind: GroundTruthFormat) -> None:
    with pytest.raises(InputError, match=r"Nothing in truth\.txt can be used"):
        parsed(write_truth([], kind, rate=25))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("12", 12.0),
        (" 12.5 s", 12.5),
        ("0:12,5", 12.5),
        ("1:02:03.1", 3723.1),
        (".5", 0.5),
        ("90:00", 5400.0),
    ],
)
def test_times_are_read_as_people_write_them(text: str, seconds: float) -> None:
    assert read_time(text) == seconds


@pytest.mark.parametrize("text", ["", "one", "1:2:3:4", "-1", "1e5", "1:", "٣x", "9" * 400])
def test_other_texts_are_no_times(text: str) -> None:
    with pytest.raises(InputError, match="is no time"):
        read_time(text)


_LABELS = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=30).map(
    lambda text: " ".join(text.split())
)


@st.composite
def truths(draw: st.DrawFn, a_second: int) -> tuple[TrueSegment, ...]:
    """Return segments at whole steps, those of one label apart, in the order in which they are read."""
    found: set[TrueSegment] = set()
    for label in draw(st.lists(_LABELS.filter(label_key), max_size=3, unique_by=label_key)):
        edges = sorted(draw(st.sets(st.integers(0, 4_000 * a_second), max_size=8)))
        for start, end in zip(edges[::2], edges[1::2], strict=False):
            found.add(TrueSegment(label, start / a_second, end / a_second))
    return tuple(sorted(found, key=lambda one: (one.start_s, one.end_s, one.label)))


@pytest.mark.parametrize(("kind", "a_second"), [("json", 7), ("csv", 7), ("vtt", 1000), ("audacity", 1000)])
@given(data=st.data())
def test_what_is_written_reads_the_same(kind: GroundTruthFormat, a_second: int, data: st.DataObject) -> None:
    segments = data.draw(truths(a_second))
    if not segments:
        return
    found = parsed(write_truth(segments, kind, video="clip.mp4"))

    assert found.segments == segments
    assert found.problems == ()
    assert found.kind == kind


@given(data=st.data(), rate=st.sampled_from([24, 25, Fraction(30000, 1001)]))
def test_label_studio_reads_the_same_frames(data: st.DataObject, rate: Fraction | int) -> None:
    segments = data.draw(truths(1).filter(bool))
    found = parsed(write_truth(segments, "label_studio", rate=rate)).segments

    assert [one.label for one in found] == [one.label for one in segments]
    for one, other in zip(found, segments, strict=True):
        assert one.start_s == pytest.approx(other.start_s, abs=0.5 / float(rate) + 1e-6)
        assert one.end_s == pytest.approx(other.end_s, abs=0.5 / float(rate) + 1e-6)


def test_label_studio_without_a_rate_is_refused() -> None:
    with pytest.raises(InputError, match="rate of this video is unknown"):
        write_truth([SITE], "label_studio")


def test_each_format_has_a_name_and_an_ending() -> None:
    assert set(KINDS) == {"json", "csv", "vtt", "label_studio", "audacity"}


@pytest.mark.parametrize(
    "line",
    ["a,1,2\n", "1.0\t2.0\ta\n", "00:01.000 --> 00:02.000\na\n\n", "a,1,2,3\n", "a,-1,2\n"],
    ids=["lines", "Audacity", "cues", "surplus cells", "before the video"],
)
def test_twice_the_lines_are_twice_the_work(line: str) -> None:
    """A file of equal lines once took 25 s: each was looked for among all others."""

    def calls(count: int) -> int:
        profile = cProfile.Profile()
        with suppress(InputError):
            profile.runcall(parsed, line * count)
        return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]

    calls(10)  # what is computed once
    assert calls(1600) < 2.5 * calls(800)


@pytest.mark.parametrize("kind", ["json", "csv", "vtt", "audacity"])
@pytest.mark.parametrize("blank", ["\t", "\n", "\x0b", "\x85", "\u2028"])
def test_a_blank_of_any_kind_in_a_label_parts_no_line(kind: GroundTruthFormat, blank: str) -> None:
    written = write_truth([TrueSegment(f"red{blank}car", 1.0, 2.5), TrueSegment("bus", 3.0, 4.0)], kind)
    read = parse_truth(written, name=f"truth.{'txt' if kind == 'audacity' else kind}").segments
    assert [*read] == [TrueSegment("red car", 1.0, 2.5), TrueSegment("bus", 3.0, 4.0)]
