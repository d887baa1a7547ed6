"""What is deleted lies in the trash, and comes back when it is wanted or changed; nothing is written over."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lib.core.errors import StoreError
from lib.services import catalogue, documents, experiments
from lib.services.experiment_merge import KIND
from lib.services.experiments import Experiment, PromptRow

ONE = Experiment("abc123def456", title="mine", rows=(PromptRow(label="x"),))


@pytest.fixture
def deleted(tmp_path):
    experiments.save(tmp_path, ONE)
    documents.discard(KIND, tmp_path, ONE.id)
    return tmp_path


def test_a_deleted_document_is_in_the_trash_alone_and_comes_back_whole(deleted):
    assert experiments.load(deleted, ONE.id) is None
    assert catalogue.listed(deleted, {}).choices == ()
    assert [(one.id, one.title) for one in catalogue.deleted(deleted, {})] == [(ONE.id, "mine")]

    for _ in range(2):  # once more is no error
        documents.bring_back(KIND, deleted, ONE.id)
        assert experiments.load(deleted, ONE.id) == ONE
        assert catalogue.deleted(deleted, {}) == ()


def test_a_change_by_a_tab_that_still_has_it_is_merged_with_what_was_deleted(deleted):
    seen = replace(ONE, title="")  # before it was named

    done = documents.synchronise(KIND, deleted, ONE.id, base=seen, ours=replace(seen, starred=True))

    assert experiments.load(deleted, ONE.id) == done.merged.value == replace(ONE, starred=True)
    assert catalogue.deleted(deleted, {}) == ()


def test_what_was_written_again_is_not_replaced_by_what_was_deleted(deleted):
    written = replace(ONE, title="new")
    experiments.save(deleted, written)

    documents.bring_back(KIND, deleted, ONE.id)

    assert experiments.load(deleted, ONE.id) == written


def test_deleting_what_is_not_there_is_no_error_and_a_home_that_is_gone_is(tmp_path):
    documents.discard(KIND, tmp_path, ONE.id)
    with pytest.raises(StoreError):
        documents.discard(KIND, tmp_path / "gone", ONE.id)
