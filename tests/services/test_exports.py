"""Exports of a stored analysis: each read back by a reader that isn't ours, frame by frame, at the video's own rate."""

from __future__ import annotations

import dataclasses
import json
import re
from fractions import Fraction
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import av
import numpy as np
import opentimelineio as otio
import pytest
from pympi import Elan

from lib.analysis.analysis import Analysis
from lib.analysis.segments import Segment
from lib.core.errors import InputError
from lib.core.sampling import Sampling
from lib.core.timecode import frames_of, timebase_of
from lib.ingest.ingest import ingest
from lib.interchange.edl import write_edl, write_resolve_markers
from lib.interchange.footage import Footage, footage
from lib.interchange.timeline import write_fcpxml
from lib.services import exports
from lib.services.exports import FORMATS, StoredAnalysis, export, notes
from lib.services.input_files import read_truth
from lib.store.store import Store
from tests.helpers.arrays import analyse_scores, prompt_set
from tests.helpers.toy_engine import ToyEngine
from tests.helpers.videos import make_video

LABELS = ("red & <wall>", "Größe ☃")
FRAMES = 60
STRIDE = 3
RANGES = [(LABELS[0], 0, 9), (LABELS[1], 6, 24), (LABELS[0], 30, 60)]
F24, F30, F60 = Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001)
CASES = [
    (F24, None, "mp4", "00:00:00:00"),
    (Fraction(25), "10:00:00:12", "mov", "10:00:00:12"),
    (Fraction(25), "10:00:00:12", "mkv", "10:00:00:12"),
    (F30, None, "mkv", "00:00:00;00"),
    (F30, "00:59:59;29", "mov", "00:59:59;29"),
    (F30, "01:00:00:00", "mp4", "01:00:00:00"),
    (F60, "01:00:59;58", "mov", "01:00:59;58"),
    (Fraction(60), "23:59:59:30", "mp4", "23:59:59:30"),
]
IDS = [f"{float(rate):.5g}-{start}-{suffix}" for rate, start, suffix, _ in CASES]


def filmed(folder: Path, rate: Fraction, start: str | None, suffix: str, **options: Any) -> Path:
    plain = make_video(folder / f"plain.{suffix}", colours=[(90, 90, 90)] * FRAMES, rate=rate, **options)
    if start is None:
        return plain.rename(folder / f"a film.{suffix}")
    target = folder / f"a film.{suffix}"
    with av.open(str(plain)) as source, av.open(str(target), "w") as output:
        stream = output.add_stream_from_template(source.streams.video[0])
        output.metadata["timecode"] = start
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                output.mux(packet)
    return target


def found_in(samples: Any) -> Analysis:
    scores = np.zeros((len(samples), 2))
    for label, first, stop in RANGES:
        scores[first // STRIDE : stop // STRIDE, LABELS.index(label)] = 0.5
    return analyse_scores(scores, prompt_set(*LABELS, decision="threshold", threshold=0.2, score="cosine"), samples)


def stored_of(film: Path, store: Store) -> StoredAnalysis:
    engine, video = ToyEngine(), store.add_file(film)
    info = ingest(store, video, engine, Sampling.every(STRIDE))
    return StoredAnalysis(store, video, info, engine, found_in(store.load(info.key)))


@pytest.fixture(scope="module", params=CASES, ids=IDS)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[StoredAnalysis, Any]:
    rate, start, suffix, _ = request.param
    folder = tmp_path_factory.mktemp("case")
    return stored_of(filmed(folder, rate, start, suffix), Store(folder / "home")), request.param


@pytest.fixture(scope="module")
def varying(tmp_path_factory: pytest.TempPathFactory) -> StoredAnalysis:
    folder = tmp_path_factory.mktemp("varying")
    steps = [Fraction(1, 30) if i % 5 else Fraction(1, 12) for i in range(FRAMES)]
    times = [sum(steps[:i], Fraction(0)) for i in range(FRAMES)]
    return stored_of(filmed(folder, Fraction(24), None, "mp4", times=times), Store(folder / "home"))


def text_of(stored: StoredAnalysis, name: str) -> str:
    return export(stored, name).content.decode()


def test_opentimelineio_reads_markers_and_a_track_for_each_label(case: tuple[StoredAnalysis, Any]) -> None:
    stored, (rate, _, _, first) = case
    timeline = otio.adapters.read_from_string(text_of(stored, "otio"), "otio_json")
    start = frames_of(first, rate)
    assert timeline.global_start_time == otio.opentime.RationalTime(start, float(rate))
    assert timeline.global_start_time.to_timecode(float(rate), ";" in first) == first
    (whole,) = timeline.tracks[0]
    assert (whole.media_reference.target_url, whole.duration().value) == (f"a%20film{stored.video.path.suffix}", FRAMES)
    marked = [(m.name, m.marked_range.start_time.value, m.marked_range.duration.value) for m in whole.markers]
    assert marked == [(label, start + a, b - a) for label, a, b in RANGES]
    on_tracks = {
        (clip.name, clip.range_in_parent().start_time.value, clip.source_range.start_time.value, clip.duration().value)
        for track in list(timeline.tracks)[1:]
        for clip in track.find_clips()
    }
    assert on_tracks == {(label, a, start + a, b - a) for label, a, b in RANGES}


def test_the_edit_list_is_read_with_its_rate_and_drop_frame(case: tuple[StoredAnalysis, Any]) -> None:
    stored, (rate, _, _, first) = case
    text, start = text_of(stored, "edl"), frames_of(first, rate)
    assert ("FCM: DROP FRAME" in text) == (";" in first)
    timeline = otio.adapters.read_from_string(text, "cmx_3600", rate=float(rate))
    clips = list(timeline.find_clips())
    day = 24 * 3600 * round(rate)
    spans = [(int(clip.source_range.start_time.value), int(clip.duration().value)) for clip in clips]
    assert spans == [((start + a) % day, b - a) for _, a, b in RANGES]
    assert [clip.markers[0].name for clip in clips] == [label for label, _, _ in RANGES]
    assert {clip.name for clip in clips} == {stored.video.name}


def test_final_cut_s_xml_has_exact_times(case: tuple[StoredAnalysis, Any]) -> None:
    stored, (rate, _, _, first) = case
    text, start = text_of(stored, "fcpxml"), frames_of(first, rate)
    root = ElementTree.fromstring(text)

    def frames(element: Any, name: str) -> Fraction:
        return Fraction(element.get(name).removesuffix("s")) * rate

    (sequence,), (clip,) = root.iter("sequence"), root.iter("asset-clip")
    assert frames(root.find("resources/format"), "frameDuration") == 1
    assert sequence.get("tcFormat") == ("DF" if ";" in first else "NDF")
    assert (
        frames(sequence, "tcStart") == frames(clip, "start") == frames(root.find("resources/asset"), "start") == start
    )
    for kind in ("marker", "keyword"):
        spans = [(m.get("value"), frames(m, "start") - start, frames(m, "duration")) for m in clip.iter(kind)]
        assert spans == [(label, a, b - a) for label, a, b in RANGES]
    if rate.denominator == 1:  # OpenTimelineIO's adapter reads no others exactly
        (read,) = otio.adapters.read_from_string(text, "fcpx_xml").find_clips()
        assert [int(m.marked_range.start_time.value) for m in read.markers] == [start + a for _, a, _ in RANGES]


def test_resolve_s_markers_have_its_shape(case: tuple[StoredAnalysis, Any]) -> None:
    stored, (rate, start, _, first) = case
    made = export(stored, "resolve")
    shape = r"(\d{3})  001      V     C        (\S+) (\S+) \2 \3\n(.+) \|C:ResolveColor(\w+) \|M:(.+) \|D:(\d+)\n"
    found = re.findall(shape, made.content.decode())
    base = frames_of(first if start else "01:00:00" + first[8] + "00", rate)
    day = round(86_400 * rate) if ";" in first else 86_400 * round(rate)
    read = [(label, (frames_of(at, rate) - base) % day, int(frames)) for _, at, _, _, _, label, frames in found]
    assert read == [(label, a, b - a) for label, a, b in RANGES]
    assert any("must begin at" in note for note in made.notes)


def marked(label: str, start_s: float = 0.0) -> Footage:
    """Return 4 s of a video of 25 frames a second that begins at ``start_s``, with a segment from its second 1 to 2."""
    segment = Segment(label, start_s + 1.0, start_s + 2.0, 0.5, 0.6, start_s + 1.5, 1, 2)
    span_s, timebase = (start_s, start_s + 4.0), timebase_of(Fraction(25))
    return footage([segment], [label], span_s, timebase, name="film.mp4", url="film.mp4", title="film")


def test_frames_are_counted_from_the_first_one_of_a_video_that_begins_later() -> None:
    found = marked("car", start_s=5.0)
    assert [(one.first, one.stop) for one in found.ranges] == [(25, 50)]
    assert found.frames == 100


@pytest.mark.parametrize("character", "\x00\x08\x1b\ufffe\uffff\ud800")
def test_what_xml_can_not_hold_breaks_no_file(character: str) -> None:
    text = write_fcpxml(marked(f"a{character}b"))
    (keyword,) = ElementTree.fromstring(text.encode()).iter("keyword")
    assert keyword.get("value") == "a\ufffdb"


def test_a_bar_in_a_label_begins_no_field_of_a_marker() -> None:
    text = write_resolve_markers(marked("car |D:9 |C:x"), has_start=False)
    assert text.count("|") == 3
    assert text.splitlines()[-1].endswith(" |C:ResolveColorBlue |M:car /D:9 /C:x |D:25")


def test_elan_s_reader_finds_a_tier_for_each_label(case: tuple[StoredAnalysis, Any], tmp_path: Path) -> None:
    stored, (rate, _, _, _) = case
    path = tmp_path / "film.eaf"
    path.write_text(text_of(stored, "eaf"))
    document = Elan.Eaf(str(path))
    assert set(document.get_tier_names()) == set(LABELS)
    for label in LABELS:
        spans = [tuple(one[:2]) for one in document.get_annotation_data_for_tier(label)]
        frames = [(round(a * rate / 1000), round(b * rate / 1000)) for a, b in spans]
        assert sorted(frames) == [(a, b) for name, a, b in RANGES if name == label]
    assert document.media_descriptors[0]["RELATIVE_MEDIA_URL"].startswith("./a%20film")


@pytest.mark.parametrize("kind", ["vtt", "srt"])
def test_ffmpeg_reads_chapters_and_subtitles(case: tuple[StoredAnalysis, Any], kind: str, tmp_path: Path) -> None:
    stored, (rate, _, _, _) = case
    path = tmp_path / f"film.{kind}"
    path.write_bytes(export(stored, kind).content)
    with av.open(str(path)) as file:
        base = file.streams[0].time_base
        packets = [one for one in file.demux() if one.size]
    spans = [(round(p.pts * base * rate), round((p.pts + p.duration) * base * rate)) for p in packets]
    assert spans == [(a, b) for _, a, b in RANGES]
    assert "Größe ☃" in bytes(packets[1]).decode()


def test_label_studio_s_predictions_have_its_shape(case: tuple[StoredAnalysis, Any]) -> None:
    stored, _ = case
    (task,) = json.loads(text_of(stored, "label-studio"))
    (prediction,) = task["predictions"]
    assert task["data"] == {"video": stored.video.name, "fps": float(stored.video.rate)}
    assert prediction["model_version"] == "Toy engine, test"
    spans = [
        (one["value"]["timelinelabels"], one["value"]["ranges"], one["score"], one["type"])
        for one in prediction["result"]
    ]
    assert spans == [([label], [{"start": a + 1, "end": b}], 0.5, "timelinelabels") for label, a, b in RANGES]


@pytest.mark.parametrize("name", ["otio", "edl", "fcpxml", "resolve", "vtt", "srt", "eaf"])
def test_what_was_exported_is_ground_truth_again(case: tuple[StoredAnalysis, Any], name: str, tmp_path: Path) -> None:
    stored, (rate, *_) = case
    made, video = export(stored, name), stored.video
    path = tmp_path / made.file_name
    path.write_bytes(made.content)
    parsed = read_truth(path, video, video.end_s)
    spans = [(one.label, one.start_s, one.end_s) for one in parsed.segments]
    assert [(label, round(start * rate), round(end * rate)) for label, start, end in spans] == RANGES
    off = max(abs(edge - round(edge * rate) / rate) for _, *edges in spans for edge in edges)
    assert off < 0.0006  # milliseconds, also in the file
    assert all("timeline’s timecode" in one or "2 tiers are taken" in one for one in parsed.problems)


@pytest.mark.parametrize("name", ["otio", "edl", "fcpxml", "resolve", "label-studio"])
def test_a_rate_that_varies_is_said_and_times_stay_right(varying: StoredAnalysis, name: str) -> None:
    made = export(varying, name)
    assert made.notes == notes(varying, name)
    assert any("rate varies" in note for note in made.notes)
    if name == "label-studio":
        return
    assert name == "resolve" or "rate varies" in made.content.decode()
    base = exports._timebase(varying)
    timeline = otio.adapters.read_from_string(text_of(varying, "otio"), "otio_json")
    for marker, segment in zip(timeline.tracks[0][0].markers, varying.analysis.segments, strict=True):
        error = marker.marked_range.start_time.to_seconds() - segment.start_s
        assert abs(error) <= 0.5 / base.rate + Fraction(1, 10**9)


def test_the_contact_sheet_has_only_frames_that_qualify(
    varying: StoredAnalysis, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheets: list[Any] = []
    monkeypatch.setattr(exports, "contact_sheet", lambda tiles, **_: sheets.append(tiles) or b"")
    chosen = prompt_set("wall", "construction site", decision="threshold", threshold=0.2)
    analysis = analyse_scores([[0.6, -0.05], [0.45, 0.0], [0.6, -0.05], [0.21, -0.05], [0.6, -0.1]], chosen)
    shown = dataclasses.replace(analysis.samples, frames=varying.analysis.samples.frames[:5])
    export(dataclasses.replace(varying, analysis=dataclasses.replace(analysis, samples=shown)), "contact-sheet")

    (tiles,) = sheets
    assert {(tile.title, tile.subtitle.split(",")[0]) for tile in tiles} == {("wall", "best"), ("wall", "borderline")}
    assert [tile.subtitle[-5:] for tile in tiles if "borderline" in tile.subtitle] == ["0.210"]


def test_what_cannot_be_exported_says_so(varying: StoredAnalysis) -> None:
    with pytest.raises(InputError, match="no format 'avi'; choose one of segments-csv"):
        export(varying, "avi")
    unknown = dataclasses.replace(varying, video=dataclasses.replace(varying.video, rate=None))
    for name in ("otio", "edl", "fcpxml", "resolve", "label-studio"):
        with pytest.raises(InputError, match="counts in frames; choose one that counts in seconds"):
            notes(unknown, name)
    many = dataclasses.replace(varying.analysis, segments=varying.analysis.segments * 400)
    with pytest.raises(InputError, match="holds 999 events, and there are 1,200 segments"):
        notes(dataclasses.replace(varying, analysis=many), "edl")


def test_a_missing_file_leaves_the_start_open_and_all_else_stays(tmp_path: Path) -> None:
    stored = stored_of(filmed(tmp_path, Fraction(25), "01:00:00:00", "mov"), Store(tmp_path / "home"))
    (tmp_path / "a film.mov").unlink()
    assert "start timecode is unknown" in notes(stored, "edl")[0]
    one = dataclasses.replace(stored, labels=(LABELS[1],))
    assert len(re.findall(r"^\d{3}  AX", text_of(one, "edl"), re.M)) == 1
    for name, kind in FORMATS.items():
        if not kind.needs_pictures:
            made = export(stored, name)
            assert made.content
            assert made.file_name == f"a_film-test{kind.ending}"


@pytest.mark.parametrize(
    "name", ["segments-csv", "otio", "edl", "fcpxml", "resolve", "vtt", "srt", "eaf", "label-studio"]
)
def test_segments_of_one_label_are_exported_alone(case: tuple[StoredAnalysis, Any], name: str) -> None:
    stored, _ = case
    one = text_of(dataclasses.replace(stored, labels=(LABELS[1],)), name)
    assert "wall" in text_of(stored, name)
    assert "wall" not in one
    assert "Gr" in one


@pytest.mark.parametrize("start", ["23:59:59;20", "23:59:59:20"])
def test_a_segment_over_midnight_keeps_its_length_in_an_edit_list(start: str) -> None:
    segments = [Segment("a", at / 30, (at + 10) / 30, 0.5, 0.6, at / 30, 0, 1) for at in (0, 5, 30)]
    base = timebase_of(F30, start_timecode=start)
    text = write_edl(footage(segments, ["a"], (0.0, 2.0), base, name="f", url="f", title="t", size=(1, 1)))
    clips = otio.adapters.read_from_string(text, "cmx_3600", rate=float(F30)).find_clips()
    assert [int(clip.duration().value) for clip in clips] == [10, 10, 10]
    assert "24:00:00" in text
