"""What prompts learn from ground truth, against slow fits, and when they must not learn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from lib.analysis.analysis import analyse
from lib.analysis.needed_cosine import needed_cosine
from lib.analysis.reference import Reference
from lib.analysis.scoring import prompt_vectors
from lib.core.labelled_intervals import TrueSegment
from lib.evaluation import learning
from lib.evaluation.evaluation import evaluate
from lib.evaluation.learning import STRENGTHS, Learning, Marked, learn
from lib.prompts.learned import Learned
from lib.prompts.model import PromptSet
from tests.evaluation.test_bootstrap import f1
from tests.helpers.against_truth import analysis_on_grid
from tests.helpers.arrays import every, prompt_set, unit_rows

ENGINE = "toy/1"
D = 24


def unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    return vector / np.linalg.norm(vector)


def marked(
    seed: int, *, segments: int, wrong: float, threshold: float = 0.5, length: int = 4, noise: float = 0.1
) -> tuple[Marked, dict[str, NDArray[np.float32]], PromptSet]:
    """Return a video in which "crane" alternates with nothing; its words point beside it by ``wrong``."""
    rng = np.random.default_rng(seed)
    base, crane, beside = np.eye(D)[:3]  # all pictures share "base", as they do in CLIP
    there = np.tile(np.repeat([False, True], length), segments)
    frames = 0.5 * base + np.where(there[:, None], 0.8 * crane, 0.8 * beside) + noise * rng.normal(size=(len(there), D))
    vectors = (frames / np.linalg.norm(frames, axis=1, keepdims=True)).astype(np.float32)
    words = unit(base + (1 - wrong) * crane + wrong * beside).astype(np.float32)
    chosen = prompt_set("crane", decision="threshold", threshold=threshold)
    texts = {"crane": words}
    truth = tuple(TrueSegment("crane", float(i), float(i + length)) for i in range(length, len(there), 2 * length))
    return Marked(analyse(every(1.0, len(there), vectors), chosen, texts), truth), texts, chosen


def learned_from(videos: list[Marked], texts: dict[str, NDArray[np.float32]], chosen: PromptSet) -> Learning:
    return learn(videos, prompt_vectors(chosen, texts))


def test_words_that_point_beside_the_label_learn_it_and_find_it_in_another_video() -> None:
    video, texts, chosen = marked(1, segments=6, wrong=0.7, threshold=0.6)
    result = learned_from([video], texts, chosen)
    new = result.apply(chosen, ENGINE)
    other, _, _ = marked(99, segments=6, wrong=0.7, threshold=0.6)
    before = evaluate(other.analysis, other.truth).by_label["crane"].f1
    found = analyse(other.analysis.samples, new, texts, engine_id=ENGINE)
    after = evaluate(found, other.truth).by_label["crane"].f1

    assert [label.label for label in result.better] == ["crane"]
    assert before is not None
    assert after is not None
    assert after > before + 0.2
    learned = new.prompts[0].learned[0]
    assert (learned.engine, learned.segments, learned.videos) == (ENGINE, 6, 1)
    assert learned.source == "learned from 6 segments of 1 video"
    assert "learning is better" in result.labels[0].sentence
    assert result.sentence.startswith("Learning is better for 1 of 1 label: mean F1 on left-out segments ")


def test_words_that_are_right_stay() -> None:
    video, texts, chosen = marked(2, segments=8, wrong=0.0, threshold=0.5, noise=0.02)
    result = learned_from([video], texts, chosen)

    assert not result.better
    assert result.apply(chosen, ENGINE) == chosen
    assert result.labels[0].sentence.startswith("crane: stays with its words: F1 on left-out segments 1.00 → 1.00")
    assert result.labels[0].sentence.endswith("; the 95 % interval of the difference is 0.00 to 0.00, not above 0.")
    assert result.sentence == "Learning is not shown to be better for any label, so the words stay."


def test_a_truth_that_has_nothing_to_do_with_the_pictures_teaches_nothing() -> None:
    used = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        vectors = unit_rows(rng, 48, D)
        chosen = prompt_set("crane", decision="threshold", threshold=0.1)
        texts = {"crane": unit_rows(rng, 1, D)[0]}
        truth = tuple(TrueSegment("crane", float(i), float(i + 3)) for i in range(0, 48, 8))
        video = Marked(analyse(every(1.0, 48, vectors), chosen, texts), truth)
        used += len(learned_from([video], texts, chosen).better)
    assert used <= 1  # of a 95 % interval one in forty lies above 0 by chance


@pytest.mark.parametrize("segments", [1, 2])
def test_few_segments_cannot_tell_and_nothing_is_used(segments: int) -> None:
    video, texts, chosen = marked(3, segments=segments, wrong=0.7, threshold=0.6)
    result = learned_from([video], texts, chosen)

    assert not result.better
    assert result.labels[0].difference is None
    assert "can't tell whether learning helps" in result.labels[0].sentence


def test_segments_of_several_videos_count_together() -> None:
    both = [marked(seed, segments=3, wrong=0.7, threshold=0.6) for seed in (4, 5)]
    result = learned_from([video for video, _, _ in both], both[0][1], both[0][2])

    assert (result.labels[0].segments, result.labels[0].videos) == (6, 2)
    assert result.better[0].learned(both[0][2], ENGINE).source == "learned from 6 segments of 2 videos"


def test_a_video_whose_truth_does_not_name_the_label_says_nothing_about_it() -> None:
    video, texts, chosen = marked(1, segments=6, wrong=0.7, threshold=0.6)
    other = replace(marked(7, segments=2, wrong=0.7, threshold=0.6)[0], truth=(TrueSegment("ship", 0.0, 9.0),))

    alone, beside = (learned_from(videos, texts, chosen) for videos in ([video], [other, video]))

    assert np.array_equal(alone.labels[0].vector, beside.labels[0].vector)
    assert (alone.f1_before, alone.f1_after) == (beside.f1_before, beside.f1_after)
    assert beside.labels[0].videos == 1


@pytest.mark.parametrize("rarer", [1, 2])
@pytest.mark.parametrize("length", [1, 6])  # fewer samples than numbers in a vector, and more
def test_the_vector_minimises_what_the_module_says(length: int, rarer: int) -> None:
    video, texts, chosen = marked(8, segments=5, wrong=0.7, threshold=0.6, length=length)
    video = replace(video, truth=video.truth[::rarer])
    result = learned_from([video], texts, chosen).labels[0]
    x = video.analysis.samples.vectors.astype(float)
    t = unit(texts["crane"].astype(float))
    true = np.array([any(s.start_s <= time < s.end_s for s in video.truth) for time in range(len(x))])
    weights = np.where(true, 0.5 / true.sum(), 0.5 / (~true).sum())
    c = x @ t
    margin = (c[true].mean() - c[~true].mean()) / 2
    margin = max(margin, learning.MIN_MARGIN)
    # Ridge as ordinary least squares with a row per number of the vector.
    rows = np.vstack([np.sqrt(weights)[:, None] * x, np.sqrt(result.strength) * np.eye(D)])
    d, norm = np.zeros(D), 1.0
    for _ in range(6):
        low, high = norm * (0.6 - margin), norm * (0.6 + margin)
        residual = np.where(true, np.maximum(0, high - c), -np.maximum(0, c - low))
        d = np.linalg.lstsq(rows, np.append(np.sqrt(weights) * residual, np.zeros(D)), rcond=None)[0]
        norm = float(np.linalg.norm(t + d))

    assert (len(x) < D) == (length == 1)
    assert result.strength in STRENGTHS
    assert result.vector == pytest.approx(unit(t + d), abs=1e-5)


def test_left_out_parts_are_scored_by_vectors_that_have_not_seen_them() -> None:
    video, texts, chosen = marked(9, segments=4, wrong=0.7, threshold=0.6)
    rows = prompt_vectors(chosen, texts)
    one = learning._Try.of([video], 0, rows[0])
    assert one is not None
    scores = one.nested()
    assert scores is not None
    for part in range(4):
        mine = one.part == part
        # What this part looks like, and what is true in it, must not matter for the vector that scores it.
        vectors = one.vectors.copy()
        vectors[mine] = unit_rows(np.random.default_rng(part), int(mine.sum()), D)
        true = np.where(mine, one.false, one.true)
        changed = replace(one, vectors=vectors, true=true, false=one.true + one.false - true, _fits={})
        place = changed._choose((part,))
        vector = changed._fit((part,))[place]
        assert scores[0][mine] == pytest.approx(one.vectors[mine] @ vector, abs=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_the_strength_is_the_strongest_of_the_best_on_parts_left_out_one_by_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    video, texts, chosen = marked(9, segments=4, wrong=0.7, threshold=0.6)
    one = learning._Try.of([video], 0, prompt_vectors(chosen, texts)[0])
    assert one is not None
    # Any vectors do, of which two strengths have the same.
    keys = [(), *((i,) for i in range(4)), *((i, j) for j in range(4) for i in range(j))]
    fits = {key: unit_rows(rng, 4, D).astype(float)[[0, 1, 2, 1]] + texts["crane"] for key in keys}
    one = replace(one, _fits=fits)
    for without in [(), (2,)]:
        counts = np.zeros((4, 3))
        for part in {0, 1, 2, 3} - {*without}:
            mine = one.part == part
            for strength, vector in enumerate(fits[tuple(sorted((*without, part)))]):
                found, true = one.vectors[mine] @ vector >= 0.6, one.true[mine] > 0
                counts[strength] += [(found & true).sum(), found.sum(), true.sum()]
        scores = [f1(*row) for row in counts]
        assert one._choose(without) == scores.index(max(scores))


def tried(*videos: Marked) -> learning._Try:
    one = learning._Try.of(videos, 0, np.eye(1, D, dtype=np.float32)[0])
    assert one is not None
    return one


@pytest.mark.parametrize(("segments", "parts"), [((3, 3), 6), ((2, 1, 4), 7), ((12,), 8), ((9, 3), 8)])
def test_parts_are_true_segments_of_all_videos_or_some_of_them_together(segments: tuple[int, ...], parts: int) -> None:
    one = tried(*(marked(4, segments=count, wrong=0.7, threshold=0.6)[0] for count in segments))
    assert one.parts == parts
    assert np.unique(one.part).tolist() == list(range(parts))
    assert (np.diff(one.part) >= 0).all()
    assert one.segments == sum(segments)


def test_segments_between_two_samples_are_no_parts_that_could_be_left_out() -> None:
    chosen = prompt_set("crane", decision="threshold", threshold=0.5)
    samples = every(10.0, 6, unit_rows(np.random.default_rng(0), 6, D))
    truth = tuple(TrueSegment("crane", start, start + 1.0) for start in (1.0, 3.0, 5.0))
    one = tried(Marked(analyse(samples, chosen, {"crane": np.eye(1, D, dtype=np.float32)[0]}), truth))
    assert one.parts == 2
    assert one.nested() is None


def test_a_sample_counts_as_what_it_is_for_longer() -> None:
    video = marked(4, segments=4, wrong=0.7, threshold=0.6)[0]
    earlier = tuple(replace(one, start_s=one.start_s - 0.3, end_s=one.end_s - 0.3) for one in video.truth)
    assert tried(replace(video, truth=earlier))._fit(()) == pytest.approx(tried(video)._fit(()))


def test_without_a_sample_on_either_side_the_words_are_what_is_learned() -> None:
    one = tried(marked(4, segments=1, wrong=0.7, threshold=0.6)[0])
    assert (one._fit((0,)) == one.words).all()
    assert one.strength == STRENGTHS[0]


def test_many_samples_are_thinned_out_evenly() -> None:
    rows = np.arange(100, 200)
    assert learning._evenly(rows, 100).tolist() == rows.tolist()
    assert learning._evenly(rows, 4).tolist() == [100, 133, 166, 199]


def test_a_single_label_that_is_always_the_best_learns_nothing() -> None:
    video, texts, _ = marked(4, segments=4, wrong=0.7, threshold=0.6)
    chosen = prompt_set("crane", decision="best")
    result = learned_from([replace(video, analysis=analyse(video.analysis.samples, chosen, texts))], texts, chosen)
    assert result.labels == ()
    assert result.sentence.startswith("Nothing can be learned: ")


def competing(scores: list[float]) -> tuple[Marked, learning._Try, list[NDArray[np.float64]]]:
    """Return a video in which cranes are found in a quarter of their time, and cosines of "crane" to use instead.

    Cranes and ships have four seconds each, in turn, and ``scores`` are those of "crane" in eight of them.
    """
    cosine = np.tile([[0.3, 0.2], *[[0.1, 0.2]] * 7], (12, 1))
    chosen = prompt_set("crane", "ship", decision="best")
    truth = tuple(TrueSegment(("crane", "ship")[i % 2], 4.0 * i, 4.0 * i + 4) for i in range(24))
    samples = every(1.0, 96, unit_rows(np.random.default_rng(0), 96, D))
    video = Marked(analyse(samples, chosen, {}, cosine=cosine), truth)
    one = learning._Try.of([video], 0, np.eye(1, D, dtype=np.float32)[0])
    assert one is not None
    return video, one, [np.tile(scores, 12)]


@pytest.mark.parametrize(
    ("scores", "higher", "better"),
    [
        ([0.3] * 4 + [0.1] * 4, True, True),
        ([0.3] * 8, True, False),  # ships are found no more
        ([0.1] * 8, False, False),
    ],
)
def test_a_label_is_better_where_that_is_shown_and_others_do_not_lose_more(
    scores: list[float], higher: bool, better: bool
) -> None:
    video, *one = competing(scores)
    before = [evaluate(video.analysis, video.truth)]
    differences, used, after = learning._compare([video], before, [(one[0], one[1])])

    assert differences[0].shown
    assert (differences[0].difference > 0) == higher
    assert used == ({0} if better else set())
    assert (after is before) == (not better)


def test_the_difference_is_that_of_left_out_scores() -> None:
    video, texts, chosen = marked(10, segments=5, wrong=0.7, threshold=0.6)
    result = learned_from([video], texts, chosen).labels[0]
    one = learning._Try.of([video], 0, prompt_vectors(chosen, texts)[0])
    assert one is not None
    scores = one.nested()
    assert scores is not None
    assert result.difference is not None
    found = scores[0] >= 0.6
    true = np.array([any(s.start_s <= time < s.end_s for s in video.truth) for time in range(len(found))])

    assert result.difference.f1_b == pytest.approx(f1((found & true).sum(), found.sum(), true.sum()))


def test_labels_that_compete_are_judged_together() -> None:
    rng = np.random.default_rng(11)
    eye = np.eye(D)
    kinds = np.tile(np.repeat([0, 1], 4), 6)
    frames = 0.5 * eye[0] + 0.8 * eye[1 + kinds] + 0.1 * rng.normal(size=(len(kinds), D))
    vectors = (frames / np.linalg.norm(frames, axis=1, keepdims=True)).astype(np.float32)
    chosen = prompt_set("crane", "ship", decision="best")
    # "ship" says what "crane" should, a little: it wins on cranes.
    words = {"crane": unit(eye[0] + 0.3 * eye[1]), "ship": unit(eye[0] + 0.5 * eye[1] + 0.6 * eye[2])}
    texts = {label: vector.astype(np.float32) for label, vector in words.items()}
    truth = tuple(TrueSegment(("crane", "ship")[kinds[i]], float(i), float(i + 4)) for i in range(0, len(kinds), 4))
    video = Marked(analyse(every(1.0, len(kinds), vectors), chosen, texts), truth)

    result = learned_from([video], texts, chosen)

    assert result.better
    assert result.f1_before is not None
    assert result.f1_after is not None
    assert result.f1_after > result.f1_before


def test_chosen_labels_alone_are_learned_and_an_unknown_one_is_refused() -> None:
    video, texts, chosen = marked(1, segments=6, wrong=0.7, threshold=0.6)
    rows = prompt_vectors(chosen, texts)

    assert learn([video], rows, ["crane"]).labels[0].label == "crane"
    assert learn([video], rows, []).sentence.startswith("Nothing can be learned: ")
    with pytest.raises(KeyError):
        learn([video], rows, ["zebra"])


def test_of_labels_tried_together_each_has_to_be_shown_more_clearly() -> None:
    video, texts, _ = marked(1, segments=6, wrong=0.7, threshold=0.6)
    chosen, texts = (
        prompt_set("crane", "beside", decision="threshold", threshold=0.6),
        texts | {"beside": unit(np.eye(D)[2])},
    )
    truth = (*video.truth, *(TrueSegment("beside", one.end_s, one.end_s + 2.0) for one in video.truth[:-1]))
    both = Marked(analyse(video.analysis.samples, chosen, texts), truth)
    rows = prompt_vectors(chosen, texts)
    alone, together = (learn([both], rows, labels).labels[0].difference for labels in (["crane"], None))

    assert alone is not None
    assert together is not None
    assert alone.difference == together.difference
    assert together.low < alone.low
    assert together.high > alone.high


def test_what_another_engine_has_learned_stays() -> None:
    video, texts, chosen = marked(1, segments=6, wrong=0.7, threshold=0.6)
    result = learned_from([video], texts, chosen)
    once = result.apply(chosen, "other")
    twice = result.apply(once, ENGINE)

    assert [one.engine for one in twice.prompts[0].learned] == ["other", ENGINE]
    assert twice.without_learned(ENGINE) == once
    assert isinstance(once.prompts[0].learned[0], Learned)


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("score", ["relative", "cosine", "margin", "probability"])
def test_a_label_is_found_from_the_needed_cosine_on(seed: int, score: str) -> None:
    drawn = analysis_on_grid(seed, n=12)
    if score == "margin" and not any(prompt.role == "background" for prompt in drawn.prompts):
        return
    threshold = 0.4 if score == "probability" else 0.125
    settings = replace(
        drawn.prompt_set.settings, score=score, threshold=threshold, hysteresis=0.0, bridge_s=0.0, min_duration_s=0.0
    )
    chosen, rng = replace(drawn.prompt_set, settings=settings), np.random.default_rng(seed)
    reference = Reference(rng.uniform(-0.5, 0.5, 12), rng.uniform(0.1, 2, 12), -0.1, 0.1, -1.0, (0.5,))
    analysis = analyse(drawn.samples, chosen, {}, cosine=drawn.cosine, reference=reference)
    for column in range(len(analysis.labels)):
        needed = needed_cosine(analysis, column)
        for step, expected in ((1e-6, True), (-1e-6, False)):
            cosine = analysis.cosine.copy()
            cosine[:, column] = np.where(np.isfinite(needed), needed + step, cosine[:, column])
            found = analysis.with_cosine(cosine).decided[:, column]
            if score != "cosine" and settings.decision == "best_threshold":
                continue  # the others' scores move with the label's own, so that they may drop below their thresholds
            assert found[np.isfinite(needed)].tolist() == [expected] * int(np.isfinite(needed).sum())
