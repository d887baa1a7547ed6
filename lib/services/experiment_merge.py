"""Two changes of one experiment as one: row by row and field by field, so that no tab's edit makes another's vanish."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace

from lib.comparison.version_diff import SETTINGS
from lib.core.labelled_intervals import label_key
from lib.services import experiments
from lib.services.documents import Kind, Merged, merge_fields, merge_value
from lib.services.experiments import Experiment, PromptRow, label_of, row_slots, with_row_slots

_FIELDS = {
    "video": "the video",
    "sampling": "the sampling",
    "name": "the name",
    "template": "the template",
    "title": "the title",
    "note": "the note",
    "starred": "the star",
    "baseline": "the baseline",
}
_ENGINE = ("engine", "server_url", "model_version", "model")
_SETTINGS = {name: f"the {word}" for name, (word, _) in SETTINGS.items() if name != "template"}
_ROW_FIELDS = {
    "texts": "the phrasings",
    "role": "the role",
    "threshold": "the threshold",
    "enabled": "whether it is on",
    "colour": "the colour",
    "pictures": "the picture examples",
    "learned": "what was learned",
}
_NOT_TYPED = ("kept_thresholds", "pictures", "learned", "slot", "worded_for", "kept")


def merge(base: Experiment | None, ours: Experiment, theirs: Experiment) -> Merged[Experiment]:
    """Return both changes of ``base``; where they contradict each other, ours and what it is about in words.

    None as ``base`` means that both began with nothing.
    """
    base = base or Experiment(ours.id)
    score, another_score = merge_value(base.settings.score, ours.settings.score, theirs.settings.score)
    engine, other_engine = merge_value(*([getattr(one, name) for name in _ENGINE] for one in (base, ours, theirs)))
    # Thresholds mean something in their own score, and with their own engine, only.
    base, ours, theirs = (
        one.with_fields(**dict(zip(_ENGINE, engine, strict=True))).with_score(score) for one in (base, ours, theirs)
    )
    fields = merge_fields(base, ours, theirs, _FIELDS)
    settings = merge_fields(base.settings, ours.settings, theirs.settings, _SETTINGS)
    rows = merge_rows(base.rows, ours.rows, theirs.rows)
    merged = replace(
        fields.value,
        rows=rows.value,
        settings=settings.value,
        kept_thresholds=_by_score(base, ours, theirs),
        beside=theirs.beside or ours.beside,  # whoever was first has made it
        **dict(zip(_ENGINE, engine, strict=True)),
    )
    contradicted = [*(["the score"] if another_score else []), *(["the engine"] if other_engine else [])]
    return Merged(merged, (*contradicted, *fields.conflicts, *settings.conflicts, *rows.conflicts))


def _by_score(*three: Experiment) -> tuple[tuple[str, float, float], ...]:
    by_score = [{score: (threshold, band) for score, threshold, band in one.kept_thresholds} for one in three]
    merged, _ = merge_value(*by_score)
    return tuple((score, *both) for score, both in merged.items())


def paired(before: Sequence[PromptRow], after: Sequence[PromptRow]) -> dict[int, int]:
    """Return which row became which: index before -> index after.

    Equal rows come first, then equal labels between those, then what is the same elsewhere (moved), then places between
    those: rows have no names of their own.
    """
    pairs: dict[int, int] = {}
    gaps = [(0, len(before), 0, len(after))]
    identities: tuple[Callable[[PromptRow], Hashable], ...] = (lambda row: row, _key)
    for identity in identities:
        rest = []
        for low, high, low_after, high_after in gaps:
            matcher = difflib.SequenceMatcher(
                None, [*map(identity, before[low:high])], [*map(identity, after[low_after:high_after])], autojunk=False
            )
            start, start_after = low, low_after
            for i, j, size in matcher.get_matching_blocks():
                pairs |= {low + i + k: low_after + j + k for k in range(size)}
                rest.append((start, low + i, start_after, low_after + j))
                start, start_after = low + i + size, low_after + j + size
        gaps = rest
    for identity in identities:
        pairs |= _moved(before, after, pairs, identity)
    there = set(pairs.values())
    for low, high, low_after, high_after in gaps:
        left = [i for i in range(low, high) if i not in pairs]
        pairs |= dict(zip(left, (k for k in range(low_after, high_after) if k not in there), strict=False))
    return pairs


def _moved(
    before: Sequence[PromptRow],
    after: Sequence[PromptRow],
    pairs: Mapping[int, int],
    identity: Callable[[PromptRow], Hashable],
) -> dict[int, int]:
    """Return the rows that are still without a pair and the same elsewhere: index before -> index after."""
    there = set(pairs.values())
    places: dict[Hashable, list[int]] = {}
    for k, row in enumerate(after):
        if k not in there:
            places.setdefault(identity(row), []).append(k)
    left = [(i, places.get(identity(row), [])) for i, row in enumerate(before) if i not in pairs]
    return {i: found.pop(0) for i, found in left if found}


def _key(row: PromptRow) -> str:
    return label_key(label_of(row))


_Token = tuple[str, int]


def merge_rows(
    base: tuple[PromptRow, ...], ours: tuple[PromptRow, ...], theirs: tuple[PromptRow, ...]
) -> Merged[tuple[PromptRow, ...]]:
    """Merge two changes of the prompt table; see ``merge``. Rows keep the colours that they have."""
    base, ours, theirs = (_with_slots_said(rows) for rows in (base, ours, theirs))
    here, there = paired(base, ours), paired(base, theirs)
    added = {_key(row): k for k, row in enumerate(ours) if k not in here.values()}
    ours_of: dict[_Token, int] = {("base", i): k for i, k in here.items()}
    ours_of |= {("ours", k): k for k in range(len(ours)) if k not in here.values()}
    theirs_of: dict[_Token, int] = {("base", i): k for i, k in there.items()}
    for k, row in enumerate(theirs):
        if k not in there.values():
            twin = added.pop(_key(row), None)  # both have added a row of this label
            theirs_of[("theirs", k) if twin is None else ("ours", twin)] = k
    rows: list[PromptRow] = []
    order, conflicts = _order(ours_of, theirs_of)
    for token in order:
        before = base[token[1]] if token[0] == "base" else None
        mine = ours[ours_of[token]] if token in ours_of else None
        other = theirs[theirs_of[token]] if token in theirs_of else None
        merged = _merge_row(before, mine, other)
        rows += merged.value
        conflicts += merged.conflicts
    return Merged(with_row_slots(rows, {index: row.slot for index, row in enumerate(rows)}), tuple(conflicts))


def _with_slots_said(rows: tuple[PromptRow, ...]) -> tuple[PromptRow, ...]:
    slots = row_slots(rows)
    return tuple(replace(row, slot=slots.get(index)) for index, row in enumerate(rows))


def _order(ours_of: dict[_Token, int], theirs_of: dict[_Token, int]) -> tuple[list[_Token], list[str]]:
    """Return all rows in the order of ours, and conflicts; theirs where only theirs has moved rows.

    Rows that only the other one has follow the row that they follow there.
    """
    both = [token for token in ours_of if token[0] == "base" and token in theirs_of]
    here, there = (sorted(both, key=of.__getitem__) for of in (ours_of, theirs_of))
    lead, other = (theirs_of, ours_of) if here == sorted(both) else (ours_of, theirs_of)
    if there == sorted(both):
        lead, other = ours_of, theirs_of
    order = sorted(lead, key=lead.__getitem__)
    place = 0
    for token in sorted(other, key=other.__getitem__):
        if token not in lead:
            order.insert(place, token)
        place = order.index(token) + 1
    contradict = sorted(both) not in (here, there) and here != there
    return order, ["the order of the rows"] if contradict else []


def _merge_row(
    before: PromptRow | None, ours: PromptRow | None, theirs: PromptRow | None
) -> Merged[tuple[PromptRow, ...]]:
    if ours is None or theirs is None:
        return _one_sided(before, ours, theirs)
    before = before or PromptRow()
    was, here, there = (label_key(row.label) for row in (before, ours, theirs))
    if len({was, here, there}) == 3:  # both have renamed it, or put another row in its place: both rows stay
        return Merged((ours, theirs), (f"the label of the row “{label_of(before)}”",) if before.label else ())
    if was == here != there:
        ours = replace(ours, label=before.label)  # spelled otherwise here, renamed there
    merged = merge_fields(before, ours, theirs, _ROW_FIELDS)
    return Merged((merged.value,), tuple(f"{what} of “{label_of(merged.value)}”" for what in merged.conflicts))


def _one_sided(
    before: PromptRow | None, ours: PromptRow | None, theirs: PromptRow | None
) -> Merged[tuple[PromptRow, ...]]:
    """Merge a row that one side doesn't have: it was added by the other, or removed by this one."""
    row = ours or theirs
    assert row is not None  # noqa: S101 - for the type checker
    if before is None:
        return Merged((row,))
    if row == before:
        return Merged(())
    name = label_of(row)
    if ours is not None:
        return Merged((ours,), (f"the row “{name}”, which is removed there",))
    return Merged((), (f"the row “{name}”, which is removed here",))


def with_what_is_not_typed(before: Sequence[PromptRow], after: tuple[PromptRow, ...]) -> tuple[PromptRow, ...]:
    """Return the rows ``after`` an edit with what the table doesn't show and the rows ``before`` it had.

    That is the thresholds kept of other scores, picture examples, what was learned, colour slots, and whether the
    phrasings belong to another label than the one that the row has now. An unchanged row is the very same object, so
    that many states of a large table take little memory.
    """
    rows, slots = list(after), row_slots(before)
    kept: dict[int, int | None] = {}
    pairs = paired(before, after)
    for i, k in pairs.items():
        rows[k] = _worded(before[i], replace(rows[k], **{name: getattr(before[i], name) for name in _NOT_TYPED}))
        kept[k] = slots.get(i)
    rows = list(with_row_slots(rows, kept))
    for i, k in pairs.items():
        rows[k] = before[i] if (rows[k], rows[k].slot) == (before[i], before[i].slot) else rows[k]
    return tuple(rows)


def _worded(before: PromptRow, after: PromptRow) -> PromptRow:
    """Return a row that remembers for which label its phrasings were written, where that isn't its own."""
    if after.texts != before.texts or not after.texts:
        return replace(after, worded_for="", kept=())
    written_for = before.worded_for or before.label
    same = label_key(written_for) == label_key(after.label)
    renamed = after.label != before.label
    return replace(after, worded_for="" if same else written_for) if renamed else after


KIND = Kind(
    "experiment",
    "experiments",
    experiments.path_of,
    experiments.load,
    lambda home, _, one: experiments.save(home, one),
    merge,
)
