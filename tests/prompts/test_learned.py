"""Learned vectors as part of a prompt: what is taken, how it is written, when it counts."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lib.analysis.scoring import prompt_vectors
from lib.core.errors import BadReplyError, PromptSetError
from lib.prompts.learned import MAX_DIM, Learned, pack, words_digest
from lib.prompts.model import MAX_LEARNED, MAX_PICTURES, Prompt, PromptSet
from lib.prompts.parsing import parse_prompt_set
from lib.services.experiments import Experiment, PromptRow
from tests.helpers.arrays import unit_rows

VECTOR = unit_rows(np.random.default_rng(0), 1, 8)[0]
GOOD: dict[str, Any] = {
    "engine": "demo:1",
    "words": words_digest(["a crane"]),
    "segments": 4,
    "videos": 2,
    "strength": 0.1,
    "vector": pack(VECTOR.tolist()),
}
SHA = "ab" * 32


def crane(**fields: Any) -> PromptSet:
    return PromptSet("test", (Prompt("crane", **fields),), template="a {}")


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"engine": " "}, "blank"),
        ({"engine": 3}, "no text"),
        ({"words": "xyz"}, "hex"),
        ({"words": None}, "hex"),
        ({"segments": 0}, "segments"),
        ({"segments": 1.5}, "whole"),
        ({"videos": 10**9}, "videos"),
        ({"videos": True}, "no number"),
        ({"strength": 0}, "strength"),
        ({"strength": float("nan")}, "strength"),
        ({"vector": ""}, "Base64"),
        ({"vector": "!!!"}, "Base64"),
        ({"vector": 7}, "Base64"),
        ({"vector": "A"}, "Base64"),
        ({"vector": pack([0.5] * 8)}, "length 1"),
        ({"vector": pack((1.02 * VECTOR).tolist())}, "length 1"),
        ({"vector": pack([float("nan")] * 8)}, "length 1"),
        ({"vector": base64.b64encode(b"abc").decode()}, "Base64"),
        ({"vector": pack([1.0] + [0.0] * MAX_DIM)}, "Base64"),
    ],
)
def test_what_is_out_of_bounds_is_refused_in_one_sentence(changed: dict[str, Any], word: str) -> None:
    with pytest.raises(PromptSetError, match=word) as caught:
        Learned(**{**GOOD, **changed})
    assert "\n" not in str(caught.value)


def test_a_prompt_holds_one_learned_vector_per_engine_and_a_bounded_number() -> None:
    one = Learned(**GOOD)
    many = tuple(replace(one, engine=f"e{i}") for i in range(MAX_LEARNED + 1))
    for learned, word in (((one, one), "two learned"), (many, "are possible"), ("x", "no list"), ((GOOD,), "no list")):
        with pytest.raises(PromptSetError, match=word):
            crane(learned=learned)


@pytest.mark.parametrize(
    ("pictures", "word"),
    [("ab", "no list"), (["ab"], "64 hex"), ([3], "64 hex"), ([SHA, SHA], "twice"), ([SHA.upper()], "64 hex")],
)
def test_pictures_are_hashes(pictures: object, word: str) -> None:
    with pytest.raises(PromptSetError, match=word):
        crane(pictures=pictures)


def test_what_a_prompt_says_tells_phrases_and_pictures_apart() -> None:
    assert words_digest(["a", "b"]) != words_digest(["a"], ["b"])


def test_pictures_of_a_disabled_prompt_are_not_needed() -> None:
    off = replace(crane(pictures=(SHA,)), prompts=(Prompt("crane", pictures=(SHA,), enabled=False), Prompt("ship")))
    assert off.pictures == ()
    assert off.texts_to_embed == off.texts


def test_pictures_are_bounded() -> None:
    with pytest.raises(PromptSetError, match="are possible"):
        crane(pictures=[f"{i:064x}" for i in range(MAX_PICTURES + 1)])


@pytest.mark.parametrize("as_json", [False, True])
def test_a_prompt_file_keeps_what_was_learned(as_json: bool) -> None:
    written = crane(learned=(Learned(**GOOD),), pictures=(SHA,))
    text = json.dumps(written.to_dict()) if as_json else written.to_yaml()
    assert parse_prompt_set(text) == written


def test_the_largest_learned_prompt_set_is_read_back() -> None:
    vector = pack(unit_rows(np.random.default_rng(1), 1, 2048)[0].tolist())
    prompts = tuple(Prompt(f"p{i}", learned=(Learned(**{**GOOD, "vector": vector}),)) for i in range(200))
    written = PromptSet("big", prompts)
    assert parse_prompt_set(written.to_yaml()) == written
    with pytest.raises(PromptSetError, match="learned vectors"):
        PromptSet("bigger", tuple(replace(p, learned=(*p.learned, replace(p.learned[0], engine="o"))) for p in prompts))


@pytest.mark.parametrize(
    ("learned", "word"),
    [
        ("7", "no list"),
        ("[7]", "mapping"),
        ("[{engine: demo}]", "mapping"),
        ("[{engine: d, words: 0123456789abcdef, segments: 1, videos: 1, strength: 1, vector: x, more: 1}]", "no key"),
        ("[{engine: d, words: 0123456789abcdef, segments: 1, videos: 1, strength: 1, vector: x}]", "Line 3"),
    ],
)
def test_a_prompt_file_with_a_bad_one_is_refused_with_its_line(learned: str, word: str) -> None:
    with pytest.raises(PromptSetError, match=word):
        parse_prompt_set(f"prompts:\n- label: crane\n  learned: {learned}\n")


def test_it_counts_with_its_engine_and_its_words_alone() -> None:
    words = unit_rows(np.random.default_rng(2), 1, 8)[0]
    texts = {"a crane": words, "a big crane": words}
    chosen = crane(learned=(Learned(**GOOD),))

    assert prompt_vectors(chosen, texts, "demo:1")[0] == pytest.approx(VECTOR, abs=1e-3)
    assert np.linalg.norm(prompt_vectors(chosen, texts, "demo:1")[0]) == pytest.approx(1.0)
    for other in (
        prompt_vectors(chosen, texts, "clip:1"),
        prompt_vectors(chosen, texts),
        prompt_vectors(replace(chosen, template="a big {}"), texts, "demo:1"),
    ):
        assert other[0] == pytest.approx(words)


def test_a_vector_of_another_length_is_refused() -> None:
    with pytest.raises(BadReplyError, match="learn it again"):
        prompt_vectors(crane(learned=(Learned(**GOOD),)), {"a crane": np.ones(4, np.float32)}, "demo:1")


def test_an_experiment_keeps_what_was_learned_and_reads_older_files() -> None:
    chosen = crane(learned=(Learned(**GOOD),), pictures=(SHA,))
    experiment = Experiment("abcdef").with_prompt_set(chosen)
    data = json.loads(json.dumps(experiment.to_dict()))

    assert Experiment.from_dict(data) == experiment
    assert experiment.prompt_set()[0] == chosen
    for row in data["rows"]:
        del row["learned"], row["pictures"]
    assert Experiment.from_dict(data).rows == (PromptRow(label="crane"),)


@pytest.mark.parametrize("learned", [[{**GOOD, "vector": "x"}], [{}], [3], "x", [GOOD] * (MAX_LEARNED + 1)])
def test_an_experiment_with_a_bad_one_is_damaged(learned: object) -> None:
    data = json.loads(json.dumps(Experiment("abcdef").with_prompt_set(crane()).to_dict()))
    data["rows"][0]["learned"] = learned
    with pytest.raises((ValueError, TypeError, PromptSetError)):
        Experiment.from_dict(data)
