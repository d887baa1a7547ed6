"""The most likely sequence of labels, given that labels last: smoothing of decisions instead of scores.

Labels are the states of a hidden Markov model. Two things are weighed, in nats (natural logarithms of odds):

* **Evidence**: how well a label fits a sample by itself. With CLIP's logit scale ``L`` a cosine ``c`` counts ``L * c``,
  the logarithm of its probability less what is common to all labels; ``evidence`` has the other scores. Neighbouring
  frames are alike and say the same twice, so a sample with a span of ``s`` seconds counts ``s / (s + RENEWAL_S)`` of
  that: the result depends little on how densely a video is sampled.
* **Switching**: a label lasts ``stay_s`` seconds on average, whenever it began, and any other one is as likely next.
  So after ``dt`` seconds with ``k`` states and ``x = exp(-dt / stay_s * k / (k - 1))`` a state is still, or again, the
  same with probability ``(1 + (k - 1) * x) / k``, and a certain other one with ``(1 - x) / k``. The logarithm of their
  ratio is what a switch costs: the less, the farther apart two samples are.

As all switches cost the same, a step from one sample to the next compares each total with the best one, not with all
others: ``O(k)``.

Conventions: ``n`` samples, ``k`` states. ``costs`` are float64 ``(n,)``, 0 or more: of a switch between each sample and
the one before. 0 ends a chain, since what comes then owes nothing to what was; ``costs[0]`` isn't looked at.

References:
    Viterbi, *Error bounds for convolutional codes and an asymptotically optimum decoding algorithm*, IEEE Transactions
    on Information Theory 13(2), 1967; Rabiner, *A tutorial on hidden Markov models and selected applications in speech
    recognition*, Proceedings of the IEEE 77(2), 1989, section III.B.
    The chain in continuous time with equal rates: Jukes and Cantor, *Evolution of protein molecules*, 1969.
"""

from __future__ import annotations

import numpy as np

from lib.core.intervals import Bools, Floats, Ints
from lib.core.samples import TIME_TOLERANCE_S, Samples
from lib.prompts.model import Settings

RENEWAL_S = 1 / 3
"""Seconds after which a sample counts half. Chosen on timelines of one half of the photographs of
``python -m benchmarks real_clip``, at 1, 3 and 12 samples per second; the other half is what it reports on."""
RELATIVE_UNIT = 0.03
"""Cosine that a relative score of 1 stands for: the usual distance of the reference phrases' 95th percentile from their
median with CLIP ViT-B/32. With other engines cosines differ, and relative scores are what is alike."""
_LEAST = 1e-12  # a probability of 0 would forbid a label whatever comes after it


def evidence(scores: Floats, settings: Settings) -> Floats:
    """Return what ``scores``, of any shape, count for in nats: increasing with the score.

    * ``cosine``, ``margin``: the logit scale times the score.
    * ``relative``: the logit scale times ``RELATIVE_UNIT`` times the score.
    * ``probability``: its logarithm, from 1e-12 up.
    """
    if settings.score == "probability":
        return np.log(np.maximum(scores, _LEAST))
    unit = RELATIVE_UNIT if settings.score == "relative" else 1.0
    return settings.logit_scale * unit * scores


def decide_paths(scores: Floats, thresholds: Floats, settings: Settings, samples: Samples, cuts: Bools) -> Bools:
    """Return which labels each sample has on the most likely path, bool ``(n, p)``.

    * ``best``: the labels are the states, and each sample has one.
    * ``best_threshold``: "none" is one more state, as likely as a score at the lowest of the thresholds. A label that
      doesn't reach its own threshold is less likely than that, by how far it misses it.
    * ``threshold``: each label has two states of its own, there and not there, equally likely at its threshold.

    Hysteresis makes a switch dearer by what a lead of that much counts for. A chain ends at a gap without samples
    and at ``cuts``. An expected stay of 0 leaves each sample to itself.

    Args:
        scores: not smoothed, ``(n, p)``, p at least 1.
        thresholds: one per label, ``(p,)``; ``best`` uses none.
        settings: score, decision, hysteresis, logit scale, and the smoothing with its ``stay_s``.
        samples: their times and gaps.
        cuts: before which samples a chain ends besides, ``(n,)``.
    """
    n, p = scores.shape
    weights = (samples.spans_s / (samples.spans_s + RENEWAL_S))[:, None]
    if settings.decision == "threshold":
        costs = switch_costs(2, settings, samples, cuts)
        return on_off_paths(weights * _leads(scores, thresholds, settings), costs)
    values = evidence(scores, settings)
    if settings.decision == "best_threshold":
        limits = evidence(thresholds, settings)
        none = limits.min()
        values = np.where(scores >= thresholds, values, none + values - limits)
        values = np.append(values, np.full((n, 1), none), axis=1)
    states = best_path(weights * values, switch_costs(values.shape[1], settings, samples, cuts))
    has: Bools = states[:, None] == np.arange(p)
    return has


def _leads(scores: Floats, thresholds: Floats, settings: Settings) -> Floats:
    """Return the evidence that each label is there less that it isn't, ``(n, p)``; at a threshold 0."""
    leads = evidence(scores, settings) - evidence(thresholds, settings)
    if settings.score == "probability":  # of two outcomes the other one is known too
        leads -= evidence(1 - scores, settings) - evidence(1 - thresholds, settings)
    return leads


def switch_costs(states: int, settings: Settings, samples: Samples, cuts: Bools) -> Floats:
    """Return what a switch costs between each sample and the one before, ``(n,)``; 0 behind gaps and at cuts."""
    n = len(samples)
    costs = np.zeros(n)
    stay_s = settings.smoothing.stay_s
    if n < 2 or states < 2 or stay_s == 0:
        return costs
    with np.errstate(over="ignore"):  # samples that lie so far apart that a switch costs nothing
        waits = np.expm1(np.diff(samples.times_s) / stay_s * states / (states - 1))
        costs[1:] = np.log1p(states / waits)
    band = np.array(settings.hysteresis)
    costs[1:] += -evidence(1 - band, settings) if settings.score == "probability" else evidence(band, settings)
    costs[1:][samples.times_s[1:] - samples.ends_s[:-1] > TIME_TOLERANCE_S] = 0.0
    costs[cuts] = 0.0
    return costs


def best_path(values: Floats, costs: Floats) -> Ints:
    """Return the state of each sample on the path with the highest total of ``values`` ``(n, k)`` less ``costs``.

    Of equal paths the one that stays; of equal states the first. int64 ``(n,)``.
    """
    n = len(values)
    path = np.zeros(n, dtype=np.int64)
    if n == 0:
        return path
    totals = values - values.max(axis=1, keepdims=True)  # small numbers add up more exactly
    tops, before, reached = [], totals[0], np.empty(values.shape[1])
    for row, cost in zip(totals[1:], costs[1:].tolist(), strict=True):
        top = before.argmax()
        tops.append(top)
        np.maximum(before, before[top] - cost, out=reached)
        row += reached
        before = row
    state, stop = int(before.argmax()), n
    best = totals[np.arange(n - 1), tops]
    switches = totals[:-1] < (best - costs[1:])[:, None]
    # Of each sample and state: since which sample the path to it has that state.
    since = np.zeros(values.shape, dtype=np.int32)
    since[1:] = np.where(switches, np.arange(1, n, dtype=np.int32)[:, None], 0)
    np.maximum.accumulate(since, axis=0, out=since)
    while stop:
        first = int(since[stop - 1, state])
        path[first:stop] = state
        stop = first
        state = int(tops[first - 1]) if first else 0
    return path


def on_off_paths(leads: Floats, costs: Floats) -> Bools:
    """Return the same for each column of ``leads`` ``(n, p)`` with two states: whether it is on, bool ``(n, p)``.

    ``leads`` are the values of "on" less those of "off". Of equal paths the one that stays; a lead of 0 is on.
    """
    if not len(leads):
        return np.zeros(leads.shape, dtype=bool)
    totals = leads.copy()
    before, reached = totals[0], np.empty(leads.shape[1])
    for row, cost in zip(totals[1:], costs[1:].tolist(), strict=True):
        np.maximum(before, -cost, out=reached)
        np.minimum(reached, cost, out=reached)
        row += reached
        before = row
    # Backwards: a lead that is worth a switch decides; where it isn't, a sample is as the next one.
    limits = np.append(costs[1:], 0.0)[:, None]
    on = (totals > limits) | ((limits == 0) & (totals >= 0))
    decides = on | (totals < -limits)
    rows = np.arange(len(leads), dtype=np.int32)[:, None]
    source = np.minimum.accumulate(np.where(decides, rows, np.int32(len(leads) - 1))[::-1], axis=0)[::-1]
    result: Bools = np.take_along_axis(on, source, axis=0)
    return result
