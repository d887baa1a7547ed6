"""Segments for ELAN: a tier for each label, in milliseconds of the video's player."""

from __future__ import annotations

from collections.abc import Sequence

from pympi import Elan

from lib.analysis.segments import Segment
from lib.interchange.footage import clean


def write_eaf(segments: Sequence[Segment], labels: Sequence[str], *, url: str) -> str:
    """Return an annotation document.

    Args:
        segments: in seconds.
        labels: all labels, in the order of their tiers; one without a segment has an empty tier.
        url: of the video's file, relative to the document, where ELAN looks for it.
    """
    document = Elan.Eaf(author="Promptreel")
    document.remove_tier("default")
    document.add_linked_file(f"file:///./{url}", relpath=f"./{url}", mimetype="video/*")
    for label in labels:
        document.add_tier(clean(label))
    for one in segments:
        first, stop = (round(time_s * 1000) for time_s in (one.start_s, one.end_s))
        document.add_annotation(clean(one.label), first, max(first + 1, stop), clean(one.label))
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + str(Elan.to_string(document))
