"""Requests to a model, and what it reports about an answer. Frozen values."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens by the kinds that are priced apart. Zero means none."""

    #: Input that was neither read from the cache nor written to it.
    input: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    cache_read: int = 0
    #: Thinking included: it is billed as output.
    output: int = 0
    #: How often the web was searched, which is billed besides tokens.
    searches: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.input + other.input,
            self.cache_write_5m + other.cache_write_5m,
            self.cache_write_1h + other.cache_write_1h,
            self.cache_read + other.cache_read,
            self.output + other.output,
            self.searches + other.searches,
        )

    @property
    def prompt(self) -> int:
        """The whole prompt, however it was billed."""
        return self.input + self.cache_write_5m + self.cache_write_1h + self.cache_read


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One entry of a conversation, as Claude reads it, byte for byte."""

    #: "user" or "assistant".
    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Request:
    """What Claude is asked."""

    model: str
    system: str
    #: Ends with a "user" entry.
    messages: tuple[ChatMessage, ...]
    max_tokens: int
    #: An opaque, stable id of who asks; no name, no address.
    user: str = ""
    #: Where the model takes it: "low" to "max"; None leaves it to the model.
    effort: str | None = None
    #: Where the model takes it (`ModelFacts.takes_temperature`), from 0 to 1.
    temperature: float | None = None
    stop_sequences: tuple[str, ...] = ()
    #: How often the web may be searched for this answer.
    searches: int = 0
    #: The JSON schema that the answer is to keep to, as JSON; "" for prose.
    schema: str = ""
    #: Whether nothing comes after it that reads the same messages, so that the system
    #: prompt alone is worth keeping.
    alone: bool = False
    #: The most tokens that its prompt can have, where they were counted.
    prompt_most: int | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One request to the API that is or may be billed."""

    #: The model asked for and the one that answered; the dearer one's price counts.
    models: tuple[str, ...]
    #: What it used, or the most that it can have used.
    usage: Usage
    #: Whether `usage` is the API's own last word on the whole request.
    exact: bool = False
    #: What its prices are multiplied by.
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Report:
    """What is known of an answer that a model gives. A model reports more than once;
    the last report counts. `stop_reason` is None until the answer is complete."""

    #: The model that answered, by its own word.
    model: str
    request_id: str | None = None
    usage: Usage = field(default_factory=Usage)
    stop_reason: str | None = None
    #: Every request for this answer that may be billed; None if the model cannot say.
    calls: tuple[Call, ...] | None = None
    #: Whether the last of `calls` is only about to be made: whoever cannot pay for
    #: all of them hangs up now.
    ahead: bool = False
