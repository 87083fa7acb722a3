"""The state of a thread from which an answer begins. Frozen values."""

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
    #: How many tokens the last answer since the last reset read and wrote, as the API
    #: reported them; 0 if there is none. Answers that used tools read their prompt more
    #: than once: of those, and of what was said before them, at most what the texts can
    #: have counts.
    tokens: int = 0
    #: Whether it is older than the bot's first message in it and was neither backfilled
    #: nor reset since.
    needs_backfill: bool = False


@dataclass(frozen=True, slots=True)
class StoredPrompt:
    """The messages that the model is to read for a turn."""

    #: As `PromptStore.conversation` returns it.
    conversation: list[ChatMessage]
    #: How many messages the summary covers that the turn is the first to use; 0 for
    #: none.
    summarised: int = 0
    #: The version of the system prompt that was asked for; None if there is none.
    version: Version | None = None
