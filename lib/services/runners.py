"""Work on many items: here, one after another, or on other machines (``lib.cluster``), with the same outcomes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from lib.core.errors import Cancelled, PromptreelError
from lib.infra.redaction import redacted

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Outcome(Generic[Item, Result]):
    """What became of one item; small, as it may come from another machine."""

    item: Item
    result: Result | None
    """None where it failed."""
    problem: str = ""
    """Why it failed, in a sentence; empty where it didn't."""


class Runner(Protocol):
    """Where work is done."""

    def run(self, work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Outcome[Item, Result]]:
        """Yield one outcome per item, as they come, in any order; an item that fails costs that item only.

        Args:
            work: may be called on another machine, and twice for one item (its machine may be lost), also at once: what
                it leaves behind must be the same then. On another machine it is a copy, made by ``pickle``.
            items: taken as they are needed; to be pickled too.

        Raises:
            Cancelled: it was stopped before the end.
        """


class LocalRunner:
    """Works in this thread, on one item after another."""

    def run(self, work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Outcome[Item, Result]]:
        """See ``Runner``; it stops when ``work`` raises ``Cancelled``."""
        return (attempt(work, item) for item in items)


def attempt(work: Callable[[Item], Result], item: Item) -> Outcome[Item, Result]:
    """Return what became of ``item``: whatever ``work`` raises but ``Cancelled`` is its problem, as a sentence."""
    try:
        return Outcome(item, work(item))
    except Cancelled:
        raise
    except PromptreelError as error:
        return Outcome(item, None, str(error))
    except Exception as error:  # nobody's fault that is known; the other items aren't to suffer
        reason = redacted(f"{type(error).__name__}: {error}", None)
        return Outcome(item, None, f"It failed unexpectedly ({reason}); try it again, alone.")
