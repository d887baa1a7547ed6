"""What a tab works on, in memory and on disk: an edit that can't be written stays, is said once and is tried again."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from lib.core.errors import PromptreelError, StoreDamagedError
from lib.infra.documents import set_aside
from lib.services import documents
from lib.services.documents import Kind
from lib.ui.session import cache

T = TypeVar("T")

_FULL = (errno.ENOSPC, errno.EDQUOT)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


@dataclass(frozen=True)
class Conflict(Generic[T]):
    """What this tab and another one have both changed; this tab's value is in place."""

    about: tuple[str, ...]
    """What the changes contradict each other in, in words."""
    ours: T
    theirs: T
    """As ``ours``, with the other tab's values where they contradict each other."""


class Saved(Generic[T]):
    """A document of this tab. Whoever changes it holds the tab's lock."""

    kind: ClassVar[Kind[Any]]
    saved: T | None
    """As it is on disk, as far as this tab knows; None: not there."""
    unsaved: str | None = None
    """Why the last change isn't on disk, as a part of a sentence; None: it is."""
    aside: str | None = None
    """Name of the file that holds what couldn't be read."""
    conflict: Conflict[T] | None = None
    deleted: bool = False
    """Whether it was deleted elsewhere; this tab's next change of it brings it back."""

    document_id: str
    value: T
    """As it is in memory."""

    def take(self, value: T) -> None:
        """Replace the document by one with another tab's changes; widgets and tables are to show them."""
        raise NotImplementedError

    def open(self) -> None:
        """Read the document, where there is one; one that can't be read is kept under another name."""
        home = cache.store().home
        try:
            self.saved = self.kind.load(home, self.document_id)
            if self.saved is not None:
                self.value = self.saved
        except StoreDamagedError:
            try:
                self.aside = set_aside(self._path()).name
            except OSError as error:
                self.unsaved = reason(error)
        except PromptreelError as error:
            self.unsaved = reason(error)

    def save(self) -> None:
        """Write the document if it has changed, with what another tab has changed meanwhile."""
        if self.saved != self.value:
            self._synchronise()

    def refresh(self) -> None:
        """Take over what another tab has written, and try again to write what couldn't be written."""
        if self.unsaved is None and (self.saved is None or self._take_theirs()):
            return
        self._synchronise()

    def _take_theirs(self) -> bool:
        """Take over what is on disk where this tab has nothing to write; return whether that is all there is to do."""
        if self.value != self.saved:
            return False
        try:
            theirs = self.kind.load(cache.store().home, self.document_id)
        except PromptreelError:
            return False
        self.deleted = theirs is None and documents.trash_of(self._path()).exists()
        if theirs is None:
            return self.deleted
        if theirs != self.saved:
            self.saved = theirs
            self.take(theirs)
        return True

    def bring_back(self) -> None:
        """Take the document from the trash, where it was put elsewhere."""
        documents.bring_back(self.kind, cache.store().home, self.document_id)
        self.deleted = False

    def _path(self) -> Path:
        return self.kind.path(cache.store().home, self.document_id)

    def use_theirs(self) -> None:
        """Take the other tab's values where they contradict this tab's, and keep all that was changed since."""
        conflict, self.conflict = self.conflict, None
        if conflict is not None:
            self.take(self.kind.merge(conflict.ours, conflict.theirs, self.value).value)
            self.save()

    def _synchronise(self) -> None:
        ours = self.value
        try:
            done = documents.synchronise(self.kind, cache.store().home, self.document_id, base=self.saved, ours=ours)
        except (PromptreelError, OSError) as error:
            self.unsaved = reason(error)
            return
        base, self.saved, self.unsaved, self.deleted = self.saved, done.merged.value, None, False
        if done.aside is not None:
            self.aside = done.aside.name
        if done.merged.conflicts and done.theirs is not None:
            theirs = self.kind.merge(base, done.theirs, ours).value
            self.conflict = Conflict(done.merged.conflicts, done.merged.value, theirs)
        if done.merged.value != ours:
            self.take(done.merged.value)


def reason(error: PromptreelError | OSError) -> str:
    """Return why something couldn't be read or written, and what to do, as a part of a sentence."""
    if isinstance(error, PromptreelError):
        return str(error).removesuffix(".")
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in _FULL:
        return f"the disk is full{where}; free some space"
    if error.errno in _FORBIDDEN:
        return f"the folder {Path(str(error.filename)).parent} can’t be written to; make it writable"
    return f"{(error.strerror or type(error).__name__).lower()}{where}; check the disk"
