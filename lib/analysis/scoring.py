"""Vectors -> scores -> smoothed scores, and how much neighbouring samples differ.

Conventions: ``n`` samples, ``p`` enabled prompts, vectors of length ``d``; scores are float64 ``(n, p)``.
Vectors of samples are float32 unit rows. Windows are counted in samples, whatever their spans: with
irregular spacing a window covers a varying time.

Every filter is centred on its sample and, at both ends, uses the part of the window that exists, with the
weights of that part summing to 1: nothing is padded or mirrored, and constant scores stay constant.

References:
    Vector of several phrasings: openai/CLIP, notebook *Prompt Engineering for ImageNet*: normalise each,
    average, normalise again.
    Spikes: Iglewicz and Hoaglin, *How to Detect and Handle Outliers*, 1993: distance from the median in
    units of the median absolute deviation, and of the mean absolute deviation where that is 0.
"""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from lib.core.errors import BadReplyError, PromptSetError, SettingsError
from lib.prompts.learned import Learned
from lib.prompts.model import PromptSet, Smoothing

_Filter = Callable[[NDArray[np.float64]], NDArray[np.float64]]

SPIKE_DISTANCE = 6.0
"""Standard deviations (robustly estimated) above the median from which a change is a spike. Twice the
usual three: differences of neighbouring frames have a long tail."""
SPIKE_FLOOR = 0.01
"""Smaller changes are never spikes: so little lies between like frames, by noise and rounding alone."""


def prompt_vectors(
    prompt_set: PromptSet, text_vectors: Mapping[str, NDArray[np.float32]], engine_id: str = ""
) -> NDArray[np.float32]:
    """Return one unit row per enabled prompt, float32 ``(p, d)``.

    ``u = mean(t / |t| for t in phrases); row = u / |u|``; what a prompt has learned with this engine takes its place.

    Args:
        prompt_set: at least one prompt is enabled.
        text_vectors: vector ``(d,)`` of any length but 0 for every phrase in ``prompt_set.texts``.
        engine_id: of the engine that the vectors are of; without it nothing learned is used.

    Raises:
        PromptSetError: nothing is enabled, a phrase has no vector, or the phrasings of a prompt cancel out.
        BadReplyError: a vector is zero or not finite, or lengths differ.
    """
    if not prompt_set.enabled:
        raise PromptSetError("No prompt is switched on; switch one on or add one.")
    rows: list[NDArray[np.float64]] = []
    for prompt in prompt_set.enabled:
        learned = prompt_set.learned_of(prompt, engine_id)
        units = []
        for phrase in prompt_set.phrases(prompt):
            vector = text_vectors.get(phrase)
            if vector is None:
                raise PromptSetError(f"The phrase {reprlib.repr(phrase)} has no vector yet; embed it first.")
            vector = np.asarray(vector, dtype=np.float64)
            norm = float(np.linalg.norm(vector))
            if not np.isfinite(norm) or norm == 0:
                raise BadReplyError(
                    f"The vector of {reprlib.repr(phrase)} has no direction; embed it again or rephrase it."
                )
            units.append(vector / norm)
        if len({len(unit) for unit in (*units, *rows)}) > 1:
            raise BadReplyError("The prompts' vectors differ in length; embed all of them with the same engine.")
        mean = np.mean(units, axis=0)
        norm = float(np.linalg.norm(mean))
        if norm < 1e-6:
            raise PromptSetError(
                f"The phrasings of {reprlib.repr(prompt.label)} point in opposite directions and cancel out; "
                "give them a label each."
            )
        rows.append(mean / norm if learned is None else _learned_row(learned, len(mean)))
    return np.asarray(rows, dtype=np.float32)


def _learned_row(learned: Learned, dim: int) -> NDArray[np.float64]:
    row = np.array(learned.numbers())
    if len(row) != dim:
        raise BadReplyError(
            f"A learned vector has {len(row)} numbers and the engine {learned.engine} gives {dim}; learn it again."
        )
    unit: NDArray[np.float64] = row / np.linalg.norm(row)
    return unit


def cosine_scores(vectors: NDArray[np.float32], prompts: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the cosine of each sample with each prompt, ``vectors @ prompts.T``, float64 ``(n, p)``.

    Args:
        vectors: unit rows of the samples, float32 ``(n, d)``.
        prompts: unit rows of the prompts, float32 ``(p, d)``.

    Raises:
        BadReplyError: lengths differ, or a vector is not finite.
    """
    if vectors.shape[1] != prompts.shape[1]:
        raise BadReplyError(
            f"Frames have vectors of {vectors.shape[1]} numbers and prompts of {prompts.shape[1]}: "
            "they come from different engines; embed both with the same one."
        )
    # float32 is what engines give; sums and filters after this are float64.
    scores: NDArray[np.float64] = (vectors @ prompts.T).astype(np.float64)
    if not np.isfinite(scores).all():
        raise BadReplyError("Some vectors of this video are not finite; delete its embedding and embed it again.")
    return np.clip(scores, -1.0, 1.0, out=scores)


def raw_scores(cosine: NDArray[np.float64], prompt_set: PromptSet) -> NDArray[np.float64]:
    """Return the scores that the settings ask for, before smoothing; float64 ``(n, p)``.

    All but ``relative`` are here, which needs a ``lib.analysis.reference.Reference``.

    * ``cosine``: as it is.
    * ``probability``: ``softmax(logit_scale * cosine)`` over the enabled prompts; a single prompt always gets 1.
    * ``margin``: a target's cosine minus the best background's; a background's minus the best target's.
      The best label by margin is therefore the best label by cosine, and its margin is positive.

    Raises:
        SettingsError: a margin needs a background and a target, and one of them is missing.
    """
    score = prompt_set.settings.score
    if score == "cosine":
        return cosine
    if score == "probability":
        from scipy.special import softmax

        probability: NDArray[np.float64] = softmax(prompt_set.settings.logit_scale * cosine, axis=1)
        return probability
    background = np.array([prompt.role == "background" for prompt in prompt_set.enabled])
    if not background.any():
        raise SettingsError(
            "A margin is taken over the best background prompt and there is none; "
            "give one prompt the role background, such as something else."
        )
    if background.all():
        raise SettingsError(
            "A margin is a target's lead over the background and there is no target; make one prompt one."
        )
    best_background = cosine[:, background].max(axis=1, keepdims=True)
    best_target = cosine[:, ~background].max(axis=1, keepdims=True)
    margin: NDArray[np.float64] = cosine - np.where(background, best_target, best_background)
    return margin


def smooth(
    scores: NDArray[np.float64], smoothing: Smoothing, cuts: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """Return the scores, each column filtered over its samples; float64 ``(n, p)``.

    With ``cuts`` ``(n,)`` no window reaches across one: each stretch between them is filtered as a video by itself.

    All kinds of smoothing are here: a new one is a name in ``lib.prompts.model.SmoothingKind``, a branch below, and
    its words in ``lib.ui.panels.settings``.

    A window of ``w`` covers ``w // 2`` samples before its centre and ``(w - 1) // 2`` after it: as many on
    both sides when odd, one more before when even. With ``k`` the offset from the centre:

    * ``moving_average``: the mean.
    * ``median``: the median; of an even number of samples, the mean of the two in the middle.
    * ``gaussian``: weights ``exp(-k**2 / (2 * sigma**2))`` with ``sigma = w / 4``: the window spans two sigma
      either way.
    * ``exponential``: weights ``r**abs(k)`` over all samples with ``r = (w - 1) / (w + 3)``, one pass
      forward and one back. Each side is an exponential average of span ``(w + 1) / 2`` (alpha = 4 / (w +
      3)), which reaches as far on average as a moving average of ``w``.

    A window of 1 changes nothing, and neither does ``viterbi``, which smooths the decision (``lib.analysis.viterbi``).
    """
    window = smoothing.window
    if smoothing.kind in ("none", "viterbi") or window == 1 or not len(scores):
        return scores
    if cuts is not None and cuts.any():
        return np.concatenate([smooth(shot, smoothing) for shot in np.split(scores, np.flatnonzero(cuts))])
    from scipy import ndimage

    if smoothing.kind == "moving_average":
        return _weighted(scores, lambda x: ndimage.uniform_filter1d(x, window, axis=0, mode="constant"))
    if smoothing.kind == "gaussian":
        offsets = np.arange(window) - window // 2
        weights = np.exp(-(offsets**2) / (2 * (window / 4) ** 2))
        return _weighted(scores, lambda x: ndimage.correlate1d(x, weights, axis=0, mode="constant"))
    if smoothing.kind == "exponential":
        rest = (window - 1) / (window + 3)
        return _weighted(scores, lambda x: _two_sided(x, rest))
    return _median(scores, window)


def _weighted(scores: NDArray[np.float64], weigh: _Filter) -> NDArray[np.float64]:
    """Return ``weigh(scores)`` divided by the sum of the weights that fell on samples."""
    return weigh(scores) / weigh(np.ones((len(scores), 1)))


def _two_sided(values: NDArray[np.float64], rest: float) -> NDArray[np.float64]:
    """Return ``sum_j rest**abs(i - j) * values[j]``; the sample itself is in both passes and counts once."""
    from scipy.signal import lfilter  # slow to import, and no other smoothing needs it

    forward = lfilter([1.0], [1.0, -rest], values, axis=0)
    backward = lfilter([1.0], [1.0, -rest], values[::-1], axis=0)[::-1]
    total: NDArray[np.float64] = forward + backward - values
    return total


def _median(scores: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    from scipy import ndimage

    n = len(scores)
    before, after = window // 2, (window - 1) // 2
    result = np.empty_like(scores)
    inner = slice(before, n - after)
    if n >= window:
        # One column at a time: SciPy has a fast one-dimensional rank filter, and no fast one along an axis.
        for column, values in enumerate(np.ascontiguousarray(scores.T)):
            medians = ndimage.rank_filter(values, window // 2, size=window)
            if window % 2 == 0:
                medians = (medians + ndimage.rank_filter(values, window // 2 - 1, size=window)) / 2
            result[inner, column] = medians[inner]
    edges = range(n) if n < window else (*range(before), *range(n - after, n))
    for i in edges:
        result[i] = np.median(scores[max(0, i - before) : i + after + 1], axis=0)
    return result


def vector_change(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return ``1 - cosine`` of each sample and the one before, float64 ``(n,)`` in [0, 2]; the first is 0."""
    change = np.zeros(len(vectors))
    if len(vectors) > 1:
        change[1:] = 1.0 - np.einsum("ij,ij->i", vectors[1:], vectors[:-1])
    return np.clip(change, 0.0, 2.0, out=change)


def spikes(change: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return where ``change``, as ``vector_change`` gives it ``(n,)``, stands out; bool ``(n,)``.

    A spike is a local maximum (the first of equal neighbours), at least ``SPIKE_FLOOR``, and more than
    ``SPIKE_DISTANCE`` deviations above the median. The deviation is ``1.4826 * median(abs(x - median))``,
    or ``1.2533 * mean(abs(x - median))`` where that is 0, as in a video that mostly stands still. The
    first sample has nothing before it and is no spike.
    """
    is_spike = np.zeros(len(change), dtype=bool)
    if len(change) < 3:
        return is_spike
    values = change[1:]
    median = np.median(values)
    distance = np.abs(values - median)
    deviation = 1.4826 * np.median(distance) or 1.2533 * distance.mean()
    high = max(median + SPIKE_DISTANCE * deviation, SPIKE_FLOOR)
    is_spike[1:] = (values > high) & (values > change[:-1]) & (values >= np.append(change[2:], 0.0))
    return is_spike
