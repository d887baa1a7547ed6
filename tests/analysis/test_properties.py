"""What holds for any input, and slow loops that say what the fast code should give."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from lib.analysis.analysis import Analysis
from lib.analysis.scoring import prompt_vectors, smooth
from lib.analysis.segments import decide, merge_and_drop
from lib.charts.data import bucket_size, chart_data, extremes
from lib.core.errors import InputError
from lib.core.samples import TIME_TOLERANCE_S
from lib.prompts.model import COLOUR_NAMES, THRESHOLD_RANGES, Prompt, PromptSet, Settings, Smoothing
from lib.prompts.parsing import parse_prompt_set, prompt_set_from_dict
from tests.helpers.arrays import analyse_scores, samples_at

slow = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])

WINDOWED = ("none", "moving_average", "median", "gaussian", "exponential")
KINDS = (*WINDOWED, "viterbi")
DECISIONS = ("best", "threshold", "best_threshold")
# Steps of 1/8 make sums exact and equal scores likely, so that ties and thresholds met exactly do occur.
COARSE = st.integers(-8, 8).map(lambda k: k / 8)


@st.composite
def prompt_sets(draw: st.DrawFn) -> PromptSet:
    words = st.text(st.characters(blacklist_categories=("Cc", "Cs")), min_size=1, max_size=12).filter(
        lambda text: bool(text.split())
    )
    score = draw(st.sampled_from(["cosine", "probability", "margin"]))
    low, high = THRESHOLD_RANGES[score]  # type: ignore[index]
    threshold = st.floats(low, high, allow_nan=False)
    labels = draw(st.lists(words.map(lambda text: " ".join(text.split())), min_size=1, max_size=5, unique=True))
    prompts = tuple(
        Prompt(
            label,
            tuple(dict.fromkeys(" ".join(text.split()) for text in draw(st.lists(words, max_size=3)))),
            draw(st.sampled_from(["target", "background"])),
            draw(st.none() | threshold),
            draw(st.booleans()),
            draw(st.none() | st.sampled_from(COLOUR_NAMES) | st.from_regex("#[0-9a-fA-F]{6}", fullmatch=True)),
        )
        for label in labels
    )
    chosen = Settings(
        score=score,  # type: ignore[arg-type]
        decision=draw(st.sampled_from(DECISIONS)),  # type: ignore[arg-type]
        threshold=draw(threshold),
        smoothing=Smoothing(
            draw(st.sampled_from(KINDS)),  # type: ignore[arg-type]
            draw(st.integers(1, 1001)),
            draw(st.just(5.0) | st.floats(0, 86_400)),
        ),
        hysteresis=draw(st.floats(0, 2)),
        min_duration_s=draw(st.floats(0, 86_400)),
        bridge_s=draw(st.floats(0, 86_400)),
        logit_scale=draw(st.floats(1, 200)),
        stop_at_cuts=draw(st.booleans()),
    )
    template = draw(st.sampled_from(["{}", "a photo of a {}", "{} # not: a comment", "- {}", "“{}”!"]))
    return PromptSet(draw(words), prompts, template, chosen)


@st.composite
def scored(draw: st.DrawFn, max_n: int = 24) -> dict[str, Any]:
    """Scores, thresholds, roles and irregular times that belong together."""
    n, p = draw(st.integers(1, max_n)), draw(st.integers(1, 4))
    steps = draw(st.lists(st.sampled_from([0.25, 0.5, 1.0, 2.0]), min_size=n + 1, max_size=n + 1))
    times = np.cumsum(steps)
    return {
        "scores": draw(arrays(np.float64, (n, p), elements=COARSE)),
        "thresholds": draw(arrays(np.float64, p, elements=COARSE)),
        "roles": draw(st.lists(st.sampled_from(["target", "background"]), min_size=p, max_size=p)),
        "samples": samples_at(times[:-1].tolist(), float(times[-1])),
    }


def settings_of(draw: st.DataObject, **fixed: Any) -> Settings:
    durations = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.5])
    return Settings(
        **{
            "decision": draw.draw(st.sampled_from(DECISIONS)),
            "hysteresis": draw.draw(st.integers(0, 5)) / 8,
            "bridge_s": draw.draw(durations),
            "min_duration_s": draw.draw(durations),
            **fixed,
        }
    )


def analysis_of(case: dict[str, Any], chosen: Settings) -> Analysis:
    prompts = tuple(
        Prompt(f"label {i}", role=role, threshold=float(case["thresholds"][i])) for i, role in enumerate(case["roles"])
    )
    return analyse_scores(case["scores"], PromptSet("x", prompts, settings=chosen), case["samples"])


# Prompt sets


@slow
@given(prompt_sets())
def test_a_prompt_set_survives_yaml_json_and_plain_types(chosen: PromptSet) -> None:
    assert parse_prompt_set(chosen.to_yaml(), format="yaml") == chosen
    assert parse_prompt_set(json.dumps(chosen.to_dict()), format="json") == chosen
    assert prompt_set_from_dict(chosen.to_dict()) == chosen
    assert parse_prompt_set(chosen.to_yaml()) == chosen  # recognised without a format
    assert parse_prompt_set(json.dumps(chosen.to_dict())) == chosen


@settings(deadline=None, max_examples=300)
@given(
    st.text(max_size=60)
    | st.text(alphabet="prompts:label,-{}[]\"'#&*!|>%@`\n\t ?0123456789.e~", max_size=60)
    | st.lists(
        st.sampled_from(["prompts:", "- ", "{", "}", "[", "]", "label: a", "!!int x", "&a", "*a", "\n", "  ", "<<:"])
    ).map("".join),
    st.sampled_from([None, "yaml", "json", "lines"]),
)
def test_any_text_gives_a_prompt_set_or_one_clear_error(text: str, form: Any) -> None:
    message = "read"
    try:
        assert parse_prompt_set(text, format=form).prompts
    except InputError as error:  # anything else fails the test
        message = str(error)
    assert message.strip()


# Scores


@slow
@given(arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(2, 6)), elements=st.floats(-1, 1)), st.data())
def test_rescaling_text_vectors_changes_nothing(vectors: NDArray[np.float64], data: st.DataObject) -> None:
    vectors = vectors + 2  # far enough from zero and from cancelling out
    factors = data.draw(arrays(np.float64, len(vectors), elements=st.floats(0.01, 100)))
    texts = [f"t{i}" for i in range(len(vectors))]
    chosen = PromptSet("x", (Prompt("all", tuple(texts)), *(Prompt(f"one {t}", (t,)) for t in texts)))

    def of(rows: NDArray[np.float64]) -> NDArray[np.float32]:
        return prompt_vectors(chosen, dict(zip(texts, rows.astype(np.float32), strict=True)))

    np.testing.assert_allclose(of(vectors), of(vectors * factors[:, None]), atol=1e-5)


def slow_smooth(scores: NDArray[np.float64], kind: str, window: int) -> NDArray[np.float64]:
    n, p = scores.shape
    result = np.empty_like(scores)
    for i in range(n):
        rows = range(max(0, i - window // 2), min(n, i + (window - 1) // 2 + 1))
        if kind == "exponential":
            rows = range(n)
        for column in range(p):
            values = [scores[j, column] for j in rows]
            if kind == "median":
                result[i, column] = np.median(values)
                continue
            weight = {
                "moving_average": lambda k: 1.0,
                "gaussian": lambda k: float(np.exp(-(k**2) / (2 * (window / 4) ** 2))),
                "exponential": lambda k: ((window - 1) / (window + 3)) ** abs(k),
            }[kind]
            weights = [weight(j - i) for j in rows]
            result[i, column] = sum(w * v for w, v in zip(weights, values, strict=True)) / sum(weights)
    return result


@slow
@given(
    st.sampled_from(WINDOWED),
    st.integers(1, 30),
    arrays(np.float64, st.tuples(st.integers(1, 30), st.integers(1, 3)), elements=st.floats(-1, 1)),
)
def test_smoothing_is_what_a_slow_loop_over_every_window_gives(
    kind: str, window: int, scores: NDArray[np.float64]
) -> None:
    smoothed = smooth(scores, Smoothing(kind, window))  # type: ignore[arg-type]
    expected = scores if window == 1 or kind == "none" else slow_smooth(scores, kind, window)
    np.testing.assert_allclose(smoothed, expected, atol=1e-9)


# Decisions


def slow_decide(scores: NDArray[np.float64], thresholds: NDArray[np.float64], chosen: Settings) -> NDArray[np.bool_]:
    n, p = scores.shape
    band, result = chosen.hysteresis, np.zeros((n, p), dtype=bool)
    if chosen.decision == "threshold":
        for column in range(p):
            on = False
            for i in range(n):
                score, t = scores[i, column], thresholds[column]
                on = score >= t or (on and score >= t - band)
                result[i, column] = on
        return result
    limits = thresholds if chosen.decision == "best_threshold" else [-np.inf] * p
    holder: int | None = None
    for i in range(n):
        reaching = [column for column in range(p) if scores[i, column] >= limits[column]]
        best = max(reaching, key=lambda column: scores[i, column], default=None)
        keeps = (
            band > 0
            and holder is not None
            and scores[i, holder] >= limits[holder] - band
            and (best is None or scores[i, best] - scores[i, holder] <= band)
        )
        holder = holder if keeps else best
        if holder is not None:
            result[i, holder] = True
    return result


@settings(deadline=None, max_examples=200)
@given(scored(), st.data())
def test_decisions_are_what_a_slow_loop_over_samples_gives(case: dict[str, Any], data: st.DataObject) -> None:
    chosen = settings_of(data)
    found = decide(case["scores"], case["thresholds"], chosen)
    np.testing.assert_array_equal(found, slow_decide(case["scores"], case["thresholds"], chosen))
    if chosen.decision != "threshold":
        assert (found.sum(axis=1) <= 1).all()
    if chosen.decision == "best":
        assert found.any(axis=1).all()


def slow_merge_and_drop(
    decided: NDArray[np.bool_], roles: list[str], times: list[float], end_s: float, chosen: Settings
) -> NDArray[np.bool_]:
    p = decided.shape[1]
    bounds = [*times, end_s]
    result = decided.copy()

    def runs(column: int) -> list[tuple[int, int]]:
        edges = np.flatnonzero(np.diff(np.concatenate([[False], result[:, column], [False]]))).tolist()
        return list(zip(edges[::2], edges[1::2], strict=True))

    for role in ("background", "target"):
        for column in range(p):
            if roles[column] != role or chosen.bridge_s == 0:
                continue
            for (_, first), (stop, _) in pairwise(runs(column)):
                if bounds[stop] - bounds[first] > chosen.bridge_s + TIME_TOLERANCE_S:
                    continue
                if chosen.decision != "threshold":
                    others = [
                        other for i in range(first, stop) for other in range(p) if decided[i, other] and other != column
                    ]
                    if any(role == "background" or roles[other] == "target" for other in others):
                        continue
                    result[first:stop] = False
                result[first:stop, column] = True
    for column in range(p):
        for first, stop in runs(column):
            if bounds[stop] - bounds[first] < chosen.min_duration_s - TIME_TOLERANCE_S:
                result[first:stop, column] = False
    return result


@settings(deadline=None, max_examples=200)
@given(scored(), st.data())
def test_merging_equals_a_slow_loop_over_gaps(case: dict[str, Any], data: st.DataObject) -> None:
    chosen = settings_of(data)
    samples = case["samples"]
    decided = decide(case["scores"], case["thresholds"], chosen)
    found = merge_and_drop(decided, case["roles"], samples, chosen)
    expected = slow_merge_and_drop(decided, case["roles"], samples.times_s.tolist(), samples.end_s, chosen)
    np.testing.assert_array_equal(found, expected)


@slow
@given(scored(), st.data())
def test_merging_or_dropping_twice_changes_nothing(case: dict[str, Any], data: st.DataObject) -> None:
    chosen = settings_of(data)
    once = merge_and_drop(decide(case["scores"], case["thresholds"], chosen), case["roles"], case["samples"], chosen)
    bridging = replace(chosen, min_duration_s=0.0)
    bridged = merge_and_drop(
        decide(case["scores"], case["thresholds"], chosen), case["roles"], case["samples"], bridging
    )
    np.testing.assert_array_equal(merge_and_drop(bridged, case["roles"], case["samples"], bridging), bridged)
    dropping = replace(chosen, bridge_s=0.0)
    np.testing.assert_array_equal(merge_and_drop(once, case["roles"], case["samples"], dropping), once)


@slow
@given(scored(), st.data())
def test_bridging_never_takes_a_sample_from_a_target(case: dict[str, Any], data: st.DataObject) -> None:
    chosen = settings_of(data, min_duration_s=0.0)
    decided = decide(case["scores"], case["thresholds"], chosen)
    found = merge_and_drop(decided, case["roles"], case["samples"], chosen)
    targets = [column for column, role in enumerate(case["roles"]) if role == "target"]
    assert (found[:, targets] >= decided[:, targets]).all()


@slow
@given(scored(), st.data())
def test_raising_a_threshold_never_lengthens_presence(case: dict[str, Any], data: st.DataObject) -> None:
    smoothing = Smoothing(data.draw(st.sampled_from(["none", "viterbi"])))  # type: ignore[arg-type]
    chosen = settings_of(data, decision="threshold", smoothing=smoothing, logit_scale=2.0)
    higher = {**case, "thresholds": np.minimum(case["thresholds"] + data.draw(st.integers(0, 8)) / 8, 1.0)}
    before, after = analysis_of(case, chosen), analysis_of(higher, chosen)
    assert (after.active <= before.active).all()


# Segments and metrics


@slow
@given(scored(), st.data())
def test_segments_are_disjoint_inside_the_video_and_add_up_to_the_metrics(
    case: dict[str, Any], data: st.DataObject
) -> None:
    kind = data.draw(st.sampled_from(["moving_average", "viterbi"]))
    chosen = settings_of(data, smoothing=Smoothing(kind, 3), logit_scale=2.0)  # type: ignore[arg-type]
    analysis = analysis_of(case, chosen)
    samples = analysis.samples
    for column, metrics in enumerate(analysis.metrics):
        mine = [segment for segment in analysis.segments if segment.label == metrics.label]
        assert all(first.end_s < second.start_s for first, second in pairwise(mine))
        assert all(samples.times_s[0] <= s.start_s < s.end_s <= samples.end_s for s in mine)
        assert all(s.duration_s >= chosen.min_duration_s - TIME_TOLERANCE_S for s in mine)
        assert all(s.start_s <= s.peak_s < s.end_s and s.mean_score <= s.peak_score for s in mine)
        spans = samples.spans_s[analysis.active[:, column]]
        assert metrics.duration_s == pytest.approx(spans.sum())
        assert metrics.share == pytest.approx(spans.sum() / samples.duration_s)
        assert metrics.segments == len(mine)
        assert metrics.present == bool(mine)
        assert metrics.mean_score == pytest.approx(np.average(analysis.scores[:, column], weights=samples.spans_s))
    if chosen.decision != "threshold":
        ordered = sorted(analysis.segments, key=lambda segment: segment.start_s)
        assert all(first.end_s <= second.start_s for first, second in pairwise(ordered))
    json.dumps(analysis.to_dict(samples=True), allow_nan=False)


@slow
@given(scored(), st.data())
def test_the_order_of_prompts_orders_columns_and_nothing_else(case: dict[str, Any], data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["none", "viterbi"]))
    chosen = settings_of(data, smoothing=Smoothing(kind), logit_scale=2.0)  # type: ignore[arg-type]
    p = case["scores"].shape[1]
    order = data.draw(st.permutations(range(p)))
    # Without ties, of which the first prompt wins.
    case = {**case, "scores": case["scores"] + np.arange(p) / 1024}
    before = analysis_of(case, chosen)
    prompts = tuple(before.prompt_set.prompts[i] for i in order)
    after = analyse_scores(case["scores"][:, order], replace(before.prompt_set, prompts=prompts), case["samples"])
    np.testing.assert_array_equal(after.active, before.active[:, order])
    assert set(after.metrics) == set(before.metrics)


# Drawing


@slow
@given(st.integers(0, 2**32 - 1), st.integers(1, 400), st.integers(1, 3), st.integers(4, 120))
def test_reduction_keeps_the_extremes_of_every_bucket(seed: int, n: int, p: int, points: int) -> None:
    values = np.random.default_rng(seed).integers(-9, 9, size=(n, p)) / 8  # with many equal ones
    drawn = extremes(values, points)
    assert len(drawn) == p
    for column, rows in enumerate(drawn):
        assert len(rows) <= points
        assert (np.diff(rows) > 0).all()
        assert rows[0] == 0
        assert rows[-1] == n - 1
        size = 1 if n <= points else bucket_size(n, (points - 2) // 2)
        for start in range(0, n, size):
            bucket = values[start : start + size, column]
            kept = values[rows[(rows >= start) & (rows < start + size)], column]
            assert kept.min() == bucket.min()
            assert kept.max() == bucket.max()


@slow
@given(st.integers(0, 2**32 - 1), st.integers(2_001, 6_000), st.floats(0, 1), st.floats(0, 1))
def test_no_peak_of_a_window_is_lost_in_drawing(seed: int, n: int, one: float, other: float) -> None:
    scores = np.random.default_rng(seed).normal(size=(n, 2))
    analysis = analyse_scores(scores, PromptSet("x", (Prompt("a"), Prompt("b"))))
    start, end = sorted((one * n, other * n))
    data = chart_data(analysis, window=(start, end))
    times = analysis.samples.times_s
    inside = (times >= data.start_s) & (times <= data.end_s)
    for column, label in enumerate("ab"):
        lines = data.lines[data.lines["label"] == label]
        assert lines["time_s"].between(data.start_s, data.end_s).all()
        assert lines["time_s"].is_monotonic_increasing
        if inside.any():
            shown = lines[lines["time_s"].isin(times[inside])]["score"]
            assert shown.max() == scores[inside, column].max()
            assert shown.min() == scores[inside, column].min()
