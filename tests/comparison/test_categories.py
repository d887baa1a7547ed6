"""Categories of videos, and how right they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix

from lib.comparison.categories import (
    VideoCategories,
    categories_of,
    category_accuracy,
    counts,
    labels_table,
    videos_table,
)
from lib.prompts.model import Prompt, PromptSet, Settings
from tests.helpers.arrays import analyse_scores

LABELS = (Prompt("sea"), Prompt("football"), Prompt("wine", role="restricted"), Prompt("rest", role="background"))


def classified(*scores: Sequence[float], decision: str = "threshold") -> VideoCategories:
    """Return what is found in a video of one sample a second, scored for sea, football, wine and the rest."""
    chosen = PromptSet("adverts", LABELS, settings=Settings(score="cosine", decision=decision, threshold=0.5))
    return categories_of(analyse_scores(scores, chosen))


def test_the_two_ways_to_a_category_and_what_is_restricted() -> None:
    video = classified((0.6, 0.9, 0.7, 0.1), (0.6, -0.4, 0.1, 0.1), (0.6, -0.4, 0.7, 0.1), (0.1, 0.9, 0.1, 0.1))
    assert video.by_share is not None
    assert video.by_mean is not None
    assert (video.by_share.label, video.by_share.share) == ("sea", 0.75)
    assert video.by_mean.label == "sea"
    assert video.agree
    (wine,) = video.flagged
    assert wine.times_s == ((0.0, 1.0), (2.0, 3.0))
    assert wine.duration_s == 2.0
    assert all(not one.times_s for one in video.labels if one.label != "wine")


def test_they_can_disagree_and_the_rest_is_no_category() -> None:
    video = classified((0.55, 0.49, 0.3, 0.2), (0.0, 0.49, 0.3, 0.2))
    assert video.by_share is not None
    assert video.by_share.label == "sea"
    assert video.by_mean is not None
    assert video.by_mean.label == "football"
    assert not video.agree
    rest = classified((0.55, 0.1, 0.3, 0.5), (0.0, 0.1, 0.3, 0.9))  # the sea in half of it, the rest on average
    assert rest.by_share is not None
    assert rest.by_mean is None
    assert not rest.agree
    nothing = classified((0.1, 0.2, 0.3, 0.8), (0.1, 0.2, 0.3, 0.8))
    assert nothing.by_share is None
    assert nothing.by_mean is None
    assert nothing.agree
    assert not nothing.flagged


def test_a_restricted_label_is_a_category_too_and_flagged() -> None:
    video = classified((0.1, 0.2, 0.9, 0.0))
    assert video.by_share is video.by_mean is video.flagged[0]


def test_of_equal_shares_the_higher_mean_counts() -> None:
    video = classified((0.6, 0.7, 0.0, 0.0), (0.6, 0.7, 0.0, 0.0))
    assert video.by_share is not None
    assert video.by_share.label == "football"


def test_without_samples_there_is_no_category() -> None:
    video = classified()
    assert video.by_share is None
    assert video.by_mean is None
    assert not video.flagged


def test_the_tables_have_a_row_a_label_and_a_row_a_video() -> None:
    videos = {"1": classified((0.6, 0.1, 0.55, 0.0)), "2": classified((0.1, 0.1, 0.1, 0.9))}
    names = {"1": "beach.mp4", "2": "wall.mp4"}
    table = labels_table(videos, names)
    assert table[["name", "label", "present"]].to_numpy().tolist()[:2] == [
        ["beach.mp4", "sea", True],
        ["beach.mp4", "football", False],
    ]
    assert len(table) == 8
    assert table["share"].tolist()[0] == 1.0
    assert np.isnan(table["first_seen_s"].tolist()[1])
    by_video = videos_table(videos, names, {"2": "sea"})
    assert by_video["category"].tolist() == ["sea", None]
    assert by_video["restricted"].tolist() == ["wine", ""]
    assert by_video["true_category"].tolist() == [None, "sea"]
    assert counts(videos, "share") == {"sea": 1, None: 1}
    assert list(counts({"2": videos["2"], "3": videos["2"], "1": videos["1"]}, "share")) == ["sea", None]


@pytest.mark.parametrize("seed", range(20))
def test_accuracy_and_confusion_are_those_of_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    videos, true, found = {}, {}, {}
    for number in range(30):
        scores = rng.uniform(-1, 1, 4)
        videos[str(number)] = classified(tuple(scores))
        if rng.random() < 0.8:
            true[str(number)] = str(rng.choice(["Sea", "football", "circus"]))
        best = videos[str(number)].by_share
        found[str(number)] = {"sea": "Sea"}.get(best.label, best.label) if best else "nothing"
    result = category_accuracy(videos, true, "share")
    keys = list(true)
    wanted, got = [true[key] for key in keys], [found[key] for key in keys]
    assert result.accuracy == pytest.approx(accuracy_score(wanted, got))
    names = list(result.confusion.columns)
    expected = confusion_matrix(wanted, got, labels=names)
    assert result.confusion.reindex(names, fill_value=0).to_numpy().tolist() == expected.tolist()
    assert set(result.wrong) == {key for key in keys if true[key] != found[key]}


def test_videos_without_a_true_category_do_not_count() -> None:
    result = category_accuracy({"1": classified((0.6, 0.1, 0.0, 0.0))}, {"2": "sea"}, "share")
    assert result.accuracy is None
    assert result.videos == 0
    assert result.confusion.shape == (0, 1)
