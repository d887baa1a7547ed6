"""What every step of training ends with, whatever it trains."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn


def learn(optimiser: torch.optim.Optimizer, weights: Iterable[nn.Parameter], loss: Tensor) -> None:
    """Change ``weights`` a little so that ``loss`` falls; gradients longer than 1 are shortened."""
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(weights, 1.0)
    optimiser.step()


def follow(mean: float, loss: Tensor, step: int) -> float:
    """Return the running mean of about the last 50 losses, one more taken in; ``step`` counts from 0."""
    return mean + (loss.item() - mean) / min(step + 1, 50)
