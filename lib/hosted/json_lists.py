"""Lists of a large JSON object, element by element: memory holds one element's text, not the file's.

``json.loads`` of an hour's results would take four times the memory and hold the interpreter for seconds, which stops
every page; the same C scanner, called for one element at a time, is about as fast. ijson would need one pass per list.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from lib.core.errors import ResultsError

BLOCK_BYTES = 1 << 18
_LONGEST_ELEMENT = 32 << 20  # characters; a vector of 1024 numbers has 25,000
_ENDS = frozenset(" \t\n\r,:]}")  # after a whole value; of 3.25, a block may end after 3 or 3.
_SPACE = re.compile(r"[ \t\n\r]*")


class ListReader:
    """Reads one JSON object, in order of its keys; ``name`` is the file's, for messages.

    Iterating gives pairs of a key and an iterator over what is in its list (a value that is no list counts as a list of
    itself); the iterator need not be used up. ``on_bytes`` is called now and then with the bytes read.

    Raises:
        ResultsError: on iteration: no UTF-8, no JSON, no object, or cut off.
    """

    def __init__(self, file: BinaryIO, name: str, on_bytes: Callable[[int], None] | None = None) -> None:
        self._file = file
        self._name = name
        self._on_bytes = on_bytes
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self._scan = json.JSONDecoder().raw_decode
        self._text = ""
        self._at = 0
        self._read = 0
        self._ended = False

    def __iter__(self) -> Iterator[tuple[str, Iterator[Any]]]:
        if self._peek() != "{":
            raise ResultsError(f"{self._name} holds no JSON object; choose the results.json of a hosted CLIP job.")
        self._at += 1
        if self._peek() == "}":
            self._at += 1
        else:
            while True:
                key = self._value()
                if not isinstance(key, str):
                    raise self._broken()
                self._expect(":")
                elements = self._elements()
                yield key, elements
                for _ in elements:  # what the caller left
                    pass
                if self._expect(",}") == "}":
                    break
        if self._peek():
            raise self._broken()

    def _elements(self) -> Iterator[Any]:
        if self._peek() != "[":
            yield self._value()
            return
        self._at += 1
        if self._peek() == "]":
            self._at += 1
            return
        while True:
            yield self._value()
            if self._expect(",]") == "]":
                return

    def _value(self) -> Any:
        """Return the value that begins here; where it may go on beyond the text read so far, read on."""
        self._peek()
        while True:
            try:
                value, end = self._scan(self._text, self._at)
            except RecursionError as error:
                raise self._broken() from error
            except ValueError as error:
                if self._ended:
                    raise self._broken() from error
            else:
                if self._ended or self._text[end : end + 1] in _ENDS:
                    self._at = end
                    return value
            if len(self._text) - self._at > _LONGEST_ELEMENT:
                raise self._broken()
            self._more(max(BLOCK_BYTES, len(self._text) - self._at))

    def _expect(self, signs: str) -> str:
        sign = self._peek()
        if not sign or sign not in signs:
            raise self._broken()
        self._at += 1
        return sign

    def _peek(self) -> str:
        """Return the next character that is no white space, empty at the end of the file."""
        while True:
            space = _SPACE.match(self._text, self._at)
            self._at = space.end() if space else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if self._ended:
                return ""
            self._more(BLOCK_BYTES)

    def _more(self, count: int) -> None:
        try:
            data = self._file.read(count)
            text = self._decode(data, final=not data)
        except UnicodeDecodeError as error:
            raise ResultsError(
                f"{self._name} is no UTF-8 text; choose the results.json of a hosted CLIP job."
            ) from error
        except OSError as error:
            raise ResultsError(f"{self._name} can't be read to its end ({error.strerror}); try again.") from error
        self._ended = not data
        self._text, self._at = self._text[self._at :] + text, 0
        self._read += len(data)
        if self._on_bytes is not None:
            self._on_bytes(self._read)

    def _broken(self) -> ResultsError:
        at = self._read - len(self._text) + self._at
        return ResultsError(f"{self._name} is cut off or no valid JSON (near byte {at:,}); download or copy it again.")


def open_results(path: Path) -> BinaryIO:
    """Open a file for ``ListReader``.

    Raises:
        ResultsError: there is no readable file.
    """
    try:
        return path.open("rb")
    except OSError as error:
        raise ResultsError(f"{path.name} can't be read ({error.strerror}); check its path.") from error
