"""Jobs belong to the process, so that one that failed would be told of on the pages of later tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lib.ui.session import cache


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
