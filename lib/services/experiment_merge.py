"""Two changes of one experiment as one: row by row and field by field, so that no tab's edit makes another's vanish."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace

from lib.core.labelled_intervals import label_key
from lib.services import experiments
from lib.services.documents import Kind, Merged, merge_fields, merge_value
from lib.services.experiments import Experiment, PromptRow, label_of

_FIELDS = {
    "video": "the video",
    "sampling": "the sampling",
    "name": "the name",
    "template": "the template",
    "title": "the title",
    "note": "the note",
    "starred": "the star",
}
_ENGINE = ("engine", "server_url", "model_version", "model")
_SETTINGS = {
    "score": "the score",
    "decision": "the decision",
    "threshold": "the threshold",
    "smoothing": "the smoothing",
    "hysteresis": "the hysteresis",
    "min_duration_s": "the minimum duration",
    "bridge_s": "the gaps to merge",
    "logit_scale": "the logit scale",
    "stop_at_cuts": "whether it stops at cuts",
}
_ROW_FIELDS = {
    "texts": "the phrasings",
    "role": "the role",
    "threshold": "the threshold",
    "enabled": "whether it is on",
    "colour": "the colour",
    "pictures": "the picture examples",
    "learned": "what was learned",
}
_NOT_TYPED = ("kept_thresholds", "pictures", "learned")


def merge(base: Experiment | None, ours: Experiment, theirs: Experiment) -> Merged[Experiment]:
    """Return both changes of ``base``; where they contradict each other, ours and what it is about in words.

    None as ``base`` means that both began with nothing.
    """
    base = base or Experiment(ours.id)
    score, another_score = merge_value(base.settings.score, ours.settings.score, theirs.settings.score)
    # Thresholds mean something in their own score only.
    base, ours, theirs = (one.with_score(score) for one in (base, ours, theirs))
    fields = merge_fields(base, ours, theirs, _FIELDS)
    settings = merge_fields(base.settings, ours.settings, theirs.settings, _SETTINGS)
    rows = merge_rows(base.rows, ours.rows, theirs.rows)
    engine, other_engine = merge_value(*([getattr(one, name) for name in _ENGINE] for one in (base, ours, theirs)))
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

    Equal rows come first, then equal labels between those, then places between those: rows have no names of their own.
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
    for low, high, low_after, high_after in gaps:
        pairs |= dict(zip(range(low, high), range(low_after, high_after), strict=False))
    return pairs


def _key(row: PromptRow) -> str:
    return label_key(label_of(row))


_Token = tuple[str, int]


def merge_rows(
    base: tuple[PromptRow, ...], ours: tuple[PromptRow, ...], theirs: tuple[PromptRow, ...]
) -> Merged[tuple[PromptRow, ...]]:
    """Merge two changes of the prompt table; see ``merge``."""
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
    conflicts: list[str] = []
    for token in _order(ours_of, theirs_of):
        before = base[token[1]] if token[0] == "base" else None
        mine = ours[ours_of[token]] if token in ours_of else None
        other = theirs[theirs_of[token]] if token in theirs_of else None
        merged = _merge_row(before, mine, other)
        rows += merged.value
        conflicts += merged.conflicts
    return Merged(tuple(rows), tuple(conflicts))


def _order(ours_of: dict[_Token, int], theirs_of: dict[_Token, int]) -> list[_Token]:
    """Return all rows in the order of ours; those that only theirs has follow the row that they follow there."""
    order = sorted(ours_of, key=ours_of.__getitem__)
    place = 0
    for token in sorted(theirs_of, key=theirs_of.__getitem__):
        if token not in ours_of:
            order.insert(place, token)
        place = order.index(token) + 1
    return order


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

    That is the thresholds kept of other scores, picture examples and what was learned.
    """
    rows = list(after)
    for i, k in paired(before, after).items():
        rows[k] = replace(rows[k], **{name: getattr(before[i], name) for name in _NOT_TYPED})
    return tuple(rows)


KIND = Kind(
    "experiment",
    "experiments",
    experiments.path_of,
    experiments.load,
    lambda home, _, one: experiments.save(home, one),
    merge,
)
