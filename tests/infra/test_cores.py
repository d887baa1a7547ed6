"""While several threads multiply, BLAS starts none of its own."""

from __future__ import annotations

from threadpoolctl import threadpool_info, threadpool_limits

from lib.infra.cores import one_core_each


def _threads() -> set[int]:
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def test_blas_is_kept_to_one_core_until_the_last_of_several_ends() -> None:
    with threadpool_limits(2, user_api="blas"):
        first, second = one_core_each(), one_core_each()
        first.__enter__()
        second.__enter__()
        assert _threads() == {1}
        first.__exit__(None, None, None)
        assert _threads() == {1}
        second.__exit__(None, None, None)
        assert _threads() == {2}
        with one_core_each():
            assert _threads() == {1}
        assert _threads() == {2}
