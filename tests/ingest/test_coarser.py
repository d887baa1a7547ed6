"""A coarser sampling taken from a finer one is, to the last bit, what embedding it gives."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from lib.core.sampling import Sampling
from lib.ingest.coarser import take_from_finer
from lib.ingest.ingest import embedding_key, ingest
from lib.store.embeddings import EmbeddingInfo
from lib.store.store import Store
from tests.helpers.ingesting import EVERY, Canceller
from tests.helpers.toy_engine import ToyEngine
from tests.helpers.videos import NO_CUTS, make_video, palette, remuxed

FPS = Sampling.per_second
VARIABLE = [Fraction(n, 90_000) for n in np.cumsum(np.tile([3000, 4500, 9000, 1500, 7200], 24)).tolist()]


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Constant and variable rate, the latter not from 0 on, damaged in two places and cut off."""
    folder = tmp_path_factory.mktemp("films")
    colours = palette(120)
    whole = make_video(folder / "even.mp4", colours=colours, rate=10, gop=20, options=NO_CUTS)
    varied = make_video(folder / "varied.mp4", colours=colours, times=VARIABLE, gop=20)
    damaged = remuxed(whole, folder / "damaged.mp4", junk=dict.fromkeys((25, 70, 71), b"\xff\1\2\3\4\5\6"))
    matroska = make_video(folder / "whole.mkv", colours=colours, rate=10, gop=20, options=NO_CUTS)
    cut = folder / "cut.mkv"
    cut.write_bytes(matroska.read_bytes()[: int(matroska.stat().st_size * 0.7)])
    return {"even": whole, "varied": varied, "damaged": damaged, "cut": cut}


def facts(store: Store, info: EmbeddingInfo) -> dict[str, object]:
    """Return all that is stored of an embedding, comparable."""
    samples = store.load(info.key)
    raw = [batch.vectors.tobytes() for batch in store.batches(info.key, samples.frames.tolist())]
    return {
        "info": replace(info, created_at=None, size_bytes=0),  # type: ignore[arg-type]
        "frames": samples.frames.tolist(),
        "times": samples.times_s.tolist(),
        "vectors": b"".join(raw),
        "thumbnails": store.thumbnails(info.key, samples.frames),
        "gaps": store.gaps(info.key),
    }


@pytest.mark.parametrize("film", ["even", "varied", "damaged", "cut"])
@pytest.mark.parametrize(
    ("fine", "coarse"),
    [(EVERY(5), EVERY(10)), (EVERY(1), FPS(3)), (FPS(4), FPS(2)), (EVERY(5), FPS(1))],
    ids=lambda sampling: sampling.key,
)
def test_what_is_taken_equals_what_is_embedded_anew(
    films: dict[str, Path], tmp_path: Path, film: str, fine: Sampling, coarse: Sampling
) -> None:
    anew, store = Store(tmp_path / "anew"), Store(tmp_path / "taken")
    expected = ingest(anew, anew.add_file(films[film]), ToyEngine(), coarse)
    video = store.add_file(films[film])
    ingest(store, video, ToyEngine(), fine)
    broken = ToyEngine(fail_after=0)
    if (fine, coarse) == (EVERY(5), FPS(1)) and film in ("varied", "damaged"):
        assert take_from_finer(store, embedding_key(video, broken, coarse)) is None
        assert store.find_embedding(embedding_key(video, broken, coarse)) is None
        return
    assert facts(store, ingest(store, video, broken, coarse)) == facts(anew, expected)
    assert broken.calls == 0
    if film in ("damaged", "cut"):
        assert expected.damage
    if film == "damaged":
        assert sum(gap.missing for gap in anew.gaps(expected.key))


@pytest.mark.parametrize("film", ["even", "damaged"])
def test_the_part_that_is_there_is_taken_and_the_rest_embedded(
    films: dict[str, Path], tmp_path: Path, film: str
) -> None:
    anew, store = Store(tmp_path / "anew"), Store(tmp_path / "taken")
    expected = ingest(anew, anew.add_file(films[film]), ToyEngine(), EVERY(4))
    video, stop = store.add_file(films[film]), Canceller(at=40)
    part = ingest(store, video, ToyEngine(delay_s=0.1, concurrency=1), EVERY(1), on_progress=stop, cancel=stop.event)
    assert not part.complete
    key = embedding_key(video, ToyEngine(), EVERY(4))
    assert take_from_finer(store, key) == EVERY(1)
    there = store.embedding(key)
    assert not there.complete
    frames = store.load(part.key).frames
    assert store.load(key).frames.tolist() == [frame for frame in frames if frame % 4 == 0]
    assert take_from_finer(store, key) is None  # nothing more is there

    engine = ToyEngine()
    assert facts(store, ingest(store, video, engine, EVERY(4))) == facts(anew, expected)
    assert engine.pictures == expected.samples - there.samples


def test_a_part_embedded_before_is_replaced_by_the_whole(films: dict[str, Path], store: Store) -> None:
    video, stop = store.add_file(films["even"]), Canceller(at=3)
    slow = ToyEngine(delay_s=0.05, batch_size=1)
    part = ingest(store, video, slow, EVERY(4), on_progress=stop, cancel=stop.event)
    assert 0 < part.samples < 30
    ingest(store, video, ToyEngine(), EVERY(2))
    assert take_from_finer(store, part.key) == EVERY(2)
    whole = store.embedding(part.key)
    assert (whole.complete, whole.samples) == (True, 30)
    assert store.load(part.key).frames.tolist() == list(range(0, 120, 4))


def test_other_engines_videos_and_framings_give_nothing(films: dict[str, Path], store: Store) -> None:
    video, other = store.add_file(films["even"]), store.add_file(films["varied"])
    ingest(store, video, ToyEngine(), EVERY(2))
    for key in (
        embedding_key(video, ToyEngine(id="toy:2"), EVERY(4)),
        embedding_key(other, ToyEngine(), EVERY(4)),
        embedding_key(video, ToyEngine(), EVERY(4).framed("whole")),
        embedding_key(video, ToyEngine(), EVERY(2)),
        embedding_key(video, ToyEngine(), EVERY(1)),
    ):
        assert take_from_finer(store, key) is None
    assert len(store.embeddings()) == 1


def test_nothing_shows_of_what_breaks_while_it_is_taken(
    films: dict[str, Path], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = store.add_file(films["even"])
    fine = ingest(store, video, ToyEngine(), EVERY(1))
    batches = store.batches(fine.key, range(0, 120, 2))

    def breaking(key: object, frames: object) -> object:
        yield next(batches)
        raise OSError("the disk went away")

    key = embedding_key(video, ToyEngine(), EVERY(2))
    monkeypatch.setattr(store, "batches", breaking)
    with pytest.raises(OSError, match="went away"):
        take_from_finer(store, key)
    assert store.find_embedding(key) is None
    monkeypatch.undo()
    assert take_from_finer(store, key) == EVERY(1)
