"""Jobs belong to the process, so that one that failed would be told of on the pages of later tests."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from lib.infra.http import RetryPolicy
from lib.ui.session import cache


@pytest.fixture(autouse=True)
def _retries_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """How long is waited for a server that is away is the subject of the engines' tests, not of the pages'."""
    monkeypatch.setattr("lib.engines.server_client.RetryPolicy", partial(RetryPolicy, base_s=0.01))


@pytest.fixture(autouse=True)
def _no_jobs_left() -> Iterator[None]:
    yield
    cache.close_queues()
    jobs = cache.jobs()
    for job in jobs.jobs():
        job.cancel()
    for job in jobs.jobs():
        assert job.wait(30), f"{job} did not end"
        jobs.dismiss(job.id)
