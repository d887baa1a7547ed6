from __future__ import annotations

import json
from typing import Any

import pytest

from lib.core.errors import PromptSetError, SettingsError
from lib.prompts.model import (
    MAX_PHRASINGS,
    MAX_PROMPTS,
    MAX_TOTAL,
    START_SETTINGS,
    Prompt,
    PromptSet,
    Settings,
    Smoothing,
)
from lib.prompts.parsing import MAX_CHARACTERS, parse_prompt_set
from lib.prompts.reference_phrases import PHRASES

EXAMPLE = """\
name: construction
template: "{}"                      # or "a photo of a {}"
prompts:
  - {label: construction site, texts: [construction site, a building site with cranes], threshold: 0.25}
  - {label: something else, role: background}
settings: {score: cosine, decision: best, threshold: 0.2, smoothing: {kind: moving_average, window: 5},
  hysteresis: 0.0, min_duration_s: 0.0, bridge_s: 0.0}
"""


def test_the_documented_example_reads_as_written() -> None:
    found = parse_prompt_set(EXAMPLE)
    assert found == PromptSet(
        "construction",
        (
            Prompt("construction site", ("construction site", "a building site with cranes"), threshold=0.25),
            Prompt("something else", role="background"),
        ),
        settings=Settings(smoothing=Smoothing("moving_average", 5)),
    )


def test_the_example_reads_the_same_from_json() -> None:
    found = parse_prompt_set(EXAMPLE)
    assert parse_prompt_set(json.dumps(found.to_dict())) == found


def test_without_phrasings_the_label_is_the_text() -> None:
    assert Prompt("crane").texts == ("crane",)
    assert Prompt("crane", "a tall crane").texts == ("a tall crane",)  # type: ignore[arg-type]


def test_white_space_around_and_inside_a_label_is_one_blank() -> None:
    assert Prompt("  a\n crane ", (" tall \t crane ",)) == Prompt("a crane", ("tall crane",))


def test_the_template_goes_around_every_phrasing() -> None:
    chosen = PromptSet("x", (Prompt("a", ("one", "two")), Prompt("b")), "a photo of a {}")
    assert chosen.phrases(chosen.prompts[0]) == ("a photo of a one", "a photo of a two")
    assert chosen.texts == ("a photo of a one", "a photo of a two", "a photo of a b")


def test_braces_in_a_phrasing_stay() -> None:
    chosen = PromptSet("x", (Prompt("a", ("{} and {0}",)),), "[{}]")
    assert chosen.texts == ("[{} and {0}]",)


def test_a_prompt_that_is_off_keeps_its_place_and_needs_no_vector() -> None:
    chosen = PromptSet("x", (Prompt("a"), Prompt("b", enabled=False), Prompt("c")))
    assert [prompt.label for prompt in chosen.enabled] == ["a", "c"]
    assert chosen.texts == ("a", "c")
    assert len(chosen.prompts) == 3


def test_a_phrase_of_several_prompts_is_embedded_once() -> None:
    assert PromptSet("x", (Prompt("a", ("p", "q")), Prompt("b", ("q", "r")))).texts == ("p", "q", "r")


def test_a_prompt_without_own_threshold_takes_the_shared_one() -> None:
    chosen = PromptSet("x", (Prompt("a"), Prompt("b", threshold=0.0)), settings=Settings(threshold=0.3))
    assert [chosen.threshold_of(prompt) for prompt in chosen.prompts] == [0.3, 0.0]


def test_yaml_is_short_and_holds_off_switch_and_colour() -> None:
    chosen = PromptSet("x", (Prompt("a", enabled=False, colour="#0072B2"), Prompt("b", colour="light blue")))
    text = chosen.to_yaml()
    assert "- {label: a, enabled: false, colour: '#0072b2'}" in text
    assert "- {label: b, colour: light blue}" in text
    assert parse_prompt_set(text) == chosen


def test_plain_lines_are_a_prompt_each() -> None:
    found = parse_prompt_set("\ufeffconstruction site\n\n  # a comment\n shipyard \nC# code: on a screen\n")
    assert [prompt.label for prompt in found.prompts] == [
        "construction site",
        "shipyard",
        "C# code: on a screen",
    ]
    assert found.name == "untitled"


def test_a_config_with_a_clip_list_reads_its_prompts_only() -> None:
    text = "# settings\nINTERVAL: 1\nCLIP:\n  - a person\n  - something else\nOTHER: {a: 1}\n"
    found = parse_prompt_set(text, name="config")
    assert [prompt.texts for prompt in found.prompts] == [("a person",), ("something else",)]
    assert found.name == "config"


@pytest.mark.parametrize("text", ["- a\n- {label: b, threshold: 0.1}\n", '["a", {"label": "b", "threshold": 0.1}]'])
def test_a_bare_list_is_read(text: str) -> None:
    assert parse_prompt_set(text).prompts == (Prompt("a"), Prompt("b", threshold=0.1))


def test_a_flow_mapping_without_quotes_is_yaml() -> None:
    assert parse_prompt_set("{prompts: [a, b]}").prompts == (Prompt("a"), Prompt("b"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "There is no prompt in it"),
        ("# only a comment\n", "There is no prompt in it"),
        ("{}", "There is no prompt in it"),
        ("name: x\n", "has no prompts; add prompts:"),
        ("promts: [a]\n", r"Line 1: 'promts' is no key of a prompt set; did you mean prompts\?"),
        ("prompts:\n  - label: a\n    treshold: 0.2\n", r"Line 3: 'treshold' .* did you mean threshold\?"),
        ("prompts: [a]\nsettings:\n  mode: best\n", "Line 3: 'mode' is no key of the settings; use score, "),
        ("prompts: [a]\nsettings:\n  smoothing: {knd: median}\n", r"Line 3: 'knd' .*did you mean kind\?"),
        ("a\nb\n\na\n", "Line 4: the label 'a' is there already"),
        ("CLIP: [a, b, a]\n", "Line 1: the label 'a' is there already"),
        (
            "# x\nShipyard\nb\nshipyard\n",
            "Line 4: the label 'shipyard' is there already, in line 2, as 'Shipyard' too ",
        ),
        ("prompts:\n- café\n- label: cafe\u0301\n  role: background\n", "Line 3: the label .* already, in line 2, as"),
        ('["red car", "x", "red\u00a0 car"]', "the label 'red car' is there already, in prompt 1; give"),
        ('["car", {"label": "ca\u200br"}]', "already, in prompt 1, as 'car'"),
        ("prompts:\n- a\n- {texts: [b]}\n", "Line 3: a prompt has no label"),
        ("prompts:\n- a\n- no\n", "Line 3: A label is False, which is no text; put it in quotes"),
        ("prompts:\n- a\n- {label: b, texts: [1]}\n", "Line 3: A phrasing of 'b' is 1, which is no text"),
        (
            "prompts:\n- {label: a, role: main}\n",
            "Line 2: .* has the role 'main'; use one of target, restricted, background",
        ),
        ("prompts:\n- {label: a, enabled: 1}\n", "Line 2: .* has enabled 1; write true or false"),
        (
            "prompts:\n- {label: a, colour: red}\n",
            "Line 2: .* has the colour 'red'; write one such as #0072b2",
        ),
        ("prompts:\n- {label: a, texts: {b: 1}}\n", "Line 2: .* no list of texts"),
        ("prompts:\n- {label: a, texts: [b, b]}\n", "Line 2: .* has the phrasing 'b' twice"),
        (
            "prompts:\n- a\n- {label: b, threshold: high}\n",
            "Line 3: .* has the threshold 'high', which is no number",
        ),
        (
            "settings: {score: probability}\nprompts:\n- {label: b, threshold: -0.1}\n",
            "Line 3: .* has the threshold -0.1; it can be 0 to 1 for the score probability",
        ),
        ("prompts: a\n", "Line 1: the prompts must be a list"),
        ("prompts: []\n", "Line 1: the prompts must be a list"),
        ("CLIP: 3\n", "Line 1: the prompts must be a list"),
        ("template: a photo\nprompts: [a]\n", r"The template 'a photo' must hold \{\} exactly once"),
        *(
            (f"template: 'a {braces}'\nprompts: [a]\n", r"must hold \{\} exactly once, .* and no other braces")
            for braces in ("{} {}", "{{}}", "{0}", "{x}", "{} {x}", "{{}", "{}}", "{} {", "}{", "{ }")
        ),
        ("name: ''\nprompts: [a]\n", "The name of the prompt set is blank"),
        ("name: [\n", "Line 2: this is no YAML"),
        ("prompts: [a]\nprompts: [b]\n", "Line 2: .* the key 'prompts' occurs twice"),
        ("prompts: &p [a]\nx: *p\n", "Line 2: .* an alias .* isn't supported"),
        ("x: " + "[" * 50 + "]" * 50, "Line 1: .* nests too deep"),
        ("prompts: !!python/object/apply:os.system [ls]\n", "Line 1: this is no YAML"),
        ("prompts: [2024-13-45]\n", "a value that can't be read"),
        ("prompts: ['\x07']\n", "a character that isn't allowed"),
        ("'just text'", "'just text' is no prompt set"),
        ('{"prompts": ["a"], "prompts": ["b"]}', "The key 'prompts' occurs twice"),
        ('{"prompts": ["a",]}', "Line 1: this is no valid JSON"),
        ('{"prompts": [{"label": "a", "threshold": NaN}]}', "NaN is no number"),
        ('{"prompts": ' + "[" * 100_000, "can't be read"),
        ('{"prompts": [{"label": "a", "threshold": 1' + "0" * 400 + "}]}", "it can be -20 to 20"),
        ("prompts:\n- label: 0x" + "f" * 5_000, "Line 2: .* a number is too long"),
        ("prompts:\n- {label: a, enabled: 0x" + "f" * 5_000 + "}", "Line 2: .* a number is too long"),
        ("- a\n- 1" + ":59" * 5_000, "Line 2: .* a number is too long"),
        ("- a\n- 1" + ":59" * 5_000 + ".5", "Line 2: .* a number is too long"),
        ("- a\n- !!int '" + "9" * 5_000 + "'", "Line 2: .* a number is too long"),
        ("0x" + "f" * 5_000 + ": 1\nprompts: [a]", "has 5005 characters"),
        ('["a", ' + "9" * 5_000 + "]", "a number is too long"),
        ("- a\n" * 40_000, "it holds too many values"),
        ("{" + ", ".join(f'"k{i}": 1' for i in range(30_000)) + ', "k29999": 1}', "The key 'k29999' occurs twice"),
        ('{"' + "k" * 100_000 + '": 1}', "is no key of a prompt set"),
        ("x" * (MAX_CHARACTERS + 1), "characters long and at most"),
        ("a\n" + "b" * 501, "Line 2: A label has 501 characters"),
    ],
)
def test_what_is_wrong_in_a_file_is_reported_with_its_line(text: str, message: str) -> None:
    form: Any = "yaml" if text == "'just text'" else None
    with pytest.raises(PromptSetError, match=message):
        parse_prompt_set(text, format=form)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("score: cosin", "The score is 'cosin'; use one of relative, cosine, probability, margin"),
        ("decision: top", "The decision is 'top'"),
        ("threshold: 1.5", "The threshold is 1.5; it can be -1 to 1 for the score cosine"),
        ("smoothing: median", "The smoothing needs a kind and a window"),
        ("smoothing: {kind: mean}", "The smoothing kind is 'mean'"),
        ("smoothing: {window: 0}", "The smoothing window is 0; it can be 1 to 1001"),
        ("smoothing: {window: 2.5}", "The smoothing window is 2.5; write a whole number"),
        ("smoothing: {kind: viterbi, stay_s: -1}", "The expected stay is -1; it can be 0 to 86400"),
        ("smoothing: {kind: viterbi, stay_s: .nan}", "The expected stay is nan"),
        ("stop_at_cuts: 1", "stop_at_cuts is 1; write true or false"),
        ("hysteresis: -0.1", "The hysteresis is -0.1; it can be 0 to 2"),
        ("min_duration_s: -1", "The minimum duration is -1"),
        ("bridge_s: .inf", "The gap to merge is inf"),
        ("logit_scale: 0.5", "The logit scale is 0.5; it can be 1 to 200"),
    ],
)
def test_a_setting_outside_its_range_is_refused_with_its_line(settings: str, message: str) -> None:
    with pytest.raises(SettingsError, match=f"^Line [23]: {message}"):
        parse_prompt_set(f"prompts: [a]\nsettings:\n  {settings}\n")


def test_a_threshold_is_checked_against_the_score_it_belongs_to() -> None:
    margin = Settings(score="margin", threshold=-0.5)
    assert PromptSet("x", (Prompt("a", threshold=-1.5),), settings=margin).prompts[0].threshold == -1.5
    with pytest.raises(PromptSetError, match="-1 to 1 for the score cosine"):
        PromptSet("x", (Prompt("a", threshold=-1.5),))


@pytest.mark.parametrize(
    ("prompts", "message"),
    [
        ((), "1 to 200 prompts, not 0"),
        ([Prompt(f"p{i}") for i in range(MAX_PROMPTS + 1)], "not 201"),
        ((Prompt("a"), Prompt("a ")), "The label 'a' occurs twice; give"),
        ((Prompt("Shipyard"), Prompt("shipyard")), "The label 'shipyard' occurs twice, as 'Shipyard' too "),
        (
            [Prompt(f"p{i}", tuple(f"{j:0490d}" for j in range(MAX_PHRASINGS))) for i in range(4)],
            f"characters in labels and phrasings, and {MAX_TOTAL:,}",
        ),
    ],
    ids=["none", "too many", "doubled", "in another case", "too long"],
)
def test_a_prompt_set_has_limits(prompts: tuple[Prompt, ...], message: str) -> None:
    with pytest.raises(PromptSetError, match=message):
        PromptSet("x", prompts)


@pytest.mark.parametrize("label", ["", "  \n", "\u200b\u00a0\u200f", "a\x00b", "\ud800", 7, None])
def test_a_label_is_a_line_of_text(label: Any) -> None:
    with pytest.raises(PromptSetError, match=r"put it in quotes|is blank|control character"):
        Prompt(label)


def test_too_many_phrasings_are_refused() -> None:
    with pytest.raises(PromptSetError, match="101 phrasings, and 100 are possible"):
        Prompt("a", tuple(str(i) for i in range(101)))


def test_numbers_that_are_truth_values_or_not_finite_are_refused() -> None:
    for value in (True, float("nan"), float("inf"), "0.2", None):
        with pytest.raises(SettingsError, match="The threshold is"):
            Settings(threshold=value)  # type: ignore[arg-type]


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(PromptSetError, match="'toml' is no format"):
        parse_prompt_set("a", format="toml")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "score", "threshold"),
    [
        ("a\nb", "relative", 1.25),
        ("prompts: [a, b]", "relative", 1.25),
        ('{"CLIP": ["a", "b"]}', "relative", 1.25),
        ("prompts: [a]\nsettings: {decision: threshold}", "relative", 1.25),
        ("prompts: [a]\nsettings: {score: relative, hysteresis: 0.1}", "relative", 1.25),
        ("prompts: [a]\nsettings: {threshold: 0.3}", "cosine", 0.3),
        ("prompts: [a]\nsettings: {hysteresis: 0.05}", "cosine", 0.2),
        ("prompts: [{label: a, threshold: 0.3}]", "cosine", 0.2),
        ("prompts: [a]\nsettings: {score: cosine}", "cosine", 0.2),
    ],
)
def test_a_file_that_names_no_score_has_relative_ones_unless_it_names_a_threshold(
    text: str, score: str, threshold: float
) -> None:
    settings = parse_prompt_set(text).settings
    assert (settings.score, settings.threshold) == (score, threshold)


def test_relative_scores_want_the_reference_phrases_too() -> None:
    prompts = (Prompt("a cat"), Prompt("x", enabled=False))
    relative = PromptSet("set", prompts, settings=START_SETTINGS)
    assert relative.texts == ("a cat",)
    assert set(relative.texts_to_embed) == {"a cat", *PHRASES}
    assert len(relative.texts_to_embed) == len(set(relative.texts_to_embed))
    assert PromptSet("set", prompts).texts_to_embed == ("a cat",)
