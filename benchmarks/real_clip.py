"""What scores and rankings are worth on vectors of the real CLIP, which a folder named on the command line holds.

The folder has float16 unit rows of CLIP ViT-B/32: ``texts_vit_b_32.npz`` (``phrases``, ``vectors``),
``pictures_cifar10_vit_b_32.npz`` (``labels``, ``vectors`` of 500 photographs) and ``captions_flickr8k_vit_b_32.npz``
(``pictures``, ``captions``, ``picture_of_caption``). They are no part of this repository. Each part prints a table with
its seeds; a missed bar gives exit status 1.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lib.analysis.reference import Reference, reference_of
from lib.analysis.scoring import cosine_scores
from lib.core.samples import Samples
from lib.prompts.model import START_SETTINGS, START_THRESHOLDS
from lib.prompts.reference_phrases import PHRASES

BAR_F1 = 0.80
DRAWS = 20
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


PARTS: dict[str, Callable[[Vectors], bool]] = {"labels": labels}
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
