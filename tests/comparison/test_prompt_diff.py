from __future__ import annotations

from lib.comparison.prompt_diff import Words, settings_changes, word_diff, wording_changes
from lib.prompts.model import Prompt, PromptSet, Settings, Smoothing


def test_labels_are_paired_by_name_and_the_rest_is_listed() -> None:
    a = PromptSet("a", (Prompt("Crane"), Prompt("road"), Prompt("gone"), Prompt("off", enabled=False)))
    b = PromptSet("b", (Prompt("new"), Prompt("crane", ("crane",)), Prompt("road", role="background"), Prompt("off")))
    changes = wording_changes(a, b)
    assert [(change.label, change.status) for change in changes] == [
        ("Crane", "changed"),
        ("road", "changed"),
        ("gone", "removed"),
        ("off", "changed"),
        ("new", "added"),
    ]
    assert [(field.name, field.a, field.b) for field in changes[0].fields] == [("label", "Crane", "crane")]
    assert [(field.name, field.a, field.b) for field in changes[1].fields] == [("role", "target", "background")]
    assert [(field.name, field.a, field.b) for field in changes[3].fields] == [("enabled", False, True)]
    assert changes[2].b is None
    assert [text.status for text in changes[2].texts] == ["removed"]
    assert [text.status for text in changes[4].texts] == ["added"]


def test_of_one_set_with_itself_everything_is_the_same() -> None:
    a = PromptSet("a", (Prompt("x", ("one", "two"), threshold=0.3), Prompt("y")), template="a photo of {}")
    assert {change.status for change in wording_changes(a, a)} == {"same"}
    assert settings_changes(a, a) == ()


def test_phrasings_that_stayed_are_beside_each_other() -> None:
    a = PromptSet("a", (Prompt("x", ("one", "two", "three")),))
    b = PromptSet("b", (Prompt("x", ("three", "two cranes", "one", "four")),))
    (change,) = wording_changes(a, b)
    assert [(text.a, text.b, text.status) for text in change.texts] == [
        ("one", "one", "same"),
        ("two", "two cranes", "changed"),
        ("three", "three", "same"),
        (None, "four", "added"),
    ]
    assert change.texts[1].words == (Words("same", "two"), Words("added", "cranes"))


def test_thresholds_are_those_that_count_and_templates_show_in_phrasings() -> None:
    a = PromptSet("a", (Prompt("x"), Prompt("y", threshold=0.3)), settings=Settings(threshold=0.3))
    b = PromptSet(
        "b",
        (Prompt("x"), Prompt("y", threshold=0.3)),
        template="a {}",
        settings=Settings(threshold=0.4, smoothing=Smoothing("median", 3)),
    )
    x, y = wording_changes(a, b)
    assert [(field.name, field.a, field.b) for field in x.fields] == [("threshold", 0.3, 0.4)]
    assert y.fields == ()
    assert (y.texts[0].a, y.texts[0].b) == ("y", "a y")
    assert [(change.name, change.a, change.b) for change in settings_changes(a, b)] == [
        ("template", "{}", "a {}"),
        ("threshold", 0.3, 0.4),
        ("smoothing", {"kind": "none", "window": 5}, {"kind": "median", "window": 3}),
    ]


def test_words_that_went_and_came() -> None:
    assert word_diff("a photo of a crane", "a picture of a red crane") == (
        Words("same", "a"),
        Words("removed", "photo"),
        Words("added", "picture"),
        Words("same", "of a"),
        Words("added", "red"),
        Words("same", "crane"),
    )
    assert word_diff("", "new") == (Words("added", "new"),)
    assert word_diff("", "") == ()
