"""Bytes in decoding: how large and how long-shaped pictures may be, and how many are decoded at the same time.

A file of a few kilobytes can announce pictures of gigabytes, so the limits hold before anything is decoded (FFmpeg's
``max_pixels``), for each frame that comes out, and for the picture as displayed. A decoder keeps as many reference
frames as the stream announces, up to ``_REFERENCE_BYTES``, and with frame threads one more a thread.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import av.error

from lib.core.errors import Cancelled, PromptreelError, VideoUnreadableError
from lib.core.formatting import encodable, format_bytes
from lib.media.references import reference_frames

MAX_PIXELS = 8192 * 4320
"""Most pixels of a frame, as stored and as displayed: DCI 8K."""
MAX_SHAPE = 20
"""Most times that one side may be longer than the other."""
DECODER_OPTIONS = {"max_pixels": str(8192 * 4352)}
"""The same for FFmpeg, which counts sides that are rounded up to whole blocks."""
_MAX_THREADS = 8
_MOST_REFERENCES = 16
_THREAD_BYTES = 128 << 20
"""Most bytes of the frames that are decoded at the same time."""
_REFERENCE_BYTES = 1_000_000_000
"""Most bytes of the frames that later ones build on: at 8K twice as many as the standards allow there."""
_SIDE_BYTES = 0.65
"""Bytes that FFmpeg keeps beside each pixel of a reference frame: motion and kinds of blocks (measured for H.264)."""
_USUAL_BITS = 12  # of a pixel, in 8 bits and 4:2:0


def check_size(name: str, width: int, height: int, what: str = "stored") -> None:
    """Raise ``VideoUnreadableError`` for pictures that are too large or too long; 0 × 0 isn't known yet."""
    problem = size_problem(width, height, what)
    if problem is not None:
        raise VideoUnreadableError(f"{name}: {problem}; scale or crop the video first.")


def size_problem(width: int, height: int, what: str = "stored") -> str | None:
    """Return what is wrong with pictures of this size, naming size and limit; None where nothing is."""
    size = f"its pictures are {what} as {width} × {height} pixels"
    if width * height > MAX_PIXELS:
        return f"{size}, and at most {MAX_PIXELS:,} pixels (8192 × 4320) can be read"
    if max(width, height) > MAX_SHAPE * min(width, height):
        return f"{size}, and one side may be at most {MAX_SHAPE} times as long as the other"
    return None


def check_references(name: str, context: av.VideoCodecContext) -> None:
    """Raise ``VideoUnreadableError`` where a decoder would have to keep too many large frames."""
    count = min(reference_frames(context.codec.canonical_name, context.extradata), _MOST_REFERENCES)
    kept = (count + 1) * context.width * context.height * (_bits(context) / 8 + _SIDE_BYTES)
    if kept > _REFERENCE_BYTES:
        raise VideoUnreadableError(
            f"{name}: its pictures of {context.width} × {context.height} pixels build on {count} others, which takes "
            f"{format_bytes(round(kept))}, and at most {format_bytes(_REFERENCE_BYTES)} are kept; "
            "convert it with 4 reference frames first."
        )


def _bits(context: av.VideoCodecContext) -> int:
    """Return how many bits a pixel has."""
    return int(context.format.padded_bits_per_pixel) if context.format else _USUAL_BITS


def limit_threads(context: av.VideoCodecContext) -> None:
    """Let a decoder use several threads as far as the frames they keep are small; large frames by slices alone."""
    frame_bytes = max(1, context.width * context.height * _bits(context) // 8)
    cores = os.cpu_count() or 1
    threads = min(cores + (cores > 1), _MAX_THREADS)  # one more, as by default: reading waits for the oldest frame
    frames_at_once = _THREAD_BYTES // frame_bytes
    context.thread_type = "AUTO" if frames_at_once >= 4 else "SLICE"
    context.thread_count = min(threads, frames_at_once) if frames_at_once >= 4 else threads


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Let nothing but this project's errors leave a block that opens, reads, decodes or converts ``path``.

    FFmpeg and PyAV raise errors of many kinds for damaged and hostile files (its own, ``ValueError`` for side data
    that it has no name for, ``UnicodeError``, ``OverflowError``), and newer ones raise more: all mean the file.

    Raises:
        VideoUnreadableError: in place of any of these.
    """
    try:
        yield
    except (PromptreelError, Cancelled):
        raise
    except MemoryError as error:
        raise VideoUnreadableError(
            f"{shown_name(path)}: there is not enough memory to decode it; close other programs, "
            "or scale the video down first."
        ) from error
    except Exception as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise VideoUnreadableError(
            f"{shown_name(path)} can't be read as a video ({reason}); try converting it to MP4 with H.264 first."
        ) from error


def shown_name(path: Path) -> str:
    """Return a file's name as text that can be shown and encoded, also where its bytes aren't UTF-8."""
    return encodable(path.name)
