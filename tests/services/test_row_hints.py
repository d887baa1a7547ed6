"""Hints in the prompt table, and what one press does about each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lib.core.errors import PromptTooLongError
from lib.prompts.model import MAX_PROMPTS, Settings
from lib.services.experiments import Experiment, PromptRow, row_slots
from lib.services.fitting import longest_fit
from lib.services.row_hints import Refusal, hints, listed, mended
from lib.services.row_paste import Paste, pasted

BASE = Experiment("abc123def456", settings=Settings(decision="threshold"))
ROW = PromptRow(label="crane")


def table(*rows: PromptRow, **settings: object) -> Experiment:
    return replace(BASE, rows=rows, settings=replace(BASE.settings, **settings))  # type: ignore[arg-type]


def told(experiment: Experiment, index: int = 0, **options: object) -> str:
    return " ".join(hint.sentence for hint in hints(experiment, **options).get(index, ()))  # type: ignore[arg-type]


def presses(experiment: Experiment, index: int = 0, **options: object) -> list[str]:
    of_row = hints(experiment, **options).get(index, ())  # type: ignore[arg-type]
    return [mend.name for hint in of_row for mend in hint.mends]


def test_rows_that_do_what_they_seem_to_need_no_hint() -> None:
    rows = (ROW, PromptRow(label="ship", texts=("a ship at sea, seen from the shore of a wide bay", "a boat")))
    assert hints(table(*rows, PromptRow(), PromptRow(label="off", enabled=False, threshold=0.3))) == {}
    assert hints(table(replace(ROW, threshold=0.3))) == {}


def test_a_renamed_label_with_old_phrasings_is_said_and_mended() -> None:
    renamed = table(replace(ROW, label="harbour", texts=("a crane",), worded_for="crane"))
    assert "still those of “crane”" in told(renamed)
    assert presses(renamed) == ["follow", "keep"]
    assert mended(renamed, 0, "follow").rows == (PromptRow(label="harbour"),)
    kept = mended(renamed, 0, "keep")
    assert kept.rows[0].texts == ("a crane",)
    assert hints(kept) == {}


def test_a_threshold_that_is_not_used_is_said_and_mended() -> None:
    unused = table(replace(ROW, threshold=0.3), decision="best")
    assert "isn’t used" in told(unused)
    assert presses(unused) == ["decide", "clear_threshold"]
    assert mended(unused, 0, "decide").settings.decision == "threshold"
    assert mended(unused, 0, "clear_threshold").rows == (ROW,)


def test_a_doubled_label_is_renamed_or_removed() -> None:
    doubled = table(ROW, PromptRow(label="Crane"), PromptRow(label="ship"))
    assert told(doubled, 1).startswith("Left out: ")
    assert presses(doubled, 1) == ["rename", "remove"]
    assert [row.label for row in mended(doubled, 1, "rename").rows] == ["crane", "Crane 2", "ship"]
    removed = mended(doubled, 1, "remove").rows
    assert [row.label for row in removed] == ["crane", "ship"]
    assert row_slots(removed) == {0: 0, 1: 2}


def test_a_threshold_outside_the_scores_range_is_cleared() -> None:
    outside = table(replace(ROW, threshold=7.0), score="cosine", threshold=0.2)
    assert told(outside).startswith("Left out: ")
    assert presses(outside) == ["clear_threshold"]
    assert hints(mended(outside, 0, "clear_threshold")) == {}


def test_commas_that_look_like_a_list_are_split_or_kept() -> None:
    assert listed("a crane, scaffolding, a big ship") == ["a crane", "scaffolding", "a big ship"]
    assert listed("a long sentence with many words, and one more of them") == [
        "a long sentence with many words, and one more of them"
    ]
    with_list = table(replace(ROW, texts=("hook", "a crane, scaffolding")))
    assert presses(with_list) == ["split:1", "commas"]
    assert mended(with_list, 0, "split:1").rows[0].texts == ("hook", "a crane", "scaffolding")
    assert hints(mended(with_list, 0, "commas")) == {}


def test_doubled_phrasings_are_said_within_a_row_and_between_rows() -> None:
    twice = table(replace(ROW, texts=("a hook", "A hook")))
    assert presses(twice) == ["same_once"]
    assert mended(twice, 0, "same_once").rows[0].texts == ("a hook",)
    shared = table(ROW, PromptRow(label="site", texts=("Crane", "mud")))
    assert "of “crane” too" in told(shared, 1)
    assert mended(shared, 1, "drop:0").rows[1].texts == ("mud",)
    assert hints(mended(shared, 1, "shared")) == {}


def test_a_phrasing_that_is_too_long_is_shortened_split_or_removed() -> None:
    text = "A crane lifts steel. It is tall and yellow."
    refused = {text: Refusal("It has 90 tokens, more than 77.", fits=20)}
    long = table(replace(ROW, texts=(text, "hook")))
    assert "90 tokens" in told(long, refused=refused)
    assert presses(long, refused=refused) == ["shorten:0:20", "sentences:0", "drop:0"]
    assert mended(long, 0, "shorten:0:20").rows[0].texts == ("A crane lifts steel.", "hook")
    assert mended(long, 0, "sentences:0").rows[0].texts == ("A crane lifts steel.", "It is tall and yellow.", "hook")
    label = table(PromptRow(label=text))
    assert "isn’t scored" in told(label, refused=refused)
    assert "isn’t scored" in told(table(replace(ROW, texts=(text,))), refused=refused)
    assert "The other phrasings count" in told(long, refused=refused)
    assert mended(label, 0, "shorten:0:20").rows == (PromptRow(label=text, texts=("A crane lifts steel.",)),)


@pytest.mark.parametrize(
    "name", ["", "drop", "drop:7", "drop:x", "shorten:0", "shorten:0:0", "nonsense", "split:0:1:2"]
)
def test_a_press_that_fits_nothing_changes_nothing(name: str) -> None:
    experiment = table(ROW)
    assert mended(experiment, 0, name).rows[0] in (ROW, replace(ROW, texts=("crane",)))
    assert mended(experiment, 5, "remove") == experiment


class Reader:
    """An engine that reads five words, and of texts without blanks seven characters."""

    def embed_texts(self, texts: list[str]) -> None:
        if len(texts[0].split()) > 5 or len(texts[0]) > 30:
            raise PromptTooLongError("too long")


def test_what_fits_is_asked_of_the_engine() -> None:
    engine: object = Reader()
    text = "a very tall crane that lifts steel"
    assert text[: longest_fit(engine, "photo: {}", text)] == "a very tall crane"  # type: ignore[arg-type]
    assert longest_fit(engine, "{}", "x" * 100) == 30  # type: ignore[arg-type]


def test_a_pasted_table_goes_into_an_empty_row_or_below_a_filled_one() -> None:
    text = "crane\ta crane;hook\nsky\t\tbackground\t0,3"
    crane = PromptRow(label="crane", texts=("a crane", "hook"))
    sky = PromptRow(label="sky", role="background", threshold=0.3)
    empty, said = pasted(table(), Paste(0, text), max_label=500)
    assert empty.rows == (crane, sky)
    assert said == "2 rows pasted."
    below, _ = pasted(table(PromptRow(label="red"), PromptRow(label="blue")), Paste(0, text, "red"), max_label=500)
    assert below.rows == (PromptRow(label="red"), crane, sky, PromptRow(label="blue"))
    assert row_slots(below.rows) == {0: 0, 1: 2, 2: 3, 3: 1}
    lines, _ = pasted(table(PromptRow(label="red car"), ROW), Paste(0, "x\ny", "red ", "!"), max_label=500)
    assert [row.label for row in lines.rows] == ["red x!", "y", "crane"]


@pytest.mark.parametrize("place", [0, 1, 2, 3, 9])
def test_what_is_pasted_into_an_empty_row_writes_over_no_other(place: int) -> None:
    rows = [PromptRow(label=label) for label in ("red", "green")]
    if place < 2:
        rows.insert(place, PromptRow())  # the browser sends no empty rows at the end
    after, _ = pasted(table(*rows), Paste(place, "sea\twater\nship\t"), max_label=500)
    labels = ["red", "green"]
    labels[place:place] = ["sea", "ship"]
    assert [row.label for row in after.rows] == labels


def test_more_rows_than_fit_are_said() -> None:
    full, said = pasted(table(ROW), Paste(0, "\n".join(f"row {i}" for i in range(MAX_PROMPTS + 3))), max_label=500)
    assert len(full.rows) == MAX_PROMPTS
    assert "the last 3 are left out" in said
    same, said = pasted(table(ROW), Paste(0, "\n\n"), max_label=500)
    assert same.rows == (ROW,)
    assert "no label" in said
