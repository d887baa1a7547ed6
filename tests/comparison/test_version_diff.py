"""What differs between two states, in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lib.comparison.version_diff import State, differences
from lib.core.labelled_intervals import TrueSegment
from lib.prompts.learned import Learned, pack
from lib.prompts.model import Prompt, PromptSet, Settings, Smoothing

LEARNED = Learned("toy", "0" * 16, 4, 2, 1.0, pack([1.0, 0.0]))
DOCK, WALL = Prompt("dock", ("a dock", "a quay"), threshold=0.3), Prompt("wall")
PICTURE, OTHER = "a" * 64, "b" * 64


def said(a: tuple[Prompt, ...], b: tuple[Prompt, ...]) -> list[str]:
    return [*differences(State(PromptSet("p", a)), State(PromptSet("p", b)))]


def test_of_equal_states_nothing_differs() -> None:
    state = State(PromptSet("p", (DOCK, WALL)), "demo", "every 10 frames", "a.mp4", (TrueSegment("dock", 0, 1),))
    assert differences(state, state) == ()
    assert differences(State(), State()) == ()


@pytest.mark.parametrize(
    ("before", "after", "sentences"),
    [
        ((DOCK,), (DOCK, WALL), ["“wall” added"]),
        ((WALL,), (WALL, DOCK), ["“dock” added (“a dock”, “a quay”)"]),
        ((DOCK, WALL), (WALL,), ["“dock” removed"]),
        ((DOCK, WALL), (WALL, replace(DOCK, label="pier")), ["“dock” renamed to “pier”"]),
        ((WALL,), (Prompt("fence"),), ["“wall” renamed to “fence”", "“fence”: phrasing “wall” → “fence”"]),
        ((WALL,), (Prompt("Wall", ("wall",)),), ["“wall” is spelled “Wall”"]),
        ((DOCK, WALL), (WALL, DOCK), ["The order of the prompts"]),
        (
            (DOCK,),
            (replace(DOCK, texts=("a quay", "a dry dock", "a pier")),),
            ["“dock”: phrasing “a dock” → “a dry dock”; phrasing “a pier” added"],
        ),
        ((DOCK,), (replace(DOCK, texts=("a quay",)),), ["“dock”: phrasing “a dock” removed"]),
        (
            (DOCK,),
            (replace(DOCK, threshold=None, role="background", enabled=False),),
            ["“dock”: threshold 0.3 → none of its own; role target → background; switched off"],
        ),
        ((replace(DOCK, enabled=False),), (DOCK,), ["“dock”: switched on"]),
        (
            (replace(DOCK, pictures=(PICTURE,)),),
            (replace(DOCK, pictures=(OTHER,), colour="blue"),),
            ["“dock”: 1 picture added; 1 picture removed; colour by its place → blue"],
        ),
        ((DOCK,), (replace(DOCK, learned=(LEARNED,)),), ["“dock”: learned from 4 segments of 2 videos"]),
        ((replace(DOCK, learned=(LEARNED,)),), (DOCK,), ["“dock”: what it had learned removed"]),
    ],
)
def test_prompts(before: tuple[Prompt, ...], after: tuple[Prompt, ...], sentences: list[str]) -> None:
    assert said(before, after) == sentences


def test_the_name_template_and_each_setting() -> None:
    smooth = Smoothing("median", 5)
    after = Settings("probability", "threshold", 0.4, smooth, 0.1, 0.5, 1.5, 90.0, stop_at_cuts=True)
    a, b = PromptSet("one", (WALL,)), PromptSet("two", (WALL,), "a photo of a {}", after)
    assert [*differences(State(a), State(b))] == [
        "Name of the prompt set: “one” → “two”",
        "Template: {} → a photo of a {}",
        "Score: cosine → probability",
        "Decision: best → threshold",
        "Threshold: 0.2 → 0.4",
        "Smoothing: none → median over 5 samples",
        "Hysteresis: 0 → 0.1",
        "Minimum duration: 0 s → 0.5 s",
        "Gaps to merge: 0 s → 1.5 s",
        "Logit scale: 100 → 90",
        "Stopping at cuts: no → yes",
    ]


def test_engine_sampling_video_truth_and_a_state_without_prompts() -> None:
    a = State(None, "demo", "every 10 frames", "", (TrueSegment("x", 0, 1), TrueSegment("x", 2, 3)))
    b = State(PromptSet("p", (WALL,)), "clip", "every 5 frames", "b.mp4", (TrueSegment("x", 0, 2),))
    assert [*differences(a, b)] == [
        "“wall” added",
        "Engine: demo → clip",
        "Sampling: every 10 frames → every 5 frames",
        "Video: none → b.mp4",
        "Ground truth: 1 segment added, 2 segments removed",
    ]
    assert differences(b, a)[0] == "“wall” removed"
