"""Reports as files: their size, their pictures, and how the same numbers are got again."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from lib.report.blocks import Origin, Report
from lib.report.video import video_report
from lib.services.reports import MAX_BYTES, fitted, report_name
from tests.helpers.arrays import analyse_scores, every, prompt_set
from tests.helpers.reports import read


def noise(seed: int) -> bytes:
    """Return a picture that no JPEG makes small."""
    out = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, size=(180, 320, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(out, "JPEG", quality=95)
    return out.getvalue()


def test_ten_minutes_stay_under_four_megabytes_whatever_the_pictures_are(rng: np.random.Generator) -> None:
    labels = [f"label number {place}" for place in range(12)]
    scores = rng.uniform(0, 1, size=(3_000, len(labels)))
    analysis = analyse_scores(scores, prompt_set(*labels, decision="threshold", threshold=0.5), every(0.2, 3_000))

    data = fitted(lambda pictures: video_report(analysis, Origin("t", "s"), pictures), lambda frame: noise(int(frame)))

    pictures = [attributes for tag, attributes in read(data).tags if tag == "img"]
    assert 2_000_000 < len(data) <= MAX_BYTES
    assert len(pictures) >= 12 * 6


def test_pictures_are_left_out_where_even_small_ones_are_too_many() -> None:
    asked: list[object] = []

    def build(pictures: object) -> Report:
        return Report(
            "x" * (MAX_BYTES if pictures(1) else 1),  # type: ignore[operator]
            "",
            "",
            [],
            video_report(analyse_scores([[1.0]], prompt_set("a")), Origin("", ""), lambda _: None).colours,
        )

    data = fitted(build, lambda frame: asked.append(frame) or noise(1))  # type: ignore[func-returns-value]

    assert len(data) < 100_000
    assert asked == [1]  # read once, however often it is tried


def test_a_picture_that_cannot_be_read_is_left_out() -> None:
    analysis = analyse_scores([[0.9], [0.1]], prompt_set("a"))

    data = fitted(lambda pictures: video_report(analysis, Origin("t", "s"), pictures), lambda frame: b"no picture")

    assert not [tag for tag, _ in read(data).tags if tag == "img"]


def test_the_files_name_is_one_that_any_system_takes() -> None:
    assert report_name("a/b: c") == "a_b_c-report.html"
