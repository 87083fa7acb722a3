"""Everything that can go wrong, as one tree.

    ThreadkeepError
    ├── ConfigError            something the operator can mend: said once, exit 2
    │   ├── AccessRevoked      a platform no longer accepts our token
    │   └── InUse              another process has the database
    ├── Unacceptable           what somebody wants to set cannot be set
    │   └── Denied             they may not set it
    ├── ModelError             Claude did not answer, or not to the end
    │   ├── ModelBusy          overloaded, or we are over a rate limit
    │   ├── ModelUnreachable   no connection, a timeout, a server error
    │   ├── ModelDenied        the key, the account or the model is not accepted
    │   ├── PromptTooLong      the thread no longer fits the model
    │   ├── ModelRejected      the request itself was refused as invalid
    │   ├── ModelCut           the answer broke off in the middle
    │   └── ModelUnpaid        nobody pays for what an answer still takes
    ├── DeliveryError          the platform did not take a write; may be repeated
    │   ├── Throttled          too many writes; says how long to wait
    │   └── ThreadGone         no write to this thread can succeed any more
    └── StorageError           the database did not take a write; may be repeated
        ├── StorageBusy        more waits for it than it may hold
        ├── StorageFull        the disk is full
        ├── StorageRejected    it will never take this write: not to be repeated
        └── StorageBroken      the file is not a database of ours, or is damaged

The message of an error is for the log and the operator; `user_text` is what the
people in the thread read. Neither ever holds a token or what people said.
"""

import traceback
from pathlib import PurePath


def leaves(error: BaseException) -> list[BaseException]:
    """`error`, or the errors in it if it is a group of them, or of groups."""
    if not isinstance(error, BaseExceptionGroup):
        return [error]
    return [leaf for each in error.exceptions for leaf in leaves(each)]


class ThreadkeepError(Exception):
    """Anything that Threadkeep itself reports."""

    user_text = "Something went wrong here. Please try again in a moment."


class ConfigError(ThreadkeepError):
    """Something the operator must set right; the message says what to do."""

    user_text = "This bot is not set up correctly. Please tell its operator."


class AccessRevoked(ConfigError):
    """A platform no longer accepts our token."""


class InUse(ConfigError):
    """Another process has the database."""


class Unacceptable(ThreadkeepError):
    """What somebody wants to set cannot be set; `user_text` tells them why, and its
    message is the same."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.user_text = text


class Denied(Unacceptable):
    """Somebody may not do what they want to."""


class ModelError(ThreadkeepError):
    """Claude did not answer, or not to the end."""

    user_text = "Claude could not answer. Please try again in a moment."


class ModelBusy(ModelError):
    """Claude is overloaded, or we are over our rate.

    `retry_after` is the wait in seconds that was asked for, if any was.
    """

    user_text = "Claude is busy right now. Please try again in a minute."

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ModelUnreachable(ModelError):
    """No connection, a timeout, or an error on the model's side."""

    user_text = "Claude cannot be reached right now. Please try again in a minute."


class ModelDenied(ModelError):
    """The key, the account's limit or the model is not accepted."""

    user_text = (
        "Claude does not accept this bot's account or model at the moment. "
        "Please tell the bot's operator."
    )


class PromptTooLong(ModelError):
    """The thread no longer fits into what the model can read."""

    user_text = (
        "This thread has grown too long for Claude to read. "
        "Please start a new thread with what still matters."
    )


class ModelRejected(ModelError):
    """The request was refused as invalid."""

    user_text = (
        "Claude could not take this message as it is. "
        "Please put it differently, or tell the bot's operator."
    )


class ModelCut(ModelError):
    """The answer broke off in the middle."""

    user_text = "The connection to Claude broke off here."


class ModelUnpaid(ModelError):
    """An answer takes another request to the model, and no budget has room for it;
    `user_text` says so."""

    def __init__(self, text: str) -> None:
        super().__init__("no money for another request")
        self.user_text = text


class DeliveryError(ThreadkeepError):
    """The platform did not take a write. Trying again may help."""


class Throttled(DeliveryError):
    """The platform asks us to wait `retry_after` seconds before the next write."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ThreadGone(DeliveryError):
    """No write to this thread can succeed: it, or our right to it, is gone."""


class Rerouted(DeliveryError):
    """It must be written in another way, at once: nothing was written."""


class StorageError(ThreadkeepError):
    """The database did not take a write. Trying again may help."""


class StorageBusy(StorageError):
    """So much waits to be read or written that no more may wait."""

    user_text = "I am very busy right now. Please try again in a minute."


class StorageFull(StorageError):
    """The disk is full."""


class StorageRejected(StorageError):
    """The database does not take this, today or tomorrow."""


class StorageBroken(StorageError):
    """The file is not a database of ours, or is damaged."""


DEPTH = 6


def error_location(error: BaseException) -> str:
    """`error`'s type and its innermost frames, innermost first, on one line."""
    frames = traceback.extract_tb(error.__traceback__)[-DEPTH:]
    steps = [f"{PurePath(f.filename).name}:{f.lineno}" for f in reversed(frames)]
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    causes = "".join(f" [{error_location(cause)}]" for cause in inner)
    return f"{type(error).__name__}({' < '.join(steps)}){causes}"
