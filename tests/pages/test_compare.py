"""The Compare page without a browser: each side is an experiment of its own, and the comparison is right."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lib.core.formatting import as_text
from lib.core.labelled_intervals import TrueSegment
from lib.prompts.model import Smoothing
from lib.services import experiments
from lib.services.experiments import Experiment, PromptRow
from lib.ui.session import cache
from tests.helpers.fake_server import FakeServer
from tests.helpers.pages import (
    Bench,
    add_video,
    answers,
    by_key,
    edit_prompts,
    editor_data,
    open_page,
    passed,
    saved,
    words,
)
from tests.helpers.videos import BLUE, RED

pytestmark = pytest.mark.usefixtures("framed")
BESIDE = "bbc123def456"
VIEWS = ("Agreement", "Score comparison", "Accuracy")


@pytest.fixture
def bench(home: Path, bench: Bench) -> Bench:
    """A: red, green, blue, 3 s each. B knows no green; what it is then, is blue or red."""
    a = dataclasses.replace(bench.experiment, beside=BESIDE)
    experiments.save(home, a)
    rows = (PromptRow(label="red"), PromptRow(label="Blue", texts=("blue",)))
    experiments.save(home, dataclasses.replace(a, id=BESIDE, beside=None, side="b", name="two", rows=rows))
    return dataclasses.replace(bench, experiment=a)


def compare() -> AppTest:
    app = open_page("pages/compare.py")
    assert not app.exception
    return app


def of_b(bench: Bench) -> Experiment:
    found = experiments.load(bench.store.home, BESIDE)
    assert found is not None
    return found


def show(app: AppTest, view: str) -> AppTest:
    app.session_state["compare_view"] = view
    app.run()
    assert not app.exception
    return app


def player_data(app: AppTest) -> dict[str, Any]:
    video, lanes = passed(app, "modules")
    assert (video["part"], lanes["part"]) == ("video", "lanes")
    return video | lanes


def test_what_both_come_to_is_right(bench: Bench) -> None:
    app = compare()
    text = words(app)

    assert "agree 67 % of the time" in text
    assert "One difference, 3.0 s:" in text
    assert "0:03.0 – 0:06.0: A <strong>green</strong>, B <strong>Blue</strong>" in text
    assert "only in A" in text
    assert "only in B" not in text  # Blue and blue are the same label
    lanes = player_data(app)["lanes"]
    assert (lanes["side"], lanes["beside"]["side"]) == ("A", "B")
    colours = [{one["name"]: one["colour"] for one in side["labels"]} for side in (lanes, lanes["beside"])]
    assert colours[0]["blue"] == colours[1]["Blue"] == editor_data(app, "b.prompts")["colours"]["Blue"]
    assert len({*colours[0].values()}) == 3


def test_with_truth_the_verdict_comes_first_and_the_evidence_apart(bench: Bench) -> None:
    """It read "No difference that this video can show" beside an obvious one."""
    truth = [TrueSegment(label, 3 * i, 3 * i + 3) for i, label in enumerate(("red", "green", "blue"))]
    bench.store.change_truth(bench.video, lambda _: truth)
    text = words(compare())

    assert "A is better here</strong>: it is right where B is wrong at 0:03.0 – 0:06.0 (green)." in text
    assert "Over all 3 true labels its macro F1 is 1.00 against" in text
    assert "green 1.00 against 0.00 (+1.00, not in B)" in text
    assert "macro F1, 3 true labels" in words(show(compare(), "Accuracy"))
    assert "Evidence: The 95 % interval" in text
    assert text.index("is better here") < text.index("Evidence:") < text.index("agree 67 % of the time")
    assert "No difference" not in text


def test_without_truth_it_says_which_frames_to_look_at(bench: Bench) -> None:
    app = compare()
    text = words(app)
    assert "neither side is called better. Look at these frames to decide" in text
    assert "better here" not in text
    gallery = passed(app, "items")[0]
    items = gallery["items"]
    assert [(item["title"], item["subtitle"]) for item in items] == [("A green", "B Blue")]
    assert "Frame at 0:04." in items[0]["alt"]


def test_a_new_comparison_begins_with_two_equal_sides(bench: Bench) -> None:
    experiments.save(bench.store.home, dataclasses.replace(bench.experiment, beside=None))
    app = compare()

    assert "A and B are the same: edit one of them" in words(app)
    assert "equally good" not in words(app)
    assert marks_of(app, "prompts") == {}
    assert saved(bench).beside is not None


def test_an_edit_on_one_side_computes_nothing_on_the_other(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    app = compare()
    computed: list[tuple[str, ...]] = []

    def counting(compute: Callable[..., Any]) -> Callable[..., Any]:
        def count(samples: Any, prompt_set: Any, *rest: Any, **more: Any) -> Any:
            computed.append(tuple(prompt.label for prompt in prompt_set.prompts))
            return compute(samples, prompt_set, *rest, **more)

        return count

    for name in ("analyse", "prompt_cosines"):
        monkeypatch.setattr(cache, name, counting(getattr(cache, name)))
    b = ("red", "Blue")
    edit_prompts(app, PromptRow(label="red"), PromptRow(label="leaf"))
    by_key(app.selectbox, "setting.decision").set_value("threshold").run()
    assert computed
    assert b not in computed
    computed.clear()
    edit_prompts(app, PromptRow(label="red"), PromptRow(label="sky"), key="b.prompts")
    by_key(app.selectbox, "b.setting.decision").set_value("threshold").run()

    assert {*computed} == {("red", "sky")}


def test_edits_of_both_tables_all_count_and_survive_a_page_switch_and_a_reload(bench: Bench) -> None:
    app = compare()
    for number in range(3):
        edit_prompts(app, PromptRow(label=f"a{number}"))
        edit_prompts(app, PromptRow(label=f"b{number}"), PromptRow(label="red"), key="b.prompts")
        assert [row.label for row in saved(bench).rows] == [f"a{number}"]
        assert [row.label for row in of_b(bench).rows] == [f"b{number}", "red"]
    by_key(app.selectbox, "b.setting.decision").set_value("threshold").run()
    by_key(app.slider, "b.setting.threshold").set_value(0.5).run()
    by_key(app.selectbox, "b.setting.smoothing.kind").set_value("median").run()
    by_key(app.slider, "b.setting.smoothing.window").set_value(9).run()
    app.switch_page("pages/library.py").run()
    app.switch_page("pages/compare.py").run()
    for shown in (app, compare()):
        assert by_key(shown.slider, "b.setting.threshold").value == 0.5
        assert by_key(shown.slider, "b.setting.smoothing.window").value == 9
        assert by_key(shown.slider, "setting.threshold").value == bench.experiment.settings.threshold
    assert [row["label"] for row in editor_data(shown, "b.prompts")["rows"]] == ["b2", "red"]


def test_each_tool_works_on_its_side(bench: Bench) -> None:
    app = compare()
    by_key(app.text_area, "b.import_text").set_value("crane\nship").run()
    by_key(app.button, "b.import_apply").click().run()
    assert [row.label for row in of_b(bench).rows] == ["crane", "ship"]
    assert saved(bench).rows == bench.experiment.rows
    by_key(app.text_area, "import_text").set_value("prompts: [{label: a, colour_: red}]").run()
    by_key(app.button, "import_apply").click().run()
    assert len(app.error) == 1
    by_key(app.selectbox, "b.template").set_value("a photo of a {}").run()
    by_key(app.button, "undo").click().run()
    assert app.toast[0].value == as_text("Undone: B: Template '{}' → 'a photo of a {}'")
    by_key(app.button, "undo").click().run()

    assert [row.label for row in of_b(bench).rows] == ["red", "Blue"]
    assert (saved(bench).template, saved(bench).rows) == ("{}", bench.experiment.rows)


def test_copy_swap_and_undo(bench: Bench) -> None:
    app = compare()
    labels = [[row.label for row in one.rows] for one in (saved(bench), of_b(bench))]

    def press(key: str) -> list[list[str]]:
        by_key(app.button, key).click().run()
        assert not app.exception
        shown = [[row["label"] for row in editor_data(app, key)["rows"]] for key in ("prompts", "b.prompts")]
        assert shown == [[row.label for row in one.rows] for one in (saved(bench), of_b(bench))]
        return shown

    assert press("swap") == labels[::-1]
    assert press("undo") == labels
    assert press("copy_b") == [labels[1]] * 2
    assert "A and B are the same" in words(app)
    assert press("undo") == labels
    assert press("copy_a") == [labels[0]] * 2
    assert press("undo") == labels
    assert press("redo") == [labels[0]] * 2
    assert press("undo") == labels
    assert by_key(app.button, "undo").disabled


def test_an_experiment_worked_on_before_can_be_b(bench: Bench) -> None:
    other = Experiment("0123456789ab", name="cranes", rows=(PromptRow(label="crane"),), sampling="fps-2")
    experiments.save(bench.store.home, other)
    app = compare()
    by_key(app.selectbox, "b.choose").set_value("experiment:0123456789ab").run()

    assert (of_b(bench).name, of_b(bench).sampling, of_b(bench).video) == ("cranes", "fps-2", bench.video.sha256)
    assert experiments.load(bench.store.home, other.id) == other


def test_another_experiment_can_be_a_and_none_is_written_over(bench: Bench) -> None:
    other = dataclasses.replace(
        bench.experiment, id="0123456789ab", title="Cranes", rows=(PromptRow(label="crane"),), beside=None
    )
    experiments.save(bench.store.home, other)
    elsewhere = dataclasses.replace(other, id="0123456789ac", video=None, title="Elsewhere")
    experiments.save(bench.store.home, elsewhere)  # edited last, but not about this video
    app = compare()
    b = of_b(bench)
    first, *_, last = (text for text in by_key(app.selectbox, "choose").options if "sample" not in text)
    assert (first.split(" · ")[0], last.split(" · ")[0]) == ("Cranes", "Elsewhere")
    by_key(app.selectbox, "choose").set_value("experiment:0123456789ab").run()

    a = app.session_state["session"]
    assert dataclasses.replace(a.experiment, beside=None) == other
    assert [row.label for row in a.side_b().experiment.rows] == [row.label for row in b.rows]
    assert by_key(app.selectbox, "choose").placeholder == "Cranes"
    assert (saved(bench).rows, of_b(bench)) == (bench.experiment.rows, b)


def test_another_video_is_compared_with_the_same_sides_in_experiments_of_its_own(
    bench: Bench, server: FakeServer
) -> None:
    second = add_video(bench.store, server.url, (BLUE, 20), (RED, 20))
    app = compare()
    before, b = saved(bench), of_b(bench)
    by_key(app.selectbox, "video").set_value(second.sha256).run()

    a = app.session_state["session"]
    assert (a.experiment.video, a.experiment.rows, a.side_b().experiment.rows) == (second.sha256, before.rows, b.rows)
    assert (saved(bench), of_b(bench)) == (before, b)
    by_key(app.selectbox, "video").set_value(bench.video.sha256).run()
    assert app.session_state["session"].experiment == before


def test_what_b_has_no_embedding_of_is_offered_and_a_still_shows(bench: Bench, server: FakeServer) -> None:
    app = compare()
    by_key(app.main.number_input, "b.stride").set_value(3).run()
    assert not app.exception
    assert "not embedded yet" in words(app)
    assert answers(app, "A")["green"] == "3.0 s, 33 %, first 0:03.0"
    lanes = player_data(app)["lanes"]
    assert "beside" not in lanes
    assert len(lanes["labels"]) == 3
    server.reset()
    by_key(app.button, "b.start").click().run()
    for job in cache.jobs().jobs():
        job.wait(timeout_s=30)
    app.run()

    assert "agree 67 % of the time" in words(app)
    assert player_data(app)["lanes"]["beside"]["step"] == pytest.approx(0.3)


def test_a_model_that_b_lacks_is_one_sentence_and_a_still_shows(bench: Bench) -> None:
    experiments.save(bench.store.home, dataclasses.replace(of_b(bench), engine="clip"))
    app = compare()

    assert [error.value for error in app.error] == [app.error[0].value]
    assert "not on this machine yet" in app.error[0].value
    assert by_key(app.button, "b.download_model")
    assert "first 0:03.0" in answers(app, "A")["green"]


def marks_of(app: AppTest, key: str) -> dict[str, dict[str, Any]]:
    """Return what is marked in a prompt table, by label, without what is empty."""
    marks = editor_data(app, key)["marks"]
    return {label: {name: value for name, value in one.items() if value} for label, one in marks.items()}


def test_words_that_differ_are_marked_in_both_tables(bench: Bench) -> None:
    rows = (
        PromptRow(label="red", texts=("a red <wall>", "paint")),
        PromptRow(label="Green", threshold=0.6, role="background"),
        PromptRow(label="sky"),
    )
    experiments.save(bench.store.home, dataclasses.replace(of_b(bench), rows=rows, sampling="stride-5"))
    app = compare()

    assert marks_of(app, "prompts") == {
        "red": {"said": "B has “a red <wall>”, “paint”", "texts": {"red": [["red", False]]}},
        "green": {
            "said": "B has spelling Green, role background, threshold 0.6, “Green”",
            "texts": {"green": [["green", True]]},
            "fields": ["label", "role", "threshold"],
        },
        "blue": {"said": "Only in A", "only": True},
    }
    assert marks_of(app, "b.prompts")["red"] == {
        "said": "A has “red”",
        "texts": {"a red <wall>": [["a", True], ["red", False], ["<wall>", True]], "paint": [["paint", True]]},
    }
    assert marks_of(app, "b.prompts")["sky"] == {"said": "Only in B", "only": True}
    edit_prompts(app, PromptRow(label="red", texts=("red <wall>", "paint")), PromptRow(label="sky"))
    assert marks_of(app, "prompts")["red"] == {
        "said": "B has “a red <wall>”",
        "texts": {"red <wall>": [["red <wall>", False]]},
    }
    assert "sky" not in marks_of(app, "prompts")


def test_settings_that_differ_are_counted_and_said_where_they_are(bench: Bench) -> None:
    b = of_b(bench)
    settings = dataclasses.replace(
        b.settings, threshold=0.45, smoothing=Smoothing("viterbi", stay_s=8.0), stop_at_cuts=True
    )
    rows = bench.experiment.rows
    experiments.save(bench.store.home, dataclasses.replace(b, rows=rows, settings=settings, template="a {}"))
    app = compare()

    assert marks_of(app, "prompts") == {}  # a threshold that all labels share is a setting
    popovers = {one.proto.popover.label for one in app.get("popover")}
    assert {"Settings (3 differ)", "More (1 differs)"} <= popovers
    text = words(app)
    assert as_text("Threshold: B has 0.45; Smoothing: B has Viterbi with an expected stay of 8 s") in text
    assert as_text("Smoothing: A has none; Stopping at cuts: A has no") in text
    assert as_text("Template: B has a {}") in text


@pytest.mark.parametrize("view", VIEWS)
def test_each_view_draws_whatever_the_sides_have_in_common(bench: Bench, view: str) -> None:
    app = show(compare(), view)
    assert not app.error
    edit_prompts(app, PromptRow(label="lemon"), key="b.prompts")
    assert not app.exception
    edit_prompts(app, PromptRow(), key="b.prompts")
    assert not app.exception


def test_only_differences_lists_only_labels_that_differ(bench: Bench) -> None:
    app = compare()
    listed = re.compile(r"■</span> (\w+)")
    assert listed.findall(words(app)) == ["red", "green", "blue"]
    app.toggle(key="only_differences").set_value(True).run()

    assert listed.findall(words(app)) == ["green", "blue"]  # red is the same on both sides
    assert player_data(app)["lanes"]["only"] is True


def test_a_brush_in_the_scatter_lists_its_frames(bench: Bench) -> None:
    app = show(compare(), "Score comparison")
    assert "hardly differ" in words(app) or "differs most" in words(app)
    app.session_state["scatter_scores"] = {"selection": {"brush": {"score_a": [0.9, 1.1], "score_b": [0.9, 1.1]}}}
    app.run()

    assert "**6 samples in the selection**" in words(app)
    *_, gallery = passed(app, "items")  # the first one is that of the frames that decide
    assert [item["subtitle"] for item in gallery["items"]] == ["A red\nB red"] * 6


def test_against_the_truth(bench: Bench) -> None:
    truth = [TrueSegment("Red", 0.0, 3.0), TrueSegment("blue", 6.0, 9.0)]
    bench.store.change_truth(bench.video, lambda _: truth)
    app = show(compare(), "Accuracy")
    edit_prompts(app, PromptRow(label="green"), PromptRow(label="blue"))
    lanes = player_data(app)["lanes"]
    colours = {one["name"]: one["colour"] for one in lanes["labels"] + lanes["beside"]["labels"]}
    assert [one["colour"] for one in lanes["truth"]] == [colours["red"], colours["blue"]]
    edit_prompts(app, PromptRow(label="red"), PromptRow(label="green"), PromptRow(label="blue"))

    assert '■</span> red</th><td class="group">1.00</td>' in words(app)  # F1 is the first of the metrics
    assert "not in the ground truth" in words(app)
    assert "95 % interval" in words(app)


def test_each_side_says_what_its_settings_did(bench: Bench) -> None:
    said = " under 4 s dropped"
    settings = dataclasses.replace(bench.experiment.settings, min_duration_s=4.0)
    experiments.save(bench.store.home, dataclasses.replace(bench.experiment, settings=settings))
    app = compare()
    assert words(app).count(said) == 1

    by_key(app.number_input, "b.setting.min_duration_s").set_value(4.0).run()
    assert words(app).count(said) == 2
