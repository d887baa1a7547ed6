"""``python -m benchmarks NAME [options]``: run one benchmark, importing only what it needs."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path


def names() -> list[str]:
    """Return the benchmarks there are: the modules of this folder."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_"))


def main(argv: list[str]) -> int:
    """Run the benchmark that ``argv`` names; its exit status, or 2 without a known name."""
    if not argv or argv[0] not in names():
        wanted = f"There is no benchmark {argv[0]!r}. " if argv and argv[0] not in ("-h", "--help") else ""
        print(
            f"{wanted}Usage: python -m benchmarks NAME [options], NAME one of: {', '.join(names())}",
            file=sys.stderr,
        )
        return 2
    benchmark = importlib.import_module(f"benchmarks.{argv[0]}")
    return int(benchmark.main(argv[1:]) or 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
