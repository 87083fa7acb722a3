"""Everything that can go wrong, as one tree.

    ThreadkeepError
    ├── ConfigError            something the operator can mend: said once, exit 2
    │   ├── AccessRevoked      a platform no longer accepts our token, for all of it or
    │   │                      for one workspace
    │   ├── KeyLost            no key opens what was sealed
    │   └── InUse              another process has the database
    ├── Unacceptable           what somebody wants to set cannot be set
    │   └── Denied             they may not set it
    ├── ModelError             Claude did not answer, or not to the end
    │   ├── ModelBusy          overloaded, or we are over a rate limit
    │   ├── ModelUnreachable   no connection, a timeout, a server error
    │   ├── ModelDenied        the key, the account or the model is not accepted
    │   ├── PromptTooLong      the thread no longer fits the model
    │   ├── ModelRejected      the request itself was refused as invalid
    │   │   ├── FileRefused    because of a file in it
    │   │   └── ServerFailed   because of an MCP server
    │   ├── ModelCut           the answer broke off in the middle
    │   └── ModelUnpaid        nobody pays for what an answer still takes
    ├── DeliveryError          the platform did not take a write; may be repeated
    │   ├── Throttled          too many writes; says how long to wait
    │   ├── Unfit              it refuses this content in this form
    │   ├── UploadRefused      it takes no file here, or not this one
    │   ├── UploadLost         it has not kept a file that was sent to it
    │   └── ThreadGone         no write to this thread can succeed any more
    ├── FileUnread             a file that belongs to a message cannot be read
    ├── ThreadLost             another process answers in the thread now
    └── StorageError           the database did not take a write; may be repeated
        ├── StorageBusy        more waits for it than it may hold
        ├── StorageFull        the disk is full
        ├── StorageRejected    it will never take this write: not to be repeated
        └── StorageBroken      the file is not a database of ours, or is damaged

The message of an error is for the log and the operator; `user_text` is what the
people in the thread read. Neither ever holds a token or what people said.
"""

import enum
import traceback
from pathlib import PurePath

from bot.messages import errors as messages

#: The longest wait that a platform may ask for, in seconds.
MOST_WAIT = 3600.0


def leaves(error: BaseException) -> list[BaseException]:
    """Return `error`, or the errors in it if it is a group, at any depth."""
    if not isinstance(error, BaseExceptionGroup):
        return [error]
    return [leaf for each in error.exceptions for leaf in leaves(each)]


def is_lost(error: BaseException) -> bool:
    """Return whether `error` says that a thread was taken by another process."""
    return any(isinstance(each, ThreadLost) for each in leaves(error))


class ThreadkeepError(Exception):
    """An error of Threadkeep's own."""

    user_text = messages.SOMETHING_WRONG


class ConfigError(ThreadkeepError):
    """An error that the operator must correct; its message says how.

    `problems` are its sentences, if there is more than one thing to correct.
    """

    user_text = messages.NOT_SET_UP

    def __init__(self, *problems: str) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


class AccessRevoked(ConfigError):
    """A platform rejects our token: that of one `workspace`, or of all if it is "".
    `is_over` is set once the work that ended because of it has been taken up again."""

    def __init__(self, message: str, workspace: str = "") -> None:
        super().__init__(message)
        self.workspace = workspace
        self.is_over = False


class KeyLost(ConfigError):
    """No key opens what was sealed with one, or it was sealed for another place."""


class InUse(ConfigError):
    """Another process uses the database."""


class Unacceptable(ThreadkeepError):
    """A value or command is not valid; `user_text` says why, and is the message."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.user_text = text


class Denied(Unacceptable):
    """The person has no right to do this."""


class ModelError(ThreadkeepError):
    """Claude did not answer, or not completely."""

    user_text = messages.NO_ANSWER


class ModelBusy(ModelError):
    """Claude is overloaded, or a rate limit is reached.

    `retry_after` is the requested wait in seconds, if there is one.
    """

    user_text = messages.CLAUDE_BUSY

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ModelUnreachable(ModelError):
    """No connection, a timeout, or a server error."""

    user_text = messages.CLAUDE_UNREACHABLE


class ModelDenied(ModelError):
    """The key, the account's limit or the model is not accepted."""

    user_text = messages.CLAUDE_DENIES


class PromptTooLong(ModelError):
    """The thread does not fit into the model's context window."""

    user_text = messages.THREAD_TOO_LONG


class ModelRejected(ModelError):
    """The request was refused as invalid."""

    user_text = messages.CLAUDE_REJECTS


class FileRefused(ModelRejected):
    """The request was refused because of a file in it.

    `digest` is that of the file, if it is known which one it is; else "".
    """

    def __init__(self, message: str, digest: str = "") -> None:
        super().__init__(message)
        self.digest = digest


class ServerFailed(ModelRejected):
    """The request failed because of an MCP server: `server` is its name and `label` how
    people know it, where they are known."""

    user_text = messages.SERVER_FAILED

    def __init__(self, message: str, server: str = "", label: str = "") -> None:
        super().__init__(message)
        self.server = server
        if label:
            self.user_text = messages.server_failed(server=label)


class ModelCut(ModelError):
    """The answer broke off."""

    user_text = messages.CONNECTION_LOST


class ModelUnpaid(ModelError):
    """An answer needs another request to the model that no budget covers; `user_text`
    says so."""

    def __init__(self, text: str) -> None:
        super().__init__("no money for another request")
        self.user_text = text


class DeliveryError(ThreadkeepError):
    """The platform did not accept a write. A retry may succeed."""


class Throttled(DeliveryError):
    """The platform requests a wait of `retry_after` seconds before the next write, of
    which at most `MOST_WAIT` are waited before it is asked again: what was meant in
    other units, or means nothing, would silence everything until the next start."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = min(MOST_WAIT, max(0.0, retry_after))


class ThreadGone(DeliveryError):
    """No write to this thread can succeed any more."""


class Unfit(DeliveryError):
    """The platform refuses this content in this form, whenever it is sent."""


class UploadRefused(DeliveryError):
    """The platform takes no file here, or not this one. `user_text` says what would
    help; "" for nothing that people could do."""

    def __init__(self, text: str, user_text: str = "") -> None:
        super().__init__(text)
        self.user_text = user_text


class UploadLost(DeliveryError):
    """The platform has not kept a file that was sent to it and that nobody has seen."""


class Rerouted(DeliveryError):
    """Nothing was written: another kind of write must be used, at once."""


class Unread(enum.Enum):
    """The reason why a file is not read."""

    TOO_LARGE = "too_large"
    EMPTY = "empty"
    #: Only who has its password can read it.
    ENCRYPTED = "encrypted"
    #: Neither a picture, a PDF, an office document nor text.
    UNSUPPORTED = "unsupported"
    #: Its content is not what its type promises, or it unfolds beyond all bounds.
    BROKEN = "broken"
    #: The platform did not hand it out.
    UNAVAILABLE = "unavailable"
    #: It was deleted on the platform.
    DELETED = "deleted"
    #: It is on a site of somebody else's.
    ELSEWHERE = "elsewhere"
    #: The app lacks a scope or permission.
    NO_SCOPE = "no_scope"
    #: More files came with the messages than one answer reads.
    TOO_MANY = "too_many"
    #: The model takes no files of its kind.
    NOT_TAKEN = "not_taken"
    #: Claude refused it once.
    REFUSED = "refused"
    #: A person decided so, because of its price.
    SKIPPED = "skipped"
    #: It is dear, and nobody has decided yet.
    WAITING = "waiting"

    @classmethod
    def _missing_(cls, value: object) -> "Unread":
        # A value of a later version, or of a database that was edited by hand.
        return cls.UNAVAILABLE


class FileUnread(ThreadkeepError):
    """A file that belongs to a message cannot be read, for a `reason` that stays."""

    def __init__(self, reason: Unread) -> None:
        super().__init__(reason.value)
        self.reason = reason


class ThreadLost(ThreadkeepError):
    """Another process has taken the thread: this one must not write there any more."""


class StorageError(ThreadkeepError):
    """The database did not accept a write. A retry may succeed."""


class StorageBusy(StorageError):
    """The queue of reads and writes is full."""

    user_text = messages.VERY_BUSY


class StorageFull(StorageError):
    """The disk is full."""


class StorageRejected(StorageError):
    """The database will never accept this write."""


class StorageBroken(StorageError):
    """The file is not a database of Threadkeep, or is damaged."""


DEPTH = 6


def error_location(error: BaseException) -> str:
    """Return the type of `error` and its innermost frames, innermost first, on one
    line."""
    frames = traceback.extract_tb(error.__traceback__)[-DEPTH:]
    steps = [f"{PurePath(f.filename).name}:{f.lineno}" for f in reversed(frames)]
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    causes = "".join(f" [{error_location(cause)}]" for cause in inner)
    return f"{type(error).__name__}({' < '.join(steps)}){causes}"
