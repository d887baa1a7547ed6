"""Downloads of embedded models."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from lib.engines.checks import Preparation
from lib.engines.embedded import EmbeddedEngine
from lib.ingest.progress import Progress
from lib.ui.session import cache


def fetch_model(engine: EmbeddedEngine) -> None:
    """Have an embedded model downloaded in the background."""

    def work(*, on_progress: Callable[[Progress], None], cancel: threading.Event) -> None:
        started = time.monotonic()

        def tell(preparation: Preparation) -> None:
            done, total = preparation.done_bytes / 1e6, (preparation.total_bytes or 0) / 1e6
            rate = done / max(time.monotonic() - started, 1e-9)
            left = max(total - done, 0.0) / rate if total and rate else None
            on_progress(Progress(int(done), round(total) or None, rate, left))

        engine.prepare(tell)

    cache.jobs().submit(f"Model {engine.name}", ("model", engine.model), work, queue="models", unit="MB")
