"""The state of a thread at the beginning of an answer. Frozen values."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.domain.completion import ChatMessage
from bot.domain.setting import StoredSettings, Version


@dataclass(frozen=True, slots=True)
class ThreadState:
    """The state of a thread when an answer in it begins."""

    settings: StoredSettings = field(default_factory=StoredSettings)
    #: The times of its newest questions, in seconds since 1970, oldest first.
    asked_at: Sequence[float] = ()
    #: The tokens that the last answer since the last reset read and wrote, as the API
    #: reported them; 0 if there is no such answer. An answer that used tools read its
    #: prompt more than once, so the number is capped at the most that the texts can
    #: have.
    tokens: int = 0
    #: Whether the thread existed before the bot's first message in it, and has been
    #: neither backfilled nor reset since.
    needs_backfill: bool = False


@dataclass(frozen=True, slots=True)
class StoredPrompt:
    """The messages that the model reads for a turn."""

    #: As `PromptStore.conversation` returns it.
    conversation: list[ChatMessage]
    #: The number of messages covered by a summary that this turn is the first to use;
    #: 0 for none.
    summarised: int = 0
    #: The requested version of the system prompt; None if it does not exist.
    version: Version | None = None
