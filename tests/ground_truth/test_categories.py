"""Tables of true categories."""

from __future__ import annotations

import pytest

from lib.core.errors import InputError
from lib.ground_truth.categories import parse_categories

VIDEOS = {"a" * 64: "beach.mp4", "b" * 64: "match.mp4", "c" * 64: "trailer.mp4", "d" * 64: "trailer.mp4"}
BEACH, MATCH = "a" * 64, "b" * 64


@pytest.mark.parametrize(
    "text",
    [
        "name,category\nbeach.mp4,sea\nmatch.mp4,football\n",
        "beach.mp4,sea\r\nmatch.mp4,football\r\n",
        "\ufeffVideo;Label;Comment\nbeach;sea;\nadverts/match.mp4;football;good\n",
        "category\tfilename\nsea\tBEACH.MP4\nfootball\tC:\\adverts\\match.mov\n",
        f"sha256,class\n{BEACH},sea\n{MATCH},football\n",
        'beach.mp4,"sea"\n\nmatch.mp4, football \n',
        "beach.mp4|sea\nmatch.mp4|football",
    ],
)
def test_a_table_in_any_dialect_gives_the_categories(text: str) -> None:
    parsed = parse_categories(text, VIDEOS)
    assert parsed.categories == {BEACH: "sea", MATCH: "football"}
    assert parsed.problems == ()


def test_what_can_not_be_used_is_left_out_with_a_sentence() -> None:
    rows = ("beach.mp4,sea", "beach.mp4,sand", "nowhere.mp4,sea", "trailer.mp4,film", "match.mp4,", "match.mp4,x\x00y")
    text = "\n".join(("name,category", *rows))
    parsed = parse_categories(text, VIDEOS)
    assert parsed.categories == {BEACH: "sea"}
    assert [problem.partition(" is left out")[0] for problem in parsed.problems] == [f"Line {n}" for n in range(3, 8)]
    assert "several videos" in parsed.problems[2]
    assert "no video here" in parsed.problems[1]


def test_the_same_row_twice_is_no_problem() -> None:
    assert parse_categories("beach.mp4,sea\nbeach.mp4,sea", VIDEOS).problems == ()


@pytest.mark.parametrize("text", ["", "beach.mp4\nmatch.mp4", "x" * 20_000_001, "a,b\n" * 100_001])
def test_what_is_no_table_or_too_long_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(InputError) as refused:
        parse_categories(text, VIDEOS)
    assert "\n" not in str(refused.value)


def test_thousands_of_names_take_no_quadratic_time() -> None:
    videos = {f"{n:064x}": f"clip {n}.mp4" for n in range(20_000)}
    text = "".join(f"clip {n},sea\n" for n in range(20_000))
    assert len(parse_categories(text, videos).categories) == 20_000
