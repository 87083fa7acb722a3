"""All errors of Threadkeep, as one tree.

    ThreadkeepError
    ├── ConfigError            the operator can correct it: reported once, exit 2
    │   ├── AccessRevoked      a platform no longer accepts our token, for all of it or
    │   │                      for one workspace
    │   ├── KeyLost            no key can unseal a value
    │   └── InUse              another process uses the database
    ├── Unacceptable           a value or command of a person is not valid
    │   └── Denied             the person has no right to do this
    ├── ModelError             Claude did not answer, or not completely
    │   ├── ModelBusy          overloaded, or we are over a rate limit
    │   ├── ModelUnreachable   no connection, a timeout, a server error
    │   ├── ModelDenied        the key, the account or the model is not accepted
    │   │   └── ModelGone      there is no such model, or no longer
    │   ├── PromptTooLong      the thread no longer fits the model
    │   ├── ModelRejected      the request itself was refused as invalid
    │   │   ├── FileRefused    because of a file in it
    │   │   └── ServerFailed   because of an MCP server
    │   ├── ModelCut           the answer broke off in the middle
    │   └── ModelUnpaid        no budget covers the rest of an answer
    ├── DeliveryError          the platform did not accept a write; a retry may succeed
    │   ├── Throttled          too many writes; says how long to wait
    │   ├── Unfit              the platform refuses this content in this form
    │   ├── UploadRefused      the platform accepts no files here, or not this one
    │   ├── UploadLost         the platform did not keep an uploaded file
    │   ├── Rerouted           another kind of write must be used
    │   └── ThreadGone         no write to this thread can succeed any more
    ├── FileUnread             a file of a message cannot be read
    ├── ThreadLost             another process answers in the thread now
    └── StorageError           the database did not accept a write; a retry may succeed
        ├── StorageBusy        too many reads and writes are waiting
        ├── StorageFull        the disk is full
        ├── StorageRejected    the database will never accept this write
        └── StorageBroken      the file is not a database of ours, or is damaged

The message of an error is for the log and the operator. `user_text` is shown to the
people in the thread. Neither ever contains a token or people's words.
"""

import enum
import math
import traceback
from pathlib import PurePath

from bot.messages import errors as messages
from bot.messages import plurals

#: The longest wait that is accepted from a platform, in seconds.
MOST_WAIT = 3600.0


def leaves(error: BaseException) -> list[BaseException]:
    """Return [`error`], or the errors in a group at any depth."""
    if not isinstance(error, BaseExceptionGroup):
        return [error]
    return [leaf for each in error.exceptions for leaf in leaves(each)]


def is_lost(error: BaseException) -> bool:
    """Return whether `error` is or contains a ThreadLost."""
    return any(isinstance(each, ThreadLost) for each in leaves(error))


class ThreadkeepError(Exception):
    """The base of all errors of Threadkeep."""

    user_text = messages.SOMETHING_WRONG


class ConfigError(ThreadkeepError):
    """An error that the operator must correct. Its message says how.

    `problems` has one sentence for each problem to correct.
    """

    user_text = messages.NOT_SET_UP

    def __init__(self, *problems: str) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


class AccessRevoked(ConfigError):
    """A platform rejects our token for one `workspace`, or for all if that is "".

    `is_over` is set after the work that ended because of the error was resumed.
    """

    def __init__(self, message: str, workspace: str = "") -> None:
        super().__init__(message)
        self.workspace = workspace
        self.is_over = False


class KeyLost(ConfigError):
    """No key can unseal a value, or the value was sealed for another installation."""


class InUse(ConfigError):
    """Another process uses the database."""


class Unacceptable(ThreadkeepError):
    """A value or command is not valid. `user_text`, also the message, says why."""

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
        if retry_after is not None and retry_after > 60:
            self.user_text = messages.claude_busy(wait=_rounded_up(retry_after))


def _rounded_up(seconds: float) -> str:
    minutes = math.ceil(seconds / 60)
    if minutes <= 90:
        return plurals.MINUTES(minutes)
    return plurals.HOURS(math.ceil(minutes / 60))


class ModelUnreachable(ModelError):
    """No connection, a timeout, or a server error."""

    user_text = messages.CLAUDE_UNREACHABLE


class ModelDenied(ModelError):
    """The key, the account's limit or the model is not accepted."""

    user_text = messages.CLAUDE_DENIES


class ModelGone(ModelDenied):
    """There is no such model for the key, for example because it was retired."""

    def __init__(self, message: str, model: str) -> None:
        super().__init__(message)
        self.user_text = messages.model_gone(model=model)


class PromptTooLong(ModelError):
    """The thread does not fit into the model's context window."""

    user_text = messages.THREAD_TOO_LONG


class ModelRejected(ModelError):
    """The request was refused as invalid."""

    user_text = messages.CLAUDE_REJECTS


class FileRefused(ModelRejected):
    """The request was refused because of a file in it.

    `digest` is the digest of that file; "" if it is unknown which file it is.
    """

    def __init__(self, message: str, digest: str = "") -> None:
        super().__init__(message)
        self.digest = digest


class ServerFailed(ModelRejected):
    """The request failed because of an MCP server.

    `server` is its name, and `label` the name shown to people; "" if unknown.
    """

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
    """An answer needs another request to the model, which no budget covers.

    `user_text` says so.
    """

    def __init__(self, text: str) -> None:
        super().__init__("no money for another request")
        self.user_text = text


class DeliveryError(ThreadkeepError):
    """The platform did not accept a write. A retry may succeed."""


class Throttled(DeliveryError):
    """The platform requests a wait of `retry_after` seconds before the next write.

    At most `MOST_WAIT` is accepted. A value in another unit, or a meaningless one,
    would otherwise stop all writes until the next start.
    """

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = min(MOST_WAIT, max(0.0, retry_after))


class ThreadGone(DeliveryError):
    """No write to this thread can succeed any more."""


class MessageGone(ThreadGone):
    """The message to write to was deleted, and no write to it can succeed any more."""


class Unfit(DeliveryError):
    """The platform refuses this content in this form, whenever it is sent."""


class UploadRefused(DeliveryError):
    """The platform accepts no files here, or not this one.

    `user_text` says what people can do about it; "" for nothing.
    """

    def __init__(self, text: str, user_text: str = "") -> None:
        super().__init__(text)
        self.user_text = user_text


class UploadLost(DeliveryError):
    """The platform did not keep an uploaded file that nobody has seen yet."""


class Rerouted(DeliveryError):
    """Nothing was written, because another kind of write must be used at once."""


class Unread(enum.Enum):
    """The reason a file is not read."""

    TOO_LARGE = "too_large"
    EMPTY = "empty"
    #: The file requires a password.
    ENCRYPTED = "encrypted"
    #: Neither a picture, a PDF, an office document nor text.
    UNSUPPORTED = "unsupported"
    #: The content does not match the type, or expands beyond the limits.
    BROKEN = "broken"
    #: The platform did not provide the file.
    UNAVAILABLE = "unavailable"
    #: The file was deleted on the platform.
    DELETED = "deleted"
    #: The file is on a third party's site.
    ELSEWHERE = "elsewhere"
    #: The app lacks a scope or permission.
    NO_SCOPE = "no_scope"
    #: The messages have more files than one answer reads.
    TOO_MANY = "too_many"
    #: The model does not accept this kind of file.
    NOT_TAKEN = "not_taken"
    #: Claude refused the file before.
    REFUSED = "refused"
    #: A person decided against reading it, because of the price.
    SKIPPED = "skipped"
    #: The file is expensive to read, and nobody has decided yet.
    WAITING = "waiting"

    @classmethod
    def _missing_(cls, value: object) -> "Unread":
        # A value from a later version, or from a database that was edited by hand.
        return cls.UNAVAILABLE


class FileUnread(ThreadkeepError):
    """A file of a message cannot be read, for a permanent `reason`."""

    def __init__(self, reason: Unread) -> None:
        super().__init__(reason.value)
        self.reason = reason


class ThreadLost(ThreadkeepError):
    """Another process has taken the thread, so this one must not write there."""


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
    """Return the type and the innermost frames of `error`, on one line.

    The innermost frame comes first, and the text of the error is left out.
    """
    frames = traceback.extract_tb(error.__traceback__)[-DEPTH:]
    steps = [f"{PurePath(f.filename).name}:{f.lineno}" for f in reversed(frames)]
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    causes = "".join(f" [{error_location(cause)}]" for cause in inner)
    return f"{type(error).__name__}({' < '.join(steps)}){causes}"
