"""What every step of training begins and ends with, whatever it trains."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch
from torch import Tensor, nn

Batch = TypeVar("Batch")
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
"""Where the weights are learned: on a GPU where there is one."""


def one_ahead(make: Callable[[int], Batch], steps: range) -> Iterator[Batch]:
    """Yield ``make(step)`` for each step in order; while one is learned from, a second thread makes the next."""
    with ThreadPoolExecutor(1, "batches", torch.set_num_threads, (1,)) as maker:
        ahead = [maker.submit(make, step) for step in steps[:1]]
        for step in steps:
            batch = ahead.pop().result()
            if step != steps[-1]:
                ahead.append(maker.submit(make, step + 1))
            yield batch


def learn(optimiser: torch.optim.Optimizer, weights: Iterable[nn.Parameter], loss: Tensor) -> None:
    """Change ``weights`` a little so that ``loss`` falls; gradients longer than 1 are shortened."""
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(weights, 1.0)
    optimiser.step()


def follow(mean: float, loss: Tensor, step: int) -> float:
    """Return the running mean of about the last 50 losses, one more taken in; ``step`` counts from 0."""
    return mean + (loss.item() - mean) / min(step + 1, 50)
