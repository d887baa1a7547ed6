"""What scores and rankings are worth on vectors of the real CLIP, which a folder named on the command line holds.

The folder has float16 unit rows of CLIP ViT-B/32: ``texts_vit_b_32.npz`` (``phrases``, ``vectors``),
``pictures_cifar10_vit_b_32.npz`` (``labels``, ``vectors`` of 500 photographs) and ``captions_flickr8k_vit_b_32.npz``
(``pictures``, ``captions``, ``picture_of_caption``). They are no part of this repository. Each part prints a table with
its seeds; a missed bar gives exit status 1.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lib.analysis.analysis import Analysis, analyse
from lib.analysis.pictures import lifted
from lib.analysis.reference import Reference, reference_of
from lib.analysis.scoring import cosine_scores, prompt_vectors
from lib.core.labelled_intervals import TrueSegment
from lib.core.samples import Samples
from lib.evaluation.evaluation import Evaluation, evaluate
from lib.evaluation.learning import Marked, learn
from lib.prompts.model import START_SETTINGS, START_THRESHOLDS, Prompt, PromptSet, Smoothing
from lib.prompts.reference_phrases import PHRASES
from lib.search.relative import ReferenceRows, relative_query

BAR_F1 = 0.80
DRAWS = 20
QUERIES = 300
MOST_ON_ONE = 0.10
MOST_LOST = 0.005
MOST_LIFTED = 0.03
PICTURE_DRAWS = 5
_ENGINE = "ViT-B-32"
# The name of each label among the phrases first, then others that mean the same.
NAMES = {
    "airplane": ("airplane", "plane", "airliner", "jet plane"),
    "automobile": ("car", "cab", "passenger car", "sports car"),
    "bird": ("bird",),
    "cat": ("cat", "kitten", "tabby"),
    "deer": ("deer", "gazelle"),
    "dog": ("dog", "puppy"),
    "frog": ("frog", "tree frog", "bullfrog"),
    "horse": ("horse", "pony", "foal"),
    "ship": ("boat", "cargo ship", "passenger ship", "container ship"),
    "truck": ("truck", "trailer truck", "garbage truck", "tow truck"),
}
_Single = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Vectors:
    """The folder's vectors as float32 unit rows."""

    phrases: dict[str, _Single]
    """Phrase -> vector ``(512,)``."""
    photographs: _Single
    labels: tuple[str, ...]
    """One of ``NAMES`` for each photograph."""
    pictures: _Single
    captions: _Single
    picture_of_caption: NDArray[np.int64]

    @classmethod
    def load(cls, folder: Path) -> Vectors:
        """Read the folder's three files."""
        texts, photographs, captions = (
            np.load(folder / f"{name}_vit_b_32.npz") for name in ("texts", "pictures_cifar10", "captions_flickr8k")
        )
        phrases: dict[str, _Single] = {}
        for phrase, vector in zip(texts["phrases"].tolist(), unit(texts["vectors"]), strict=True):
            phrases.setdefault(phrase, vector)  # the first source is of these very words; the second has other readings
        return cls(
            phrases=phrases,
            photographs=unit(photographs["vectors"]),
            labels=tuple(photographs["labels"].tolist()),
            pictures=unit(captions["pictures"]),
            captions=unit(captions["captions"]),
            picture_of_caption=captions["picture_of_caption"],
        )

    def of(self, names: tuple[str, ...]) -> _Single:
        """Return the vectors of ``a NAME``, ``(n, 512)``."""
        return np.stack([self.phrases[f"a {name}"] for name in names])

    def reference(self, pictures: _Single, phrases: _Single | None = None) -> Reference:
        """Return what the reference phrases reach on some pictures, those of them that the folder has."""
        known = [self.phrases[phrase] for phrase in PHRASES if phrase in self.phrases]
        return reference_of(as_samples(pictures), np.stack(known) if phrases is None else phrases)


def unit(rows: NDArray[np.float16]) -> _Single:
    """Return rows of length 1 as float32."""
    wide = rows.astype(np.float64)
    return (wide / np.linalg.norm(wide, axis=1, keepdims=True)).astype(np.float32)


def as_samples(vectors: _Single) -> Samples:
    """Return vectors as the samples of a video, one a second."""
    return Samples(np.arange(len(vectors)), np.arange(len(vectors), dtype=np.float64), vectors, float(len(vectors)))


def macro_f1(hits: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Return the mean over columns of ``2 * both / (hits + truth)``."""
    both = (hits & truth).sum(axis=0)
    return float((2 * both / np.maximum(hits.sum(axis=0) + truth.sum(axis=0), 1)).mean())


def labels(vectors: Vectors) -> bool:
    """Macro F1 of ten labels on 500 photographs at one threshold, the same for all labels and never fitted to them."""
    truth = np.array(vectors.labels)[:, None] == np.array(list(NAMES))
    first = tuple(names[0] for names in NAMES.values())
    cosine = cosine_scores(vectors.photographs, vectors.of(first))
    reference, threshold = vectors.reference(vectors.photographs), START_SETTINGS.threshold
    relative = reference.relative(cosine)
    rng = np.random.default_rng(0)
    everything = np.stack(list(vectors.phrases.values()))

    drawn_phrases = []
    for _ in range(DRAWS):
        phrases = everything[rng.choice(len(everything), len(PHRASES), replace=False)]
        others = vectors.reference(vectors.photographs, phrases)
        drawn_phrases.append(macro_f1(others.relative(cosine) >= threshold, truth))
    drawn_names: dict[str, list[float]] = {"cosine": [], "relative": []}
    for _ in range(DRAWS):
        names = tuple(str(rng.choice(names)) for names in NAMES.values())
        scores = cosine_scores(vectors.photographs, vectors.of(names))
        drawn_names["cosine"].append(macro_f1(scores >= START_THRESHOLDS["cosine"], truth))
        drawn_names["relative"].append(macro_f1(reference.relative(scores) >= threshold, truth))
    best = max((macro_f1(cosine >= value, truth), value) for value in np.arange(0.15, 0.3, 0.0025))
    held = macro_f1(relative >= threshold, truth)
    known = sum(phrase in vectors.phrases for phrase in PHRASES)

    print(f"Ten labels, 500 photographs; {known} of the {len(PHRASES)} reference phrases have vectors; seed 0\n")
    print("| decision | macro F1 | wrong pairs that pass | right pairs that pass |\n|---|---|---|---|")
    for name, scores, value in (
        ("cosine at 0.2", cosine, START_THRESHOLDS["cosine"]),
        (f"cosine at {best[1]:.4f}, the best one with the truth in hand", cosine, best[1]),
        *((f"relative at {value:g}", relative, value) for value in (1.0, threshold, 1.5, 2.0)),
    ):
        hits = scores >= value
        print(f"| {name} | {macro_f1(hits, truth):.3f} | {hits[~truth].mean():.1%} | {hits[truth].mean():.1%} |")
    for name, values in (
        (f"relative at {threshold:g}, {DRAWS} draws of {len(PHRASES)} of {len(everything):,} phrases", drawn_phrases),
        (f"cosine at 0.2, {DRAWS} draws of the labels' names", drawn_names["cosine"]),
        (f"relative at {threshold:g}, {DRAWS} draws of the labels' names", drawn_names["relative"]),
    ):
        print(f"| {name} | {np.mean(values):.3f} ({np.min(values):.3f} to {np.max(values):.3f}) | | |")
    print(f"\nBar: at least {BAR_F1} at the default threshold: {'held' if held >= BAR_F1 else 'missed'}\n")
    return held >= BAR_F1


@dataclass(frozen=True)
class Timelines:
    """How timelines are made of photographs."""

    rate: int
    """Samples a second."""
    lasts: tuple[float, float]
    """Seconds that a picture stays, with slight variation; ``(0, 0)`` has another picture in each sample."""

    def make(self, vectors: Vectors, seed: int) -> tuple[Samples, list[TrueSegment]]:
        """Return 10 minutes of segments of 2 to 20 s, each of photographs of one label, and the truth.

        Every other photograph of each label is left out: settings were chosen on timelines of those.
        """
        rng = np.random.default_rng(seed)
        rows: list[_Single] = []
        truth: list[TrueSegment] = []
        before = ""
        while len(rows) < 600 * self.rate:
            label = str(rng.choice([name for name in NAMES if name != before]))
            before, start = label, len(rows)
            kept = np.flatnonzero(np.array(vectors.labels) == label)[1::2]
            stop = start + max(1, round(rng.uniform(2, 20) * self.rate))
            while len(rows) < stop:
                stay = max(1, round(rng.uniform(*self.lasts) * self.rate))
                rows += [vectors.photographs[rng.choice(kept)]] * min(stay, stop - len(rows))
            truth.append(TrueSegment(f"a {NAMES[label][0]}", start / self.rate, stop / self.rate))
        noise = rng.normal(scale=0.2 / 512**0.5, size=(len(rows), 512)) if self.lasts[1] else 0
        frames = unit(np.stack(rows) + noise)
        times = np.arange(len(rows)) / self.rate
        return Samples(np.arange(len(rows)), times, frames, len(rows) / self.rate), truth


def smoothing(vectors: Vectors) -> bool:
    """Segment F1 (IoU 0.5) of the best label on timelines made of photographs, by kind of smoothing at its default."""
    kinds = {
        "each sample another photograph, 3 a second": Timelines(3, (0, 0)),
        "each photograph 1 to 4 s, 1 sample a second": Timelines(1, (1, 4)),
        "the same, 3 a second": Timelines(3, (1, 4)),
        "the same, 12 a second": Timelines(12, (1, 4)),
    }
    names = tuple(names[0] for names in NAMES.values())
    prompts = tuple(Prompt(f"a {name}") for name in names)
    chosen = [replace(START_SETTINGS, smoothing=Smoothing(kind)) for kind in ("none", "gaussian", "viterbi")]
    chosen.append(replace(chosen[-1], score="cosine", threshold=START_THRESHOLDS["cosine"]))
    found = np.zeros((len(kinds), DRAWS, len(chosen)))
    for row, kind in enumerate(kinds.values()):
        for seed in range(DRAWS):
            samples, truth = kind.make(vectors, seed)
            cosine, reference = cosine_scores(samples.vectors, vectors.of(names)), vectors.reference(samples.vectors)
            for column, settings in enumerate(chosen):
                prompt_set = PromptSet("ten labels", prompts, settings=settings)
                result = analyse(samples, prompt_set, {}, cosine=cosine, reference=reference)
                found[row, seed, column] = segment_f1(evaluate(result, truth))
    print(f"Segments of 2 to 20 s, 10 minutes a timeline; half of the photographs; seeds 0 to {DRAWS - 1}\n")
    print("| timelines | none | Gaussian, 5 samples | Viterbi, 5 s | Viterbi on cosines |\n|---|---|---|---|---|")
    for name, row_of in zip(kinds, found, strict=True):
        cells = [f"{mean:.2f} ± {sd:.2f}" for mean, sd in zip(row_of.mean(axis=0), row_of.std(axis=0), strict=True)]
        print(f"| {name} | {' | '.join(cells)} |")
    means = found.mean(axis=1)
    held = bool((means[:, 2] >= means[:, :2].max(axis=1)).all())
    print(f"\nBar: Viterbi at least as good as Gaussian and none on each: {'held' if held else 'missed'}\n")
    return held


def segment_f1(result: Evaluation) -> float:
    """Return F1 of the segments of all labels together."""
    of_labels = result.by_label.values()
    hits = sum(len(label.matches) for label in of_labels)
    return 2 * hits / sum(len(label.true_segments) + len(label.found_segments) for label in of_labels)


def learning(vectors: Vectors) -> bool:
    """Learning from 1, 4 and 16 photographs a label against the words alone, on those not learned from."""
    names = list(NAMES)
    first = tuple(of_label[0] for of_label in NAMES.values())
    texts = dict(zip((f"a {name}" for name in first), vectors.of(first), strict=True))
    kinds = np.array([names.index(label) for label in vectors.labels])
    print("\nLearning from marked photographs, each a segment of its own; seeds 0 to 19 choose them\n")
    print("| decision | examples a label | words | learned | difference, worst of 20 draws | labels that learned |")
    print("|---|---|---|---|---|---|")
    held = True
    for decision in ("threshold", "best"):
        prompts = tuple(Prompt(name, (text,)) for name, text in zip(names, first, strict=True))
        chosen = PromptSet("labels", prompts, "a {}", replace(START_SETTINGS, decision=decision))
        for examples in (1, 4, 16):
            scores, used = [], []
            for seed in range(DRAWS):
                rng = np.random.default_rng(seed)
                of_label = [rng.choice(np.flatnonzero(kinds == kind), examples, replace=False) for kind in range(10)]
                shown = np.stack(of_label, axis=1).ravel()  # in turn, so that no two of a label touch
                rest = np.setdiff1d(np.arange(len(kinds)), shown)
                truth = tuple(TrueSegment(names[kinds[row]], float(i), i + 1.0) for i, row in enumerate(shown))
                analysis = _analysed(vectors, shown, chosen, texts)
                found = learn([Marked(analysis, truth)], prompt_vectors(chosen, texts))
                used.append(len(found.better))
                there = kinds[rest][:, None] == np.arange(10)
                scores.append(
                    [
                        macro_f1(_analysed(vectors, rest, one, texts).decided, there)
                        for one in (chosen, found.apply(chosen, _ENGINE))
                    ]
                )
            words, learned = np.array(scores).T
            worst = float((learned - words).min())
            held &= worst >= -MOST_LOST
            print(
                f"| {decision} | {examples} | {words.mean():.3f} | {learned.mean():.3f} | "
                f"{(learned - words).mean():+.3f}, {worst:+.3f} | {np.mean(used):.1f} of 10 |"
            )
    print(f"\nBar: never worse than the words by more than {MOST_LOST}: {'held' if held else 'missed'}\n")
    return held


def _analysed(vectors: Vectors, rows: NDArray[np.int64], chosen: PromptSet, texts: dict[str, _Single]) -> Analysis:
    """Return the analysis of some photographs as one video."""
    photographs = vectors.photographs[rows]
    reference = vectors.reference(photographs)
    return analyse(as_samples(photographs), chosen, texts, engine_id=_ENGINE, reference=reference)


def captions(vectors: Vectors) -> bool:
    """Retrieval of 100 photographs by captions: one wording, and the mean vector of four."""
    right = vectors.picture_of_caption
    groups = [np.flatnonzero(right == picture) for picture in range(len(vectors.pictures))]
    rng = np.random.default_rng(0)
    one: list[float] = []
    four: list[float] = []
    for _ in range(DRAWS):
        queries: dict[int, list[_Single]] = {1: [], 4: []}
        for rows in groups:
            drawn = rng.permutation(rows)
            queries[1].append(vectors.captions[drawn[0]])
            mean = vectors.captions[drawn[:4]].mean(axis=0)
            queries[4].append(mean / np.linalg.norm(mean))
        for count, result in ((1, one), (4, four)):
            best = (np.stack(queries[count]) @ vectors.pictures.T).argmax(axis=1)
            result.append(float((best == np.arange(len(groups))).mean()))
    print(f"\n{len(right)} captions of {len(groups)} photographs; {DRAWS} draws of which wordings, seed 0\n")
    print("| wordings | R@1 (lowest to highest of the draws) |\n|---|---|")
    for name, values in (("one", one), ("four, their vectors averaged", four)):
        print(f"| {name} | {np.mean(values):.3f} ({np.min(values):.3f} to {np.max(values):.3f}) |")
    held = float(np.mean(four)) > float(np.mean(one))
    print(f"\nBar: four are better than one: {'held' if held else 'missed'}\n")
    return held


def hubs(vectors: Vectors) -> bool:
    """Share of 300 queries, no reference phrases, whose best picture is the same one, by what samples are ranked by."""
    reference = ReferenceRows(np.stack([vectors.phrases[phrase] for phrase in PHRASES if phrase in vectors.phrases]))
    others = np.stack([vector for phrase, vector in vectors.phrases.items() if phrase not in PHRASES])
    both = np.concatenate([vectors.photographs, vectors.pictures])
    print(f"Seeds 0 to {DRAWS - 1}: {QUERIES} of {len(others)} phrases\n")
    print("| pictures | cosine | less the mean phrase's | relative | relative, worst draw |\n|---|---|---|---|---|")
    held = True
    for name, pictures in (("CIFAR-10", vectors.photographs), ("Flickr8k", vectors.pictures), ("both", both)):
        spread = reference.spread_of(pictures)
        shares = np.array([_hubs(pictures, spread, reference, others, seed) for seed in range(DRAWS)])
        cells = " | ".join(f"{share:.1%}" for share in (*shares.mean(axis=0), shares[:, 2].max()))
        print(f"| {name}, {len(pictures)} | {cells} |")
        held &= bool(shares[:, 2].max() <= MOST_ON_ONE)
    print(f"\nBar, relative on at most {MOST_ON_ONE:.0%} in every draw: {'held' if held else 'MISSED'}.")
    return held


def _hubs(
    pictures: _Single, spread: _Single, reference: ReferenceRows, others: _Single, seed: int
) -> tuple[float, float, float]:
    """Return the share of the picture that is the best one most often: by cosine, by centred cosine, relative."""
    chosen = np.random.default_rng(seed).choice(len(others), QUERIES, replace=False)
    nothing = np.empty((0, others.shape[1]), np.float32)
    queries = [relative_query(text[None], nothing, reference) for text in others[chosen]]
    dots = [pictures @ query.direction for query in queries]
    ranked = (
        dots,
        [pictures @ query.centred for query in queries],
        [query.scores(dot, spread) for query, dot in zip(queries, dots, strict=True)],
    )
    cosine, centred, relative = (
        np.bincount([int(scores.argmax()) for scores in way]).max() / QUERIES for way in ranked
    )
    return float(cosine), float(centred), float(relative)


def pictures(vectors: Vectors) -> bool:
    """Photographs as examples of one label, whose words mean it or something else, the others by their words."""
    names = list(NAMES)
    first = tuple(of_label[0] for of_label in NAMES.values())
    kinds = np.array([names.index(label) for label in vectors.labels])
    words, threshold = vectors.of(first), START_SETTINGS.threshold
    others = np.array([vector for phrase, vector in vectors.phrases.items() if phrase[2:] not in first])
    known = np.stack([vectors.phrases[phrase] for phrase in PHRASES if phrase in vectors.phrases])
    print("\nPhotographs as examples of one label of ten; relative score, F1 of that label and accuracy of all, ")
    print(f"on the other photographs; {PICTURE_DRAWS} draws a label, seeds 0 to {PICTURE_DRAWS - 1}\n")
    print("| words | photographs | words alone | lifted | averaged in |\n|---|---|---|---|---|")
    lifts: list[float] = []
    for meant in (True, False):
        for count in (1, 4):
            results = []
            for seed in range(PICTURE_DRAWS):
                rng = np.random.default_rng(seed)
                for kind in range(len(names)):
                    shown = rng.choice(np.flatnonzero(kinds == kind), count, replace=False)
                    rest = np.setdiff1d(np.arange(len(kinds)), shown)
                    text = words[kind] if meant else others[rng.integers(len(others))]
                    examples = vectors.photographs[shown].astype(np.float64)
                    mean = text + examples.mean(axis=0)
                    rows = (text, lifted(text, examples, known), (mean / np.linalg.norm(mean)).astype(np.float32))
                    results.append([_one_label(vectors, words, row, kind, rest, kinds, threshold) for row in rows])
            text_only, raised, averaged = np.mean(results, axis=0)
            lifts.append(raised[0] - text_only[0])
            cells = " | ".join(f"{f1:.2f}, {accuracy:.2f}" for f1, accuracy in (text_only, raised, averaged))
            print(f"| {'the label' if meant else 'something else'} | {count} | {cells} |")
    held = min(lifts[2:]) > 0 and min(lifts[:2]) >= -MOST_LIFTED
    print(f"\nBar: lifts words that fail, costs words that fit at most {MOST_LIFTED}: {'held' if held else 'missed'}\n")
    return held


def _one_label(
    vectors: Vectors,
    words: _Single,
    row: _Single,
    kind: int,
    rest: NDArray[np.int64],
    kinds: NDArray[np.int64],
    threshold: float,
) -> tuple[float, float]:
    """Return F1 of a label with ``row`` for its vector, and accuracy of the best label, on some photographs."""
    rows = words.copy()
    rows[kind] = row
    photographs = vectors.photographs[rest]
    cosine = cosine_scores(photographs, rows)
    found = vectors.reference(photographs).relative(cosine)[:, [kind]] >= threshold
    return macro_f1(found, (kinds[rest] == kind)[:, None]), float((cosine.argmax(axis=1) == kinds[rest]).mean())


PARTS: dict[str, Callable[[Vectors], bool]] = {
    "labels": labels,
    "smoothing": smoothing,
    "learning": learning,
    "captions": captions,
    "pictures": pictures,
    "hubs": hubs,
}
"""Each prints its table and returns whether its bars are held."""


def main(argv: list[str]) -> int:
    """Print the tables of all parts, or of one; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks real_clip", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the vectors")
    parser.add_argument("--only", choices=PARTS, help="one part")
    options = parser.parse_args(argv)
    vectors = Vectors.load(options.data)
    chosen = [options.only] if options.only else list(PARTS)
    held = [PARTS[name](vectors) for name in chosen]
    return int(not all(held))
