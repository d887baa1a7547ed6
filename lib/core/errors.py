"""All errors, as one tree. Every message is one or two sentences: what is wrong, and what to do.

::

    PromptreelError              shown to the user as it is
    ├── InputError               something the user typed or chose
    │   ├── PromptSetError       a prompt set that can't be read or makes no sense
    │   ├── SettingsError        a setting outside its range
    │   └── ResultsError         a results.json that can't be read or makes no sense
    ├── VideoError               a file that can't be used as a video
    │   ├── VideoUnreadableError missing, empty, truncated, or not a video
    │   ├── NoVideoStreamError   a media file without pictures
    │   └── VideoDamagedError    decoding broke in the middle; what came before is kept
    ├── EngineError              an engine that can't embed
    │   ├── EngineUnavailableError  not reachable, not downloaded, or overloaded for too long
    │   ├── EngineAuthError      the key is missing or refused
    │   ├── UnknownModelError    a model version the engine doesn't have
    │   ├── PromptTooLongError   a text beyond the model's context length
    │   ├── BadReplyError        an answer that is no usable list of vectors
    │   └── HostedJobError       a job of the hosted service that failed, or that it has forgotten
    ├── StoreError               the store on disk
    │   ├── StoreDamagedError    something in it can't be read any more
    │   ├── StoreVersionError    written by another format version
    │   └── NotStoredError       asked for something that isn't there
    └── RemoteError              object storage that can't be used, or holds what makes no sense
        └── RemoteMissingError   asked for something that isn't there
    Cancelled                    outside the tree: not an error, but work that stopped on request
"""

from __future__ import annotations


class PromptreelError(Exception):
    """Base of all errors meant for the user; ``str(error)`` is the whole message."""


class InputError(PromptreelError):
    """Something the user typed or chose can't be used."""


class PromptSetError(InputError):
    """A prompt set can't be read or makes no sense."""


class SettingsError(InputError):
    """A setting is outside its range."""


class ResultsError(InputError):
    """A results.json can't be read or makes no sense."""


class VideoError(PromptreelError):
    """A file can't be used as a video."""


class VideoUnreadableError(VideoError):
    """The file is missing, empty, truncated, or not a video."""


class NoVideoStreamError(VideoError):
    """The file has no video stream."""


class VideoDamagedError(VideoError):
    """Decoding broke in the middle: ``reached_s`` is the time, in seconds, of the last good frame, None without one."""

    def __init__(self, message: str, *, reached_s: float | None = None) -> None:
        super().__init__(message)
        self.reached_s = reached_s


class EngineError(PromptreelError):
    """An engine can't embed."""

    concerns_one_text = False
    """Whether other texts may still be embedded."""


class EngineUnavailableError(EngineError):
    """The engine is not reachable, not downloaded, or overloaded for too long."""


class EngineAuthError(EngineError):
    """The API key is missing or refused."""


class UnknownModelError(EngineError):
    """The engine does not have this model version."""


class PromptTooLongError(EngineError):
    """A text is longer than the model's context length."""

    concerns_one_text = True


class BadReplyError(EngineError):
    """The engine's answer is no usable list of vectors."""


class HostedJobError(EngineError):
    """A job of the hosted service failed, or the service has forgotten it."""


class StoreError(PromptreelError):
    """The store on disk can't do what was asked."""


class StoreDamagedError(StoreError):
    """Something in the store is there, but can't be read any more."""


class StoreVersionError(StoreError):
    """The store was written by another format version."""


class NotStoredError(StoreError):
    """The store has no such video or embedding."""


class RemoteError(PromptreelError):
    """Object storage, or a shared folder, can't do what was asked, or what it holds makes no sense."""


class RemoteFailedError(RemoteError):
    """Object storage doesn't answer, or refuses: the next question may well meet the same."""


class RemoteDamagedError(RemoteError):
    """What was published isn't there, or isn't what it was."""


class RemoteMissingError(RemoteError):
    """Object storage has no such file."""


class Cancelled(Exception):  # noqa: N818 - an ending, not an error
    """Work stopped on request; the text, if any, says what is kept."""
