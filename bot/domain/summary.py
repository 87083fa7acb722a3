"""Summaries that replace the older part of a thread for the model. Frozen values."""

from dataclasses import dataclass, field

from bot.domain.completion import BYTES_PER_TOKEN, ChatMessage, Usage, file_tokens


@dataclass(frozen=True, slots=True)
class ReadTurn:
    """One turn as the model reads it, or the summary that replaces earlier ones."""

    #: The id of the turn; for a summary, of the last turn that it covers.
    turn: int
    entries: tuple[ChatMessage, ...]
    #: The number of people's messages and answers in the turn or the summary.
    messages: int
    is_summary: bool = False

    @property
    def size(self) -> int:
        """The size of the entries and their files, in bytes of text."""
        text = sum(len(each.content.encode()) for each in self.entries)
        files = sum(file_tokens(f) for each in self.entries for f in each.files)
        return text + int(files * BYTES_PER_TOKEN)


@dataclass(frozen=True, slots=True)
class Summary:
    """The summary of a thread from its beginning or last reset up to a turn."""

    text: str
    #: The text that the model reads: `text` with a frame. Never rebuilt, so that every
    #: request has the same bytes.
    content: str
    #: The number of people's messages and answers that it covers, including those
    #: covered by an earlier summary.
    messages: int
    model: str
    #: The time of its creation, in seconds since 1970.
    at: float
    usage: Usage = field(default_factory=Usage)
    #: In USD; None when the price is unknown.
    cost: float | None = None
    #: The JSON of the API's compaction block, which replaces `content` for `model`; ""
    #: for none.
    block: str = ""
