"""The two towers: a small convnet for pictures and a small transformer for captions, 512 numbers each."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

DIM = 512
INPUT = 224
"""Side of the picture graph's input, as CLIP has it."""
INNER = 96
"""Side of the picture the convnet works on."""
LOOKS, SHADES = 24, 24
"""Places a picture is looked at, each a soft map, and colours told apart there."""
BASIC = 11
"""Basic colours."""
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)


def area_matrix(source: int, target: int) -> Tensor:
    """Return the ``(target, source)`` matrix that averages a line of pixels down by area."""
    matrix = np.zeros((target, source), np.float32)
    step = source / target
    for i in range(target):
        low, high = i * step, (i + 1) * step
        for j in range(int(low), min(source, math.ceil(high))):
            matrix[i, j] = (min(high, j + 1) - max(low, j)) / step
    return torch.from_numpy(matrix)


class Separable(nn.Module):
    """Depthwise 3 × 3, pointwise, batch norms; adds its input where the shape stays."""

    def __init__(self, inside: int, outside: int, stride: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inside, inside, 3, stride, 1, groups=inside, bias=False),
            nn.BatchNorm2d(inside),
            nn.Conv2d(inside, outside, 1, bias=False),
            nn.BatchNorm2d(outside),
        )
        self.keeps = inside == outside and stride == 1

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(n, inside, h, w)`` to ``(n, outside, h / stride, w / stride)``."""
        y = self.body(x)
        return functional.relu(x + y if self.keeps else y)


class PictureTower(nn.Module):
    """Pictures float32 ``(n, 3, s, s)``, normalised as for CLIP, to ``(n, 512)``.

    Pictures of 224 pixels are shrunk to the inner size first; training also gives it smaller ones, which is
    quicker, for its first steps.
    """

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("shrink", area_matrix(INPUT, INNER), persistent=False)
        self.early = nn.Sequential(
            nn.Conv2d(3, 48, 5, 4, 2, bias=False),
            nn.BatchNorm2d(48),
            nn.ReLU(),
            Separable(48, 96),
            Separable(96, 192, 2),
            Separable(192, 192),
            Separable(192, 192),
        )
        self.late = nn.Sequential(
            Separable(192, 320, 2),
            Separable(320, 320),
            Separable(320, 320),
            Separable(320, 320),
        )
        # Colours of a 6 x 6 grid, past the convnet: without it colour words stay mixed up for long.
        self.colours = nn.Sequential(nn.Linear(108, 192), nn.ReLU())
        # Where to look, and which colours are there: what binds a colour to a thing.
        self.look_late, self.look_early = nn.Conv2d(320, LOOKS, 1), nn.Conv2d(192, LOOKS, 1)
        self.shades = nn.Sequential(nn.Conv2d(3, 32, 1), nn.ReLU(), nn.Conv2d(32, SHADES, 1), nn.ReLU())
        self.bind = nn.Linear(LOOKS * SHADES, 576)
        nn.init.normal_(self.bind.weight, std=0.01)
        self.head = nn.Sequential(nn.Linear(320 * 2 + 192 * 2 + 192, 576), nn.ReLU(), nn.Linear(576, DIM))

    def features(self, pixels: Tensor) -> Tensor:
        """Return what the last layer makes vectors of, ``(n, 576)``."""
        if pixels.shape[-1] == INPUT:
            pixels = self.shrink @ pixels @ self.shrink.T
        early = self.early(pixels)
        late = self.late(early)
        if pixels.shape[-1] == INNER:
            grid = functional.avg_pool2d(pixels, INNER // 6).flatten(1)
        else:
            grid = functional.adaptive_avg_pool2d(pixels, 6).flatten(1)
        pooled = [pool for x in (late, early) for pool in (x.mean((2, 3)), x.amax((2, 3)))]
        near = functional.interpolate(self.look_late(late), scale_factor=2.0, mode="nearest")
        weights = (near + self.look_early(early)).flatten(2).softmax(-1)
        shades = functional.avg_pool2d(self.shades(functional.avg_pool2d(pixels, 4)), 2).flatten(2)
        bound = (weights @ shades.transpose(1, 2)).flatten(1)
        hidden = self.head[0](torch.cat((*pooled, self.colours(grid)), 1)) + self.bind(bound)
        return functional.relu(hidden)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return vectors, not of unit length."""
        return self.head[2](self.features(pixels))


class Attention(nn.Module):
    """One transformer layer with padding masked out, written plainly so that it exports with free sizes."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_in, self.norm_out = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mix, self.join = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.wide, self.back = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        for last in (self.join, self.back):  # the words themselves prevail at first
            nn.init.normal_(last.weight, std=0.02)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map ``(n, l, width)`` to the same shape; ``mask`` float ``(n, l)`` is 1 for words."""
        n, length, width = x.shape
        q, k, v = (
            part.reshape(n, length, self.heads, -1).transpose(1, 2) for part in self.mix(self.norm_in(x)).chunk(3, -1)
        )
        weights = q @ k.transpose(-1, -2) / math.sqrt(width / self.heads) - 1e4 * (1 - mask)[:, None, None, :]
        x = x + self.join((weights.softmax(-1) @ v).transpose(1, 2).reshape(n, length, width))
        return x + self.back(functional.gelu(self.wide(self.norm_out(x)), approximate="tanh"))


class CaptionTower(nn.Module):
    """Token ids int64 ``(n, l)`` and their mask to ``(n, 512)``, the same whatever the padding."""

    def __init__(self, words: int, *, width: int = 128, longest: int = 80) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(words, width), nn.Embedding(longest, width)
        nn.init.normal_(self.words.weight, std=0.3)
        nn.init.normal_(self.places.weight, std=0.05)
        self.layers = nn.ModuleList(Attention(width, 4) for _ in range(2))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, DIM)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return vectors, not of unit length: the mean of the words' outputs, projected."""
        mask = attention_mask.to(torch.float32)
        x = self.words(input_ids) + self.places.weight[: input_ids.shape[1]]
        for layer in self.layers:
            x = layer(x, mask)
        pooled = (self.norm(x) * mask[..., None]).sum(1) / mask.sum(1, keepdim=True).clamp(min=1)
        return self.head(pooled)


class DualEncoder(nn.Module):
    """Both towers, the learned scale of their cosines (Radford et al. 2021), and one vector for every fact.

    The facts' vectors serve training only: they teach the pictures faster than captions alone can. Columns
    that tell the colour of a thing, ``hues`` for each kind of thing, from ``first`` on, add a vector that all kinds
    share: what is learned about red cars helps with red cups.
    """

    def __init__(self, words: int, facts: int = 0, *, first: int = 0, kinds: int = 0, hues: int = BASIC) -> None:
        super().__init__()
        self.pictures, self.captions = PictureTower(), CaptionTower(words)
        self.facts, self.hues = nn.Linear(DIM, facts), nn.Linear(DIM, hues, bias=False)
        self.shared = slice(first, first + kinds * hues)
        self.log_scale = nn.Parameter(torch.tensor(math.log(14.0)))

    def forward(self, pixels: Tensor, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return scaled cosines ``(pictures, captions)`` and the facts' scores ``(pictures, facts)``."""
        a = functional.normalize(self.pictures(pixels), dim=1)
        b = functional.normalize(self.captions(ids, mask), dim=1)
        return self.log_scale.clamp(max=math.log(40.0)).exp() * a @ b.T, self.told(a)

    def told(self, a: Tensor) -> Tensor:
        """Return the facts' scores ``(pictures, facts)`` for unit rows ``a``."""
        scores = self.facts(12.0 * a)
        kinds = (self.shared.stop - self.shared.start) // self.hues.out_features
        if not kinds:
            return scores
        colours = self.hues(12.0 * a).repeat(1, kinds)
        return torch.cat(
            (
                scores[:, : self.shared.start],
                scores[:, self.shared] + colours,
                scores[:, self.shared.stop :],
            ),
            1,
        )


def fact_loss(scores: Tensor, has: Tensor, perhaps: Tensor, groups: list[tuple[int, int]]) -> Tensor:
    """Return how badly the facts are told: cross-entropy within groups that exclude each other, else binary.

    Args:
        scores: ``(pictures, facts)``.
        has: bool, which facts hold.
        perhaps: bool, which may hold; these take no part.
        groups: column ranges of facts that exclude each other; the columns after the last one are binary.
    """
    total = scores.new_zeros(())
    for start, end in groups:
        rows = has[:, start:end].any(1)
        if not rows.any():
            continue
        part = scores[rows, start:end].masked_fill(perhaps[rows, start:end], -1e4)
        good = part.masked_fill(~has[rows, start:end], -1e4).logsumexp(1)
        total = total + (part.logsumexp(1) - good).sum() / len(scores)
    start = groups[-1][1]
    single = functional.binary_cross_entropy_with_logits(scores[:, start:], has[:, start:].float(), reduction="none")
    return total + 0.15 * (single * ~perhaps[:, start:]).sum(1).mean()


def graded_contrastive(scores: Tensor, level: Tensor) -> Tensor:
    """Return the contrastive objective with levels of truth.

    For every pair of level ``l`` in 3, 2, 1 it is ``-log(e^s / (e^s + sum of e^s' over lower levels))``,
    taken along the pictures' rows and the captions' columns; with levels 3 and 0 alone this is Radford et
    al. (2021) with several positives. Pairs of level -1 take no part.
    """
    total = scores.new_zeros(())
    for axis in (1, 0):
        for grade, weight in ((3, 1.0), (2, 0.4), (1, 0.4)):
            hit = level == grade
            lower = (level >= 0) & (level < grade)
            usable = hit & lower.any(axis, keepdim=True)
            if not usable.any():
                continue
            rest = scores.masked_fill(~lower, -1e4).logsumexp(axis, keepdim=True)
            loss = functional.softplus(rest - scores) * usable
            counts = usable.sum(axis)
            total = total + weight * (loss.sum(axis) / counts.clamp(min=1))[counts > 0].mean()
    return total / 2
