"""Summaries that the model reads in place of the older part of a thread. Frozen
values."""

from dataclasses import dataclass, field

from bot.domain.completion import BYTES_PER_TOKEN, ChatMessage, Usage, file_tokens


@dataclass(frozen=True, slots=True)
class ReadTurn:
    """One turn as the model reads it, or the summary that replaces earlier ones."""

    #: The id of the turn; of a summary, that of the last turn that it covers.
    turn: int
    entries: tuple[ChatMessage, ...]
    #: How many messages of people and answers it is or covers.
    messages: int
    is_summary: bool = False

    @property
    def size(self) -> int:
        """The bytes of its entries, with what their files count as."""
        text = sum(len(each.content.encode()) for each in self.entries)
        files = sum(file_tokens(f) for each in self.entries for f in each.files)
        return text + int(files * BYTES_PER_TOKEN)


@dataclass(frozen=True, slots=True)
class Summary:
    """The summary of a thread from its beginning, or last reset, up to a turn."""

    text: str
    #: The text that the model reads: `text` with a frame. Never rebuilt, so that it
    #: stays byte for byte.
    content: str
    #: How many messages of people and answers it covers, those of a former summary
    #: included.
    messages: int
    model: str
    #: The time at which it was made, in seconds since 1970.
    at: float
    usage: Usage = field(default_factory=Usage)
    #: In USD; None when the price is unknown.
    cost: float | None = None
    #: The JSON of the block, if the API's compaction made it, which `model` reads in
    #: place of `content`; "" for none.
    block: str = ""
